"""Plant changed copies among drawn images, and count how many the search finds.

    python benchmarks/near_duplicates.py --images 20000 --copies 1800

Draws the images of `large_dataset.py` into memory as hashes. Each copy has one of the changes of
`tests/datasets/test_near_duplicates.py`. Prints the copies that are in the group of their original,
by change, the other groups, and the processor's time for each image.

    python benchmarks/near_duplicates.py --images 20000 --all-pairs

also compares all vectors with all others, as in small sets, and prints how many of the pairs of its
groups the index has in one group too.

    python benchmarks/near_duplicates.py --made 10000 100000 1000000

takes made signatures instead of images: smooth noise, one of a hundred repeated with small changes.
Prints the time for each number, the memory, and how many repeated ones are found.
"""

from __future__ import annotations

import argparse
import resource
import runpy
import tempfile
import time
from collections import Counter
from itertools import combinations
from pathlib import Path

import numpy as np
from large_dataset import draw
from numpy.typing import NDArray
from PIL import Image

from boxwright.datasets.near_duplicates import HASHED, duplicates, image_hash, search
from boxwright.datasets.near_duplicates.hashes import DIGEST, SIDE

TESTS = Path(__file__).parents[1] / "tests" / "datasets" / "test_near_duplicates.py"
SIZE = (320, 240)
REPEATED = 100
BATCH = 10_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, default=5_000)
    parser.add_argument("--copies", type=int, default=1_800)
    parser.add_argument("--all-pairs", action="store_true")
    parser.add_argument("--made", type=int, nargs="+", default=[])
    given = parser.parse_args()
    for count in given.made:
        grow(count)
    if given.made:
        return
    tests = runpy.run_path(str(TESTS))
    changes = {**tests["COPIES"], **tests["HARDER_COPIES"]}
    names = list(changes)
    hashes, copies = [], []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "image.jpg"
        for i in range(given.images):
            path.unlink(missing_ok=True)
            draw(path, i)
            with Image.open(path) as picture:
                small = picture.resize(SIZE)
            hashes.append(image_hash(small.convert("L")))
            if i < given.copies:
                changed = changes[names[i % len(names)]](small)
                copies.append(image_hash(changed.convert("L")))
    start = time.process_time()
    groups = duplicates(np.stack([*hashes, *copies])).groups
    seconds = time.process_time() - start
    kinds = [names[i % len(names)] for i in range(len(copies))]
    tried, found = Counter(kinds), Counter[str]()
    for kind, original, copy in zip(kinds, groups, groups[given.images :], strict=False):
        found[kind] += int(original == copy)
    for kind in names:
        print(f"{kind:24} {found[kind]:4} of {tried[kind]}")
    print(f"{'all':24} {found.total():4} of {tried.total()}")
    print(f"originals in one group by mistake: {given.images - len(set(groups[: given.images]))}")
    print(f"{1e6 * seconds / len(groups):.0f} microseconds of the processor for each image")
    if given.all_pairs:
        search.SPARSE = 10**12  # so few cells that each has all vectors
        start = time.process_time()
        everything = duplicates(np.stack([*hashes, *copies])).groups
        seconds = time.process_time() - start
        pairs = pairs_of(everything)
        both = sum(groups[i] == groups[j] for i, j in pairs)
        print(f"all pairs: {len(pairs)}, of which the index finds {both / len(pairs):.2%}")
        print(f"{1e6 * seconds / len(groups):.0f} microseconds of the processor for each image")


def pairs_of(groups: NDArray[np.int64]) -> list[tuple[int, int]]:
    """All pairs of images in one group."""
    order = np.argsort(groups, kind="stable")
    starts = np.flatnonzero(np.diff(groups[order], prepend=-1))
    return [pair for group in np.split(order, starts[1:]) for pair in combinations(group, 2)]


def grow(count: int) -> None:
    """Search among made signatures."""
    hashes = made(count)
    wall, start = time.perf_counter(), time.process_time()
    groups = duplicates(hashes).groups
    seconds, wall = time.process_time() - start, time.perf_counter() - wall
    copies = np.arange(0, count - 1, REPEATED)
    found = groups[copies] == groups[copies + 1]
    by_mistake = count - len(np.unique(groups)) - np.count_nonzero(found)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(
        f"{count:8} signatures: {1e3 * seconds / count:.2f} ms of the processor for each, "
        f"{wall:.0f} s, {memory:.1f} GB at most until now, {found.mean():.1%} of the repeated ones "
        f"found, {by_mistake} joined by mistake",
        flush=True,
    )


def made(count: int) -> NDArray[np.uint8]:
    """`(count, HASHED)` hashes of smooth noise; each `REPEATED`-th is repeated by the next one."""
    random = np.random.default_rng(0)
    hashes = np.empty((count, HASHED), np.uint8)
    spread = [_enlarging(cells) for cells in (4, 8, 16, 32)]
    for start in range(0, count, BATCH):
        rows = hashes[start : start + BATCH]
        levels = np.full((len(rows), SIDE, SIDE), 128, np.float32)
        for step in spread:
            cells = step.shape[1]
            noise = random.normal(0, 120 / cells**0.5, (len(rows), cells, cells))
            levels += (step @ noise.astype(np.float32)) @ step.T
        levels[1::REPEATED] = 0.8 * levels[: len(rows) - 1 : REPEATED] + 20
        levels[1::REPEATED] += random.normal(0, 3, levels[1::REPEATED].shape)
        rows[:, :DIGEST] = random.integers(0, 256, (len(rows), DIGEST))
        rows[:, DIGEST:] = levels.clip(0, 255).reshape(len(rows), -1)
    return hashes


def _enlarging(cells: int) -> NDArray[np.float32]:
    """`(SIDE, cells)` linear interpolation."""
    at = (np.arange(SIDE)[:, None] + 0.5) * cells / SIDE - 0.5
    near = np.abs(at.clip(0, cells - 1) - np.arange(cells))
    return (1 - near).clip(0).astype(np.float32)


if __name__ == "__main__":
    main()
