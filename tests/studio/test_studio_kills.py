"""Seeded rounds of `benchmarks/studio_kills.py`: no acknowledged edit is lost."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROUNDS = 3


@pytest.mark.skipif(sys.platform == "win32", reason="its writers are forked")
@pytest.mark.parametrize("form", ["voc", "coco"])
def test_no_acknowledged_edit_is_lost_when_writers_are_killed(form: str) -> None:
    program = Path(__file__).parents[2] / "benchmarks" / "studio_kills.py"
    if not program.exists():
        pytest.skip("the folder benchmarks is not here")
    command = [sys.executable, str(program), "--rounds", str(ROUNDS), "--format", form]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    edits = int(done.stdout.split(" edits acknowledged")[0].rpartition(" ")[2])
    assert edits >= 3 * ROUNDS
    assert done.stdout.startswith(f"{form}: {ROUNDS} rounds, {3 * ROUNDS} writers killed, ")
