"""The rungs of the ladder, from the first to the last."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from boxwright.diagnosis.case import Case
from boxwright.diagnosis.reading import Reading
from boxwright.diagnosis.rungs import (
    classes,
    data,
    file,
    labels,
    overfit,
    preprocessing,
    scores,
    similarity,
    sizes,
    training,
    weights,
)
from boxwright.structures.registry import Registry


class Rung(NamedTuple):
    """One question.

    Attributes:
        question: it, in words.
        read: measures the answer.
    """

    question: str
    read: Callable[[Case], Reading]


RUNGS: Registry[Rung] = Registry(
    {
        "data": Rung("Do images and labels fit?", data.read),
        "preprocessing": Rung("Is preprocessing the same as in training?", preprocessing.read),
        "weights": Rung("Were the pretrained weights loaded?", weights.read),
        "overfit": Rung("Can it learn four images?", overfit.read),
        "scores": Rung("Do scores reach the threshold?", scores.read),
        "classes": Rung("Are the class names those of the data?", classes.read),
        "file": Rung("Does the exported file equal its run?", file.read),
        "sizes": Rung("Are objects large enough for the input?", sizes.read),
        "similarity": Rung("Are these images like the training images?", similarity.read),
        "labels": Rung("Do labels agree with each other?", labels.read),
        "training": Rung("Has it learned its training images?", training.read),
    }
)
