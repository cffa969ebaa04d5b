"""Images decoded before training, as far as there is room for them, and padded boxes."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from boxwright.datasets.near_duplicates import HASHED, image_hash
from boxwright.errors import BoxwrightError, DataError, TrainingError
from boxwright.images.preprocessing import read_square
from boxwright.models.model import IGNORED_REGION, PADDING
from boxwright.ops.boxes import areas, normalized_yxyx
from boxwright.structures.dataset import Dataset
from boxwright.structures.findings import Finding
from boxwright.training.decoded import DecodedImages
from boxwright.training.processes import ALONE, Processes
from boxwright.training.resources import Storage

IN_MEMORY = 1 << 30  # bytes; a larger cache lives in a temporary file
MAX_BOXES = 200  # per image; of more, the largest


@dataclass(frozen=True)
class Cache:
    """Decoded images with their boxes.

    Attributes:
        images: `(R, side, side, 3)` uint8, oriented and stretched to a square: an array, or what
            decodes some of them when they are asked for.
        boxes: `(R, G, 4)` float32 normalized yxyx, padded to `G >= 1` rows.
        labels: `(R, G)` int32, class ids, or PADDING or IGNORED_REGION as in `Truth`.
        rows: `(N,)` the rows of these that belong to `dataset`.
        dataset: the `N` images.
        findings: images that could not be decoded.
        hashes: `(R, HASHED)` uint8, their `image_hash`; None if nobody asked for them.
    """

    images: NDArray[np.uint8] | DecodedImages
    boxes: NDArray[np.float32]
    labels: NDArray[np.int32]
    rows: NDArray[np.int64]
    dataset: Dataset
    findings: tuple[Finding, ...]
    hashes: NDArray[np.uint8] | None = None

    def __len__(self) -> int:
        return len(self.rows)

    def select(self, keep: NDArray[np.bool_]) -> Cache:
        """Return the images where `keep` (`(N,)` bool) is True, without copying pixels."""
        return replace(self, rows=self.rows[keep], dataset=self.dataset.select(keep))

    def batch(
        self, index: NDArray[np.int64]
    ) -> tuple[NDArray[np.uint8], NDArray[np.float32], NDArray[np.int32]]:
        """Return images `(B, side, side, 3)`, boxes `(B, G, 4)` and labels `(B, G)`."""
        rows = self.rows[index]
        return self.images[rows], self.boxes[rows], self.labels[rows]

    def sizes(self, index: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return the original height and width of the images in pixels, `(B, 2)`."""
        return self.dataset.sizes[index, ::-1].astype(np.float32)

    def verified(self, index: NDArray[np.int64]) -> NDArray[np.float32] | None:
        """Return the verified classes of the images, see `Truth`; None for all."""
        verified = self.dataset.verified_classes
        return None if verified is None else verified[index].astype(np.float32)


def build_cache(
    dataset: Dataset,
    side: int,
    progress: Callable[[int], None] = lambda done: None,
    *,
    in_memory: int = IN_MEMORY,
    max_boxes: int = MAX_BOXES,
    storage: Storage | None = None,
    processes: Processes = ALONE,
    hashed: bool = False,
) -> Cache:
    """Decode every image of `dataset` to `side` pixels square, with as many threads as cores.

    Images that cannot be read are left out and listed in the findings. Of several processes, each
    decodes its part of them, and all know the result.

    Args:
        dataset: the images.
        side: pixels.
        progress: called with the number of decoded images.
        in_memory: bytes; a larger cache lives in a temporary file.
        max_boxes: per image; of more, the largest are kept.
        storage: where the decoded images are stored, and how many.
        processes: the processes of the training.
        hashed: True for the images' hashes.

    Raises:
        DataError: BW152 none of the images can be read.
        TrainingError: BW311 there is no room for a temporary file of that size.
    """
    storage = storage or Storage()
    count = len(dataset)
    fitting = count
    if storage.max_bytes is not None:
        fitting = min(count, storage.max_bytes // (side * side * 3))
    room = _empty((fitting, side, side, 3), in_memory, storage.folder)
    images = DecodedImages(
        lambda row: read_square(dataset.image(row), side, dataset.decoding), room, count
    )
    own = np.arange(processes.index, count, processes.count)
    known = np.zeros((-(-count // processes.count), 1 + HASHED * hashed), np.uint8)
    broken: dict[int, BoxwrightError] = {}

    def decode(i: int) -> None:
        row = int(own[i])
        try:
            pixels = images.read(row)
        except DataError as error:
            broken[row] = error
            return
        known[i, 0] = True
        if hashed:
            known[i, 1:] = image_hash(Image.fromarray(pixels).convert("L"))

    with ThreadPoolExecutor() as pool:
        for done, _ in enumerate(pool.map(decode, range(len(own))), start=1):
            progress(done)
    known = processes.gather(known).swapaxes(0, 1).reshape(-1, known.shape[1])[:count]
    good = known[:, 0].astype(np.bool_)
    for row in np.flatnonzero(~good):
        broken.setdefault(int(row), DataError("BW102", "another process cannot read it."))
    if not good.any():
        reason = f" The first: {next(iter(broken.values())).message}" if broken else ""
        raise DataError(
            "BW152",
            f"none of the {count} images can be read.{reason}",
            where=dataset.root,
        )
    boxes, labels = padded_boxes(dataset, max_boxes)
    findings = tuple(
        Finding(error.code, dataset.names[i], error.message, "left out of training")
        for i, error in sorted(broken.items())
    )
    complete = fitting == count and processes.count == 1
    return Cache(
        images.stored() if complete else images,
        boxes,
        labels,
        np.flatnonzero(good),
        dataset.select(good),
        findings,
        known[:, 1:] if hashed else None,
    )


def padded_boxes(
    dataset: Dataset, max_boxes: int = MAX_BOXES
) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    """Return `(N, G, 4)` normalized yxyx boxes and `(N, G)` labels, padded with zeros and PADDING.
    Ignored regions follow an image's objects. `G` is at most `max_boxes`."""
    counts = np.diff(dataset.offsets) + np.bincount(
        dataset.image_of_ignored, minlength=len(dataset)
    )
    rows = int(min(max(counts.max(initial=1), 1), max_boxes))
    boxes = np.zeros((len(dataset), rows, 4), np.float32)
    labels = np.full((len(dataset), rows), PADDING, np.int32)
    for i in range(len(dataset)):
        own = dataset.rows(i)
        ignored = dataset.ignored_in(i)
        both = np.concatenate([dataset.boxes[own], ignored])
        found = normalized_yxyx(both, *dataset.sizes[i])
        named = np.append(dataset.labels[own], np.full(len(ignored), IGNORED_REGION, np.int32))
        largest = np.sort(np.argsort(-areas(found), kind="stable")[:rows])
        boxes[i, : len(largest)] = found[largest]
        labels[i, : len(largest)] = named[largest]
    return boxes, labels


def _empty(shape: tuple[int, ...], in_memory: int, folder: Path | None = None) -> NDArray[np.uint8]:
    size = int(np.prod(shape, dtype=np.int64))
    if size <= in_memory:
        return np.zeros(shape, np.uint8)
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            _reserve(file, size, folder)
            return np.memmap(file, np.uint8, "r+", shape=shape)  # keeps the file open by itself
    except OSError as error:
        raise TrainingError(
            "BW311",
            f"the decoded images need a temporary file of {size / 1e9:.1f} GB, which cannot be "
            f"created ({error.strerror or error}).",
            where=folder or tempfile.tempdir,
        ) from error


def _reserve(file: IO[bytes], size: int, folder: Path | None = None) -> None:
    """Reserve `size` bytes on the disk: if it is full when a mapped page is written, the system
    kills the process without a message."""
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(file.fileno(), 0, size)
        return
    free = shutil.disk_usage(folder or tempfile.gettempdir()).free
    if free < size:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    file.truncate(size)
