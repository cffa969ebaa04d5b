"""Downloads that were killed, some by a benchmark, end like undisturbed ones."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from downloading import run
from world_of_images import World

from boxwright.io.scratch import IN_USE, SCRATCH

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


def test_a_download_that_was_killed_at_once_is_begun_again(world: World, tmp_path: Path) -> None:
    out = tmp_path / "fruit"
    left = out / f"{SCRATCH}killed"
    left.mkdir(parents=True)
    (left / IN_USE).touch()
    (left / "half.csv").touch()
    os.utime(left, (0, 0))
    assert run("--classes", "Apple", "--out", out).exit_code == 0
    assert not left.exists()
