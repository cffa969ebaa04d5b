"""Write the CSV lists of images/train and images/validation, like the Colab tutorial's script."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from boxwright.tfod import xml_to_csv
from boxwright.tfod.commands import Say, main

IMAGES = Path("images")
FOLDERS = ("train", "validation")


@dataclass(frozen=True, kw_only=True)
class Flags:
    """Write images/train_labels.csv and images/validation_labels.csv from the xml files there."""

    NAME = "create_csv"
    EXAMPLE = ""


def run(flags: Flags, say: Say) -> None:
    """Write both lists. Raises as `xml_to_csv.run`."""
    for name in FOLDERS:
        target = IMAGES / f"{name}_labels.csv"
        xml_to_csv.run(xml_to_csv.Flags(input=IMAGES / name, output=target), say)


if __name__ == "__main__":
    main(Flags.NAME)
