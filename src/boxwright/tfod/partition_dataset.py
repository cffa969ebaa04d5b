"""Split images and their xml files, like partition_dataset.py of the guide for TensorFlow 2."""

from __future__ import annotations

import math
import random
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from boxwright.errors import FlagError, TfodError
from boxwright.formats.writing import still_there
from boxwright.images.decoding import is_image
from boxwright.io.files import writing
from boxwright.structures.findings import counted
from boxwright.tfod.commands import Say, main
from boxwright.tfod.flags import flag

SEED = 0


@dataclass(frozen=True, kw_only=True)
class Flags:
    """Copy the images of a folder into train and test, with -x their xml files too.

    The choice is random but the same at every run; the original files stay.
    """

    NAME = "partition_dataset"
    EXAMPLE = "-x -i images -r 0.1"

    imageDir: Path = flag("Folder of the images.", Path(), also="i")  # noqa: N815
    outputDir: Path | None = flag(  # noqa: N815
        "Folder in which to create train and test. If not given, --imageDir.", None, also="o"
    )
    ratio: float = flag("Share of the test images.", 0.1, also="r")
    xml: bool = flag("Copy the xml files too.", False, also="x")


def run(flags: Flags, say: Say) -> None:
    """Copy the files.

    Raises:
        FlagError: BW704 --ratio is not between 0 and 1.
        TfodError: BW705 the folder has no images.
        SystemFaultError: BW902 the disk is full, BW903 the folder cannot be written.
    """
    if not 0 <= flags.ratio <= 1:
        raise FlagError("BW704", f"--ratio is {flags.ratio}.", wanted="a share from 0 to 1")
    images = shuffled(flags.imageDir, "-i")
    tests = math.ceil(flags.ratio * len(images))
    target = flags.outputDir or flags.imageDir
    for name, chosen in (("test", images[:tests]), ("train", images[tests:])):
        copy(chosen, target / name, say, xml=flags.xml)


def shuffled(folder: Path, flag_name: str) -> list[Path]:
    """Return the images of a folder in a random order, the same at every call.

    Raises:
        TfodError: BW705 there are none.
    """
    inside = folder.iterdir() if folder.is_dir() else ()
    images = sorted(path for path in inside if is_image(path.name) and path.is_file())
    if not images:
        raise TfodError("BW705", "found no images here.", where=folder, flag=flag_name)
    random.Random(SEED).shuffle(images)  # noqa: S311 - a split, not a secret
    return images


def copy(images: Sequence[Path], target: Path, say: Say, *, xml: bool) -> None:
    """Copy images into a folder, with `xml` their xml files too, and say how many."""
    annotations = [image.with_suffix(".xml") for image in images] if xml else []
    there = [path for path in annotations if path.is_file()]
    for path in (*images, *there):
        with writing(target / path.name) as draft, still_there(path):
            shutil.copyfile(path, draft)
    beside = f" with {counted(len(there), 'xml file')}" if xml else ""
    say(f"{target}: {counted(len(images), 'image')}{beside}")


if __name__ == "__main__":
    main(Flags.NAME)
