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

EXPLODED = 100.0  # times the first loss
SUSTAINED = 10  # steps in a row; a healthy training may leap for a few
LOWER = 10  # the rate to try next is this many times lower


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


class LossWatch:
    """Stops a training whose loss explodes but stays finite, as bounded activations keep it."""

    def __init__(self) -> None:
        self._first: float | None = None
        self._above = 0  # steps in a row

    def check(self, loss: Loss, step: int, learning_rate: float) -> None:
        """Take the loss of a step.

        Raises:
            TrainingError: BW314 the last SUSTAINED losses are EXPLODED times the first one.
        """
        first = self._first = loss.total if self._first is None else self._first
        self._above = self._above + 1 if loss.total > EXPLODED * max(first, 1.0) else 0
        if self._above == SUSTAINED:
            raise TrainingError(
                "BW314",
                f"the loss has grown from {first:.4g} to {loss.total:.2g} at step {step}, with a "
                f"learning rate of {learning_rate:.3g}.",
                rate=f"{learning_rate / LOWER:.2g}",
            )


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
