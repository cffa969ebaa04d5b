"""No command asks for a host or leaves an id: what native libraries do is seen from outside."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from boxwright.backend import framework

FILES = Path(__file__).parents[1] / "earlier" / "files"
CALLS = "connect,sendto,sendmsg,sendmmsg"
HOST = re.compile(r"sa_family=AF_INET|sun_path=\"[^\"]*(nscd|resolve)|\bmsg_iov")
MAKERS = re.compile("microsoft|intel|openvino|onnx|google", re.IGNORECASE)
PROGRAM = """
import sys
from boxwright.cli.main import main

files, out = sys.argv[1:]
for words in (
    ["inspect", f"{files}/run/detector.tflite"],
    ["inspect", f"{files}/run/detector.onnx"],
    ["predict", f"{files}/run/openvino", f"{files}/squares/002.png", "--out", out],
    ["evaluate", f"{files}/run", f"{files}/squares"],
):
    try:
        main(words)
    except SystemExit as ended:
        assert ended.code == 0, words
"""


def traced(record: Path) -> list[str]:
    """The command that traces, if this system has it and allows it."""
    strace = shutil.which("strace")
    if not strace:
        return []
    line = [strace, "-f", "--seccomp-bpf", "-qq", "-e", f"trace={CALLS}", "-o", str(record)]
    tried = subprocess.run([*line, "true"], capture_output=True, check=False)
    return [] if tried.returncode else line


def test_commands_look_up_no_host_and_leave_no_id(tmp_path: Path) -> None:
    home, record = tmp_path / "home", tmp_path / "calls"
    home.mkdir()
    around = traced(record)
    places = {name: str(home) for name in ("HOME", "USERPROFILE", "LOCALAPPDATA", "XDG_CACHE_HOME")}
    # The children that try files are traced too.
    done = subprocess.run(
        [*around, sys.executable, "-c", PROGRAM, str(FILES), str(tmp_path / "out")],
        env={**os.environ, **places, "BOXWRIGHT_CACHE": str(tmp_path / "cache")},
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        check=False,
    )
    assert done.returncode == 0, done.stderr
    left = [str(path.relative_to(home)) for path in home.rglob("*") if path.is_file()]
    assert [name for name in left if MAKERS.search(name)] == []
    if not around:
        pytest.skip("strace is not here, or is not allowed: only the files are checked")
    calls = record.read_text(encoding="utf-8", errors="replace").splitlines()
    assert [line for line in calls if HOST.search(line)] == []


@pytest.mark.tiny
def test_a_user_may_switch_one_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ORT_DISABLE_TELEMETRY", "0")
    monkeypatch.delenv("DO_NOT_TRACK", raising=False)
    monkeypatch.delitem(sys.modules, "openvino_telemetry", raising=False)
    framework.silence()
    assert (os.environ["ORT_DISABLE_TELEMETRY"], os.environ["DO_NOT_TRACK"]) == ("0", "1")
    assert sys.modules["openvino_telemetry"] is None
