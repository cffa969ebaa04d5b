"""Data sets in and out: one file per format, each with `detect`, `read` and `write`."""

from __future__ import annotations

from pathlib import Path

from boxwright.data.dataset import Dataset
from boxwright.data.findings import Finding
from boxwright.errors import DataError
from boxwright.formats import tfrecord, voc, writing
from boxwright.formats.annotations import Format
from boxwright.formats.assemble import assemble
from boxwright.formats.folder import Folder

FORMATS: dict[str, Format] = {form.NAME: form for form in (voc, tfrecord)}
REMEDY = (
    "Label photos with LabelImg or VoTT and save as Pascal VOC: an .xml beside each photo, "
    "or Annotations beside JPEGImages."
)


def read(path: str | Path, form: str | None = None, *, tolerant: bool = False) -> Dataset:
    """Read labelled photos, whichever format and layout they have, faithfully.

    Boxes stay as they were drawn, outside or inverted ones included: `quality.checks` sees to
    them. Splits are as the folder gives them.

    Args:
        path: a folder, or one annotation file whose photos lie around it.
        form: the name of a format; None finds out.
        tolerant: whether annotations that cannot be used become findings, instead of an error.

    Raises:
        DataError: BW114 there are no labelled photos, BW115 there is no such folder, and what
            the readers of the formats raise.
    """
    folder = Folder.scan(path)
    chosen = [FORMATS[form]] if form else [one for one in FORMATS.values() if one.detect(folder)]
    if not chosen:
        raise DataError(
            "BW114", _what_is_there(folder), where=folder.root.absolute(), remedy=REMEDY
        )
    return assemble(folder, chosen[0].read(folder), tolerant=tolerant)


def write(
    dataset: Dataset, target: str | Path, form: str = "voc", *, link: bool = False
) -> list[Finding]:
    """Write a data set in a format: see `writing.write`."""
    return writing.write(dataset, target, FORMATS[form], link=link)


def _what_is_there(folder: Folder) -> str:
    photos = folder.photo_count or "no"
    if not folder.photos and not folder.files:
        return "the folder is empty: there are no photos and no .xml annotations in it."
    if folder.with_suffix(".xml"):
        return f"there are {photos} photos here, and none of the .xml files is an annotation."
    return f"there are {photos} photos and no .xml annotations here."
