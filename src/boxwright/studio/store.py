"""In memory, until the store is here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from boxwright.images.decoding import is_image, read_header
from boxwright.studio.journal import Journal

State = Literal["new", "labeled", "verified", "aside"]


@dataclass(frozen=True)
class LabeledBox:
    key: str
    box: tuple[float, float, float, float]
    label: str
    difficult: bool = False
    truncated: bool = False
    occluded: bool = False
    crowd: bool = False


@dataclass(frozen=True)
class Labels:
    boxes: tuple[LabeledBox, ...]
    verified: bool
    etag: str


@dataclass(frozen=True)
class ImageRow:
    index: int
    name: str
    state: State
    boxes: int
    classes: tuple[str, ...]


@dataclass(frozen=True)
class Change:
    images: int
    boxes: int


class Conflict(Exception):
    def __init__(self, theirs: Labels) -> None:
        self.theirs = theirs


class LabelStore:
    holds = frozenset({"difficult", "truncated", "occluded", "crowd", "verified"})

    def __init__(self, folder: Path, classes: Sequence[str], format: str | None) -> None:
        self.folder, self.format = folder, format or "voc"
        self.classes = tuple(classes)
        paths = [path for path in sorted(folder.rglob("*")) if path.is_file() and is_image(path)]
        self.names = [path.relative_to(folder).as_posix() for path in paths]
        self.home = folder / ".boxwright"
        self.journal = Journal()
        self._labels: dict[int, Labels] = {}
        self._aside: set[int] = set()
        self._undo: dict[int, list[Labels]] = {}
        self._redo: dict[int, list[Labels]] = {}
        self._count = 0

    @classmethod
    def open(
        cls, folder: Path, classes: Sequence[str] = (), format: str | None = None
    ) -> LabelStore:
        return cls(folder, classes, format)

    def rows(self, start: int = 0, count: int | None = None) -> list[ImageRow]:
        end = len(self.names) if count is None else start + count
        return [self._row(index) for index in range(start, min(end, len(self.names)))]

    def _row(self, index: int) -> ImageRow:
        labels = self._labels.get(index)
        state: State = "new" if labels is None else "verified" if labels.verified else "labeled"
        boxes = labels.boxes if labels else ()
        classes = tuple(sorted({box.label for box in boxes}))
        name = self.names[index]
        shown: State = "aside" if index in self._aside else state
        return ImageRow(index, name, shown, len(boxes), classes)

    def path(self, index: int) -> Path:
        return self.folder / self.names[index]

    def size(self, index: int) -> tuple[int, int]:
        header = read_header(self.path(index))
        return header.width, header.height

    def read(self, index: int) -> Labels:
        return self._labels.get(index, Labels((), False, "empty"))

    def write(self, index: int, labels: Labels, etag: str) -> Labels:
        self._check(index, etag)
        self._undo.setdefault(index, []).append(self.read(index))
        self._redo.pop(index, None)
        return self._put(index, labels)

    def _check(self, index: int, etag: str) -> None:
        if self.read(index).etag != etag:
            raise Conflict(self.read(index))

    def _put(self, index: int, labels: Labels) -> Labels:
        self._count += 1
        boxes = tuple(
            replace(box, key=f"b{self._count}-{i}") if box.key.startswith("new-") else box
            for i, box in enumerate(labels.boxes)
        )
        self._labels[index] = Labels(boxes, labels.verified, f"e{self._count}")
        self.classes += tuple({box.label for box in boxes} - set(self.classes))
        return self._labels[index]

    def undo(self, index: int, etag: str) -> Labels | None:
        return self._step(index, etag, self._undo, self._redo)

    def redo(self, index: int, etag: str) -> Labels | None:
        return self._step(index, etag, self._redo, self._undo)

    def _step(
        self, index: int, etag: str, taken: dict[int, list[Labels]], kept: dict[int, list[Labels]]
    ) -> Labels | None:
        self._check(index, etag)
        if not taken.get(index):
            return None
        kept.setdefault(index, []).append(self.read(index))
        return self._put(index, taken[index].pop())

    def can_undo(self, index: int) -> bool:
        return bool(self._undo.get(index))

    def can_redo(self, index: int) -> bool:
        return bool(self._redo.get(index))

    def set_aside(self, index: int, aside: bool) -> None:
        (self._aside.add if aside else self._aside.discard)(index)

    def blind(self) -> frozenset[int]:
        return frozenset(range(3, len(self.names), 5))

    def add_class(self, name: str) -> Change:
        self.classes = (*self.classes, *({name} - set(self.classes)))
        return Change(0, 0)

    def rename_class(self, old: str, new: str, *, preview: bool = False) -> Change:
        counts = {
            index: Counter(box.label for box in labels.boxes)[old]
            for index, labels in self._labels.items()
        }
        change = Change(sum(bool(count) for count in counts.values()), sum(counts.values()))
        if not preview:
            for index, labels in self._labels.items():
                boxes = tuple(
                    replace(box, label=new) if box.label == old else box for box in labels.boxes
                )
                self._labels[index] = replace(labels, boxes=boxes)
            self.classes = tuple(dict.fromkeys(new if c == old else c for c in self.classes))
        return change

    def merge_class(self, old: str, into: str, *, preview: bool = False) -> Change:
        return self.rename_class(old, into, preview=preview)

    def delete_class(self, name: str, *, preview: bool = False) -> Change:
        change = self.rename_class(name, name, preview=True)
        if not preview:
            self.classes = tuple(each for each in self.classes if each != name)
        return change

    def undo_classes(self) -> Change | None:
        return None

    def changed(self) -> list[int]:
        return []

    def flush(self) -> None: ...

    def close(self) -> None: ...
