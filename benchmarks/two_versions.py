"""Compare the training speed of two checkouts, which alternate every few steps.

    python benchmarks/two_versions.py BEFORE/src AFTER/src ../shared/data/raccoon FILE.tflite

Complete runs one after the other vary by 10 % on a busy machine. Here both trainings are alive in
separate processes, and one waits while the other takes its turn, so that a short slowdown of the
machine affects both. The order alternates from pair to pair.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

WARM_UP = 3  # uncounted turns: graph building, memory allocation
BEFORE, AFTER = "before", "after"
ENDLESS = 1_000_000  # steps: the benchmark ends the training


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(BEFORE, type=Path, help="folder that contains the package boxwright")
    parser.add_argument(AFTER, type=Path)
    parser.add_argument("data", type=Path)
    parser.add_argument("weights", type=Path)
    parser.add_argument("--pairs", type=int, default=40)
    parser.add_argument("--steps", type=int, default=5, help="steps per turn")
    parser.add_argument("--input-size", type=int, default=224)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        versions = {
            name: Version(getattr(given, name), Path(folder) / name, given)
            for name in (BEFORE, AFTER)
        }
        ratios: list[float] = []
        for pair in range(-WARM_UP, given.pairs):
            order = (BEFORE, AFTER) if pair % 2 else (AFTER, BEFORE)
            seconds = {name: versions[name].turn() for name in order}
            if pair >= 0:
                ratios.append(seconds[BEFORE] / seconds[AFTER])
                print(f"{pair} " + " ".join(f"{n} {s:.3f} s" for n, s in seconds.items()))
        for version in versions.values():
            version.end()
    print(summary(np.log(ratios)))


class Version:
    """A training of one checkout that runs a few steps on request."""

    def __init__(self, source: Path, out: Path, given: argparse.Namespace) -> None:
        command = [sys.executable, __file__, "--child", str(given.steps)]
        command += ["train", str(given.data.resolve()), "--weights", str(given.weights.resolve())]
        command += ["--out", str(out), "--steps", str(ENDLESS), "--seed", "1"]
        command += ["--input-size", str(given.input_size)]
        self._log = out.with_suffix(".log").open("w", encoding="utf-8")
        self._process = subprocess.Popen(
            command,
            env={**os.environ, "PYTHONPATH": str(source.resolve())},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
        )
        self._answer()  # finish the first step before the other version starts

    def turn(self) -> float:
        """Run a turn and return its seconds."""
        assert self._process.stdin
        self._process.stdin.write("go\n")
        self._process.stdin.flush()
        return self._answer()

    def end(self) -> None:
        self._process.kill()
        self._process.wait()
        self._log.close()

    def _answer(self) -> float:
        assert self._process.stdout
        for line in self._process.stdout:
            if line.startswith("turn "):
                return float(line.split()[1])
        raise SystemExit(Path(self._log.name).read_text(encoding="utf-8"))


def child(steps: int, arguments: list[str]) -> None:
    """Train, and wait for a line on standard input after every `steps` steps. The time of a turn
    is wall time, including the subscribers of a step."""
    from boxwright.__main__ import main as boxwright
    from boxwright.training.schedule import Schedule

    advance, taken, began = Schedule.advance, 0, 0.0

    def advance_in_turns(self: Any, step_seconds: float, *, compiled: bool) -> None:
        nonlocal taken, began
        advance(self, step_seconds, compiled=compiled)
        taken += compiled
        if taken % steps == 0:
            print("turn", time.monotonic() - began, flush=True)
            sys.stdin.readline()
            began = time.monotonic()

    Schedule.advance = advance_in_turns  # type: ignore[method-assign]
    sys.argv = ["boxwright", *arguments]
    boxwright()


def summary(logs: Any) -> str:
    random = np.random.default_rng(0)
    means = random.choice(logs, (10_000, len(logs))).mean(axis=1)
    low, high = np.exp(np.quantile(means, [0.025, 0.975]))
    return (
        f"{AFTER} / {BEFORE}, images per second: geometric mean {np.exp(logs.mean()):.4f}, "
        f"median {np.exp(np.median(logs)):.4f}, 95 % interval {low:.4f} to {high:.4f}, "
        f"{len(logs)} pairs"
    )


if __name__ == "__main__":
    if "--child" in sys.argv[1:2]:
        child(int(sys.argv[2]), sys.argv[3:])
    else:
        main()
