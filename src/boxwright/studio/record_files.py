"""The label files of a folder, in formats with records of many images in a file."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

from boxwright.errors import BoxwrightError, DataError
from boxwright.formats.folder import Folder, relative, split_path, with_slashes
from boxwright.formats.json_file import UnusableError
from boxwright.formats.ownership import Ownership
from boxwright.formats.records import (
    RecordEditor,
    RecordFile,
    Waiting,
    apply_edits,
    record_bytes,
    sidecar,
    waiting_edits,
    write_edits,
)
from boxwright.io.files import Signature, signature, write_bytes
from boxwright.studio.rewriting import Rewriting, Rewritten


@dataclass
class _File:
    """A label file in memory, with the edits that wait beside it.

    Attributes:
        records: the content, with the edits.
        waiting: the edits.
        left: those of boxes that another program has changed.
        stamp: of the file and its sidecar, when they were read.
    """

    records: RecordFile
    waiting: dict[str, Waiting] = field(default_factory=dict)
    left: dict[str, Waiting] = field(default_factory=dict)
    stamp: tuple[Signature, Signature] = (None, None)


class RecordFiles:
    """The bytes of the labels of each image: those of its record.

    Args:
        folder: the images.
        own: their annotations.
        editor: of the format.
    """

    def __init__(self, folder: Folder, own: Ownership, editor: RecordEditor) -> None:
        self.root, self.editor, self._own = folder.root, editor, own
        self._homes = {
            image: (one.path, one.record or one.image)
            for image, one in own.paired.items()
            if one.path
        }
        if not self._homes:
            message = "there is no file with labels yet, and this format needs one."
            raise DataError("BW179", message, where=folder.root)
        self._files: dict[str, _File] = {}
        self._paths = [*dict.fromkeys(path for path, _ in self._homes.values())]

    def path(self, image: str) -> str:
        """The file with the record of an image, below the root."""
        return self._home(image)[0]

    def get(self, image: str) -> bytes | None:
        """The record of an image as it is on the disk; None if it has none.

        Raises:
            DataError: BW179 the labels are in several records; the file cannot be read or edited.
        """
        self._own.check_one(image)
        path, name = self._home(image)
        return _bytes(self._file(path).records.get(name))

    def name(self, image: str) -> str:
        """The name of an image in its file."""
        return self._home(image)[1]

    def put(self, image: str, content: bytes | None) -> bytes | None:
        """Let an edit wait beside the file; it is on the disk when it returns.

        Returns:
            The record as it is now: new boxes and classes have got their numbers.

        Raises:
            SystemFaultError: BW902, BW903.
        """
        path, name = self._home(image)
        file = self._file(path)
        before = file.records.get(name)
        edit = file.waiting.get(name, Waiting.of(before, before))
        file.records.put(name, None if content is None else json.loads(content))
        after = file.records.get(name)
        waiting = {**file.waiting, name: replace(edit, record=after)}
        left = {other: one for other, one in file.left.items() if other != name}
        try:
            write_edits(self.root / path, left | waiting)
        except BaseException:
            file.records.put(name, before)
            raise
        file.waiting, file.left = waiting, left
        self._stamp(path)
        return _bytes(after)

    def listed(self, name: str) -> dict[str, list[Any]]:
        """What the files say about a class in their lists of classes, by file."""
        said = {}
        for path in self._paths:
            with suppress(DataError):  # it is damaged; `rewrite` says so
                said[path] = self._file(path).records.listed(name)
        return said

    def rewrite(self, images: Iterable[str], rewriting: Rewriting) -> Iterator[Rewritten]:
        """Rewrite the labels of these images, and each file once."""
        files: dict[str, list[str]] = {path: [] for path in self._paths}
        for image in images:
            files[self.path(image)].append(image)
        for path, mine in files.items():
            try:
                yield from self._rewritten(path, mine, rewriting)
            except BoxwrightError as error:
                yield from (Rewritten(image, error=error) for image in mine or [path])

    def goes_along(self, image: str) -> None:
        """The record of an image that is set aside stays; its readers say that it is missing."""

    def changed(self) -> Iterator[str]:
        """The images whose records others have changed."""
        for path in self._paths:
            if path not in self._files:
                self._file(path)
            if self._files[path].stamp == self._now(path):
                continue
            mine = [(image, name) for image, (home, name) in self._homes.items() if home == path]
            before = [_bytes(self._files[path].records.get(name)) for _, name in mine]
            records = self._file(path).records
            for (image, name), old in zip(mine, before, strict=True):
                if _bytes(records.get(name)) != old:  # as etags, and not as edits that wait
                    yield image

    def flush(self) -> None:
        """Write the edits that wait into their files."""
        for path in self._files:
            self._fold(path)

    def _fold(self, path: str) -> _File:
        """A file, after the edits that wait beside it are written into it."""
        file, where = self._file(path), self.root / path
        if file.waiting:
            edits = file.left | file.waiting
            if edits != waiting_edits(where):  # whoever reads both has to see that they agree
                write_edits(where, edits)
            write_bytes(where, file.records.content())
            write_edits(where, file.left)
            file.waiting = {}
            self._stamp(path)
        return file

    def _rewritten(self, path: str, images: Sequence[str], rewriting: Rewriting) -> list[Rewritten]:
        """Rewrite a file with the labels of these images; raises if it cannot be written."""
        records = self._fold(path).records
        found = []
        try:
            before = {}
            for image in images:
                try:
                    before[image] = self.get(image)
                except DataError as error:
                    found.append(Rewritten(image, error=error))
            is_changed = rewriting.relist(path, records)
            for image, content in before.items():
                try:
                    after = self._relabeled(image, rewriting)
                except DataError as error:
                    found.append(Rewritten(image, error=error))
                else:
                    is_changed |= after != content
                    found.append(Rewritten(image, content, after))
            is_changed |= rewriting.relist(path, records)  # nothing may use the class any more
            if is_changed:
                write_bytes(self.root / path, records.content())
                self._stamp(path)
        except BaseException:
            del self._files[path]  # it is read again
            raise
        return found

    def _relabeled(self, image: str, rewriting: Rewriting) -> bytes | None:
        """Change the record of an image in memory; returns it as it is now."""
        path, name = self._home(image)
        records = self._files[path].records
        now = _bytes(records.get(name))
        after = rewriting.relabeled(image, now)
        if after == now:
            return now
        records.put(name, None if after is None else json.loads(after))
        return _bytes(records.get(name))

    def _home(self, image: str) -> tuple[str, str]:
        """The file of an image, and its name there; for a new image those of its neighbors."""
        if image not in self._homes:
            parent, last = split_path(image)
            beside = next((one for one in self._homes if split_path(one)[0] == parent), None)
            if beside is None:
                path = next(iter(self._homes.values()))[0]
                self._homes[image] = path, relative(image, split_path(path)[0])
            else:
                path, name = self._homes[beside]
                start = split_path(with_slashes(name))[0]
                self._homes[image] = path, name[: len(start) + 1] + last if start else last
        return self._homes[image]

    def _file(self, path: str) -> _File:
        """A file, read again if another program has changed it."""
        file, now = self._files.get(path), self._now(path)
        if file is not None and file.stamp == now:
            return file
        where = self.root / path
        edits = waiting_edits(where)  # first: they may be written into the file meanwhile
        file = _File(self._opened(where.read_bytes(), path), stamp=now)
        file.waiting = apply_edits(file.records, edits)
        file.left = {name: one for name, one in edits.items() if name not in file.waiting}
        self._files[path] = file
        return file

    def _opened(self, content: bytes, path: str) -> RecordFile:
        """The records of a file. Raises DataError: BW110 it is built in another way."""
        try:
            return self.editor.opened(content, path)
        except (LookupError, TypeError, AttributeError, UnusableError) as error:
            raise DataError("BW110", f"cannot be edited ({error}).", where=path) from error

    def _stamp(self, path: str) -> None:
        self._files[path].stamp = self._now(path)

    def _now(self, path: str) -> tuple[Signature, Signature]:
        return signature(self.root / path), signature(sidecar(self.root / path))


def _bytes(record: Any) -> bytes | None:
    return None if record is None else record_bytes(record)
