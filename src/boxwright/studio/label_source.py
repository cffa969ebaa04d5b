"""Where the labels of a folder come from: files of their own, records, or only a reader."""

from __future__ import annotations

from pathlib import Path

from boxwright.errors import DataError
from boxwright.formats.annotations import Labels
from boxwright.formats.by_name import chosen_by_name
from boxwright.formats.class_list import ClassList
from boxwright.formats.editing import LabelEditor
from boxwright.formats.editors import RECORDS, file_editor, record_editor
from boxwright.formats.folder import Folder
from boxwright.formats.ownership import Ownership
from boxwright.formats.records import RecordEditor
from boxwright.formats.registry import read_annotations
from boxwright.formats.selection import Chosen
from boxwright.studio.aside import Aside
from boxwright.studio.label_files import LabelFiles
from boxwright.studio.record_files import RecordFiles
from boxwright.studio.viewed_labels import ViewedLabels

DEFAULT = "voc"  # the format of a folder without labels
Files = LabelFiles | RecordFiles | ViewedLabels
Editor = LabelEditor | RecordEditor | ViewedLabels


def opened(folder: str | Path, format: str | None, *, read_only: bool) -> tuple[Folder, Chosen]:
    """The images of a folder and their annotations. Raises DataError as `LabelStore.open`."""
    scanned = Folder.scan(folder)
    if scanned.archive or not Path(folder).is_dir():
        raise DataError(
            "BW179", "labels are edited in a folder, not in an archive or file.", where=folder
        )
    try:
        chosen = None if read_only else chosen_by_name(scanned, format)
        chosen = chosen or read_annotations(scanned, format)
    except DataError as error:
        if error.code != "BW114" or "tool" in error.facts or not scanned.images:
            raise
        chosen = Chosen(format or DEFAULT, Ownership(scanned, Labels()))
    return scanned, chosen


def label_source(
    folder: Folder, chosen: Chosen, aside: Aside, *, read_only: bool
) -> tuple[Files, Editor, ClassList | None]:
    """The files with the labels, their editor, and the file that lists the classes, if any.

    Raises:
        DataError: BW179 the labels of this folder cannot be edited.
    """
    if read_only:
        viewed = ViewedLabels(chosen.own)
        return viewed, viewed, None
    if chosen.name in RECORDS:
        records = record_editor(chosen.name, folder, chosen.own)
        return RecordFiles(folder, chosen.own, records), records, None
    editor = file_editor(chosen.name, folder, chosen.own)
    return LabelFiles(folder, chosen.own, editor, aside), editor, editor.classes
