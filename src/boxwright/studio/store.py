"""LabelStore: the labels of a folder, read and written one image at a time, in its own format."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Literal

import numpy as np

from boxwright.errors import DataError
from boxwright.formats.annotations import Holds, Labeled
from boxwright.formats.annotations import Labels as Read
from boxwright.formats.coordinates import Frame, Size, frame_of
from boxwright.formats.editing import FLAGS, Edit, EditedBox, Sides
from boxwright.formats.editors import file_editor
from boxwright.formats.folder import ASIDE, Folder, join
from boxwright.formats.ownership import Ownership
from boxwright.formats.registry import named, read_annotations
from boxwright.formats.selection import Chosen
from boxwright.formats.shapes import decimals
from boxwright.formats.units import settle_units
from boxwright.images.decoding import Header, read_header
from boxwright.io.files import locked, move
from boxwright.studio.blind import blind_images
from boxwright.studio.class_edits import Change, count
from boxwright.studio.journal import Journal
from boxwright.studio.label_files import LabelFiles

DEFAULT = "voc"  # the format of a folder without labels
HOME = ".boxwright"  # folder of the studio's own files
NO_LABELS = "none"  # etag of an image without labels
KEY = re.compile(r"b([0-9]{1,9})")
DIGITS = re.compile(r"([0-9]+)")
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


@dataclass(frozen=True)
class ImageRow:
    """An image in a list: its state, number of boxes, and classes."""

    index: int
    name: str
    state: Literal["new", "labeled", "verified", "aside"]
    boxes: int
    classes: tuple[str, ...]


class ConflictError(Exception):
    """The labels of an image are others than those that were edited.

    Attributes:
        theirs: the labels as they are now.
    """

    def __init__(self, theirs: Labels) -> None:
        super().__init__(theirs)
        self.theirs = theirs


@dataclass(frozen=True)
class _Summary:
    """What a list of images says about one with labels."""

    names: tuple[str, ...]
    verified: bool


class LabelStore:
    """The labels of a folder.

    Attributes:
        folder: the folder.
        home: folder for the studio's own files, within it.
        format: name of the format that is read and written.
        holds: of "difficult", "truncated", "occluded", "crowd" and "verified", what it can store.
        names: the image paths below the folder, sorted as people read; indices are into it.
        journal: versions, proposals and small values.
    """

    def __init__(self, folder: Folder, chosen: Chosen, classes: Sequence[str]) -> None:
        self.folder, self.format = folder.root, chosen.name
        self._folder = folder
        self._stated = {image: one.split for image, one in chosen.own.paired.items()}
        self._blind: frozenset[int] | None = None
        self.home = folder.root / HOME
        images = {join(parent, name) for parent, names in folder.images.items() for name in names}
        self._aside = _set_aside(folder.root) - images
        self.names: Sequence[str] = sorted(images | self._aside, key=_as_read)
        self._index = {name: i for i, name in enumerate(self.names)}
        holds = named(chosen.name).HOLDS
        self.holds = frozenset(name for each, name in NAMES.items() if each in holds)
        self._editor = file_editor(chosen.name, folder, chosen.own)
        self._files = LabelFiles(folder, chosen.own, self._editor, self._aside)
        self._writable = _made(self.home)
        self.journal = Journal(self.home / "journal.db" if self._writable else None, self.names)
        self._checked = dict(self.journal.checked())
        self._found = {
            image: _Summary(tuple(one.names), one.verified)
            for image, one in chosen.own.paired.items()
            if one.path
        }
        used = {name for one in self._found.values() for name in one.names}
        self._classes = dict.fromkeys([*chosen.own.labels.classes, *sorted(used)])
        for name in [*self.journal.get("classes", ()), *classes]:
            self._classes.setdefault(name)

    @classmethod
    def open(
        cls, folder: str | Path, classes: Sequence[str] = (), format: str | None = None
    ) -> LabelStore:
        """Open a folder of images, labeled or not.

        Args:
            folder: the folder.
            classes: names to choose from, beside those that it has.
            format: the name of a format; None takes the one that it has, or Pascal VOC.

        Raises:
            DataError: BW114 it has no images, or labels in a format that is not read; BW115 there
                is no such folder; BW179 its labels cannot be edited in place.
        """
        scanned = Folder.scan(folder)
        if scanned.archive or not Path(folder).is_dir():
            raise DataError(
                "BW179", "labels are edited in a folder, not in an archive or file.", where=folder
            )
        try:
            chosen = read_annotations(scanned, format)
        except DataError as error:
            if error.code != "BW114" or "tool" in error.facts or not scanned.images:
                raise
            chosen = Chosen(format or DEFAULT, Ownership(scanned, Read()))
        return cls(scanned, chosen, classes)

    @property
    def classes(self) -> tuple[str, ...]:
        """The class names, in the order of the folder's list, if it has one."""
        return tuple(self._classes)

    def rows(self, start: int = 0, count: int | None = None) -> list[ImageRow]:
        """The images from `start` on as a list shows them."""
        end = len(self.names) if count is None else min(start + count, len(self.names))
        return [self._row(index) for index in range(start, end)]

    def path(self, index: int) -> Path:
        """The image file."""
        name = self.names[index]
        return self.folder / ASIDE / name if name in self._aside else self.folder / name

    def size(self, index: int) -> tuple[int, int]:
        """Width and height of the oriented image. Raises DataError: it cannot be opened."""
        header = _header(self.path(index))
        return header.width, header.height

    def read(self, index: int) -> Labels:
        """The labels of an image as they are on the disk.

        Raises:
            DataError: the image or its label file cannot be read.
        """
        return self._labels(index, self._files.get(self.names[index]))

    def write(self, index: int, labels: Labels, etag: str) -> Labels:
        """Write the labels of an image; they are on the disk when it returns.

        Args:
            index: of the image.
            labels: boxes with a key of the labels with `etag` keep all that the file says about
                them; others are new. The order is kept.
            etag: of the labels that were edited.

        Returns:
            The labels as they are now, with new keys.

        Raises:
            ConflictError: the labels have changed meanwhile.
            DataError: BW141 or BW180 the format cannot store them.
            SystemFaultError: BW902, BW903 the file cannot be written.
        """
        image = self.names[index]
        with self._alone():
            before = self._unchanged(index, etag)
            after = self._edited(index, before, labels)
            if "verified" not in self.holds:
                self._check(image, etag_of(after) if labels.verified else None)
            if after != before:
                self._put(image, before, after)
        return self._labels(index, after)

    def undo(self, index: int, etag: str) -> Labels | None:
        """Write what the labels were before the last edit; None if they had no other."""
        return self._step(index, etag, -1)

    def redo(self, index: int, etag: str) -> Labels | None:
        """Write what was undone; None if nothing was."""
        return self._step(index, etag, 1)

    def can_undo(self, index: int) -> bool:
        return self.journal.has_version(self.names[index], -1)

    def can_redo(self, index: int) -> bool:
        return self.journal.has_version(self.names[index], 1)

    def set_aside(self, index: int, aside: bool) -> None:
        """Move an image with its labels into the folder `_aside_`, which nothing reads, or back.

        Raises:
            SystemFaultError: BW902, BW903 it cannot be moved.
        """
        image = self.names[index]
        if aside == (image in self._aside):
            return
        before = self.path(index)
        with self._alone():
            move(before, self.folder / ASIDE / image if aside else self.folder / image)
            self._files.set_aside(image, aside)

    def blind(self) -> frozenset[int]:
        """The images for testing, which are labeled without proposals: see `blind_images`."""
        if self._blind is None:
            self._blind = blind_images(self._folder, self.names, self._stated)
        return self._blind

    def add_class(self, name: str) -> Change:
        """Add a class to choose from. Raises DataError: BW141 its name cannot be written."""
        if name not in self._classes:
            if self._editor.classes and name not in self._editor.classes.names.values():
                self._editor.classes.add(name)
            self._set_classes([*self._classes, name])
        return Change(0, 0)

    def rename_class(self, old: str, new: str, *, preview: bool = False) -> Change:
        """Give a class another name in all labels; that of another class merges the two.

        Args:
            old, new: the names.
            preview: only count what would change.

        Raises:
            DataError: as `write`; what was changed until then stays, and can be undone.
        """
        listed = self._editor.classes
        if preview or old == new or new in self._classes or listed is None:
            return self._change_classes(old, new, preview=preview)
        change = count(self._names(), old)
        with self._alone():
            listed.rename(old, new)
        self.journal.add_class_edit({"renamed": [old, new], "classes": self.classes})
        self._renamed(old, new)
        return change

    def merge_class(self, old: str, into: str, *, preview: bool = False) -> Change:
        """Give all boxes of a class another class. As `rename_class`."""
        return self._change_classes(old, into, preview=preview)

    def delete_class(self, name: str, *, preview: bool = False) -> Change:
        """Delete a class with all its boxes. As `rename_class`."""
        return self._change_classes(name, None, preview=preview)

    def undo_classes(self) -> Change | None:
        """Undo the last edit of classes; None if there is none.

        Images that were edited since keep that edit.
        """
        edit = self.journal.pop_class_edit()
        if edit is None:
            return None
        if "renamed" in edit:
            old, new = edit["renamed"]
            change = count(self._names(), new)
            with self._alone():
                if self._editor.classes:
                    self._editor.classes.rename(new, old)
            self._renamed(new, old)
            self._set_classes(edit["classes"])
            return change
        images = boxes = 0
        for image, etag, number in edit["images"]:
            index = self._index.get(image)
            if index is None or self.read(index).etag != etag:
                continue
            undone = self.undo(index, etag)
            images, boxes = images + (undone is not None), boxes + number
        self._set_classes(edit["classes"])
        return Change(images, boxes)

    def _change_classes(self, old: str, new: str | None, *, preview: bool) -> Change:
        """Give all boxes of a class another class, or delete them where it is None."""
        change = count(self._names(), old)
        if preview or old == new:
            return change
        edited: list[tuple[str, str, int]] = []
        before = self.classes
        try:
            for image, names in self._names().items():
                if old in names:
                    index = self._index[image]
                    labels = self.read(index)
                    boxes = [
                        replace(box, label=new) if new and box.label == old else box
                        for box in labels.boxes
                        if new or box.label != old
                    ]
                    after = self.write(index, replace(labels, boxes=tuple(boxes)), labels.etag)
                    edited.append((image, after.etag, names.count(old)))
        finally:
            self.journal.add_class_edit({"images": edited, "classes": before})
        kept = [new if name == old else name for name in before]
        self._set_classes(dict.fromkeys(name for name in kept if name))
        return change

    def _renamed(self, old: str, new: str) -> None:
        """Note that the list of classes has another name for a class, and so have all labels."""
        for image, one in self._found.items():
            if old in one.names:
                names = tuple(new if name == old else name for name in one.names)
                self._found[image] = replace(one, names=names)
        self._set_classes([new if name == old else name for name in self._classes])

    def _names(self) -> dict[str, tuple[str, ...]]:
        return {image: one.names for image, one in self._found.items()}

    def _set_classes(self, classes: Iterable[str]) -> None:
        self._classes = dict.fromkeys(classes)
        self.journal.set("classes", self.classes)

    def changed(self) -> list[int]:
        """The images whose labels others have changed since this was last asked.

        Of a large folder, each call looks at a part.
        """
        indices = [self._index[image] for image in self._files.changed()]
        for index in indices:
            self._summarize(self.names[index], self._files.get(self.names[index]))
        return indices

    def flush(self) -> None:
        """Write what waits to be written into large files."""
        self._files.flush()

    def close(self) -> None:
        self.flush()
        self.journal.close()

    def _row(self, index: int) -> ImageRow:
        image = self.names[index]
        found = self._found.get(image)
        names = found.names if found else ()
        classes = tuple(dict.fromkeys(names))
        if image in self._aside:
            return ImageRow(index, image, "aside", len(names), classes)
        if found is None:
            return ImageRow(index, image, "new", 0, ())
        is_verified = found.verified or image in self._checked
        state: Literal["verified", "labeled"] = "verified" if is_verified else "labeled"
        return ImageRow(index, image, state, len(names), classes)

    def _unchanged(self, index: int, etag: str) -> bytes | None:
        """The labels on the disk. Raises ConflictError: they have another etag."""
        content = self._files.get(self.names[index])
        if etag_of(content) != etag:
            raise ConflictError(self._labels(index, content))
        return content

    def _step(self, index: int, etag: str, step: int) -> Labels | None:
        image = self.names[index]
        with self._alone():
            now = self._unchanged(index, etag)
            found = self.journal.version(image, now, step)
            if found is None:
                return None
            number, content = found
            self._files.put(image, content)
            self.journal.move_to(image, number)
            self._summarize(image, content)
        return self._labels(index, content)

    def _put(self, image: str, before: bytes | None, after: bytes | None) -> None:
        self._files.put(image, after)
        self.journal.record(image, before, after)
        self._summarize(image, after)

    def _labels(self, index: int, content: bytes | None) -> Labels:
        image = self.names[index]
        one, frame = self._annotation(index, content)
        pixels = frame.to_image(one.boxes)
        boxes = tuple(
            LabeledBox(
                f"b{i}", _decimals(box), name, *(bool(flags & bit) for bit in FLAGS.values())
            )
            for i, (box, name, flags) in enumerate(zip(pixels, one.names, one.flags, strict=True))
        )
        etag = etag_of(content)
        return Labels(boxes, one.verified or self._checked.get(image) == etag, etag)

    def _annotation(self, index: int, content: bytes | None) -> tuple[Labeled, Frame]:
        """The annotation of an image, and the frame of its boxes. Raises DataError."""
        image = self.names[index]
        path = self._files.path(image)
        one = self._editor.labeled(content, path)
        header = _header(self.path(index))
        here = Size(header.width, header.height)
        if one.relative:
            return one, Frame(here, here, relative=True)
        broken, converted = settle_units({image: one}, {image: header}, None)
        if broken or converted:
            message = "its boxes are in another unit than the format has."
            raise DataError("BW179", message, where=self.folder / path)
        stated = one.size if one.size and min(one.size) > 0 else None
        return one, frame_of(one.boxes, stated, header)

    def _edited(self, index: int, before: bytes | None, labels: Labels) -> bytes | None:
        """The label file after an edit; unchanged if the edit says what it says already."""
        old = self._labels(index, before)
        if before is None and not labels.boxes and not labels.verified:
            return None
        one, frame = self._annotation(index, before)
        unused = dict(enumerate(old.boxes))
        boxes = []
        for box in labels.boxes:
            match = KEY.fullmatch(box.key)
            origin = int(match[1]) if match and int(match[1]) in unused else None
            was = None if origin is None else unused.pop(origin)
            flags = sum(bit for name, bit in FLAGS.items() if getattr(box, name))
            self._check_flags(index, flags & ~(0 if origin is None else one.flags[origin]))
            moved = was is None or was.box != box.box
            sides = tuple(frame.from_image(box.box)[0].tolist()) if moved else None
            boxes.append(EditedBox(box.label, sides, flags, origin))
        verified = labels.verified and "verified" in self.holds
        edit = Edit(self.names[index], Size(*self.size(index)), boxes, verified)
        path = self._files.path(self.names[index])
        after = self._editor.edited(before, path, edit)
        self._editor.labeled(after, path)
        return after

    def _check_flags(self, index: int, flags: int) -> None:
        """Raise DataError BW180 if the format cannot store the flags of a box."""
        missing = [name for name, bit in FLAGS.items() if flags & bit and name not in self.holds]
        if missing:
            title = named(self.format).TITLE
            message = f"{title} cannot store that a box is {missing[0]}."
            raise DataError("BW180", message, where=self.folder / self.names[index])

    def _check(self, image: str, etag: str | None) -> None:
        """Remember which labels were verified, for a format that cannot say it."""
        if self._checked.get(image) != etag:
            self.journal.check(image, etag)
            self._checked.pop(image, None)
            if etag is not None:
                self._checked[image] = etag

    def _summarize(self, image: str, content: bytes | None) -> None:
        if content is None:
            self._found.pop(image, None)
            return
        try:
            one = self._editor.labeled(content, self._files.path(image))
        except DataError:
            return  # damaged by another program; reading it says so
        self._found[image] = _Summary(tuple(one.names), one.verified)
        for name in one.names:
            self._classes.setdefault(name)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Let one process at a time edit the folder, as far as it can be written."""
        if not self._writable:
            yield
            return
        with locked(self.home / "lock"):
            yield


def etag_of(content: bytes | None) -> str:
    """What identifies labels: a digest of their bytes."""
    return NO_LABELS if content is None else hashlib.sha256(content).hexdigest()[:32]


@lru_cache(HEADERS)
def _header(path: Path) -> Header:
    return read_header(path)


def _decimals(box: Sequence[float]) -> Sides:
    """A float32 box as the shortest decimals."""
    xmin, ymin, xmax, ymax = map(float, decimals(np.asarray(box, np.float32)))
    return xmin, ymin, xmax, ymax


def _as_read(name: str) -> list[object]:
    """A key that sorts names as people read them: 2 before 10."""
    parts = DIGITS.split(name)
    return [part if i % 2 == 0 else int(part) for i, part in enumerate(parts)]


def _set_aside(root: Path) -> set[str]:
    if not (root / ASIDE).is_dir():
        return set()
    images = Folder.scan(root / ASIDE).images
    return {join(parent, name) for parent, names in images.items() for name in names}


def _made(home: Path) -> bool:
    """True if the studio's folder exists or was made."""
    try:
        home.mkdir(exist_ok=True)
    except OSError:
        return False
    return True
