"""Plant changed copies among drawn images, and count how many the search finds.

    python benchmarks/near_duplicates.py --images 20000 --copies 1800

Draws the images of `large_dataset.py` into memory as hashes. Each copy has one of the changes of
`tests/datasets/test_near_duplicates.py`. Prints the copies that are in the group of their original,
by change, the other groups, and the processor's time for each image.
"""

from __future__ import annotations

import argparse
import runpy
import tempfile
import time
from collections import Counter
from pathlib import Path

import numpy as np
from large_dataset import draw
from PIL import Image

from boxwright.datasets.near_duplicates import duplicates, image_hash

TESTS = Path(__file__).parents[1] / "tests" / "datasets" / "test_near_duplicates.py"
SIZE = (320, 240)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, default=5_000)
    parser.add_argument("--copies", type=int, default=1_800)
    given = parser.parse_args()
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


if __name__ == "__main__":
    main()
