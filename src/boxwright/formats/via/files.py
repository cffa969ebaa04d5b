"""The files of VGG Image Annotator: its project, and its annotations as JSON and as CSV."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from boxwright.errors import DataError
from boxwright.formats import json_file
from boxwright.formats.annotations import Broken
from boxwright.formats.folder import Folder
from boxwright.formats.json_file import Object, UnusableError
from boxwright.formats.tables import first_rows, rows
from boxwright.formats.via.records import ATTRIBUTES, METADATA, Records
from boxwright.formats.via.regions import Region
from boxwright.structures.findings import Finding

KIND = "via"  # in `json_kinds`
CSV = ".csv"
NEEDED = frozenset({"filename", "region_shape_attributes", "region_attributes"})


@dataclass
class Entry:
    """An image in a file.

    Attributes:
        path: the file.
        place: position in the file, for messages.
        name: the image's name, path or URL.
        size: of the image's file in bytes; 0 if unknown.
        regions: its regions.
        usable: False if a region is invalid.
    """

    path: str
    place: str
    name: str
    size: int = 0
    regions: list[Region] = field(default_factory=list)
    usable: bool = True


@dataclass
class Files:
    """The content of all files.

    Attributes:
        entries: the images.
        described: region attribute -> its options, in the order of the project files.
        broken: what cannot be used.
        findings: edits that are left out.
    """

    entries: list[Entry] = field(default_factory=list)
    described: dict[str, list[str]] = field(default_factory=dict)
    broken: list[Broken] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)

    @classmethod
    def read(cls, folder: Folder) -> Files:
        """Read all files, those in JSON first."""
        files = cls()
        found = json_file.read_all(
            folder, KIND, dict, files.broken, opened=Records, findings=files.findings
        )
        for path, content in found:
            files._add_json(path, content)
        for path, header in tables(folder).items():
            files._add_table(folder, path, header)
        return files

    def _add_json(self, path: str, content: Object) -> None:
        attributes = content.get(ATTRIBUTES)
        described = attributes.get("region") if isinstance(attributes, dict) else None
        for name, one in described.items() if isinstance(described, dict) else ():
            options = one.get("options") if isinstance(one, dict) else None
            known = self.described.setdefault(name, [])
            names = options if isinstance(options, dict) else {}
            known += [each for each in names if each.strip() and each not in known]
        images = content.get(METADATA, {}) if METADATA in content else content
        if not isinstance(images, dict):
            reason = json_file.unlike(images, "an object")
            self.broken.append(UnusableError(METADATA, reason).in_file(path))
            return
        for key, one in images.items():
            if key.startswith("_via_"):
                continue
            try:
                self.entries.append(entry_of(path, key, one))
            except UnusableError as error:
                self.broken.append(error.in_file(path))

    def _add_table(self, folder: Folder, path: str, header: Sequence[str]) -> None:
        """Add the images of a CSV file; the rows of an image need not be together."""
        column = {name: i for i, name in enumerate(header)}
        entries: dict[tuple[str, int], Entry] = {}
        try:
            for line, row in rows(folder.root / path):
                if _header(row) == header:
                    continue
                name = row[column["filename"]]
                size = _bytes(row[column["file_size"]]) if "file_size" in column else 0
                place = f":{line}"
                entry = entries.setdefault((name, size), Entry(path, place, name, size))
                try:
                    entry.regions += _region(row, column, f"line {line}")
                except UnusableError as error:
                    self.broken.append(Broken("BW110", path + place, error.reason))
                    entry.usable = False
        except IndexError:
            self.broken.append(Broken("BW110", f"{path}:{line}", f"has only {len(row)} columns"))
            entries.clear()
        except DataError as error:
            self.broken.append(Broken(error.code, path, error.message.rstrip(".")))
        self.entries += [entry for entry in entries.values() if entry.usable]


def tables(folder: Folder) -> dict[str, list[str]]:
    """CSV file -> its header, for files of this tool."""
    found = {}
    for path in folder.with_suffix(CSV):
        first = first_rows(folder.root / path, 1)
        if first and set(_header(first[0])) >= NEEDED:
            found[path] = _header(first[0])
    return found


def _header(row: Sequence[str]) -> list[str]:
    return [cell.lstrip("#").strip().lower() for cell in row]


def entry_of(path: str, key: str, one: object) -> Entry:
    """An image in JSON. Raises UnusableError."""
    if not isinstance(one, dict):
        raise UnusableError(key, json_file.unlike(one, "an object"))
    name = one.get("filename")
    if not isinstance(name, str) or not name:
        raise UnusableError(key, f"its filename {json_file.unlike(name, 'an image name')}")
    listed = one.get("regions") or []
    if isinstance(listed, dict):  # in version 1
        listed = list(listed.values())
    regions = []
    for place, region in json_file.objects(listed, f"{key}.regions"):
        shape, attributes = region.get("shape_attributes"), region.get("region_attributes") or {}
        if not isinstance(shape, dict):
            raise UnusableError(f"{place}.shape_attributes", json_file.unlike(shape, "an object"))
        if not isinstance(attributes, dict):
            reason = json_file.unlike(attributes, "an object")
            raise UnusableError(f"{place}.region_attributes", reason)
        regions.append(Region(place, shape, attributes))
    return Entry(path, f", {key}", name, _bytes(one.get("size")), regions)


def _region(row: Sequence[str], column: dict[str, int], place: str) -> Iterator[Region]:
    """The region of a row, if it has one."""
    shape, attributes = (
        _object(row[column[name]], name)
        for name in ("region_shape_attributes", "region_attributes")
    )
    if shape:
        yield Region(place, shape, attributes)
    elif attributes:
        raise UnusableError(place, "has the attributes of a region, but no shape")


def _object(text: str, name: str) -> Object:
    try:
        value = json.loads(text or "{}")
    except (ValueError, RecursionError) as error:
        raise UnusableError("", f"{name} is not well-formed JSON") from error
    if not isinstance(value, dict):
        raise UnusableError("", f"{name} {json_file.unlike(value, 'an object')}")
    return value


def _bytes(value: object) -> int:
    """A number of bytes; 0 if it is unknown, as for images from the internet."""
    text = str(value)
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else 0
