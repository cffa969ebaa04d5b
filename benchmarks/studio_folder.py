"""Measure the studio's label store on a folder of very many images.

    python benchmarks/studio_folder.py [--images 100000] [--labeled 0] [--folder DIR]

The images are hard links to a few. Prints times on the clock and of the processor, and peak
memory: on a busy machine the second is the one to compare.
"""

from __future__ import annotations

import argparse
import os
import resource
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image

from boxwright.studio.store import LabeledBox, LabelStore

DIFFERENT = 8  # images; file systems limit the links to one
SAMPLE = 200  # images that are read, and edited
XML = (
    "<annotation><filename>{}</filename><size><width>640</width><height>480</height></size>"
    "<object><name>cat</name><bndbox><xmin>1</xmin><ymin>2</ymin><xmax>90</xmax><ymax>80</ymax>"
    "</bndbox></object></annotation>"
)


def make(folder: Path, images: int, labeled: int) -> None:
    """Write images, and VOC labels of the first ones."""
    for i in range(images):
        path = folder / f"image {i}.jpg"
        if i < DIFFERENT:
            Image.new("RGB", (640, 480), (i, i, i)).save(path)
        else:
            os.link(folder / f"image {i % DIFFERENT}.jpg", path)
        if i < labeled:
            path.with_suffix(".xml").write_text(XML.format(path.name), encoding="utf-8")


@contextmanager
def timed(what: str) -> Iterator[None]:
    """Print how long a block takes, and the peak memory until then."""
    clock, processor = time.perf_counter(), time.process_time()
    yield
    clock, processor = time.perf_counter() - clock, time.process_time() - processor
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{what}: {clock:.2f} s, processor {processor:.2f} s, peak {peak:.0f} MB")


def measure(folder: Path) -> None:
    """Open the folder as the studio does, and edit some of its images."""
    with timed("open"):
        store = LabelStore.open(folder)
    with closing(store):
        with timed("first 1,000 rows"):
            store.rows(0, 1000)
        with timed("all rows"):
            count = len(store.rows())
        with timed("blind images"):
            store.blind()
        reads, writes = [], []
        for index in range(0, count, max(1, count // SAMPLE)):
            start = time.perf_counter()
            labels = store.read(index)
            store.size(index)
            middle = time.perf_counter()
            box = LabeledBox("new", (1, 2, 30, 40), "cat")
            store.write(index, replace(labels, boxes=(*labels.boxes, box)), labels.etag)
            reads.append(middle - start)
            writes.append(time.perf_counter() - middle)
        for what, seconds in (("read", reads), ("write", writes)):
            median, high = np.percentile(seconds, [50, 95]) * 1000
            print(f"{what} an image: median {median:.1f} ms, 95 % within {high:.1f} ms")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, default=100_000)
    parser.add_argument("--labeled", type=int, default=0)
    parser.add_argument("--folder", type=Path, help="where to make the folder")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=given.folder) as folder:
        make(Path(folder), given.images, given.labeled)
        measure(Path(folder))
        print("again:")
        measure(Path(folder))


if __name__ == "__main__":
    main()
