"""Write a dataset to TFRecord files with the keys of the Object Detection API's scripts.

Images are copied byte for byte. TensorFlow ignores EXIF when it decodes an image, so boxes and size
are written for the stored image, before the EXIF rotation.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from boxwright.errors import DataError
from boxwright.formats.tfrecord.example import floats, head_of_example, integers, text, texts
from boxwright.formats.tfrecord.framing import write_record
from boxwright.formats.tfrecord.keys import (
    ENCODED,
    FILENAME,
    FLAGS,
    HEIGHT,
    KIND,
    LABEL,
    SHA256,
    SIDES,
    SOURCE_ID,
    TEXT,
    WIDTH,
)
from boxwright.formats.writing import still_there
from boxwright.images.decoding import read_header
from boxwright.images.files import ImageFile, image_bytes, image_length, path_of, version
from boxwright.images.header import jpeg_header, kind_of
from boxwright.io.files import writing
from boxwright.ops.boxes import Boxes, orient
from boxwright.parallel.cores import Cores
from boxwright.parallel.kept import name_of
from boxwright.parallel.units import Crew
from boxwright.structures.dataset import OCCLUDED, Dataset, Split

FILES = {Split.TRAIN: "train", Split.VAL: "val", Split.TEST: "test", Split.UNASSIGNED: "data"}
SHARD = 256 << 20  # bytes of images in one file; TensorFlow's guide recommends 100 MB or more
BACK = {6: 8, 8: 6}  # inverse orientations; the others are their own inverse
BUFFER = 1 << 20  # bytes


def write_records(dataset: Dataset, names: Sequence[str], target: Path, crew: Crew) -> None:
    """Write train.record, val.record, test.record, and data.record for images without a split.

    A split of more than 256 MB becomes several files: `train.record-00000-of-00003`, each of which
    is a unit of the work. Files get their final names after all are written, because images may
    come from files of these names.

    Raises:
        DataError: BW101 an image no longer exists, BW102 it is no longer an image, BW141 a name is
            not text.
        SystemFaultError: BW902 the disk is full, BW903 the place cannot be written.
    """
    files = dict(_files(dataset))
    order = [i for images in files.values() for i in images]
    ends = np.cumsum([0, *map(len, files.values())]).tolist()
    cuts = [range(start, end) for start, end in pairwise(ends)]
    with ExitStack() as stack:
        drafts = {}
        for name, cut in zip(files, cuts, strict=True):
            draft = writing(target / name, resumed=name if crew.kept.lasts else "")
            drafts[cut] = stack.enter_context(draft)

        def part_of(rows: range) -> _Part:
            images = order[rows.start : rows.stop]
            chosen = replace(dataset.select(images), findings=())
            return _Part(chosen, [names[i] for i in images], drafts[rows])

        for _ in crew.complete(part_of, len(order), write_part, cuts):
            pass


@dataclass(frozen=True)
class _Part:
    """The images of a file of records."""

    dataset: Dataset
    names: Sequence[str]
    path: Path

    def name(self) -> str:
        images = map(self.dataset.image, range(len(self.dataset)))
        return name_of("records", self.path, self.dataset.fingerprint(), *map(version, images))

    def paths(self) -> list[Path]:
        ends = self.dataset.image(0), self.dataset.image(len(self.dataset) - 1)
        return [*map(path_of, ends), self.path.parent]

    def __str__(self) -> str:
        return f"{self.names[0]} to {self.names[-1]}"


def write_part(part: _Part, cores: Cores) -> bytes:
    """Write a file of records, see `Work`."""
    ids = range(1, len(part.dataset.classes) + 1)
    write_files(part.dataset, part.names, [(part.path, range(len(part.dataset)))], ids)
    cores.done(len(part.dataset))
    return b"written"


def write_files(
    dataset: Dataset,
    names: Sequence[str],
    files: Iterable[tuple[Path, Sequence[int]]],
    ids: Sequence[int],
    more: Callable[[int], bytes] = lambda index: b"",
) -> None:
    """Write record files; they get their final names after all are written.

    Args:
        dataset: the images and boxes.
        names: the names of the images in their Examples.
        files: each file, and the ordered indices of its images.
        ids: the id of each class in `image/object/class/label`.
        more: further parts of an image's Example, made by `example.texts` and the like.

    Raises:
        As `write_records`.
    """
    examples = _Examples(dataset, names, tuple(ids), more)
    with ExitStack() as stack:
        for path, images in files:
            draft = stack.enter_context(writing(path))
            with draft.open("wb", BUFFER) as file:
                for i in images:
                    write_record(file, *examples.parts(i))


def _files(dataset: Dataset) -> Iterator[tuple[str, list[int]]]:
    """The names of the files, and the ordered indices of the images in each."""
    for split, name in FILES.items():
        shards: list[list[int]] = []
        size = SHARD
        for i in np.flatnonzero(dataset.splits == split).tolist():
            if size >= SHARD:
                shards.append([])
                size = 0
            shards[-1].append(i)
            image = dataset.image(i)
            with still_there(image):
                size += image_length(image)
        for number, images in enumerate(shards):
            shard = f"-{number:05}-of-{len(shards):05}" if len(shards) > 1 else ""
            yield f"{name}.record{shard}", images


class _Examples:
    """The images of a dataset as tf.train.Example."""

    def __init__(
        self,
        dataset: Dataset,
        names: Sequence[str],
        ids: tuple[int, ...],
        more: Callable[[int], bytes],
    ) -> None:
        self.dataset = dataset
        self.names = names
        self.classes = tuple(zip(map(_utf8, dataset.classes), ids, strict=True))
        self.more = more
        self.sides = _fractions(dataset.boxes, dataset.sizes[dataset.image_of_box])

    def parts(self, index: int) -> tuple[bytes, bytes]:
        """A serialized Example without the image's bytes at its end, and these bytes."""
        dataset, rows = self.dataset, self.dataset.rows(index)
        source = dataset.image(index)
        with still_there(source):
            image = image_bytes(source)
        (width, height), sides = dataset.sizes[index].tolist(), self.sides[:, rows]
        orientation = _orientation(image, source)
        if orientation != 1:
            back = BACK.get(orientation, orientation)
            boxes = orient(dataset.boxes[rows], back, width, height)
            width, height = (height, width) if orientation >= 5 else (width, height)
            sides = _fractions(boxes, np.array([(width, height)]))
        labels, flags = dataset.labels[rows].tolist(), dataset.flags[rows].tolist()
        name = _utf8(self.names[index])
        parts = [
            text(FILENAME, name),
            text(SOURCE_ID, name),
            text(SHA256, hashlib.sha256(image).hexdigest().encode()),
            text(KIND, kind_of(image).encode()),
            integers(WIDTH, [width]),
            integers(HEIGHT, [height]),
            *[floats(key, values) for key, values in zip(SIDES, sides, strict=True)],
            _classes_and_flags(self.classes, tuple(labels), tuple(flags)),
            self.more(index),
        ]
        return head_of_example(b"".join(parts), ENCODED, len(image)), image


@lru_cache(1024)  # many images have the same classes and flags
def _classes_and_flags(
    classes: tuple[tuple[bytes, int], ...], labels: tuple[int, ...], flags: tuple[int, ...]
) -> bytes:
    """The class names, class ids and flags of an image's boxes."""
    parts = [
        texts(TEXT, [classes[label][0] for label in labels]),
        integers(LABEL, [classes[label][1] for label in labels]),
        *[
            integers(key, [int(flag & bit > 0) for flag in flags])
            for key, bit in FLAGS.items()
            if bit != OCCLUDED or any(flag & bit for flag in flags)  # the API's scripts lack it
        ],
    ]
    return b"".join(parts)


def _fractions(boxes: Boxes, sizes: NDArray[np.integer]) -> NDArray[np.float32]:
    """`(n, 4)` pixels as `(4, n)` fractions of images of the sizes `(n, 2)` or `(1, 2)`."""
    fractions = boxes.astype(np.float64) / np.tile(sizes, 2)
    return np.ascontiguousarray(fractions.T, np.float32)


def _orientation(content: bytes, source: ImageFile) -> int:
    header = jpeg_header(content)
    return header.orientation if header else read_header(source).orientation


def _utf8(name: str) -> bytes:
    try:
        return name.encode("utf-8", "surrogateescape")  # an image's name may be any bytes
    except UnicodeEncodeError as error:
        raise DataError(
            "BW141",
            f"the name {name!r} contains half a character, which UTF-8 cannot encode.",
        ) from error
