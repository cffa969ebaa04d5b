"""How label files are edited: an edit changes what it is about, and everything else stays.

An editor knows one format. It turns the bytes that hold the labels of one image into an annotation,
and an edit of that annotation into new bytes: whatever Boxwright does not know stays as it is. The
bytes are those of the image's own file or, in a format with one file for many images, its record.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import NamedTuple, Protocol, TypeVar

from boxwright.errors import DataError
from boxwright.formats.annotations import Broken, Labeled
from boxwright.formats.class_list import ClassList
from boxwright.formats.coordinates import Size
from boxwright.formats.folder import split_path, stem
from boxwright.structures.dataset import CROWD, DIFFICULT, OCCLUDED, TRUNCATED

T = TypeVar("T")
Sides = tuple[float, float, float, float]
FLAGS = {
    "difficult": DIFFICULT,
    "truncated": TRUNCATED,
    "occluded": OCCLUDED,
    "crowd": CROWD,
}


class EditedBox(NamedTuple):
    """A box of an edit.

    Attributes:
        name: its class.
        sides: xyxy in the unit of `Labeled.boxes`; None for those of the box `origin`.
        flags: bit set of DIFFICULT, TRUNCATED, CROWD, OCCLUDED.
        origin: number of the box in the annotation before; None for a new one.
    """

    name: str
    sides: Sides | None
    flags: int = 0
    origin: int | None = None


class Edit(NamedTuple):
    """All that is known about an image after an edit.

    Attributes:
        image: path of the image below the root.
        size: of the oriented image.
        boxes: in their new order.
        verified: someone checked the annotation.
        name: of the image in the label file.
    """

    image: str
    size: Size
    boxes: Sequence[EditedBox]
    verified: bool
    name: str


class LabelEditor(Protocol):
    """The interface of each editor. `path` is that of the label file, below the root.

    Attributes:
        suffix: of label files.
        by_stem: a label file belongs to the image of its name, whatever it says.
        classes: the file that lists the classes, if the format has one.
    """

    suffix: str
    by_stem: bool
    classes: ClassList | None

    def labeled(self, content: bytes | None, path: str) -> Labeled:
        """The annotation in the bytes; one without boxes for None.

        Raises:
            DataError: as the reader of the format.
        """

    def mirrored(self, image: str) -> str:
        """Where the label file belongs if no image beside this one has any; "" is beside it."""

    def edited(self, content: bytes | None, path: str, edit: Edit) -> bytes:
        """The bytes after an edit; `content` is None where the image has no labels yet.

        Raises:
            DataError: BW141 a name cannot be written; as `labeled`.
        """


def usable(outcome: Labeled | Broken | None, path: str) -> Labeled:
    """The annotation that a reader found in a file. Raises DataError: the file has none."""
    if isinstance(outcome, Labeled):
        return outcome
    if outcome is None:
        raise DataError("BW110", "is of another format than the folder.", where=path)
    raise DataError(outcome.code, f"{outcome.message}.", where=outcome.where)


def encoded(text: str) -> bytes:
    """The text of a new file. Raises DataError: BW141 UTF-8 cannot encode a name in it."""
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        name = error.object[error.start : error.end]
        message = f"{name!r} is a character that UTF-8 cannot encode."
        raise DataError("BW141", message) from error


def refilled(pieces: Iterable[tuple[T, bool]], boxes: Sequence[T]) -> Iterator[T]:
    """Yield the parts of a file whose boxes are replaced.

    Args:
        pieces: the parts, True for those of a box.
        boxes: the new parts, which take the places of the old ones in turn.
    """
    parts = list(pieces)
    last = max((i for i, (_, is_box) in enumerate(parts) if is_box), default=len(parts) - 1)
    waiting = iter(boxes)
    for i, (part, is_box) in enumerate(parts):
        if not is_box:
            yield part
        else:
            yield from islice(waiting, 1)
        if i == last:
            yield from waiting
    yield from waiting


def parts_kept(
    owners: Sequence[int], before: Labeled, boxes: Sequence[EditedBox]
) -> frozenset[int]:
    """The parts of a file, some with several boxes, of which an edit changes no box.

    Args:
        owners: the number of its part for each box before the edit.
        before: the annotation before.
        boxes: those of the edit.
    """
    kept = Counter(
        owners[box.origin]
        for box in boxes
        if box.origin is not None and box.sides is None and box.name == before.names[box.origin]
    )
    return frozenset(part for part, count in Counter(owners).items() if kept[part] == count)


class LabelPaths:
    """Where the label file of an image without labels belongs, in formats with a file for each.

    It is where those of the images beside it are, otherwise beside the image.
    """

    def __init__(self, known: Mapping[str, str], images: Iterable[str]) -> None:
        self._parents: dict[str, str] = {}
        for image, path in known.items():
            self._parents.setdefault(split_path(image)[0], split_path(path)[0])
        self._stems: dict[str, int] = {}
        for image in images:
            self._stems[stem(image)] = self._stems.get(stem(image), 0) + 1

    def of(self, image: str, editor: LabelEditor) -> str:
        """The path for an image.

        Raises:
            DataError: BW180 other images have the same one.
        """
        parent, name = split_path(image)
        suffix, mirrored = editor.suffix, editor.mirrored(image)
        is_shared = self._stems[stem(image)] > 1
        if is_shared and editor.by_stem:
            message = "its label file would also be that of another image, with another suffix."
            raise DataError("BW180", message, where=image)
        base = name if is_shared else stem(name)
        if parent in self._parents:
            there = self._parents[parent]
            return f"{there}/{base}{suffix}" if there else base + suffix
        return mirrored or (f"{parent}/{base}{suffix}" if parent else base + suffix)
