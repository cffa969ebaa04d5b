"""Edit the records of VGG Image Annotator's JSON files."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence

import numpy as np

from boxwright.errors import DataError
from boxwright.formats.annotations import Labeled
from boxwright.formats.editing import Edit, EditedBox, parts_kept
from boxwright.formats.folder import Folder
from boxwright.formats.json_file import Object, UnusableError
from boxwright.formats.ownership import Ownership
from boxwright.formats.records import record_bytes
from boxwright.formats.shapes import decimals
from boxwright.formats.via.files import CSV, Files, entry_of
from boxwright.formats.via.format import CLASS, UNKNOWN, add_regions, rectangle
from boxwright.formats.via.records import Records, regions_of
from boxwright.formats.via.regions import BOX, Region, attributes_in_use


class Editor:
    """The editor of VGG Image Annotator's records.

    Args:
        attribute: the region attribute that is the class.
    """

    def __init__(self, attribute: str) -> None:
        self._attribute = attribute

    @classmethod
    def of(cls, folder: Folder, own: Ownership) -> Editor:
        """The editor of a folder with these annotations.

        Raises:
            DataError: BW179 they are in a CSV file, or its regions have no class.
        """
        table = next((one.path for one in own.labels.images if one.path.endswith(CSV)), None)
        if table:
            message = "its export as CSV cannot be edited; export the annotations as JSON."
            raise DataError("BW179", message, where=folder.root / table)
        files = Files.read(folder)
        regions = [region for entry in files.entries for region in entry.regions]
        used = attributes_in_use(regions, list(files.described))
        if regions and not used:
            message = "its regions have no attribute that is the class."
            raise DataError("BW179", message, where=folder.root / files.entries[0].path)
        return cls(next(iter([*used, *files.described]), CLASS))

    def opened(self, content: bytes, path: str) -> Records:
        return Records(content, path, self._attribute)

    def labeled(self, content: bytes | None, path: str) -> Labeled:
        if content is None:
            return Labeled(path)
        try:
            entry = entry_of(path, "", json.loads(content))
            labeled = Labeled(path, entry.name)
            add_regions(labeled, entry.regions, self._attribute)
        except UnusableError as error:
            raise error.as_error(path) from error
        return labeled

    def edited(self, content: bytes | None, path: str, edit: Edit) -> bytes:
        if content is None:
            record: Object = {"filename": edit.name, "size": UNKNOWN, "file_attributes": {}}
        else:
            record = json.loads(content)
        before, old = self.labeled(content, path), regions_of(record)
        regions = list(self._regions(before, old, edit.boxes))
        is_numbered = isinstance(record.get("regions"), dict)
        numbered = {str(i): region for i, region in enumerate(regions)}
        return record_bytes({**record, "regions": numbered if is_numbered else regions})

    def _regions(
        self, before: Labeled, old: Sequence[Object], boxes: Sequence[EditedBox]
    ) -> list[Object]:
        """The regions after an edit. One with several classes is several boxes: it stays one while
        all of them are as they were, and becomes a region for each otherwise."""
        owners = [i for i, region in enumerate(old) for _ in self._names(region)]
        count, kept = Counter(owners), parts_kept(owners, before, boxes)
        regions: list[Object] = []
        done: set[int] = set()
        for box in boxes:
            if box.origin is None:
                regions.append(self._edited({}, box))
                continue
            owner = owners[box.origin]
            if owner in kept:
                regions += [] if owner in done else [old[owner]]
                done.add(owner)
            else:
                is_new = count[owner] > 1 or box.name != before.names[box.origin]
                regions.append(self._edited(old[owner], box, named=is_new))
        return regions

    def _names(self, region: Object) -> list[str]:
        shape, attributes = region["shape_attributes"], region.get("region_attributes") or {}
        return Region("", shape, attributes).values(self._attribute)

    def _edited(self, region: Object, box: EditedBox, *, named: bool = True) -> Object:
        """A region with the sides of a box if they are new, and its class if `named`."""
        shape, attributes = region.get("shape_attributes"), region.get("region_attributes") or {}
        if box.sides is not None:
            rest = shape if shape and shape.get("name") == BOX else {}
            shape = {**rest, **rectangle(decimals(np.asarray(box.sides, np.float32)))}
        if named:
            checked = isinstance(attributes.get(self._attribute), dict)
            value = {box.name: True} if checked else box.name
            attributes = {**attributes, self._attribute: value}
        return {**region, "shape_attributes": shape, "region_attributes": attributes}
