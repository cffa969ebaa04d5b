"""A file that kills what loads it kills only a child, and only once."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from boxwright.errors import DetectorError
from boxwright.export.export import export
from boxwright.inference.admission import Checks, admit
from boxwright.inference.detector import Detector
from boxwright.safety import trial
from boxwright.safety.limits import DefectError

REAL = {name: getattr(trial, name) for name in ("attempt", "remember", "is_known")}
OURS = Path(__file__).parents[1] / "earlier" / "files" / "run"
FOLDER = Path(__file__).parent


def die(path: Path) -> None:
    os.kill(os.getpid(), signal.SIGSEGV)


def refuse(path: Path) -> None:
    raise DefectError(f"{path.name} is ünusable")


def raise_error(path: Path) -> None:
    raise RuntimeError("which is raised again where it is caught")


def exhaust(path: Path) -> None:
    trial.MEMORY = 1 << 24
    trial.limit()
    bytearray(1 << 32)


def count(path: Path) -> None:
    with path.with_suffix(".count").open("a", encoding="utf-8") as file:
        file.write("x")


@pytest.fixture
def real(monkeypatch: pytest.MonkeyPatch, no_trials: None, cache: Path) -> Iterator[None]:
    """Trials in processes, with this folder on their path."""
    unpatched = pytest.MonkeyPatch()
    for name, function in REAL.items():
        unpatched.setattr(trial, name, function)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(FOLDER), *sys.path]))
    yield
    unpatched.undo()


@pytest.mark.parametrize(
    ("what", "code", "said"),
    [
        ("die", "BW513", "ends the process"),
        ("refuse", "BW502", "ünusable"),
        ("exhaust", "BW513", "bytes of memory"),
        ("raise_error", None, ""),
    ],
)
@pytest.mark.usefixtures("real")
def test_what_a_child_says(what: str, code: str | None, said: str, tmp_path: Path) -> None:
    if what == "exhaust" and sys.platform != "linux":
        pytest.skip("only Linux limits the address space")
    path = tmp_path / "file.tflite"
    path.write_bytes(b"content")
    checks = Checks(trial=f"test_trial:{what}")
    if code is None:
        admit(path, checks)
        return
    with pytest.raises(DetectorError, match=said) as caught:
        admit(path, checks)
    assert caught.value.code == code
    assert "Traceback" not in caught.value.message


@pytest.mark.usefixtures("real")
def test_a_file_is_tried_once_whatever_its_name(tmp_path: Path) -> None:
    checks = Checks(trial="test_trial:count")
    path = tmp_path / "file.tflite"
    path.write_bytes(b"content")
    admit(path, checks)
    admit(path, checks)
    moved = path.rename(tmp_path / "other.tflite")
    admit(moved, checks)
    assert (tmp_path / "file.count").read_text(encoding="utf-8") == "x"
    assert not (tmp_path / "other.count").exists()
    moved.write_bytes(b"changed")
    admit(moved, checks)
    assert (tmp_path / "other.count").read_text(encoding="utf-8") == "x"


def test_a_run_of_a_stranger_is_tried_before_it_is_exported(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def kill(target: str, path: Path) -> None:
        raise trial.FatalError(f"{target} ends the process")

    monkeypatch.setattr(trial, "attempt", kill)
    with pytest.raises(DetectorError, match="try_run ends the process") as caught:
        export(OURS, "tflite", tmp_path / "a.tflite")
    assert caught.value.code == "BW513"


@pytest.mark.usefixtures("real")
def test_a_real_file_is_tried_and_then_known(cache: Path) -> None:
    assert Detector.load(OURS / "detector-int8.tflite").classes == ("square",)
    (known,) = (cache / "tried").iterdir()
    assert trial.is_known(known.name)
