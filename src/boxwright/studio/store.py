"""LabelStore: the labels of a folder, read and written one image at a time, in its own format."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from boxwright.errors import DataError
from boxwright.formats.by_name import is_named_in
from boxwright.formats.class_list import ClassList
from boxwright.formats.folder import Folder
from boxwright.formats.registry import read_annotations, without_collecting
from boxwright.formats.selection import Chosen
from boxwright.studio.aside import Aside
from boxwright.studio.blind import blind_images
from boxwright.studio.checked import Checked
from boxwright.studio.class_edits import Change, ClassEdits
from boxwright.studio.home import HOME, alone_in, is_made
from boxwright.studio.journal import Journal
from boxwright.studio.known import LABELED, ImageRow, Known, State, as_read
from boxwright.studio.label_source import chosen_labels, label_source
from boxwright.studio.labels import (
    ConflictError,
    LabeledBox,
    Labels,
    Source,
    Translator,
    etag_of,
    size_of,
)
from boxwright.studio.rewriting import Rewriting, Rewritten

__all__ = ["Change", "ConflictError", "ImageRow", "LabelStore", "LabeledBox", "Labels"]


class LabelStore:
    """The labels of a folder. Of a large one, label files are read when they are needed.

    Attributes:
        folder: the folder.
        home: folder for the studio's own files, within it.
        format: name of the format that is read and written.
        holds: of "difficult", "truncated", "occluded", "crowd" and "verified", what it can store.
        names: the image paths below the folder, sorted as people read; indices are into it.
        journal: versions, proposals and small values.
        class_edits: edits of classes in all labels.
        read_only: nothing in the folder is written.
    """

    def __init__(
        self, folder: Folder, chosen: Chosen, classes: Sequence[str], *, read_only: bool = False
    ) -> None:
        self.folder, self.format, self.read_only = folder.root, chosen.name, read_only
        self._folder = folder
        self._blind: frozenset[int] | None = None
        self.home = folder.root / HOME
        images = {*folder.image_paths()}
        if read_only:
            images -= chosen.own.labels.duplicates  # their boxes are shown on another copy
        self._aside = Aside(folder.root, images)
        self.names: Sequence[str] = sorted({*images, *self._aside}, key=as_read)
        self._index = {name: i for i, name in enumerate(self.names)}
        listed = self._take(chosen)
        self.holds = self._translator.holds
        self._writable = not read_only and is_made(self.home)
        with self.alone():  # SQLite does not wait for another process that makes the database
            path = self.home / "journal.db" if self._writable else None
            self.journal = Journal(path, self.names)
        self._checked = Checked(self.journal)
        used = {name for _, one in self._known for name in one.names}
        names = listed.names.values() if listed else ()
        known = [*chosen.own.labels.classes, *names, *sorted(used), *classes]
        self.class_edits = ClassEdits(self, listed, known, used)
        self.read_again(self._aside)

    @classmethod
    @without_collecting()
    def open(
        cls,
        folder: str | Path,
        classes: Sequence[str] = (),
        format: str | None = None,
        *,
        read_only: bool = False,
    ) -> LabelStore:
        """Open a folder of images, labeled or not.

        Args:
            folder: the folder.
            classes: names to choose from, beside those that it has.
            format: the name of a format; None takes the one that it has, or Pascal VOC.
            read_only: only show the labels, which may be of any format and need no journal.

        Raises:
            DataError: BW114 it has no images, or labels in a format that is not read; BW115 there
                is no such folder; BW179 its labels cannot be edited in place.
        """
        scanned, chosen = chosen_labels(folder, format, read_only=read_only)
        return cls(scanned, chosen, classes, read_only=read_only)

    @property
    def classes(self) -> tuple[str, ...]:
        """The class names, in the order of the folder's list, if it has one."""
        return self.class_edits.names

    def rows(self, start: int = 0, count: int | None = None) -> list[ImageRow]:
        """The images from `start` on as a list shows them."""
        end = len(self.names) if count is None else min(start + count, len(self.names))
        return [self._row(index) for index in range(start, end)]

    def state(self, index: int) -> State:
        """The state of an image; "labeled" of one whose label file nobody has read yet."""
        image = self.names[index]
        if image in self._aside:
            return "aside"
        if image not in self._known:
            return "new"
        found = self._known[image]
        is_verified = (found is not None and found.verified) or image in self._checked
        return "verified" if is_verified else "labeled"

    def is_labeled(self, index: int) -> bool:
        """Someone has looked at the image, and it is not set aside."""
        return self.state(index) in LABELED

    def path(self, index: int) -> Path:
        """The image file."""
        return self._aside.path(self.names[index])

    def size(self, index: int) -> tuple[int, int]:
        """Width and height of the oriented image. Raises DataError: it cannot be opened."""
        return size_of(self.path(index))

    def read(self, index: int) -> Labels:
        """The labels of an image as they are on the disk.

        Raises:
            DataError: the image or its label file cannot be read.
        """
        return self._labels(index, self.content(self.names[index]))

    def write(self, index: int, labels: Labels, etag: str, settled: Collection[str] = ()) -> Labels:
        """Write the labels of an image; they are on the disk when it returns.

        Args:
            index: of the image.
            labels: boxes with a key of the labels with `etag` keep all that the file says about
                them; others are new. The order is kept.
            etag: of the labels that were edited.
            settled: keys of proposals that were accepted or rejected by the edit.

        Returns:
            The labels as they are now, with new keys.

        Raises:
            ConflictError: the labels have changed meanwhile.
            DataError: BW141 or BW180 the format cannot store them.
            SystemFaultError: BW902, BW903 the file cannot be written.
        """
        image = self.names[index]
        with self.alone():
            before = self._unchanged(index, etag)
            after = self._edited(index, before, labels)
            was_verified = self._labels(index, before).verified
            proposed = {one.key for one in self.journal.proposals(index)}
            if after != before:
                after = self._put(image, before, after)
            elif labels.verified != was_verified or not proposed.isdisjoint(settled):
                self.journal.record(image, before, after)
            if "verified" not in self.holds:
                self._checked.note(image, etag_of(after) if labels.verified else None)
            if proposed:
                self.journal.reject(index, settled)
        return self._labels(index, after)

    def shelve(self, index: int, labels: Labels, etag: str) -> None:
        """Put labels that are not written into the history: undo writes them. As `write`."""
        with self.alone():
            now = self._unchanged(index, etag)
            shelved = self._translator.edited(self._source(index, now), labels)
            if shelved != now:
                self.journal.record(self.names[index], shelved, now)

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
            DataError: BW180 another file is there already; as `read`.
            SystemFaultError: BW902, BW903 it cannot be moved.
        """
        image = self.names[index]
        if aside == (image in self._aside):
            return
        with self.alone():
            self._files.get(image)  # nothing is moved unless its labels are known
            self._aside.move(image, self._files.goes_along(image))
        self._summarize(image, self._files.get(image))

    def blind(self) -> frozenset[int]:
        """The images for testing, which are labeled without proposals: see `blind_images`."""
        if self.read_only:  # nothing is proposed, and no split file is written
            return frozenset()
        if self._blind is None:
            self._blind = blind_images(self._folder, self.names, self._stated)
        return self._blind

    def changed(self) -> list[int]:
        """The images whose labels others have changed since this was last asked.

        Of a large folder, each call looks at a part.
        """
        indices = [self._index[image] for image in self._files.changed()]
        for index in indices:
            image = self.names[index]
            with suppress(DataError):  # whoever opens the image is told why
                content = self._files.get(image)
                self._checked.keep(image, etag_of(content))
                self._summarize(image, content)
        return indices

    def flush(self) -> None:
        """Write what waits to be written into large files."""
        with self.alone():
            self._files.flush()

    def close(self) -> None:
        self.flush()
        self.journal.close()

    def _row(self, index: int) -> ImageRow:
        image = self.names[index]
        self._meet(image)
        found = self._known[image]
        names = found.names if found else ()
        return ImageRow(index, image, self.state(index), len(names), tuple(dict.fromkeys(names)))

    def _meet(self, image: str) -> None:
        """Read the label file of an image, if nobody has."""
        if image not in self._known.unread:
            return
        try:
            self._summarize(image, self._files.get(image))
        except DataError:
            self._known.note(image, None)  # it cannot be opened; reading it says so

    def _take(self, chosen: Chosen) -> ClassList | None:
        """Use these annotations from now on; returns the file that lists the classes, if any."""
        self._stated = {image: one.split for image, one in chosen.own.paired.items()}
        self._files, self._editor, listed = label_source(
            self._folder, chosen, self._aside, read_only=self.read_only
        )
        self._translator = Translator(chosen.name, self._editor)
        self._known = Known(chosen.own.paired, unread=chosen.unread)
        return listed

    def _unchanged(self, index: int, etag: str) -> bytes | None:
        """The labels on the disk. Raises ConflictError: they have another etag."""
        content = self.content(self.names[index])
        if self._checked.etag(self.names[index], content) != etag:
            raise ConflictError(self._labels(index, content))
        return content

    def _step(self, index: int, etag: str, step: int) -> Labels | None:
        image = self.names[index]
        with self.alone():
            now = self._unchanged(index, etag)
            found = self.journal.version(image, now, step, stepped=True)
            if found is None:
                return None
            number, content = found
            if content != now:
                content = self._files.put(image, content)
            verified = self.journal.move_to(image, number, content)
            self._checked.note(image, verified if verified == etag_of(content) else None)
            self._summarize(image, content)
        return self._labels(index, content)

    def _edited(self, index: int, before: bytes | None, labels: Labels) -> bytes | None:
        """The labels after an edit. Where there were none before a box, there are none when it is
        deleted: a box by mistake does not tell that nothing is in the image."""
        after = self._translator.edited(self._source(index, before), labels)
        first = self.journal.first_labels(self.names[index])
        if first is None or labels.boxes or labels.verified:
            return after
        emptied = self._translator.edited(self._source(index, first), labels)
        return None if after == emptied else after

    def _put(self, image: str, before: bytes | None, after: bytes | None) -> bytes | None:
        self.journal.record(image, before, after)  # first: the disk may be full
        try:
            stored = self._files.put(image, after)
        except BaseException:
            self.journal.take_back(image)
            raise
        if stored != after:  # new boxes have got their numbers
            self.journal.amend(image, stored)
        self._summarize(image, stored)
        return stored

    def names_of_boxes(self) -> dict[str, tuple[str, ...]]:
        """Image -> the class of each box, for all images with labels."""
        for image in [*self._known.unread]:
            self._meet(image)
        return {image: one.names for image, one in self._known}

    def content(self, image: str) -> bytes | None:
        """The labels on the disk, when it is known that they are those of the image."""
        self._meet(image)
        return self._files.get(image)

    def names_in(self, image: str, content: bytes | None) -> Sequence[str]:
        """The class of each box in such bytes. Raises DataError as `read`."""
        return self._editor.labeled(content, self._files.path(image)).names

    def listed(self, name: str) -> dict[str, list[Any]]:
        """What each file with many records says about a class in a list of classes."""
        return self._files.listed(name)

    def relabeled(
        self, image: str, content: bytes | None, old: str, new: str | None
    ) -> bytes | None:
        """Labels with a class renamed, or deleted where it is None. Raises DataError as `write`."""
        return self._translator.relabeled(self._source(self._index[image], content), old, new)

    def rewrite(self, images: Iterable[str], rewriting: Rewriting) -> list[Rewritten]:
        """Rewrite the labels of images, and each file with many records once."""
        found = []
        with self.alone():
            for one in self._files.rewrite(images, rewriting):
                found.append(one)
                if one.is_changed:
                    self.journal.record(*one[:3], back=rewriting.back)
                    if self._checked.has(one.image, etag_of(one.before)):
                        self._checked.note(one.image, etag_of(one.after))
                    self._summarize(one.image, one.after)
        return found

    def read_again(self, images: Iterable[str]) -> None:
        """Note what labels are now; of those that cannot be read, what they were counts."""
        for image in images:
            with suppress(DataError):
                self._summarize(image, self._files.get(image))

    def note_renamed(self, old: str, new: str) -> None:
        """Note that a list of classes, which all labels use, has another name for a class."""
        self._known.rename(old, new)

    def _source(self, index: int, content: bytes | None) -> Source:
        image, files = self.names[index], self._files
        return Source(image, self.path(index), files.path(image), files.name(image), content)

    def _labels(self, index: int, content: bytes | None) -> Labels:
        image, labels = self.names[index], self._translator.labels(self._source(index, content))
        verified = labels.verified or self._checked.has(image, labels.etag)
        return replace(labels, verified=verified, etag=self._checked.etag(image, content))

    def _summarize(self, image: str, content: bytes | None) -> None:
        if content is None:
            self._known.note(image, None)
            return
        unread = image in self._known.unread
        try:
            one = self._editor.labeled(content, self._files.path(image))
        except DataError:  # damaged, perhaps by another program; reading it says so
            if unread:
                self._known.note(image, None)
            return
        if unread and not is_named_in(image, one):  # names tell less than they seemed to
            self._take(read_annotations(self._folder, self.format))
            names = [name for _, every in self._known for name in every.names]
        else:
            self._known.note(image, one)
            names = one.names
        for name in names:
            self.class_edits.note(name)

    def alone(self) -> AbstractContextManager[None]:
        """Let one process at a time edit the folder, as far as it can be written."""
        return alone_in(self.folder, writable=self._writable)
