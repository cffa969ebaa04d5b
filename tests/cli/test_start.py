"""The console script itself: it answers at once, and fails as a program should."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import boxwright
from boxwright.console import INTERRUPTED

ANSWERS_WITHIN = 0.3  # seconds of its own, whatever else the machine does
HEAVY = ("numpy", "PIL", "keras", "tensorflow", "rich")


def start(*arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "boxwright", *arguments],
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=60,
        cwd=cwd,
        check=False,
    )


@pytest.mark.tiny
def test_help_answers_at_once() -> None:
    seconds = []
    for _ in range(5):
        before = os.times()
        answer = start("--help")
        after = os.times()
        seconds.append(after.children_user - before.children_user)
    assert answer.returncode == 0
    assert "predict" in answer.stdout
    assert min(seconds) < ANSWERS_WITHIN


@pytest.mark.tiny
def test_help_imports_nothing_heavy() -> None:
    program = (
        "import sys\n"
        "from boxwright.cli.main import app\n"
        "try:\n    app(['--help'])\nexcept SystemExit:\n    pass\n"
        f"print([name for name in {HEAVY} if name in sys.modules], file=sys.stderr)\n"
    )
    answer = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True
    )
    assert answer.stderr.strip() == "[]"


@pytest.mark.tiny
def test_a_failure_goes_to_standard_error_with_exit_code_1(tmp_path: Path) -> None:
    answer = start("predict", "nowhere.tflite", "photo.jpg", "--out", "out", cwd=tmp_path)
    assert answer.returncode == 1
    assert answer.stdout == ""
    assert answer.stderr.startswith("BW")
    assert "Traceback" not in answer.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.tiny
def test_the_version_is_the_packages() -> None:
    assert start("--version").stdout.strip() == f"boxwright {boxwright.__version__}"


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")
@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP"])
@pytest.mark.parametrize("ignored", [False, True])
def test_a_shutdown_ends_a_command_like_ctrl_c(name: str, ignored: bool) -> None:
    """Unless the caller ignores the signal, as `nohup` does."""
    code = f"""if True:
        import os, signal, sys, time
        from boxwright.cli import main
        signal.signal(signal.{name}, signal.SIG_IGN if {ignored} else signal.SIG_DFL)
        def app(arguments):
            os.kill(os.getpid(), signal.{name})
            time.sleep(0.2)
        main.app = app
        main.main([])
    """
    done = subprocess.run([sys.executable, "-c", code], check=False)
    assert done.returncode == (0 if ignored else INTERRUPTED)
