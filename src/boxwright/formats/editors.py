"""The editors of the formats that can be edited in place."""

from __future__ import annotations

from boxwright.errors import DataError
from boxwright.formats import registry
from boxwright.formats.editing import LabelEditor
from boxwright.formats.folder import Folder
from boxwright.formats.ownership import Ownership

FILE_EACH = ("voc", "yolo")  # with a label file for each image


def file_editor(name: str, folder: Folder, own: Ownership) -> LabelEditor:
    """The editor of a format with a label file for each image.

    Raises:
        DataError: BW179 labels in this format, or in this folder, cannot be edited.
    """
    if name == "yolo":
        from boxwright.formats.yolo.editor import Editor as YoloEditor

        return YoloEditor.of(folder, {image: one.path for image, one in own.paired.items()})
    if name == "voc":
        from boxwright.formats.voc.editor import Editor as VocEditor

        return VocEditor()
    title = registry.named(name).TITLE
    raise DataError(
        "BW179", f"labels in the format {title} cannot be edited in place.", where=folder.root
    )
