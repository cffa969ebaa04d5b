"""The photos that a detector is measured on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from boxwright.errors import DataError, check_choice

if TYPE_CHECKING:  # the names alone are for the command line's `--help`
    from boxwright.structures.dataset import Dataset

SPLITS = ("test", "val", "train")
ALL = "all"


def images_of_split(dataset: Dataset, split: str = "test") -> Dataset:
    """The photos marked `train`, `val` or `test`, or `all`.

    Raises:
        ArgumentError: BW803 there is no such mark.
        DataError: BW193 there are none; says which marks have some.
    """
    check_choice("split", split, (*SPLITS, ALL))
    images = dataset if split == ALL else dataset.split(split)
    if len(images):
        return images
    others = [name for name in SPLITS if len(dataset.split(name))]
    raise DataError(
        "BW193",
        f"no photo is marked {split}.",
        where=dataset.root,
        choices=", ".join(f"--split {name}" for name in [*others, ALL]),
    )
