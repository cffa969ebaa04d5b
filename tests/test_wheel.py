"""The wheel, not the checkout: it has all that `check`, `predict` and `demo` need."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT / "src" / "boxwright"
SCRIPTS = "Scripts" if os.name == "nt" else "bin"


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh environment's folder of programs, with the wheel and this environment's packages.

    The `.pth` files of those are not read, so that the editable checkout is not among them.
    """
    folder = tmp_path_factory.mktemp("wheel")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    build = ["wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", folder, ROOT]
    run(*pip, *build)
    (wheel,) = folder.glob("boxwright-*.whl")
    venv.create(folder / "fresh", symlinks=os.name != "nt")
    programs = folder / "fresh" / SCRIPTS
    run(*pip, "--python", programs / "python", "install", "--no-deps", "--no-index", wheel)
    where = run(programs / "python", "-c", "import sysconfig; print(sysconfig.get_path('purelib'))")
    beside = Path(where.strip()) / "beside.pth"
    beside.write_text(f"{sysconfig.get_path('purelib')}\n", encoding="utf-8")
    return programs


def run(*words: str | Path, within: Path | None = None) -> str:
    """What a command prints on standard output; it must succeed."""
    alone = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [str(word) for word in words],
        cwd=within,
        env=alone | {"PYTHONIOENCODING": "utf-8"},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.slow
def test_it_has_all_files_of_the_pages(installed: Path) -> None:
    where = "from importlib.resources import files; print(files('boxwright'))"
    package = Path(run(installed / "python", "-c", where).strip())
    assert package.is_relative_to(installed.parent)
    pages = {path.relative_to(SOURCE) for path in SOURCE.glob("*/page/*")}
    assert {path.relative_to(package) for path in package.glob("*/page/*")} == pages
    needed = ("studio/page/index.html", "serving/page/main.js", "web/page/icon.svg")
    assert {Path(each) for each in needed} <= pages


@pytest.mark.slow
def test_it_checks_predicts_and_shows_the_demo(installed: Path, tmp_path: Path) -> None:
    boxwright = installed / "boxwright"
    which = "import boxwright; print(boxwright.__file__)"
    own = run(installed / "python", "-c", which, within=tmp_path).strip()
    assert Path(own).is_relative_to(installed.parent), "not the checkout"
    assert "seconds in all" in run(boxwright, "demo", "--quick", within=tmp_path)
    assert (tmp_path / "demo" / "scenes.png").stat().st_size > 100_000, "a picture to look at"
    assert "56 images" in run(boxwright, "check", "demo/data", within=tmp_path)
    image = "demo/data/JPEGImages/scene_0000.jpg"
    words = ("demo/run/detector.tflite", image, "--out", "found")
    assert "boxes in 1 image" in run(boxwright, "predict", *words, within=tmp_path)
    assert (tmp_path / "found" / "detections.json").is_file()
