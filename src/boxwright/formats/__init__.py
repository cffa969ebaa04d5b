"""Data sets in and out: one file per format, each with `detect`, `read` and `write`."""

from __future__ import annotations

from pathlib import Path

from boxwright.data.dataset import Dataset
from boxwright.errors import DataError
from boxwright.formats import voc
from boxwright.formats.folder import Folder

FORMATS = (voc,)
REMEDY = (
    "Label photos with LabelImg or VoTT and save as Pascal VOC: an .xml beside each photo, "
    "or Annotations beside JPEGImages."
)


def read(path: str | Path) -> Dataset:
    """Read a folder of labelled photos, whichever layout it has, faithfully.

    Boxes stay as they were drawn, outside or inverted ones included: `quality.checks` sees to
    them. Splits are as the folder gives them.

    Raises:
        DataError: BW114 there are no labelled photos, BW115 there is no such folder, and what
            the readers of the formats raise.
    """
    folder = Folder.scan(path)
    for form in FORMATS:
        if form.detect(folder):
            dataset: Dataset = form.read(folder)
            return dataset
    raise DataError("BW114", _what_is_there(folder), where=folder.root.absolute(), remedy=REMEDY)


def _what_is_there(folder: Folder) -> str:
    photos = folder.photo_count or "no"
    if not folder.photos and not folder.files:
        return "the folder is empty: there are no photos and no .xml annotations in it."
    if folder.with_suffix(".xml"):
        return f"there are {photos} photos here, and none of the .xml files is an annotation."
    return f"there are {photos} photos and no .xml annotations here."
