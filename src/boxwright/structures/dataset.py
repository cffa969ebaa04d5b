"""Dataset: labeled images as a few flat, immutable arrays.

`N` images have `M` boxes. The boxes of image `i` are the rows `offsets[i]:offsets[i + 1]` of the
flat arrays, so a dataset of millions of boxes fits in memory and a split is an index.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import IntEnum
from os.path import isabs, relpath
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from boxwright.images.files import ByteRange, Part
from boxwright.images.options import DecodeOptions
from boxwright.ops.boxes import Boxes, as_boxes
from boxwright.structures.findings import Finding

DIFFICULT, TRUNCATED, CROWD, OCCLUDED = 1, 2, 4, 8  # bits of `Dataset.flags`
WHOLE_FILE = (0, -1)  # byte range of an image that is a file of its own


class Split(IntEnum):
    """The split of an image."""

    UNASSIGNED = -1
    TRAIN = 0
    VAL = 1
    TEST = 2


@dataclass(frozen=True)
class LabeledImage:
    """One labeled image; `Dataset.of` builds a dataset from many.

    Attributes:
        name: path relative to the dataset's root, with forward slashes.
        width, height: pixels of the oriented image.
        boxes: `(n, 4)` absolute xyxy pixels of the oriented image.
        class_names: `n` names, one per box.
        flags: `n` bit sets of DIFFICULT, TRUNCATED, CROWD, OCCLUDED; none if empty.
        split: the split that the data assigns to the image.
        byte_range: start and length of its bytes in the file that contains it; WHOLE_FILE if it
            is a file of its own.
        ignored: `(k, 4)` regions that count neither as objects nor as background.
        verified: someone checked the annotation, and said so in the labeling tool.
        verified_classes: the classes that someone looked for in the image, beside those of its
            boxes; None for all.
    """

    name: str
    width: int
    height: int
    boxes: ArrayLike = ()
    class_names: Sequence[str] = ()
    flags: Sequence[int] = ()
    split: Split = Split.UNASSIGNED
    byte_range: tuple[int, int] = WHOLE_FILE
    ignored: ArrayLike = ()
    verified: bool = False
    verified_classes: Collection[str] | None = None


@dataclass(frozen=True, eq=False)
class Dataset:
    """Labeled images in columns.

        >>> dataset = boxwright.load("images")
        >>> print(len(dataset), dataset.classes)
        40 ('square',)
        >>> test = dataset.split("test")
        >>> for i in range(len(test)):
        ...     print(test.names[i], test.boxes[test.rows(i)])

    Attributes:
        root: the folder that `names` are relative to.
        names: `N` image paths below `root`, with forward slashes. An image in a TFRecord has the
            path of the record and its own name: `train.record/a.jpg`.
        sizes: `(N, 2)` int32, width and height of the oriented image.
        splits: `(N,)` int8 of `Split`.
        byte_ranges: `(N, 2)` int64, start and length of an image's bytes in the file that
            contains it, or WHOLE_FILE.
        verified: `(N,)` bool, True if someone checked the annotation and said so, as in LabelImg.
        offsets: `(N + 1,)` int64, the first box of each image.
        boxes: `(M, 4)` float32, absolute xyxy pixels of the oriented image.
        labels: `(M,)` int32, 0-based ids into `classes`.
        flags: `(M,)` uint8, bits DIFFICULT, TRUNCATED, CROWD, OCCLUDED.
        classes: the class names, in id order.
        findings: problems found while the data was read.
        ignored: `(K, 4)` float32 as `boxes`, in image order: regions that count neither as objects
            nor as background, in training and in evaluation.
        image_of_ignored: `(K,)` int64, the image index of each ignored region, ascending.
        decoding: how the image files are decoded.
        regions: `(N, 4)` int32 xyxy, the part of its file's image that each image is, such as a
            tile; None if all are whole.
        verified_classes: `(N, C)` bool, True if someone looked for the class in the image. The
            others are unknown: training does not learn them from the image, and evaluation ignores
            detections of them there. None if all classes were looked for in all images.
    """

    root: Path
    names: tuple[str, ...]
    sizes: NDArray[np.int32]
    splits: NDArray[np.int8]
    byte_ranges: NDArray[np.int64]
    verified: NDArray[np.bool_]
    offsets: NDArray[np.int64]
    boxes: Boxes
    labels: NDArray[np.int32]
    flags: NDArray[np.uint8]
    classes: tuple[str, ...]
    findings: tuple[Finding, ...] = field(default=(), repr=False)
    ignored: Boxes = field(default_factory=lambda: as_boxes(()))
    image_of_ignored: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    decoding: DecodeOptions = field(default_factory=DecodeOptions)
    verified_classes: NDArray[np.bool_] | None = None
    regions: NDArray[np.int32] | None = None

    @classmethod
    def of(
        cls,
        root: str | Path,
        images: Iterable[LabeledImage],
        classes: Sequence[str] = (),
        findings: Iterable[Finding] = (),
    ) -> Dataset:
        """Build a dataset. Names missing from `classes` are appended in alphabetical order."""
        images = list(images)
        seen = {name for image in images for name in image.class_names}
        known = (*classes, *sorted(seen.difference(classes)))
        ids = {name: i for i, name in enumerate(known)}
        counts = [len(image.class_names) for image in images]
        flags = [flag for p in images for flag in (p.flags or [0] * len(p.class_names))]
        regions = [as_boxes(image.ignored) for image in images]
        return cls(
            root=Path(root),
            names=tuple(image.name for image in images),
            sizes=np.array([(p.width, p.height) for p in images], np.int32).reshape(-1, 2),
            splits=np.array([image.split for image in images], np.int8),
            byte_ranges=np.array([image.byte_range for image in images], np.int64).reshape(-1, 2),
            verified=np.array([image.verified for image in images], np.bool_),
            offsets=np.concatenate([[0], np.cumsum(counts, dtype=np.int64)]).astype(np.int64),
            boxes=as_boxes(
                np.concatenate([as_boxes(image.boxes) for image in images]) if images else ()
            ),
            labels=np.array([ids[n] for p in images for n in p.class_names], np.int32),
            flags=np.array(flags, np.uint8),
            classes=known,
            findings=tuple(findings),
            ignored=as_boxes(np.concatenate(regions) if images else ()),
            image_of_ignored=np.repeat(np.arange(len(images)), [len(one) for one in regions]),
            verified_classes=_verified_classes(images, ids),
        )

    def __post_init__(self) -> None:
        n, m = len(self.names), len(self.labels)
        columns = (self.sizes, self.splits, self.byte_ranges, self.verified, self.offsets[1:])
        lengths = {len(column) for column in columns}
        if lengths != {n} or (len(self.boxes), len(self.flags)) != (m, m):
            raise ValueError("the columns of a Dataset must describe the same images and boxes")
        if int(self.offsets[-1]) != m:
            raise ValueError(f"offsets end at {self.offsets[-1]}, but there are {m} boxes")
        looked_for = self.verified_classes
        if looked_for is not None and looked_for.shape != (n, len(self.classes)):
            raise ValueError("verified_classes must have a row per image and a column per class")

    def __len__(self) -> int:
        return len(self.names)

    def image(self, index: int) -> Path | ByteRange | Part:
        """Where image `index` is, for `images.decoding.read_image`."""
        path = self.root / self.names[index]
        start, length = self.byte_ranges[index]
        file = path if length < 0 else ByteRange(path.parent, int(start), int(length))
        if self.regions is None:
            return file
        left, top, right, bottom = self.regions[index].tolist()
        return Part(file, (left, top, right, bottom))

    def rows(self, index: int) -> slice:
        """The rows of `boxes`, `labels` and `flags` of image `index`."""
        return slice(int(self.offsets[index]), int(self.offsets[index + 1]))

    def ignored_in(self, index: int) -> Boxes:
        """The ignored regions of an image, `(k, 4)`."""
        start, end = np.searchsorted(self.image_of_ignored, (index, index + 1))
        return self.ignored[start:end]

    @property
    def image_of_box(self) -> NDArray[np.int64]:
        """`(M,)` image index of each box."""
        return np.repeat(np.arange(len(self)), np.diff(self.offsets))

    def images_showing(self, label: int | np.integer) -> NDArray[np.int64]:
        """Ascending indices of the images that have a box of this class."""
        return np.unique(self.image_of_box[self.labels == label])

    def select(self, images: ArrayLike) -> Dataset:
        """Select images by indices or a mask, in the given order; classes are unchanged."""
        chosen = np.asarray(images)
        index = np.arange(len(self))[chosen if chosen.size else np.arange(0)]
        offsets, rows = _rows_of(index, self.offsets)
        ends = np.searchsorted(self.image_of_ignored, np.arange(len(self) + 1))
        ignored_offsets, ignored = _rows_of(index, ends)
        return replace(
            self,
            names=tuple(self.names[i] for i in index),
            sizes=self.sizes[index],
            splits=self.splits[index],
            byte_ranges=self.byte_ranges[index],
            verified=self.verified[index],
            offsets=offsets,
            boxes=self.boxes[rows],
            labels=self.labels[rows],
            flags=self.flags[rows],
            ignored=self.ignored[ignored],
            image_of_ignored=np.repeat(np.arange(len(index)), np.diff(ignored_offsets)),
            verified_classes=None
            if self.verified_classes is None
            else self.verified_classes[index],
            regions=None if self.regions is None else self.regions[index],
        )

    def split(self, name: Split | str) -> Dataset:
        """Return the images of one split: `dataset.split("test")`."""
        wanted = Split[name.upper()] if isinstance(name, str) else name
        return self.select(self.splits == wanted)

    def keep_boxes(self, keep: NDArray[np.bool_]) -> Dataset:
        """The same images with only the boxes where `keep` `(M,)` is True."""
        counts = np.bincount(self.image_of_box[keep], minlength=len(self))
        return replace(
            self,
            offsets=np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
            boxes=self.boxes[keep],
            labels=self.labels[keep],
            flags=self.flags[keep],
        )

    def merge(self, other: Dataset) -> Dataset:
        """The images of both datasets, which are whole; classes are matched by name."""
        classes = (*self.classes, *(c for c in other.classes if c not in self.classes))
        ids = np.array([classes.index(c) for c in other.classes], np.int32)
        root = self.root
        names = other.names
        if other.root != root:
            names = tuple((other.root / name).absolute().as_posix() for name in other.names)
        return Dataset(
            root=root,
            names=(*self.names, *names),
            sizes=np.concatenate([self.sizes, other.sizes]),
            splits=np.concatenate([self.splits, other.splits]),
            byte_ranges=np.concatenate([self.byte_ranges, other.byte_ranges]),
            verified=np.concatenate([self.verified, other.verified]),
            offsets=np.concatenate([self.offsets, other.offsets[1:] + self.offsets[-1]]),
            boxes=np.concatenate([self.boxes, other.boxes]),
            labels=np.concatenate([self.labels, ids[other.labels]]),
            flags=np.concatenate([self.flags, other.flags]),
            classes=classes,
            findings=(*self.findings, *other.findings),
            ignored=np.concatenate([self.ignored, other.ignored]),
            image_of_ignored=np.concatenate(
                [self.image_of_ignored, other.image_of_ignored + len(self)]
            ),
            decoding=self.decoding,
            verified_classes=self._verified_with(other, classes),
        )

    def _verified_with(self, other: Dataset, classes: Sequence[str]) -> NDArray[np.bool_] | None:
        """The verified classes of both, in the order of `classes`."""
        if self.verified_classes is None and other.verified_classes is None:
            return None
        parts = []
        for one in (self, other):
            own = one.verified_classes
            part = np.full((len(one), len(classes)), own is None)
            if own is not None:
                part[:, [classes.index(name) for name in one.classes]] = own
            parts.append(part)
        return np.concatenate(parts)

    def fingerprint(self) -> str:
        """16 hex digits of a hash of names, sizes, splits, boxes, labels, flags, classes, ignored
        regions, verified classes and the parts of images."""
        names = (self._name_from_root(name) for name in self.names)
        words = "\0".join((*names, "", *self.classes))
        digest = hashlib.sha256(words.encode("utf-8", "surrogatepass"))  # names may be any bytes
        for column in (self.sizes, self.splits, self.offsets, self.boxes, self.labels, self.flags):
            digest.update(np.ascontiguousarray(column).tobytes())
        if len(self.ignored):
            digest.update(self.image_of_ignored.tobytes() + self.ignored.tobytes())
        if self.verified_classes is not None:
            digest.update(self.verified_classes.tobytes())
        if self.regions is not None:
            digest.update(self.regions.tobytes())
        return digest.hexdigest()[:16]

    def _name_from_root(self, name: str) -> str:
        """Image name relative to the root, also if outside: moving both does not change it."""
        if not isabs(name):  # noqa: PTH117 - a Path costs as much as the rest
            return name
        try:
            return relpath(name, self.root).replace("\\", "/")
        except ValueError:  # on another drive
            return name


def _verified_classes(
    images: Sequence[LabeledImage], ids: Mapping[str, int]
) -> NDArray[np.bool_] | None:
    """`(N, C)`, see `Dataset`; a class with a box in an image was looked for."""
    if all(image.verified_classes is None for image in images):
        return None
    verified = np.zeros((len(images), len(ids)), np.bool_)
    for row, image in zip(verified, images, strict=True):
        if image.verified_classes is None:
            row[:] = True
        else:
            names = (*image.verified_classes, *image.class_names)
            row[[ids[name] for name in names if name in ids]] = True
    return verified


def _rows_of(
    index: NDArray[np.int64], offsets: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Offsets of the selected images, and the rows of their boxes before the selection."""
    counts = np.diff(offsets)[index]
    after = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    within = np.arange(int(after[-1])) - np.repeat(after[:-1], counts)
    return after, np.repeat(offsets[index], counts) + within
