"""The modules of the studio's page: their own tests in Node, their types, and their style.

`make test` installs the checkers with npm; without Node or npm these tests are skipped.
"""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest

import system_libraries
from boxwright.visualize.draw import color_of

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted((ROOT / "src" / "boxwright").glob("*/page"))  # of the studio, of `serve`, shared
SHARED = ROOT / "src" / "boxwright" / "web" / "page"
CHECKS = Path(__file__).parent / "page"
MODULES = sorted(path for page in PAGES for path in page.glob("*.js"))
TESTS = sorted(CHECKS.glob("*.test.js"))
MIN_NODE = (20, 19)  # recognizes modules by their syntax


@pytest.fixture(scope="module")
def node() -> str:
    """The path of a Node that is new enough."""
    path = system_libraries.program("nodejs")
    if path is None:
        pytest.skip("there is no Node; make libraries installs it, or says how")
    said = subprocess.run([path, "--version"], capture_output=True, text=True, check=True).stdout
    version = tuple(map(int, said.strip().removeprefix("v").split(".")[:2]))
    if version < MIN_NODE:
        pytest.skip(f"Node is {said.strip()}; these modules need 20.19")
    return path


@pytest.fixture(scope="module")
def checkers(node: str) -> Path:
    """The folder of the packages that npm has installed."""
    folder = CHECKS / "node_modules"
    if not folder.is_dir():
        pytest.skip("there are no checkers for JavaScript; make checkers installs them with npm")
    return folder


def run(*words: str | Path) -> str:
    """What a command prints; it must succeed."""
    done = subprocess.run(
        [str(word) for word in words],
        cwd=ROOT,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_modules_do_what_their_tests_say(node: str) -> None:
    said = run(node, "--no-warnings", "--test", "--test-reporter=tap", *TESTS)
    passed = re.search(r"^# pass (\d+)$", said, re.MULTILINE)
    assert passed
    assert int(passed[1]) >= 100
    assert "\n# skipped 0\n" in said


def test_their_types_agree(node: str, checkers: Path) -> None:
    run(node, checkers / "typescript" / "bin" / "tsc", "--project", CHECKS)


def test_their_style(node: str, checkers: Path) -> None:
    config = ("--config", CHECKS / "eslint.config.js", "--max-warnings", "0")
    run(node, checkers / "eslint" / "bin" / "eslint.js", *config, *MODULES, *CHECKS.glob("*.js"))


@pytest.mark.tiny
def test_classes_have_the_colors_of_drawn_boxes(node: str) -> None:
    script = f"""
        import {{ colorOf }} from {json.dumps((SHARED / "colors.js").as_uri())};
        console.log(JSON.stringify([...Array(30).keys()].map(colorOf)));
    """
    said = run(node, "--no-warnings", "--input-type=module", "--eval", script)
    expected = [f"rgb({' '.join(map(str, color_of(label)))})" for label in range(30)]
    assert json.loads(said) == expected


@pytest.mark.tiny
def test_the_pages_need_nothing_from_elsewhere() -> None:
    documents = [path for page in PAGES for path in page.glob("*.[hc]*")]
    for path in (*MODULES, *documents):
        text = path.read_text(encoding="utf-8")
        elsewhere = re.findall(r"\bhttps?://[^\s\"']+", text)
        assert set(elsewhere) <= {"http://www.w3.org/2000/svg"}, path.name
        imported = re.findall(r"""(?:from|import\()\s*["']([^"']+)""", text)
        assert all((path.parent / name).is_file() for name in imported), path.name


@pytest.mark.tiny
@pytest.mark.parametrize("page", [page for page in PAGES if page != SHARED])
def test_the_document_has_no_script_and_no_style_in_it(page: Path) -> None:
    text = (page / "index.html").read_text(encoding="utf-8")
    assert re.findall(r"<script\b[^>]*>", text) == ['<script type="module" src="/page/main.js">']
    assert not re.search(r"<style\b|\sstyle=|\son[a-z]+=", text)


@pytest.mark.tiny
def test_the_lock_file_names_no_registry() -> None:
    lock = (CHECKS / "package-lock.json").read_text(encoding="utf-8")
    assert "://" not in re.sub(r'"url": "[^"]*"', "", lock)  # of whom to thank
    assert '"integrity"' in lock
