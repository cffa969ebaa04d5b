"""Measure speed and memory of decoded images with room for a part of them.

    python benchmarks/bounded_cache.py ../shared/data/raccoon --images 4000 --side 368

`decoding` decodes the images in the order of the batches, as many threads as cores, and keeps none.
The others build the cache, then read two epochs of batches of 8 with one batch ahead, as a training
does, whose own time is left out. Each is measured in a process of its own.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from boxwright.api import load
from boxwright.images.preprocessing import read_square
from boxwright.structures.dataset import Dataset, Split
from boxwright.training.cache import build_cache
from boxwright.training.resources import Storage

BATCH, EPOCHS = 8, 2
PARTS = {"decoding": None, "a quarter": 0.25, "all": 1.0}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--images", type=int, default=4000, help="those of the data, in turn")
    parser.add_argument("--side", type=int, default=368)
    parser.add_argument("--part", choices=PARTS, help="measure one, in this process")
    given = parser.parse_args()
    if given.part:
        measure(given.part, given.data, given.images, given.side)
        return
    needed = given.images * given.side**2 * 3 / 1e9
    print(f"{given.images} images, {needed:.2f} GB decoded")
    for part in PARTS:
        subprocess.run([sys.executable, *sys.argv, "--part", part], check=True)


def measure(part: str, data: Path, count: int, side: int) -> None:
    images = load(data)
    images = images.select(np.flatnonzero(images.splits != Split.TEST))
    dataset = images.select(np.arange(count) % len(images))
    rng = np.random.default_rng(0)
    rows = np.concatenate([rng.permutation(count) for _ in range(EPOCHS)])
    share = PARTS[part]
    began = time.monotonic()
    building = 0.0
    if share is None:
        decode(dataset, rows, side)
    else:
        with tempfile.TemporaryDirectory() as folder:
            stored = int(share * count * side * side * 3)
            cache = build_cache(dataset, side, storage=Storage(Path(folder), stored), in_memory=0)
            building = time.monotonic() - began
            batches = np.split(rows, range(BATCH, len(rows), BATCH))
            for batch, coming in zip(batches, [*batches[1:], batches[-1][:0]], strict=True):
                if share < 1:
                    cache.images.expect(coming)
                cache.batch(batch)
    seconds = time.monotonic() - began - building
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(
        f"{part:<10} {len(rows) / seconds:6.0f} images/s, built in {building:5.1f} s, "
        f"peak memory {peak / 1e9:.2f} GB",
        flush=True,
    )


def decode(dataset: Dataset, rows: NDArray[np.int64], side: int) -> None:
    def one(row: int) -> None:
        read_square(dataset.image(row), side, dataset.decoding)

    with ThreadPoolExecutor() as pool:
        for _ in pool.map(one, rows.tolist()):
            pass


if __name__ == "__main__":
    main()
