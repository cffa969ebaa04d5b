"""Measure the images of a large folder while its labels are read, which takes only one core."""

from __future__ import annotations

import os
from collections import ChainMap
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path

from boxwright.datasets.checks.measure import SMALL, Known, summarize
from boxwright.errors import DataError
from boxwright.formats.folder import Folder
from boxwright.images.decoding import read_header
from boxwright.images.files import version
from boxwright.images.options import DecodeOptions
from boxwright.parallel.processes import Ahead, Told

LARGE = 16_000  # images; the labels of fewer are read nearly as fast as a child process starts
MAX_AHEAD = 50_000  # images; their hashes take 200 MB


@contextmanager
def measuring(folder: Folder | None, options: DecodeOptions) -> Iterator[Callable[[], Known]]:
    """Measure the images of a folder during the block, on all cores but one, if there are many.
    Yields what ends that and returns what was measured."""
    with Ahead[Known]() as ahead:
        if folder and folder.image_count >= LARGE:
            children = (os.cpu_count() or 1) - 1
            for number in range(children):
                ahead.begin(measure_some, folder.root, number, children, options)
        yield lambda: dict(ChainMap(*ahead.results()))


def measure_some(told: Told, root: Path, first: int, step: int, options: DecodeOptions) -> Known:
    """Measure image `first` of a folder and every `step`-th after it, until told to stop. Images
    that are large or cannot be decoded are left to the check, which bounds memory and reports."""
    known: Known = {}
    for path in islice(Folder.scan(root).image_paths(), first, None, step):
        if told() or len(known) * step >= MAX_AHEAD:
            break
        image = root / path
        name = version(image)
        try:
            header = read_header(image, options.max_pixels)
            if header.width * header.height <= SMALL:
                known[name] = summarize(image, options)
        except DataError:
            continue
    return known
