"""What must not go on unnoticed while training."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from boxwright.errors import TrainingError
from boxwright.structures.dataset import Dataset

if TYPE_CHECKING:
    from boxwright.models.model import Loss


def check_trainable(train: Dataset) -> None:
    """Refuse data that nothing can be learnt from.

    Raises:
        TrainingError: BW301 no photo to train on, BW302 no labelled box in them.
    """
    if not len(train):
        raise TrainingError("BW301", "no photo is marked for training.", where=train.root)
    if not len(train.boxes):
        raise TrainingError(
            "BW302",
            f"none of the {len(train)} training photos has a labelled box.",
            where=train.root,
        )


def check_loss(loss: Loss, step: int, images: Sequence[str]) -> None:
    """Stop at the first loss that is not a number, naming the photos of its batch.

    Raises:
        TrainingError: BW303.
    """
    if math.isfinite(loss.total):
        return
    part = "class" if not math.isfinite(loss.classes) else "box"
    raise _broken(f"the {part} loss became {loss.total} at step {step}", images)


def check_state(arrays: Mapping[str, NDArray[Any]], steps: int, images: Sequence[str]) -> None:
    """Stop before anything that is not a number is kept, naming the photos of the last batch.

    A step's loss is that of the weights before it, so it does not tell whether the step broke them.

    Raises:
        TrainingError: BW303.
    """
    for array in arrays.values():
        if not np.isfinite(array).all():
            raise _broken(f"after {steps} steps the weights are not all numbers any more", images)


def _broken(what: str, images: Sequence[str]) -> TrainingError:
    return TrainingError("BW303", f"{what}, on the photos {', '.join(images)}.")
