"""Measure the default recipe beside an older checkout: AP after one option, `--budget`.

    python benchmarks/targets.py ../shared/data --beside OLDER/src --seeds 3

A row is a dataset and a budget. Each seed trains both checkouts one after the other by the command
line, in turns, and evaluates on images that no training has learnt from. The published weights must
be in the cache folder, or `--weights` and `--weights-beside` name files. With `--every BUDGET`,
each folder of DATA is a row, such as those of `made_sets.py`. Run it on an idle machine.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
from pathlib import Path
from typing import NamedTuple

from quality import measure, without_validation

HERE = Path(__file__).parents[1] / "src"


class Row(NamedTuple):
    """A training that is repeated with several seeds.

    Attributes:
        data: folder of the dataset.
        budget: as `boxwright train` takes it.
        all_images: True to train on the validation set too, and evaluate on the test set.
        goal: AP and AP50, None if the two checkouts are only compared.
        split: what it is evaluated on. A validation set also chooses the best weights.
    """

    data: str
    budget: str
    all_images: bool
    goal: tuple[float, float] | None = None
    split: str = "test"

    def __str__(self) -> str:
        return f"{self.data}, {self.budget}"


SHORT = (
    Row("raccoon", "1m", False, (0.66, 0.96)),
    Row("bccd", "2m", True, (0.60, 0.89)),
    Row("hardhat", "2m", False, (0.56, 0.89), "val"),
)
LONG = (
    Row("raccoon", "5m", False, (0.68, 0.97)),
    Row("bccd", "10m", True, (0.62, 0.91)),
    Row("hardhat", "5m", False, (0.58, 0.91), "val"),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path, help="folder of the datasets")
    parser.add_argument("--beside", type=Path, help="folder that contains an older boxwright")
    parser.add_argument("--weights", type=Path)
    parser.add_argument("--weights-beside", type=Path)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--long", action="store_true", help="the long budgets too")
    parser.add_argument("--every", metavar="BUDGET", help="each folder of DATA is a row")
    parser.add_argument("--only", help="only rows of this dataset")
    given = parser.parse_args()
    sources = {"here": (HERE, given.weights)}
    if given.beside:
        sources["beside"] = (given.beside.resolve(), given.weights_beside)
    print(f"processor: {processor()}")
    rows = SHORT + (LONG if given.long else ())
    if given.every:
        folders = sorted(path for path in given.data.iterdir() if path.is_dir())
        rows = tuple(Row(path.name, given.every, False) for path in folders)
    for row in rows:
        if given.only in (None, row.data):
            show(row, given.data / row.data, sources, given.seeds)


def show(row: Row, data: Path, sources: dict[str, tuple[Path, Path | None]], seeds: int) -> None:
    """Train with every seed in each checkout, and print medians and ranges beside the goal."""
    results: dict[str, list[dict[str, float]]] = {name: [] for name in sources}
    with tempfile.TemporaryDirectory() as place:
        if row.all_images:
            data = without_validation(data, Path(place) / data.name)
        for seed in range(seeds):
            for name, (source, weights) in sources.items():
                run = Path(place) / f"{name}-{seed}"
                one = measure(data, weights, row.budget, seed, run, source=source, split=row.split)
                results[name].append(one)
                print(f"{row!s:14} {name:6} {one}", flush=True)
    for name, own in results.items():
        goals = dict(zip(("AP", "AP50"), row.goal or (), strict=False))
        parts = (
            f"{key} {spread([one[key] for one in own])}"
            + (f" (goal {goals[key]})" if key in goals else "")
            for key in ("AP", "AP50", "photos", "seconds")
        )
        print(f"{row!s:14} {name:6} {', '.join(parts)}", flush=True)


def spread(values: list[float]) -> str:
    """Median and range."""
    return f"{statistics.median(values):.3g} [{min(values):.3g}, {max(values):.3g}]"


def processor() -> str:
    """The processor's name and what decides the speed of a training, where the system says so."""
    info = Path("/proc/cpuinfo")
    if not info.exists():
        return "unknown"
    lines = dict(
        (part.strip() for part in line.split(":", 1))
        for line in info.read_text("utf-8").splitlines()
        if ":" in line
    )
    flags = set(lines.get("flags", "").split())
    known = [flag for flag in ("avx2", "avx512f", "avx512_vnni", "avx512_bf16") if flag in flags]
    return f"{lines.get('model name', 'unknown')}, {os.cpu_count()} cores, {' '.join(known)}"


if __name__ == "__main__":
    main()
