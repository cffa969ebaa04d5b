"""Streams and environments that fail: a coded error, or the work goes on without them."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from boxwright import console
from boxwright.errors import SystemFaultError
from boxwright.io.cache import cache_folder
from folders import VocFolder

FULL = Path("/dev/full")
needs_full = pytest.mark.skipif(not FULL.exists(), reason="there is no /dev/full")
REFUSED = "BW904 the output cannot be printed (No space left on device).\n-> "


def run(line: str, **environment: str) -> subprocess.CompletedProcess[bytes]:
    """Run `boxwright` through a shell, in which `line` redirects its streams."""
    return subprocess.run(
        ["/bin/sh", "-c", f"{sys.executable} -m boxwright {line}"],
        capture_output=True,
        check=False,
        env={**os.environ, **environment},
    )


@needs_full
@pytest.mark.parametrize("line", ["--version", "check --help", "explain BW101", "models --json"])
def test_a_full_standard_output_is_a_coded_error(line: str) -> None:
    done = run(f"{line} >{FULL}")
    assert done.returncode == 1
    assert done.stderr.decode().startswith(REFUSED)


@needs_full
@pytest.mark.parametrize(
    ("line", "code"),
    [
        (f"check DATA 2>{FULL}", 0),
        (f"check nowhere 2>{FULL}", 1),
        ("check DATA >&- 2>&- <&-", 0),
    ],
)
def test_no_work_depends_on_standard_error(line: str, code: int, voc_folder: VocFolder) -> None:
    voc_folder.image("a.jpg")
    voc_folder.xml("a.xml")
    done = run(line.replace("DATA", str(voc_folder.root)))
    assert (done.returncode, done.stderr) == (code, b"")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such pipes")
def test_a_closed_pipe_ends_the_command_silently() -> None:
    done = run("models --json | true")
    assert done.stderr == b""


@pytest.mark.skipif(sys.platform == "win32", reason="no shell")
def test_any_locale_and_terminal_will_do(voc_folder: VocFolder) -> None:
    environment = {"LANG": "C", "LC_ALL": "C", "PYTHONIOENCODING": "ascii", "TERM": "dumb"}
    voc_folder.image("\u718a.jpg")
    voc_folder.xml("\u718a.xml")
    done = run(f"check {voc_folder.root}", PYTHONUTF8="0", **environment)
    assert (done.returncode, done.stderr.count(b"BW999")) == (0, 0)


def test_an_internal_error_is_told_where_no_file_can_be_written(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(**_: object) -> None:
        raise FileNotFoundError(2, "No usable temporary directory found")

    monkeypatch.setattr(tempfile, "mkstemp", fail)
    error = console.unexpected(ValueError("a mistake"))
    assert "report it with the lines above" in error.remedy
    assert "ValueError: a mistake" in capsys.readouterr().err


def test_messages_go_on_after_their_pipe_was_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    read, write = os.pipe()
    with open(write, "w", encoding="utf-8") as stream:  # noqa: PTH123 - a descriptor
        os.close(read)
        monkeypatch.setattr(sys, "stderr", stream)
        console.say("nobody reads this")
        console.say("nor this")


@pytest.mark.parametrize("variable", ["XDG_CACHE_HOME", "LOCALAPPDATA", "BOXWRIGHT_CACHE"])
def test_an_empty_variable_is_none(variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for each in ("XDG_CACHE_HOME", "LOCALAPPDATA", "BOXWRIGHT_CACHE"):
        monkeypatch.delenv(each, raising=False)
    expected = cache_folder()
    monkeypatch.setenv(variable, "")
    assert cache_folder() == expected
    assert expected.is_absolute()


def test_without_a_home_the_cache_is_in_the_temporary_folder(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail() -> Path:
        raise RuntimeError("Could not determine home directory.")

    for each in ("XDG_CACHE_HOME", "LOCALAPPDATA", "BOXWRIGHT_CACHE"):
        monkeypatch.delenv(each, raising=False)
    monkeypatch.setattr(Path, "home", fail)
    assert Path(tempfile.gettempdir()) in cache_folder().parents


@needs_full
def test_what_is_printed_in_process_is_coded(monkeypatch: pytest.MonkeyPatch) -> None:
    with FULL.open("w", encoding="utf-8") as stream:
        monkeypatch.setattr(sys, "stdout", stream)
        with pytest.raises(SystemFaultError) as caught:
            console.show("a sentence")
    assert caught.value.code == "BW904"
