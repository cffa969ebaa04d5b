"""What a second busy process costs a training in AP, against as many images undisturbed.

    python benchmarks/busy_machine.py ../shared/data

From half of the budget on, one process computes without end. Then the same number of images is
seen without it, with the same seed, input and batch. Run it on an otherwise idle machine; the
published weights must be in the cache folder.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from quality import measure
from targets import processor, spread

ROWS = (("raccoon", 60), ("bccd", 120))  # dataset and budget in seconds
ENDLESS = "while True: pass"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path, help="folder of the datasets")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--only", help="only this dataset")
    given = parser.parse_args()
    print(f"processor: {processor()}")
    for name, budget in ROWS:
        if given.only in (None, name):
            show(given.data / name, budget, given.seeds)


def show(data: Path, budget: int, seeds: int) -> None:
    """Train with every seed disturbed and undisturbed, and print the differences."""
    lost = []
    for seed in range(seeds):
        with tempfile.TemporaryDirectory() as folder:
            with busy_after(budget / 2):
                busy = measure(data, None, f"{budget}s", seed, Path(folder) / "busy")
            alone = measure(
                data, None, None, seed, Path(folder) / "alone",
                ["--steps", str(busy["steps"]), "--input-size", str(busy["input"])],
            )  # fmt: skip
        lost.append(100 * (alone["AP"] - busy["AP"]))
        print(f"{data.name} busy {busy}\n{data.name} alone {alone}", flush=True)
    print(f"{data.name}: lost AP points {spread(lost)}")


@contextmanager
def busy_after(seconds: float) -> Iterator[None]:
    """A second process computes from then on until the block ends."""
    started: list[subprocess.Popen[bytes]] = []
    ended = threading.Event()

    def wait() -> None:
        if not ended.wait(seconds):
            started.append(subprocess.Popen([sys.executable, "-c", ENDLESS]))

    waiting = threading.Thread(target=wait)
    waiting.start()
    try:
        yield
    finally:
        ended.set()
        waiting.join()
        for process in started:
            process.kill()
            process.wait()


if __name__ == "__main__":
    main()
