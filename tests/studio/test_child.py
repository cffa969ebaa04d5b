"""A child tells what it does, and ends with the studio."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from served import eventually

from boxwright.studio import child
from boxwright.studio.child import DONE, FAILED, RUNNING, Child

POSIX = pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
TELLS = """
import json, sys
request = json.loads(sys.stdin.readline())
print(json.dumps({"state": "running", "step": 1}), flush=True)
print(json.dumps({"state": "done", "text": request["text"]}), flush=True)
"""
WAITS = """
import sys
print('{"state": "running"}', flush=True)
sys.stdin.read()
"""


@pytest.fixture
def program(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    words = [sys.executable, "-c", TELLS]
    monkeypatch.setattr(child, "PROGRAM", words)
    return words


def test_a_child_tells_line_by_line(program: list[str]) -> None:
    with closing(Child({"text": "Größe"})) as one:
        assert list(one) == [{"state": RUNNING, "step": 1}, {"state": DONE, "text": "Größe"}]


@POSIX
@pytest.mark.parametrize(("how", "says"), [(signal.SIGKILL, "memory"), (signal.SIGTERM, "memory")])
def test_a_child_that_is_killed(program: list[str], how: signal.Signals, says: str) -> None:
    program[2] = WAITS
    with closing(Child({})) as one:
        told = iter(one)
        assert next(told) == {"state": RUNNING}
        os.kill(one.process, how)
        last = next(told)
    assert last["state"] == FAILED
    assert says in last["message"]


def test_a_child_that_cannot_begin(program: list[str]) -> None:
    program[2] = "raise SystemExit(3)"
    with closing(Child({})) as one:
        [last] = one
    assert last["state"] == FAILED
    assert "(3)" in last["message"]


def test_a_child_ends_when_it_is_closed(program: list[str]) -> None:
    program[2] = WAITS
    one = Child({})
    assert next(iter(one)) == {"state": RUNNING}
    one.close()
    one.close()


@POSIX
def test_a_worker_ends_with_the_studio(tmp_path: Path) -> None:
    """The studio is killed in the middle of a round."""
    studio = (
        "import time; from boxwright.studio.child import Child\n"
        "one = Child({'work': 'round'}); print(one.process, flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", studio], stdout=subprocess.PIPE) as process:
        assert process.stdout
        worker = int(process.stdout.readline())
        process.kill()
    eventually(lambda: not Path(f"/proc/{worker}").exists() or is_over(worker), 20)


def is_over(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return True
    time.sleep(0.05)
    return False


def test_a_worker_says_what_is_wrong() -> None:
    with closing(Child({"work": "report", "run": "/nowhere/at/all", "data": []})) as one:
        [last] = one
    assert (last["state"], last["code"]) == (FAILED, "BW501")
    assert last["remedy"]
