"""Convert folders of the OIDv4 ToolKit to Pascal VOC, like the OpenImagesTool's script.py.

The ToolKit downloads an image with several classes once per class. It is written once, with the
boxes of all classes. Box coordinates are truncated to whole pixels, as in the original, because
many versions of xml_to_csv.py read only integers.
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
    """Sort the images of an OIDv4 ToolKit download into train and test, each with an xml file.

    Writes images/train/Apple_train_0.jpg, images/train/Apple_train_0.xml and so on. Validation
    images are added to the training set.
    """

    NAME = "script"
    EXAMPLE = "-i OID/Dataset -o demo"

    input_dir: Path = flag("Folder that contains train, validation and test.", also="i")
    output_dir: Path = flag("Folder in which to create images/.", also="o")
    ignore_val: bool = flag("Leave out the validation images.", False, also="v")


def run(flags: Flags, say: Say) -> None:
    """Write the images and their xml files.

    Raises:
        TfodError: BW705 no image is in a folder named train, validation or test.
        DataError: images or annotations cannot be used.
    """
    dataset = formats.read(flags.input_dir, "openimages")
    say_findings(dataset.findings, say)
    dataset = dataset.select(np.isin(dataset.splits, list(FOLDERS)))
    if flags.ignore_val:
        dataset = dataset.select(dataset.splits != Split.VAL)
    if not len(dataset):
        raise TfodError(
            "BW705",
            "found no labeled images in folders named train, validation or test, the layout of the "
            "ToolKit's OID/Dataset.",
            where=flags.input_dir,
            flag="-i",
        )
    for place, count in _write(dataset, flags.output_dir / IMAGES).items():
        say(f"{flags.output_dir / IMAGES / place}: {count} images with their xml files")


def _write(dataset: Dataset, target: Path) -> Counter[str]:
    """Copy each image to a name of class, split and number. Returns image counts by folder."""
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
