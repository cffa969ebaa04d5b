"""The images that a detector is evaluated on."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from boxwright.errors import ArgumentError, DataError, check_choice

if TYPE_CHECKING:  # the names alone are for the command line's `--help`
    from boxwright.datasets.class_choice import ClassChoice
    from boxwright.formats import ReadOptions
    from boxwright.structures.dataset import Dataset

SPLITS = ("test", "val", "train")
ALL = "all"


def evaluation_data(
    provenance: Mapping[str, Any],
    data: Dataset | tuple[Path, ...],
    choice: ClassChoice,
    options: ReadOptions | None = None,
) -> Dataset:
    """Load the images for evaluation, with all splits.

    Args:
        provenance: the provenance of the detector.
        data: a dataset, or paths; if empty, the data that the detector was trained on.
        choice: the classes to evaluate; if empty, those that the detector was trained with.
        options: how to read the data; by default as in the training.

    Raises:
        ArgumentError: BW802 no data is given, and the detector does not record its own.
        DataError: as `load`; BW199 `choice` does not fit.
    """
    from boxwright.datasets.source import DataSource, choice_of, known_paths, options_of

    chosen, strict = choice or choice_of(provenance), bool(choice)
    if not isinstance(data, tuple):
        return chosen.apply(data, strict=strict)
    paths = data or known_paths(provenance)
    if not paths:
        raise ArgumentError("BW802", "no data is given, and the detector does not record its own.")
    read = options_of(provenance) if options is None else options
    return DataSource(paths, chosen, read).load(strict=strict)


def validation_images(provenance: Mapping[str, Any], dataset: Dataset) -> Dataset:
    """Return the validation images of a run's own data: those of the data, or else the training
    images that the run held out; maybe none."""
    from boxwright.datasets.source import HELD_OUT

    assigned = dataset.split("val")
    if len(assigned):
        return assigned
    held_out = provenance.get(HELD_OUT)
    names = set(map(str, held_out)) if isinstance(held_out, list) else set()
    return dataset.select([i for i, name in enumerate(dataset.names) if name in names])


def images_of_split(dataset: Dataset, split: str = "test") -> Dataset:
    """Return the images of the split `train`, `val` or `test`, or `all`.

    Raises:
        ArgumentError: BW803 there is no such split.
        DataError: BW193 the split is empty; the remedy lists the others.
    """
    check_choice("split", split, (*SPLITS, ALL))
    images = dataset if split == ALL else dataset.split(split)
    if len(images):
        return images
    others = [name for name in SPLITS if len(dataset.split(name))]
    raise DataError(
        "BW193",
        f"there are no {split} images.",
        where=dataset.root,
        choices=", ".join(f"--split {name}" for name in [*others, ALL]),
    )
