"""Read and write annotations in JSON, and collect unusable parts."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

import numpy as np

from boxwright.errors import DataError
from boxwright.formats.annotations import Broken, number, size_of
from boxwright.formats.coordinates import Size
from boxwright.formats.folder import Folder, folded
from boxwright.formats.json_kinds import DAMAGED, SUFFIX, kind_of
from boxwright.formats.records import RecordFile, apply_edits, overtaken, waiting_edits
from boxwright.io.files import write_text
from boxwright.io.text import RawText, is_encodable, undecodable
from boxwright.structures.dataset import Dataset, Split
from boxwright.structures.findings import Finding

Object = dict[str, Any]
Content = TypeVar("Content", list[Any], Object)
INDENTED = re.compile(r"\s*[\[{][ \t]*\r?\n([ \t]+)")
SPACED = re.compile(r"[:,] ")
ESCAPED = re.compile(r"\\u[0-9a-fA-F]{4}")
HEAD = 1 << 15  # characters at the start of a file that show if it has spaces
SHOWN = 40  # characters of an offending value
SPLIT_FOLDERS = {Split.TRAIN: "train", Split.VAL: "valid", Split.TEST: "test"}


class UnusableError(Exception):
    """A part of a file cannot be used: its position in the file, and the reason."""

    def __init__(self, place: str, reason: str, code: str = "BW110") -> None:
        super().__init__(place, reason)
        self.place, self.reason, self.code = place, reason, code

    def in_file(self, path: str) -> Broken:
        return Broken(self.code, f"{path}, {self.place}" if self.place else path, self.reason)

    def as_error(self, path: str) -> DataError:
        broken = self.in_file(path)
        return DataError(broken.code, f"{broken.message}.", where=broken.where)


def read_all(
    folder: Folder,
    kind: str,
    expected: type[Content],
    broken: list[Broken],
    *,
    without: Collection[str] = (),
    opened: Callable[[bytes, str], RecordFile] | None = None,
    findings: list[Finding] | None = None,
) -> Iterator[tuple[str, Content]]:
    """Yield path and content of each file of the format `kind`, except those in `without`.

    Unreadable files are added to `broken`. Encodings are UTF-8, 16 and 32, with or without a byte
    order mark, as JSON allows. A file that does not begin as JSON may be of any format, so every
    reader reports it.

    Args:
        folder: the folder.
        kind: of the format, in `json_kinds`.
        expected: the type of the content.
        broken: gets the files that cannot be read.
        without: files to leave out.
        opened: opens the records of a file; edits that wait beside it are part of its content.
        findings: gets the edits that are not, because another program has changed the boxes.
    """
    for path in folder.with_suffix(SUFFIX):
        if path in without or kind_of(folder.root / path) not in {kind, DAMAGED}:
            continue
        try:
            content, left = _content(folder.root / path, opened)
        except DataError as error:
            broken.append(Broken.of(error, path))
        except json.JSONDecodeError as error:
            reason = f"is not well-formed JSON ({error.msg} at column {error.colno})"
            broken.append(Broken("BW110", f"{path}:{error.lineno}", reason))
        except RecursionError:
            broken.append(Broken("BW110", path, "is nested too deeply to be an annotation"))
        except OSError as error:
            broken.append(Broken("BW110", path, f"cannot be read ({error.strerror or error})"))
        except ValueError:
            broken.append(Broken("BW110", path, "contains a number of thousands of digits"))
        else:
            if findings is not None:
                findings += overtaken(path, left)
            if isinstance(content, expected):
                yield path, content
            else:
                broken.append(Broken("BW110", path, unlike(content, shown(expected()))))


def _content(
    file: Path, opened: Callable[[bytes, str], RecordFile] | None
) -> tuple[object, list[str]]:
    """The value in a file with the edits that wait beside it, and the images of those left out."""
    edits = waiting_edits(file) if opened else {}  # first: they may be written into it meanwhile
    content = file.read_bytes()
    left: list[str] = []
    if opened and edits:
        records = opened(content, str(file))
        used = apply_edits(records, edits)
        left = [name for name in edits if name not in used]
        content = records.content()
    try:
        return json.loads(content), left
    except UnicodeDecodeError as error:
        raise undecodable(content, error.start, file) from error


class JsonText:
    """The value in a JSON file, and how to write another one as this one was written.

    Raises:
        DataError: BW110 it is not JSON, BW160 it is in another encoding.
    """

    def __init__(self, content: bytes, where: str | Path) -> None:
        self._raw = RawText.of(content, where)
        try:
            self.value: Any = json.loads(self._raw.text)
        except (ValueError, RecursionError) as error:
            raise DataError("BW110", f"is not well-formed JSON ({error}).", where=where) from error

    def bytes_of(self, value: Any) -> bytes:
        """Another value with the indentation, line ends, encoding and escapes of this file."""
        old = self._raw.text
        indented = INDENTED.match(old)
        compact = not indented and SPACED.search(old[:HEAD]) is None
        text = json.dumps(
            value,
            indent=indented[1] if indented else None,
            separators=(",", ":") if compact else None,
            ensure_ascii=old.isascii() and ESCAPED.search(old) is not None,
        )
        if not is_encodable(text):
            text = json.dumps(json.loads(text), indent=indented[1] if indented else None)
        text += old[len(old.rstrip()) :]
        if self._raw.line_end != "\n":
            text = text.replace("\r\n", "\n").replace("\n", self._raw.line_end)
        return self._raw.bytes_of(text)


def objects(value: object, place: str) -> Iterator[tuple[str, Object]]:
    """Yield the objects of a list, each with its position: `annotations[12]`."""
    if not isinstance(value, list):
        raise UnusableError(place, unlike(value, "a list"))
    for i, item in enumerate(value):
        where = f"{place}[{i}]"
        if not isinstance(item, dict):
            raise UnusableError(where, unlike(item, "an object"))
        yield where, item


def entries(value: object, place: str) -> list[Object]:
    """The objects of a list, which may be millions. Raises UnusableError as `objects`."""
    if isinstance(value, list) and {*map(type, value)} <= {dict}:
        return value
    return [one for _, one in objects(value, place)]


def coordinates(entry: object, keys: Sequence[str], place: str) -> list[float]:
    """The values of `keys` in an object as numbers."""
    if not isinstance(entry, Mapping):
        raise UnusableError(place, unlike(entry, "an object"))
    values = []
    for key in keys:
        value = number(entry.get(key))
        if value is None:
            raise UnusableError(place, f"{key} {unlike(entry.get(key), 'a number of pixels')}")
        values.append(value)
    return values


def points(value: object, place: str) -> list[list[float]]:
    """A list of points, each a pair `[x, y]` or an object of x and y."""
    if not isinstance(value, list) or not value:
        raise UnusableError(place, unlike(value, "a list of points"))
    return [
        coordinates(
            dict(zip("xy", point, strict=False)) if isinstance(point, list) else point,
            "xy",
            f"{place}[{i}]",
        )
        for i, point in enumerate(value)
    ]


def class_name(value: object, place: str) -> str:
    """A class name; some tools write numbers."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str) or not value.strip():
        raise UnusableError(place, "has no class name")
    return value


def stated_size(entry: Object, width: str, height: str) -> Size | None:
    """The image size in an object: 0 x 0 if it is invalid, None if the object has no such keys."""
    if width not in entry and height not in entry:
        return None
    return size_of(entry.get(width), entry.get(height))


def image_names(folder: Folder) -> dict[str, str]:
    """Map `folded` name -> name of all images, for readers that try several names."""
    return {folded(name): name for names in folder.images.values() for name in names}


def unlike(value: object, wanted: str) -> str:
    """The end of a sentence about a value that is not as expected."""
    return "is missing" if value is None else f"is {shown(value)}, not {wanted}"


def shown(value: object) -> str:
    """A value as short text in a sentence."""
    if value is None:
        return "missing"
    if isinstance(value, list | dict):
        return "a list" if isinstance(value, list) else "an object"
    return repr(value)[:SHOWN]


def image_folder(split: Split) -> str:
    """Folder of a split's images and annotation file, in formats with one file per split."""
    return SPLIT_FOLDERS.get(split, "images")


def by_folder(dataset: Dataset) -> Iterator[tuple[str, list[int]]]:
    """Yield each folder of `image_folder` with the indices of its images."""
    for split in Split:
        indices = [int(i) for i in np.flatnonzero(dataset.splits == split)]
        if indices:
            yield image_folder(split), indices


def url_path(name: str) -> str:
    """A path encoded for a URL. Raises DataError as `write` does."""
    try:
        return quote(name)
    except UnicodeEncodeError as error:
        raise _unwritable(error) from error


def write(target: Path, value: object, *, indent: int | None = None) -> None:
    """Write a JSON file, on one line unless there is an `indent`.

    Raises:
        DataError: BW141 a name contains a character that UTF-8 cannot encode.
    """
    try:
        write_text(target, json.dumps(value, ensure_ascii=False, indent=indent) + "\n")
    except UnicodeEncodeError as error:
        raise _unwritable(error) from error


def _unwritable(error: UnicodeEncodeError) -> DataError:
    near = error.object[max(0, error.start - SHOWN // 2) : error.end + SHOWN // 2]
    return DataError("BW141", f"{near!r} contains a character that UTF-8 cannot encode.")
