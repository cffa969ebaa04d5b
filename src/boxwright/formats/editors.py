"""The editors of the formats whose labels can be edited in place."""

from __future__ import annotations

from pathlib import Path

from boxwright.errors import DataError
from boxwright.formats import registry
from boxwright.formats.class_list import ClassList
from boxwright.formats.editing import LabelEditor
from boxwright.formats.folder import Folder
from boxwright.formats.name_lists import names_in_lines
from boxwright.formats.ownership import Ownership
from boxwright.formats.records import RecordEditor
from boxwright.io.text import read_text

FILE_EACH = ("voc", "yolo", "labelme")  # formats with a label file for each image
RECORDS = ("coco", "createml", "csv", "labelstudio", "via")  # formats with a record for each image
ODD = frozenset({"BW158", "BW162"})  # findings: class names or numbers are not those in the files


def file_editor(name: str, folder: Folder, own: Ownership) -> LabelEditor:
    """The editor of a format of FILE_EACH.

    Raises:
        DataError: BW179 the labels of this folder cannot be edited.
    """
    check_editable(name, folder, own)
    if name == "yolo":
        from boxwright.formats.yolo.editor import Editor as YoloEditor

        return YoloEditor.of(folder, own)
    if name == "labelme":
        from boxwright.formats.labelme import LIST
        from boxwright.formats.labelme import Editor as LabelMeEditor

        listed = folder.root / LIST
        return LabelMeEditor(_list(listed) if listed.exists() else None)
    from boxwright.formats.voc.editor import Editor as VocEditor

    return VocEditor()


def record_editor(name: str, folder: Folder, own: Ownership) -> RecordEditor:
    """The editor of a format of RECORDS. Raises DataError as `file_editor`."""
    check_editable(name, folder, own)
    if name == "coco":
        from boxwright.formats.coco.editor import Editor as CocoEditor

        return CocoEditor()
    if name == "createml":
        from boxwright.formats.createml import Editor as CreateMlEditor

        return CreateMlEditor()
    if name == "labelstudio":
        from boxwright.formats.labelstudio.editor import Editor as LabelStudioEditor

        return LabelStudioEditor.of(folder, own)
    if name == "via":
        from boxwright.formats.via.editor import Editor as ViaEditor

        return ViaEditor.of(folder, own)
    from boxwright.formats.csv.editor import Editor as CsvEditor

    units = {one.relative for one in own.labels.images}
    if len(units) > 1:
        message = "some of its files have pixels, and others fractions."
        raise DataError("BW179", message, where=folder.root)
    return CsvEditor(relative=True in units)


def check_editable(name: str, folder: Folder, own: Ownership) -> None:
    """Raise DataError BW179 for labels that cannot be edited."""
    if name not in {*FILE_EACH, *RECORDS}:
        message = f"labels in the format {registry.named(name).TITLE} cannot be edited in place."
        raise DataError("BW179", message, where=folder.root)
    codes = ODD - {"BW158"} if name == "yolo" else ODD  # it always has numbers for a list
    odd = next((one for one in own.labels.findings if one.code in codes and one.repair), None)
    if odd and odd.repair != "not used":
        message = f"{odd.where}: {odd.message}; labels with such classes cannot be edited."
        raise DataError("BW179", message, where=folder.root)


def _list(path: Path) -> ClassList:
    return ClassList(path, names_in_lines(read_text(path)))
