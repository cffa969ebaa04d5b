"""Files with records of many images: a record is all that a file says about one image.

An edit of one record does not rewrite a large file at once. It waits in a small file beside it, the
sidecar, which every reader of the format reads too, until it is written into the file itself.

    {"version": 1, "edits": {"a.jpg": {"before": "3f...", "base": {...}, "record": {...}}}}

`base` is the record that was edited, and `before` its digest, which is all that earlier versions of
Boxwright have written. If another program has changed the record meanwhile, but not its boxes, both
changes count. If it has changed the boxes, what it has written counts, and the edit stays in the
sidecar, of which a finding tells.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from boxwright.errors import DataError
from boxwright.formats.annotations import Labeled
from boxwright.formats.editing import Edit
from boxwright.formats.merging import ClashError, merged
from boxwright.io.files import remove, write_text
from boxwright.io.text import read_text
from boxwright.structures.findings import Finding

SUFFIX = ".boxwright-edits"
VERSION = 1
ABSENT = "none"  # digest of a record that does not exist


class RecordFile(Protocol):
    """The content of a file with many records. A record is known by the image name in it."""

    def get(self, name: str) -> Any:
        """The record of an image, as JSON; None if there is none."""

    def put(self, name: str, record: Any) -> None:
        """Replace the record of an image, add it, or remove it if it is None."""

    def boxes(self, record: Any) -> Any:
        """What a record says about its boxes, as JSON."""

    def content(self) -> bytes:
        """The whole file."""

    def listed(self, name: str) -> list[Any]:
        """What the list of classes in the file says about a class, as JSON; [] if nothing."""

    def relist(self, old: str, new: str | None) -> None:
        """Give a class in the list another name. If the list has that name too, or the name is
        None, the class is removed, unless boxes still have its number."""

    def restore(self, listed: list[Any]) -> None:
        """Put what `listed` has returned back into the list, unless it has such a class."""


class Unlisted:
    """A RecordFile, as far as it has no list of classes."""

    def listed(self, name: str) -> list[Any]:
        return []

    def relist(self, old: str, new: str | None) -> None:
        pass

    def restore(self, listed: list[Any]) -> None:
        pass


class RecordEditor(Protocol):
    """The interface of each editor of records, as `LabelEditor`; bytes are those of a record."""

    def opened(self, content: bytes, path: str) -> RecordFile:
        """The records in a file. Raises DataError as the reader of the format, or LookupError,
        TypeError, AttributeError or UnusableError if the file is built in another way."""

    def labeled(self, content: bytes | None, path: str) -> Labeled: ...

    def edited(self, content: bytes | None, path: str, edit: Edit) -> bytes: ...


@dataclass(frozen=True)
class Waiting:
    """An edit in a sidecar.

    Attributes:
        before: digest of the record before.
        record: the record after.
        base: the record before; None if there was none, or an earlier version wrote the sidecar.
    """

    before: str
    record: Any
    base: Any = None

    @classmethod
    def of(cls, base: Any, record: Any) -> Waiting:
        """The edit of one record into another."""
        return cls(digest(base), record, base)

    def upon(self, now: Any, file: RecordFile) -> Any:
        """The record with this edit, when it is `now` in the file.

        Raises:
            ClashError: another program has changed the boxes.
        """
        if self.before in (digest(now), _written_digest(now)):
            return self.record
        if digest(now) == digest(self.record):  # a killed process has written it
            return now
        if None in (now, self.base) or file.boxes(now) != file.boxes(self.base):
            raise ClashError
        return merged(self.base, self.record, now)


def record_bytes(record: Any) -> bytes:
    """A record as bytes; equal records have equal bytes."""
    return json.dumps(record, ensure_ascii=False).encode("utf-8", "surrogatepass")


def digest(record: Any) -> str:
    """Identifies the content of a record, however a program writes it: keys may have any order,
    and 4.0 is 4."""
    if record is None:
        return ABSENT
    text = json.dumps(_whole_numbers(record), sort_keys=True)
    return hashlib.sha256(text.encode("ascii")).hexdigest()[:32]


def _written_digest(record: Any) -> str:
    """As `digest`, in sidecars that earlier versions wrote: of the record as it is written."""
    return ABSENT if record is None else hashlib.sha256(record_bytes(record)).hexdigest()[:32]


def _whole_numbers(value: Any) -> Any:
    match value:
        case dict():
            return {name: _whole_numbers(one) for name, one in value.items()}
        case list():
            return [_whole_numbers(one) for one in value]
        case float() if value.is_integer():
            return int(value)
    return value


def sidecar(path: str | Path) -> Path:
    """The sidecar of a file."""
    return Path(f"{path}{SUFFIX}")


def waiting_edits(path: str | Path) -> dict[str, Waiting]:
    """The edits in the sidecar of a file; none if it has no sidecar.

    Raises:
        DataError: BW110 it is damaged, BW160 it cannot be read.
    """
    where = sidecar(path)
    if not where.exists():
        return {}
    text = read_text(where)
    try:
        said = json.loads(text)
        if said["version"] != VERSION:
            raise ValueError(f"version {said['version']}")
        return {
            name: Waiting(edit["before"], edit["record"], edit.get("base"))
            for name, edit in said["edits"].items()
        }
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        message = f"is not a list of edits of {Path(path).name} ({error})."
        raise DataError("BW110", message, where=where) from error


def write_edits(path: str | Path, edits: Mapping[str, Waiting]) -> None:
    """Write the sidecar of a file, or remove it if there are no edits. Raises SystemFaultError."""
    if not edits:
        remove(sidecar(path))
        return
    said = {name: vars(one) for name, one in edits.items()}
    write_text(sidecar(path), json.dumps({"version": VERSION, "edits": said}) + "\n")


def apply_edits(file: RecordFile, edits: Mapping[str, Waiting]) -> dict[str, Waiting]:
    """Put edits into a file, without damaged ones and those of boxes that others have changed.

    Returns:
        The edits that were put, as edits of the file as it is; new boxes may have got other
        numbers.
    """
    fitting = {}
    for name, edit in edits.items():
        now = file.get(name)
        try:
            file.put(name, edit.upon(now, file))
        except (ClashError, LookupError, TypeError, AttributeError):  # or it is damaged
            continue
        fitting[name] = Waiting.of(now, file.get(name))
    return fitting


def overtaken(path: str, names: Iterable[str]) -> list[Finding]:
    """A finding for each image whose edit is not used."""
    message = "its edit of {} does not fit the boxes that another program has written since"
    return [Finding("BW113", f"{path}{SUFFIX}", message.format(name), "left out") for name in names]


def chosen_keys(values: Iterable[Any], *keys: str) -> list[Any]:
    """These keys of each object."""
    return [{key: one.get(key) for key in keys} if isinstance(one, dict) else one for one in values]
