"""Rename, merge and delete classes in all labels of a folder, and undo it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from boxwright.errors import DataError
from boxwright.formats.class_list import ClassList
from boxwright.formats.records import RecordFile
from boxwright.studio.journal import Journal
from boxwright.studio.labels import etag_of
from boxwright.studio.rewriting import Rewriting, Rewritten


@dataclass(frozen=True)
class Change:
    """How much an edit of classes changes.

    Attributes:
        images, boxes: their numbers.
        left: the images that could not be changed, each with the reason.
    """

    images: int
    boxes: int
    left: tuple[str, ...] = ()


class Move(NamedTuple):
    """Boxes of a class are of another one from now on; they are deleted where that is None."""

    old: str
    new: str | None


def moved(name: str, moves: Iterable[Move]) -> str | None:
    """What a class is after these moves; None if it was deleted."""
    for old, new in moves:
        if name == old:
            if new is None:
                return None
            name = new
    return name


class Store(Protocol):
    """What is needed of a LabelStore."""

    journal: Journal

    def names_of_boxes(self) -> Mapping[str, tuple[str, ...]]: ...

    def note_renamed(self, old: str, new: str) -> None: ...

    def read_again(self, images: Iterable[str]) -> None: ...

    def content(self, image: str) -> bytes | None: ...

    def names_in(self, image: str, content: bytes | None) -> Sequence[str]: ...

    def listed(self, name: str) -> dict[str, list[Any]]: ...

    def relabeled(
        self, image: str, content: bytes | None, old: str, new: str | None
    ) -> bytes | None: ...

    def rewrite(self, images: Iterable[str], rewriting: Rewriting) -> list[Rewritten]: ...

    def alone(self) -> AbstractContextManager[None]: ...


class ClassEdits:
    """The classes of a folder.

    Args:
        store: the labels.
        listed: the file that lists the classes, if the format has one.
        known: names of classes, in the order of the list.
        used: those of them that boxes have.

    Attributes:
        moves: what was done to classes since the studio was opened.
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
        self.moves: list[Move] = []

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

    def move(self, old: str, new: str | None, *, preview: bool = False) -> Change:
        """Give a class another name, merge it into the class that has this name, or delete it with
        its boxes where it is None.

        Raises:
            DataError: BW141 the list of classes cannot have the name.
            BoxwrightError: no image could be changed.
        """
        self._notice_others()
        images = self._images_of(old)
        if preview or old == new or old not in self._names:
            return _change(images)
        if self._listed and new is not None:
            self._listed.check(new)
        is_rename = new is not None and new not in self._names  # is undone by another one
        edit = {
            "move": [old, new],
            "place": self.names.index(old),
            "images": None if is_rename else self._noted(images),
            "listed": self._store.listed(old),
            "proposals": [] if is_rename else self._journal.proposed(old),
            "line": self._listed.listed(old) if self._listed else None,
        }
        number = self._journal.add_class_edit(edit)
        try:
            return self._move(old, new)
        except Exception:
            if self._images_of(old) == images:
                self._journal.forget_class_edit(number)
            raise

    def undo(self) -> Change | None:
        """Undo the last edit; None if there is none. Raises as `move`."""
        found = self._journal.last_class_edit()
        if found is None:
            return None
        number, edit = found
        old, new = edit["move"]
        is_rename = edit["images"] is None
        change = self._move(new, old, back=True) if is_rename else self._restore(edit)
        names = [name for name in self.names if name != old]
        self._set([*names[: edit["place"]], old, *names[edit["place"] :]])
        self._journal.forget_class_edit(number)
        return change

    def _move(self, old: str, new: str | None, *, back: bool = False) -> Change:
        images = self._images_of(old)
        if new is not None and self._is_renamed_by_number(old, new):
            self._store.note_renamed(old, new)
            change = _change(images)
        else:
            change = self._rewrite(images, _Moving(self._store, old, new, back))
        self._journal.relabel(old, new)
        self.moves.append(Move(old, new))
        after = [name for name in (new, old if change.left else None) if name is not None]
        self._set(one for name in self.names for one in (after if name == old else [name]))
        if self._listed and not self._listed.numbered:
            with self._store.alone():
                if not change.left:
                    self._listed.relist(old, new)
                elif new is not None:
                    self._listed.add(new)
        return change

    def _is_renamed_by_number(self, old: str, new: str) -> bool:
        """Rename a class in the list; True if boxes follow because they have its number."""
        if self._listed is None or not self._listed.numbered:
            return False
        with self._store.alone():
            self._listed.relist(old, new)
        return self._listed.listed(old) is None

    def _restore(self, edit: Mapping[str, Any]) -> Change:
        """Give the labels of images back what they were before a merge or a deletion, unless they
        were edited since."""
        move, line = Move(*edit["move"]), edit["line"]
        here = self._store.names_of_boxes()
        noted = {image: (etag, count) for image, etag, count in edit["images"] if image in here}
        images = {image: count for image, (_, count) in noted.items()}
        etags = {image: etag for image, (etag, _) in noted.items()}
        change = self._rewrite(images, _Restoring(self._store, move, etags, edit["listed"]))
        self._journal.propose_again(edit.get("proposals", ()), move.new)
        same = Move(move.old, move.old)
        self.moves = [*(same if one == move else one for one in self.moves), same]
        if self._listed and not self._listed.numbered and line is not None:
            with self._store.alone():
                self._listed.restore(move.old, line)
        return change

    def _rewrite(self, images: Mapping[str, int], rewriting: Rewriting) -> Change:
        """Rewrite the labels of images, each with the number of its boxes that change. Raises an
        error if each of them has one."""
        found = self._store.rewrite(images, rewriting)
        errors = {one.image: one.error for one in found if one.error}
        if errors and len(errors) == len(found):
            raise next(iter(errors.values()))
        left = tuple(f"{image}: {error.message}" for image, error in errors.items())
        return _change({one.image: images[one.image] for one in found if one.is_changed}, left)

    def _noted(self, images: Mapping[str, int]) -> list[tuple[str, str, int]]:
        """Image, etag and number of boxes for images; the journal gets their labels."""
        noted = []

        def contents() -> Iterator[tuple[str, bytes | None]]:
            for image, count in images.items():
                try:
                    content = self._store.content(image)
                except DataError:
                    continue  # it cannot be changed
                noted.append((image, etag_of(content), count))
                yield image, content

        self._journal.note(contents())
        return noted

    def _notice_others(self) -> None:
        """Notice classes that another program has renamed or removed in a list with numbers."""
        if self._listed is None or not self._listed.numbered:
            return
        self._listed.refresh()
        here = {*self._listed.names.values()}
        found = self._store.names_of_boxes()
        stale = [image for image, names in found.items() if not here.issuperset(names)]
        before = {name for image in stale for name in found[image]} - here
        self._store.read_again(stale)
        if gone := {name for name in before if not self._images_of(name)}:
            self._set(name for name in self.names if name not in gone)
            for name in gone:
                self._journal.relabel(name, None)

    def _images_of(self, name: str) -> dict[str, int]:
        """Image -> its number of boxes of a class, for images that have any."""
        found = self._store.names_of_boxes().items()
        return {image: names.count(name) for image, names in found if name in names}

    def _set(self, names: Iterable[str]) -> None:
        before = self._names
        self._names = dict.fromkeys(names)
        gone = ({*self._journal.get("gone", ())} | before.keys()) - self._names.keys()
        self._journal.set("gone", sorted(gone))
        self._journal.set("classes", self.names)


@dataclass(frozen=True)
class _Moving:
    """Boxes of a class get another one, or are deleted."""

    store: Store
    old: str
    new: str | None
    back: bool

    def relist(self, path: str, file: RecordFile) -> bool:
        is_listed = bool(file.listed(self.old))
        file.relist(self.old, self.new)
        return is_listed

    def relabeled(self, image: str, content: bytes | None) -> bytes | None:
        return self.store.relabeled(image, content, self.old, self.new)


@dataclass(frozen=True)
class _Restoring:
    """Labels on which a move was the last edit become what they were before.

    Attributes:
        store: of the labels.
        move: the move.
        etags: of the labels before.
        listed: what the lists of classes said about the class.
    """

    store: Store
    move: Move
    etags: Mapping[str, str]
    listed: Mapping[str, list[Any]]
    back: bool = True

    def relist(self, path: str, file: RecordFile) -> bool:
        listed = self.listed.get(path, [])
        file.restore(listed)
        return bool(listed)

    def relabeled(self, image: str, content: bytes | None) -> bytes | None:
        found = self.store.journal.version(image, content, -1)
        if found is None or etag_of(found[1]) != self.etags[image]:
            return content
        before, now = (self.store.names_in(image, each) for each in (found[1], content))
        after = [name for one in before if (name := moved(one, [self.move])) is not None]
        return found[1] if sorted(after) == sorted(now) else content


def _change(images: Mapping[str, int], left: tuple[str, ...] = ()) -> Change:
    """The change of images, each with its number of boxes."""
    return Change(len(images), sum(images.values()), left)
