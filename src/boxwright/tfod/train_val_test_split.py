"""Split images/all into train, validation and test, like the Colab tutorial's script."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from boxwright.tfod.commands import Say, main
from boxwright.tfod.flags import flag
from boxwright.tfod.partition_dataset import copy, shuffled

TRAIN, VALIDATION = 0.8, 0.1  # shares; the rest is for testing


@dataclass(frozen=True, kw_only=True)
class Flags:
    """Copy the images in images/all, with their xml files, to train, validation and test.

    80 % go to images/train, 10 % to images/validation and 10 % to images/test. The original script
    moves the files.
    """

    NAME = "train_val_test_split"
    EXAMPLE = "--datapath=images/all"

    datapath: Path = flag("Folder of the images and xml files.", Path("images", "all"))


def run(flags: Flags, say: Say) -> None:
    """Copy the files.

    Raises:
        TfodError: BW705 the folder has no images.
        SystemFaultError: BW902 the disk is full, BW903 the folder cannot be written.
    """
    images = shuffled(flags.datapath, "--datapath")
    first = int(TRAIN * len(images))
    second = first + int(VALIDATION * len(images))
    beside = flags.datapath.parent
    copy(images[:first], beside / "train", say, xml=True)
    copy(images[first:second], beside / "validation", say, xml=True)
    copy(images[second:], beside / "test", say, xml=True)


if __name__ == "__main__":
    main(Flags.NAME)
