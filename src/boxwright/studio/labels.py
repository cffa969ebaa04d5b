"""The labels of an image as people see them: boxes in pixels of the oriented image."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from boxwright.errors import DataError
from boxwright.formats.annotations import Holds, Labeled
from boxwright.formats.coordinates import Frame, Size, frame_of
from boxwright.formats.editing import FLAGS, Edit, EditedBox, LabelEditor, Sides
from boxwright.formats.records import RecordEditor
from boxwright.formats.registry import named
from boxwright.formats.shapes import decimals
from boxwright.formats.units import settle_units
from boxwright.images.decoding import Header, read_header
from boxwright.io.files import Signature, signature
from boxwright.studio.viewed_labels import ViewedLabels

NO_LABELS = "none"  # etag of an image without labels
KEY = re.compile(r"b([0-9]{1,9})")
HEADERS = 1000  # that are remembered
NAMES = {
    Holds.DIFFICULT: "difficult",
    Holds.TRUNCATED: "truncated",
    Holds.OCCLUDED: "occluded",
    Holds.CROWD: "crowd",
    Holds.VERIFIED: "verified",
}


@dataclass(frozen=True)
class LabeledBox:
    """A box of an image.

    Attributes:
        key: identifies the box in the labels with one etag; any other text for a new box.
        box: xyxy pixels of the oriented image.
        label: class name.
        difficult, truncated, occluded, crowd: as in the formats that can hold them.
    """

    key: str
    box: Sides
    label: str
    difficult: bool = False
    truncated: bool = False
    occluded: bool = False
    crowd: bool = False


@dataclass(frozen=True)
class Labels:
    """The labels of an image, and the etag that identifies this state of them."""

    boxes: tuple[LabeledBox, ...]
    verified: bool
    etag: str


class ConflictError(Exception):
    """The labels of an image are others than those that were edited.

    Attributes:
        theirs: the labels as they are now.
    """

    def __init__(self, theirs: Labels) -> None:
        super().__init__(theirs)
        self.theirs = theirs


@dataclass(frozen=True)
class Source:
    """An image and its labels.

    Attributes:
        image: its path below the root.
        file: the image file.
        path: the label file below the root.
        name: of the image in the label file.
        content: the bytes with its labels; None if it has none.
    """

    image: str
    file: Path
    path: str
    name: str
    content: bytes | None


class Translator:
    """Turns the labels in the bytes of a format into boxes of the oriented image, and edits back.

    Attributes:
        holds: of "difficult", "truncated", "occluded", "crowd" and "verified", what it can store.
    """

    def __init__(self, form: str, editor: LabelEditor | RecordEditor | ViewedLabels) -> None:
        self._title = named(form).TITLE
        self._editor = editor
        self.holds = frozenset(name for each, name in NAMES.items() if each in named(form).HOLDS)

    def labels(self, source: Source) -> Labels:
        """The labels of an image. Raises DataError: it or its label file cannot be read."""
        one, frame = self._annotation(source)
        found = []
        rows = zip(frame.to_image(one.boxes), one.names, one.flags, strict=True)
        for i, (box, name, flags) in enumerate(rows):
            said = {each: bool(flags & bit) for each, bit in FLAGS.items()}
            found.append(LabeledBox(f"b{i}", _decimals(box), name, **said))
        return Labels(tuple(found), one.verified, etag_of(source.content))

    def edited(self, source: Source, labels: Labels) -> bytes | None:
        """The bytes after an edit; the same ones if the edit says what they say already.

        Raises:
            DataError: BW141 or BW180 the format cannot store it; as `labels`.
        """
        if source.content is None and not labels.boxes and not labels.verified:
            return None
        one, frame = self._annotation(source)
        unused = dict(enumerate(self.labels(source).boxes))
        boxes = []
        for box in labels.boxes:
            match = KEY.fullmatch(box.key)
            origin = int(match[1]) if match and int(match[1]) in unused else None
            was = None if origin is None else unused.pop(origin)
            flags = sum(bit for name, bit in FLAGS.items() if getattr(box, name))
            self._check_flags(source, flags & ~(0 if origin is None else one.flags[origin]))
            sides = None
            if was is None or was.box != box.box:
                xmin, ymin, xmax, ymax = frame.from_image(box.box)[0].tolist()
                sides = xmin, ymin, xmax, ymax
            boxes.append(EditedBox(box.label, sides, flags, origin))
        verified = labels.verified and "verified" in self.holds
        edit = Edit(source.image, frame.here, boxes, verified, source.name)
        after = self._editor.edited(source.content, source.path, edit)
        self._editor.labeled(after, source.path)
        return after

    def relabeled(self, source: Source, old: str, new: str | None) -> bytes | None:
        """The bytes with boxes of one class in another one, or without them; the image is not
        opened.

        Raises:
            DataError: BW141 or BW180 the format cannot store it, or the labels cannot be read.
        """
        one = self._editor.labeled(source.content, source.path)
        if old not in one.names:
            return source.content
        boxes = [
            EditedBox(new or name if name == old else name, None, flags, i)
            for i, (name, flags) in enumerate(zip(one.names, one.flags, strict=True))
            if name != old or new is not None
        ]
        size = one.size or Size(0, 0)  # no box is moved
        edit = Edit(source.image, size, boxes, one.verified, source.name)
        after = self._editor.edited(source.content, source.path, edit)
        self._editor.labeled(after, source.path)
        return after

    def _annotation(self, source: Source) -> tuple[Labeled, Frame]:
        """The annotation of an image, and the frame of its boxes."""
        one = self._editor.labeled(source.content, source.path)
        header = _header(source.file)
        here = Size(header.width, header.height)
        if one.relative:
            return one, Frame(here, here, relative=True)
        broken, converted = settle_units({source.image: one}, {source.image: header}, None)
        if broken or converted:
            message = "its boxes are in another unit than the format has."
            raise DataError("BW179", message, where=source.path)
        stated = one.size if one.size and min(one.size) > 0 else None
        return one, frame_of(one.boxes, stated, header)

    def _check_flags(self, source: Source, flags: int) -> None:
        """Raise DataError BW180 if the format cannot store the flags of a box."""
        missing = [name for name, bit in FLAGS.items() if flags & bit and name not in self.holds]
        if missing:
            message = f"{self._title} cannot store that a box is {missing[0]}."
            raise DataError("BW180", message, where=source.image)


def etag_of(content: bytes | None) -> str:
    """What identifies labels: a digest of their bytes."""
    return NO_LABELS if content is None else hashlib.sha256(content).hexdigest()[:32]


def size_of(file: Path) -> tuple[int, int]:
    """Width and height of an oriented image. Raises DataError: it cannot be opened."""
    header = _header(file)
    return header.width, header.height


def _header(path: Path) -> Header:
    return _header_of(path, signature(path))


@lru_cache(HEADERS)
def _header_of(path: Path, of: Signature) -> Header:
    """The header of a file as long as the file stays the same."""
    return read_header(path)


def _decimals(box: Sequence[float]) -> Sides:
    """A float32 box as the shortest decimals."""
    xmin, ymin, xmax, ymax = map(float, decimals(np.asarray(box, np.float32)))
    return xmin, ymin, xmax, ymax
