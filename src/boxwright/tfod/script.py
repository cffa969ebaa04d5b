"""Folders of the OIDv4 ToolKit to VOC: the OpenImagesTool's script.py, as its README says it.

A photo of several classes, which the ToolKit downloads into a folder for each, is written once
and has the boxes of all. Boxes lose the fractions of their pixels, as they do there: many a
xml_to_csv.py reads whole numbers only.
"""

from __future__ import annotations

import shutil
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from boxwright import formats
from boxwright.errors import TfodError
from boxwright.formats.folder import split_path
from boxwright.formats.voc.format import annotation_text
from boxwright.formats.writing import still_there
from boxwright.io.files import write_text, writing
from boxwright.structures.dataset import Dataset, Split
from boxwright.tfod.commands import Say, main
from boxwright.tfod.flags import flag
from boxwright.tfod.records import say_findings

IMAGES = "images"
FOLDERS = {Split.TRAIN: "train", Split.VAL: "train", Split.TEST: "test"}
WORDS = {Split.TRAIN: "train", Split.VAL: "validation", Split.TEST: "test"}


@dataclass(frozen=True, kw_only=True)
class Flags:
    """Sort photos of the OIDv4 ToolKit into train and test, with an xml for each.

    Writes images/train/Apple_train_0.jpg, images/train/Apple_train_0.xml and so on. Photos for
    validation become photos to train on.
    """

    NAME = "script"
    EXAMPLE = "-i OID/Dataset -o demo"

    input_dir: Path = flag("The folder with train, validation and test.", also="i")
    output_dir: Path = flag("The folder that images is made in.", also="o")
    ignore_val: bool = flag("Leave photos for validation out.", False, also="v")


def run(flags: Flags, say: Say) -> None:
    """Write the photos and their xml files.

    Raises:
        TfodError: BW705 no photo is in a folder train, validation or test.
        DataError: photos or annotations cannot be used.
    """
    dataset = formats.read(flags.input_dir, "openimages")
    say_findings(dataset.findings, say)
    dataset = dataset.select(np.isin(dataset.splits, list(FOLDERS)))
    if flags.ignore_val:
        dataset = dataset.select(dataset.splits != Split.VAL)
    if not len(dataset):
        raise TfodError(
            "BW705",
            "there are no labelled photos in folders named train, validation or test, as in the "
            "ToolKit's OID/Dataset.",
            where=flags.input_dir,
            flag="-i",
        )
    for place, count in _write(dataset, flags.output_dir / IMAGES).items():
        say(f"{flags.output_dir / IMAGES / place}: {count} photos with their xml files")


def _write(dataset: Dataset, target: Path) -> Counter[str]:
    """Copy the photos under names of their class, split and number; how many went where."""
    whole = replace(dataset, boxes=np.trunc(dataset.boxes))
    numbers: Counter[str] = Counter()
    counts: Counter[str] = Counter()
    for i, name in enumerate(dataset.names):
        split = Split(int(dataset.splits[i]))
        kind = f"{split_path(split_path(name)[0])[1]}_{WORDS[split]}"
        image = dataset.root / name
        place = target / FOLDERS[split] / f"{kind}_{numbers[kind]}{image.suffix.lower()}"
        with writing(place) as draft, still_there(image):
            shutil.copyfile(image, draft)
        below = f"{IMAGES}/{FOLDERS[split]}/{place.name}"
        write_text(place.with_suffix(".xml"), annotation_text(whole, i, below))
        numbers[kind] += 1
        counts[FOLDERS[split]] += 1
    return counts


if __name__ == "__main__":
    main(Flags.NAME)
