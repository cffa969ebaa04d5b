"""The official files of image-level labels: which classes people looked for in an image.

    ImageID,Source,LabelName,Confidence
    000026e7ee790996,verification,/m/07j7r,1
    000026e7ee790996,verification,/m/014j1m,0

The confidence is 0 for a class that is not in the image. It is 1 for one that is, which says little
if there is no box of it, as for Fruit where boxes are of Apple: it is unknown then. What machines
guessed has another source and is not used.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from boxwright.formats.annotations import Labeled, number
from boxwright.formats.folder import Folder
from boxwright.formats.openimages.rows_here import OfficialFile
from boxwright.formats.splits import file_split
from boxwright.formats.tables import first_rows, write_rows
from boxwright.structures.dataset import Dataset

IMAGE_LABELS = "annotations-human-imagelabels-boxable.csv"
LABEL_HEADER = ("ImageID", "Source", "LabelName", "Confidence")
BOX_COLUMN = "XMin"  # which only files with boxes have
MACHINE = "machine"
SEEN, NOT_SEEN = "1", "0"


def read_image_labels(
    folder: Folder, here: set[bytes], names: Mapping[str, str]
) -> dict[str, Labeled]:
    """Read what people looked for in the images of a folder, with `verified_classes`.

    Args:
        folder: the folder.
        here: the possible names of its images.
        names: class code -> name.

    Returns:
        ImageID -> the image, without boxes.
    """
    images: dict[str, Labeled] = {}
    for path in folder.with_suffix(".csv"):
        header = first_rows(folder.root / path, 1)
        if not header or BOX_COLUMN in header[0] or not set(header[0]) >= set(LABEL_HEADER):
            continue
        source, code, confidence = (header[0].index(name) for name in LABEL_HEADER[1:])
        split = file_split(path)
        for line, name, row in OfficialFile(folder.root, path, header[0], here).rows():
            if len(row) < len(header[0]) or row[source].strip() == MACHINE:
                continue
            value = number(row[confidence])
            if value not in (0.0, 1.0):
                continue
            one = images.setdefault(
                name,
                Labeled(
                    path,
                    name,
                    place=f":{line}",
                    relative=True,
                    split=split,
                    anywhere=True,
                    verified_classes=set(),
                ),
            )
            if one.verified_classes is not None and not value:
                one.verified_classes.add(names.get(row[code].strip(), row[code].strip()))
    return images


def write_image_labels(
    dataset: Dataset,
    images: Sequence[int],
    ids: Sequence[str],
    codes: Sequence[str],
    place: Path,
) -> None:
    """Write the verified classes of some images.

    Args:
        dataset: a dataset with verified classes.
        images: their rows in it.
        ids: their names in the file.
        codes: the codes of the classes.
        place: the file.
    """
    verified = dataset.verified_classes
    if verified is None:
        return
    lines = []
    for index, name in zip(images, ids, strict=True):
        boxed = set(dataset.labels[dataset.rows(index)].tolist())
        for label in np.flatnonzero(verified[index]).tolist():
            seen = SEEN if label in boxed else NOT_SEEN
            lines.append((name, "verification", codes[label], seen))
    write_rows(place, [LABEL_HEADER, *lines])
