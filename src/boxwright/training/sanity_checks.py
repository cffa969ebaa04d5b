"""Sanity checks of data, losses and weights while training."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from boxwright.errors import DataError, TrainingError
from boxwright.io.text import is_encodable
from boxwright.structures.dataset import Dataset

if TYPE_CHECKING:
    from boxwright.models.model import Loss


def check_trainable(train: Dataset) -> None:
    """Refuse data that cannot be trained on.

    Raises:
        TrainingError: BW301 there are no training images, BW302 they have no labeled boxes.
        DataError: BW141 no detector file can have a class of this name.
    """
    if not len(train):
        raise TrainingError("BW301", "the training set is empty.", where=train.root)
    if not len(train.boxes):
        raise TrainingError(
            "BW302",
            f"none of the {len(train)} training images has a labeled box.",
            where=train.root,
        )
    for name in train.classes:
        if not is_encodable(name):
            raise DataError(
                "BW141",
                f"the class {name!r} contains half a character, which UTF-8 cannot encode.",
                where=train.root,
            )


def check_loss(loss: Loss, step: int, images: Sequence[str]) -> None:
    """Stop at the first loss that is not finite, naming the images of its batch.

    Raises:
        TrainingError: BW303.
    """
    if math.isfinite(loss.total):
        return
    part = "class" if not math.isfinite(loss.classes) else "box"
    raise _broken(f"the {part} loss became {loss.total} at step {step}", images)


def check_state(arrays: Mapping[str, NDArray[Any]], steps: int, images: Sequence[str]) -> None:
    """Stop before weights that are not finite are saved, naming the images of the last batch.

    A step's loss belongs to the weights before it, so it does not show whether the step broke them.

    Raises:
        TrainingError: BW303.
    """
    for array in arrays.values():
        if not np.isfinite(array).all():
            raise _broken(f"after {steps} steps some weights are not finite", images)


def _broken(what: str, images: Sequence[str]) -> TrainingError:
    return TrainingError("BW303", f"{what}, on the images {', '.join(images)}.")
