"""Where the labels of a folder come from: files of their own, records, or only a reader."""

from __future__ import annotations

from boxwright.formats.class_list import ClassList
from boxwright.formats.editing import LabelEditor
from boxwright.formats.editors import RECORDS, file_editor, record_editor
from boxwright.formats.folder import Folder
from boxwright.formats.records import RecordEditor
from boxwright.formats.selection import Chosen
from boxwright.studio.aside import Aside
from boxwright.studio.label_files import LabelFiles
from boxwright.studio.record_files import RecordFiles
from boxwright.studio.viewed_labels import ViewedLabels

Files = LabelFiles | RecordFiles | ViewedLabels
Editor = LabelEditor | RecordEditor | ViewedLabels


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
