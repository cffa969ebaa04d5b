"""Read labeled images from one TFRecord file. Each image is a byte range of the file."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from boxwright.formats.annotations import Broken, Labeled, Labels, number, size_of
from boxwright.formats.coordinates import Size
from boxwright.formats.folder import folded, join, stem, with_slashes
from boxwright.formats.tfrecord.example import Example, NoExampleError, parse_example
from boxwright.formats.tfrecord.framing import HEAD, Record, read_records
from boxwright.formats.tfrecord.keys import (
    ENCODED,
    FILENAME,
    FLAGS,
    HEIGHT,
    KIND,
    LABEL,
    SIDES,
    TEXT,
    WIDTH,
)
from boxwright.images.decoding import is_image
from boxwright.images.header import kind_of
from boxwright.io.compressed import plain_file
from boxwright.io.limits import ArchiveError
from boxwright.structures.dataset import Split
from boxwright.structures.findings import Finding, counted

WANTED = frozenset({ENCODED, FILENAME, KIND, WIDTH, HEIGHT, TEXT, LABEL, *SIDES, *FLAGS})
MAX_BROKEN = 100  # unusable records of a file before reading stops
MAX_NAME_LENGTH = 150  # bytes; file systems allow 255, and a number or suffix may be added
OBJECTS = re.compile(  # in the keys of boxes and classes
    r"ann(o|s)|bbox|box|categ|class|coord|label|mask|obj|polygon|segment|target"
    r"|[xy]_?(min|max|s\b|[0-9])",
    re.IGNORECASE,
)
SHOWN = 6  # keys that a message names
UNFIT = re.compile(r'[\x00-\x1f\x7f<>:"|?*]')  # not allowed in file names on Windows
SUFFIXES = {"png": ".png", "gif": ".gif", "bmp": ".bmp", "tiff": ".tif", "webp": ".webp"}
BACKGROUND = "label 0, which the Object Detection API reserves for the background"


class NamelessError(Exception):
    """The names of the record's classes are in a label map that cannot be read."""


class UnusableError(Exception):
    """The record cannot be used: code, reason."""


@dataclass
class ClassIds:
    """The ids of the named classes in the records."""

    of_name: dict[str, int] = field(default_factory=dict)
    clear: bool = True

    def add(self, name: str, label: int) -> None:
        """Record that a box of class `name` has this label."""
        self.clear &= self.of_name.setdefault(name, label) == label

    def in_order(self) -> list[str]:
        """The classes in order of their ids; empty if names and ids do not match one to one."""
        if not self.clear or len(set(self.of_name.values())) < len(self.of_name):
            return []
        return sorted(self.of_name, key=self.of_name.__getitem__)


@dataclass
class RecordFile:
    """Reader of one file.

    Attributes:
        path: the file, below the root.
        split: the split of its images.
        label_map: names of the ids, for records without class names.
        ids: collects the ids of the classes.
        by_id: a record's ids decide, not its names, because a name has two ids.
        lost_map: a label map that cannot be read, which may have the names of other ids.
        lost: number of records that are left out because they need it.
        mapped: some names are from the label map.
    """

    path: str
    split: Split
    label_map: Mapping[int, str]
    ids: ClassIds
    by_id: bool = field(default=False, kw_only=True)
    lost_map: str = ""
    lost: int = 0
    mapped: bool = False
    _taken: dict[str, int] = field(default_factory=dict)  # name -> the last number added to it
    _unnamed: set[int] = field(default_factory=set)
    _background: list[str] = field(default_factory=list)
    _mismarked: dict[tuple[str, str], list[str]] = field(default_factory=lambda: defaultdict(list))

    def read_into(self, labels: Labels, root: Path) -> None:
        """Add the images, unusable records and findings of the file to the labels."""
        broken: list[Broken] = []
        try:
            with plain_file(root / self.path).open("rb") as file:
                for record in read_records(file):
                    try:
                        labels.images.append(self._labeled(record))
                    except NamelessError:
                        self.lost += 1
                    except UnusableError as error:
                        code, reason = error.args
                        where = f"{self.path}{_place(record)}"
                        broken.append(Broken(code, where, f"at byte {record.offset}: {reason}"))
                    if len(broken) == MAX_BROKEN:
                        reason = f"{MAX_BROKEN} records cannot be used, so the rest is not read"
                        broken.append(Broken("BW110", self.path, reason))
                        return
        except ArchiveError as error:
            broken.append(Broken("BW150", self.path, f"is compressed, and {error}"))
        except OSError as error:
            broken.append(Broken("BW110", self.path, f"cannot be read ({error.strerror or error})"))
        finally:
            labels.broken += broken
            labels.findings += self._findings()

    def _labeled(self, record: Record) -> Labeled:
        if record.damage:
            raise UnusableError("BW110", record.damage)
        try:
            example = parse_example(record.data, WANTED)
        except NoExampleError:
            raise UnusableError("BW110", "it is not a tf.train.Example") from None
        contained = example.byte_ranges(ENCODED)
        if len(contained) > 1:
            raise UnusableError("BW110", f"it contains {len(contained)} images (image/encoded)")
        start, stop = contained[0] if contained else (0, 0)
        if start == stop:
            raise UnusableError("BW110", "it contains no image (image/encoded)")
        boxes = _boxes(example)
        names = self._names(example, len(boxes))
        flags = _flags(example, len(boxes))
        kind = kind_of(record.data[start : start + 16])
        labeled = Labeled(
            self.path,
            self._image(example, kind, record.number),
            size=_size(example),
            place=_place(record),
            relative=True,
            as_stored=True,
            split=self.split,
            byte_range=(record.offset + HEAD.size + start, stop - start),
        )
        for name, box, flag in zip(names, boxes, flags, strict=True):
            labeled.add(name, box, flag)
        image = join(self.path, labeled.image)
        if 0 in example.numbers(LABEL):
            self._background.append(image)
        for stated in example.texts(KIND):
            if kind and (stated_kind := _plain(stated)) and stated_kind != kind:
                self._mismarked[stated_kind, kind].append(image)
        return labeled

    def _names(self, example: Example, count: int) -> list[str]:
        """The class of each box, from the record or, by its id, from the label map."""
        names, labels = example.texts(TEXT), example.numbers(LABEL)
        if None in map(number, labels):
            raise UnusableError("BW110", f"its labels are {labels}, not all of which are valid ids")
        ids = [int(label) for label in labels]
        if len(names) == count and all(names) and not (self.by_id and len(ids) == count):
            if len(ids) == count:
                for name, label in zip(names, ids, strict=True):
                    self.ids.add(name, label)
            return names
        if len(ids) != count:
            found = f"{counted(len(names), 'class name')} and {counted(len(ids), 'label')}"
            raise UnusableError("BW110", f"{counted(count, 'box has', 'boxes have')} {found}")
        if 0 in ids:
            raise UnusableError("BW116", f"a box has {BACKGROUND}")
        unnamed = [label for label in ids if label not in self.label_map]
        if unnamed and self.lost_map:
            raise NamelessError
        self._unnamed.update(unnamed)
        self.mapped |= bool(ids)
        names = [self.label_map.get(label, f"class {label}") for label in ids]
        for name, label in zip(names, ids, strict=True):
            self.ids.add(name, label)
        return names

    def _image(self, example: Example, kind: str, number: int) -> str:
        """A unique file name for the image."""
        stated = next(iter(example.texts(FILENAME)), "")
        name = UNFIT.sub("_", with_slashes(stated).rpartition("/")[2]).strip(" .")
        if not name or len(name.encode()) > MAX_NAME_LENGTH:
            name = f"photo {number}"
        if not is_image(name):
            name += SUFFIXES.get(kind, ".jpg")
        own = stem(name)
        suffix, unique = name[len(own) :], name
        while folded(unique) in self._taken:
            self._taken[folded(name)] += 1
            unique = f"{own}-{self._taken[folded(name)]}{suffix}"
        self._taken[folded(unique)] = 1
        return unique

    def _findings(self) -> Iterator[Finding]:
        if self._unnamed:
            ids = ", ".join(map(str, sorted(self._unnamed)[:10]))
            message = f"its labels have no names, and no label map has the ids {ids}"
            yield Finding("BW116", self.path, message, "the classes are called 'class 1' and so on")
        if self._background:
            images = tuple(self._background)
            message = f"{counted(len(images), 'image has', 'images have')} boxes of {BACKGROUND}"
            yield Finding("BW116", self.path, message, "the class names are used", images)
        for (stated_kind, kind), names in self._mismarked.items():
            stated = counted(len(names), "image is", "images are")
            message = f"{stated} declared as {stated_kind} but {kind}, such as {names[0]}"
            yield Finding("BW123", self.path, message, images=tuple(names))


def _boxes(example: Example) -> list[tuple[float, ...]]:
    """The boxes of an Example, `xmin, ymin, xmax, ymax`."""
    if example.features.keys().isdisjoint(SIDES):
        _refuse_other_keys(example)
    columns = [example.numbers(side) for side in SIDES]
    if len(set(map(len, columns))) > 1:
        counts = [
            f"{len(column)} {side.decode().rpartition('/')[2]}"
            for side, column in zip(SIDES, columns, strict=True)
        ]
        raise UnusableError("BW110", f"its boxes are incomplete: {', '.join(counts)}")
    boxes = list(zip(*columns, strict=True))
    for i, box in enumerate(boxes, start=1):
        if None in map(number, box):
            raise UnusableError("BW110", f"box {i} is {box}, not valid coordinates")
    return boxes


def _refuse_other_keys(example: Example) -> None:
    """Raise UnusableError if features of objects have other keys than the usual ones.

    Without the usual keys, an Example without such features has no objects.
    """
    keys = [key for key in example.other_keys() if OBJECTS.search(key)]
    if keys:
        more = f" and {len(keys) - SHOWN} more" if len(keys) > SHOWN else ""
        usual = SIDES[0].decode()
        found = f"{', '.join(keys[:SHOWN])}{more}"
        raise UnusableError("BW110", f"it has no {usual} and so on, but {found}")


def _flags(example: Example, count: int) -> list[int]:
    flags = [0] * count
    for key, bit in FLAGS.items():
        for i, value in enumerate(example.numbers(key)[:count]):
            flags[i] |= bit if value else 0
    return flags


def _size(example: Example) -> Size | None:
    width, height = (example.numbers(key)[:1] for key in (WIDTH, HEIGHT))
    return size_of(*width, *height) if width and height else None


def _place(record: Record) -> str:
    return f", record {record.number}"


def _plain(kind: str) -> str:
    """An image kind in the spelling of `kind_of`; empty if unknown."""
    kind = kind.strip().lower()
    kind = {"jpg": "jpeg", "tif": "tiff"}.get(kind, kind)
    return kind if kind in {"jpeg", *SUFFIXES} else ""
