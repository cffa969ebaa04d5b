"""The wheel, not the checkout: it has all that `check`, `predict` and `demo` need."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import sysconfig
import time
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


def alone(**more: str) -> dict[str, str]:
    """This environment without the path to the checkout's modules."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    return kept | {"PYTHONIOENCODING": "utf-8"} | more


def run(*words: str | Path, within: Path | None = None, **more: str) -> str:
    """What a command prints on standard output, with `more` in its environment; it must succeed."""
    done = subprocess.run(
        [str(word) for word in words],
        cwd=within,
        env=alone(**more),
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


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="the commands are those of a Linux container")
def test_the_commands_of_its_dockerfile_serve_a_detector(installed: Path, tmp_path: Path) -> None:
    """What Docker would do, apart from the user, the folder and a port that may be taken here.

    pip finds all other packages installed, so nothing is downloaded."""
    model = tmp_path / "a model.tflite"
    shutil.copy(ROOT / "tests" / "earlier" / "files" / "run" / "detector-int8.tflite", model)
    run(installed / "boxwright", "dockerfile", model.name, within=tmp_path)
    text = (tmp_path / "Dockerfile").read_text("utf-8")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        text = text.replace("8501", str(free.getsockname()[1]))
    lines = [line.partition(" ")[::2] for line in text.splitlines()]
    (wheel,) = installed.parents[1].glob("boxwright-*.whl")
    container = {
        "PATH": f"{installed}{os.pathsep}{os.environ['PATH']}",
        "BOXWRIGHT": f"{wheel}[serve]",
        "BOXWRIGHT_CACHE": str(tmp_path / "cache"),
        "PIP_NO_INDEX": "1",
    }
    install, user, load = (words for name, words in lines if name == "RUN")
    assert user.startswith("useradd ")
    run("sh", "-c", install, within=tmp_path, **container)
    assert "ssd_mobilenet_v1" in run(*json.loads(load), within=tmp_path, **container)
    assert list((tmp_path / "cache" / "tried").iterdir()), "the server need not try it again"
    (start,) = (json.loads(words) for name, words in lines if name == "ENTRYPOINT")
    (health,) = (words for name, words in lines if name == "HEALTHCHECK")
    ask = json.loads(health.partition("CMD ")[2])
    environment = alone(**container)
    with subprocess.Popen(start, cwd=tmp_path, env=environment, stderr=subprocess.PIPE) as server:
        try:
            given_up = time.monotonic() + 300
            while subprocess.run(ask, env=environment, capture_output=True, check=False).returncode:
                assert server.poll() is None, server.communicate()[1].decode()
                assert time.monotonic() < given_up, "it never gets healthy"
                time.sleep(0.1)
        finally:
            server.terminate()
    assert server.returncode == 0
