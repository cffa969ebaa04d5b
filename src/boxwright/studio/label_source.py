"""Where the labels of a folder come from: files of their own, records, or only a reader."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from boxwright.errors import DataError
from boxwright.formats.annotations import Labels
from boxwright.formats.by_name import chosen_by_name
from boxwright.formats.class_list import ClassList
from boxwright.formats.editing import LabelEditor
from boxwright.formats.editors import RECORDS, file_editor, record_editor
from boxwright.formats.folder import ASIDE, Folder
from boxwright.formats.ownership import Ownership
from boxwright.formats.records import RecordEditor
from boxwright.formats.registry import read_annotations
from boxwright.formats.selection import Chosen
from boxwright.formats.yolo.yaml_file import SUFFIXES, Description, descriptions
from boxwright.studio.aside import Aside
from boxwright.studio.label_files import LabelFiles
from boxwright.studio.record_files import RecordFiles
from boxwright.studio.viewed_labels import ViewedLabels

DEFAULT = "voc"  # the format of a folder without labels

Files = LabelFiles | RecordFiles | ViewedLabels
Editor = LabelEditor | RecordEditor | ViewedLabels


def chosen_labels(path: str | Path, form: str | None, *, read_only: bool) -> tuple[Folder, Chosen]:
    """A folder and its labels, of a format or of the one that it has. Raises as `open` does."""
    folder = Folder.scan(path)
    if folder.archive or not Path(path).is_dir():
        message = "labels are edited in a folder, not in an archive or file."
        raise DataError("BW179", message, where=path)
    try:
        chosen = None if read_only else chosen_by_name(folder, form)
        chosen = chosen or read_annotations(folder, form)
        return folder, chosen if chosen.own.paired else _chosen_aside(folder, form) or chosen
    except DataError as error:
        if found := _chosen_aside(folder, form):
            return folder, found
        if not _is_unlabeled(folder, error):
            raise
        described = any(isinstance(one, Description) for one in descriptions(folder))
        return folder, Chosen(
            form or ("yolo" if described else DEFAULT), Ownership(folder, Labels())
        )


def _chosen_aside(folder: Folder, form: str | None) -> Chosen | None:
    """The labels of a folder whose labeled images are all set aside; None if these have none.

    Records stay in their files, and files with the labels of one image are set aside with it.
    """
    aside = _aside(folder)
    for labels in (folder, aside) if aside.images else ():
        with suppress(DataError):
            chosen = read_annotations(replace(aside, root=labels.root, files=labels.files), form)
            if chosen.own.paired and labels is folder:
                return chosen
            if chosen.own.paired:  # the folder has the list of classes
                found = Labels(chosen.own.labels.images)
                return Chosen(chosen.name, Ownership(folder, found, paired={}))
    return None


def _aside(folder: Folder) -> Folder:
    """The images of a folder that are set aside, with their label files."""
    root = folder.root / ASIDE
    return Folder.scan(root) if root.is_dir() else Folder(root, {}, {})


def _is_unlabeled(folder: Folder, error: DataError) -> bool:
    """True if labels cannot be read because there are none: images alone, or a new YOLO project."""
    if not (folder.images or _aside(folder).images) or "tool" in error.facts:
        return False
    return error.code == "BW114" or (error.code == "BW101" and not {*folder.files} - {*SUFFIXES})


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
