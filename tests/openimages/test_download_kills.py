"""A few seeded kills of `benchmarks/openimages_kills.py`: no killed download changes what comes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

KILLS = 5


@pytest.mark.skipif(sys.platform == "win32", reason="its downloads are forked")
def test_a_download_that_was_killed_ends_like_one_that_nobody_disturbed() -> None:
    program = Path(__file__).parents[2] / "benchmarks" / "openimages_kills.py"
    if not program.exists():
        pytest.skip("the folder benchmarks is not here")
    size = ["--rows", "30000", "--images", "12", "--round", "1"]
    command = [sys.executable, str(program), "--kills", str(KILLS), *size]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith(f"{KILLS} kills in ")
    assert done.stdout.endswith("files equal, index equal\n")
