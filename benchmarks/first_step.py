"""Time from the start of `boxwright train` to the end of its first step, beside an older checkout.

    python benchmarks/first_step.py ../shared/data/raccoon --beside OLDER/src

The checkouts take turns. The published weights must be in the cache folder. Run it on an idle
machine.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).parents[1] / "src"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--beside", type=Path, help="folder that contains an older boxwright")
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    sources = {"here": HERE, **({"beside": given.beside.resolve()} if given.beside else {})}
    seconds: dict[str, list[float]] = {name: [] for name in sources}
    for _ in range(given.rounds):
        for name, source in sources.items():
            seconds[name].append(first_step(given.data, source))
            print(f"{name:7} {seconds[name][-1]:5.1f} s", flush=True)
    for name, each in seconds.items():
        print(f"{name:7} median {statistics.median(each):5.1f} s")


def first_step(data: Path, source: Path) -> float:
    """Seconds until the line of the first step appears; the training is then killed."""
    with tempfile.TemporaryDirectory() as place:
        run = Path(place) / "run"
        command = ["train", str(data), "--steps", "4", "--out", str(run), "--no-report"]
        began = time.perf_counter()
        with subprocess.Popen(
            [sys.executable, "-m", "boxwright", *command],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            env={**os.environ, "PYTHONPATH": str(source)},
        ) as process:
            said = []
            for line in process.stdout or ():
                said.append(line)
                if "step 1 " in line:
                    took = time.perf_counter() - began
                    process.kill()
                    return took
    raise SystemExit("".join(said))


if __name__ == "__main__":
    main()
