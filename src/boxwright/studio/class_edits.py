"""Rename, merge and delete classes in all labels of a folder, and undo it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import Protocol

from boxwright.formats.class_list import ClassList
from boxwright.studio.journal import Journal
from boxwright.studio.labels import Labels


@dataclass(frozen=True)
class Change:
    """How much an edit of classes changes."""

    images: int
    boxes: int


class Store(Protocol):
    """What is needed of a LabelStore."""

    journal: Journal
    names: Sequence[str]

    def index_of(self, image: str) -> int | None: ...

    def names_of_boxes(self) -> Mapping[int, tuple[str, ...]]: ...

    def note_renamed(self, old: str, new: str) -> None: ...

    def read(self, index: int) -> Labels: ...

    def write(self, index: int, labels: Labels, etag: str) -> Labels: ...

    def undo(self, index: int, etag: str) -> Labels | None: ...

    def alone(self) -> AbstractContextManager[None]: ...


class ClassEdits:
    """The classes of a folder.

    Args:
        store: the labels.
        listed: the file that lists the classes, if the format has one.
        known: names of classes, in the order of the list.
        used: those of them that boxes have.
    """

    def __init__(
        self,
        store: Store,
        listed: ClassList | None,
        known: Iterable[str],
        used: Collection[str],
    ) -> None:
        self._store, self._listed, self._journal = store, listed, store.journal
        gone = {*self._journal.get("gone", ())} - {*used}  # they are still in the list
        self._names = dict.fromkeys(name for name in known if name not in gone)
        for name in self._journal.get("classes", ()):
            self.note(name)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self._names)

    def note(self, name: str) -> None:
        """Note that a box has this class."""
        self._names.setdefault(name)

    def add(self, name: str) -> Change:
        """Add a class without boxes."""
        if name not in self._names:
            if self._listed:
                with self._store.alone():
                    self._listed.add(name)
            self._set([*self._names, name])
        return Change(0, 0)

    def rename(self, old: str, new: str, *, preview: bool) -> Change:
        """Give a class another name: in the list, if label files have numbers, or in all labels."""
        if preview or old == new or new in self._names or not self._is_numbered(old):
            return self.replace(old, new, preview=preview)
        change, before = self._count(old), self.names
        self._rename_in_list(old, new)
        self._journal.add_class_edit({"renamed": [old, new], "classes": before})
        self._set(new if name == old else name for name in before)
        return change

    def replace(self, old: str, new: str | None, *, preview: bool) -> Change:
        """Give all boxes of a class another class, or delete them where it is None."""
        change, before = self._count(old), self.names
        if preview or old == new:
            return change
        edited: list[tuple[str, str, int]] = []
        try:
            for index, names in self._store.names_of_boxes().items():
                if old in names:
                    etag = self._replace(index, old, new)
                    edited.append((self._store.names[index], etag, names.count(old)))
        finally:
            self._journal.add_class_edit({"images": edited, "classes": before})
        kept = (new if name == old else name for name in before)
        self._set(name for name in kept if name)
        return change

    def undo(self) -> Change | None:
        """Undo the last edit; None if there is none."""
        edit = self._journal.pop_class_edit()
        if edit is None:
            return None
        images = boxes = 0
        if "renamed" in edit:
            old, new = edit["renamed"]
            change = self._count(new)
            self._rename_in_list(new, old)
            images, boxes = change.images, change.boxes
        for image, etag, number in edit.get("images", ()):
            index = self._store.index_of(image)
            if index is None or self._store.read(index).etag != etag:
                continue
            if self._store.undo(index, etag):
                images, boxes = images + 1, boxes + number
        self._set(edit["classes"])
        return Change(images, boxes)

    def _replace(self, index: int, old: str, new: str | None) -> str:
        """Edit the labels of an image; returns their new etag."""
        labels = self._store.read(index)
        boxes = [
            replace(box, label=new) if new and box.label == old else box
            for box in labels.boxes
            if new or box.label != old
        ]
        return self._store.write(index, replace(labels, boxes=tuple(boxes)), labels.etag).etag

    def _is_numbered(self, name: str) -> bool:
        """True if label files have the number of a class in the list instead of its name."""
        listed = self._listed
        return listed is not None and listed.numbered and name in listed.names.values()

    def _rename_in_list(self, old: str, new: str) -> None:
        if self._listed:
            with self._store.alone():
                self._listed.rename(old, new)
        self._store.note_renamed(old, new)

    def _count(self, name: str) -> Change:
        numbers = [names.count(name) for names in self._store.names_of_boxes().values()]
        return Change(sum(map(bool, numbers)), sum(numbers))

    def _set(self, names: Iterable[str]) -> None:
        before = self._names
        self._names = dict.fromkeys(names)
        gone = ({*self._journal.get("gone", ())} | before.keys()) - self._names.keys()
        self._journal.set("gone", sorted(gone))
        self._journal.set("classes", self.names)
