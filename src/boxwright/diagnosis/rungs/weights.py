"""Were the pretrained weights loaded?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from boxwright.diagnosis.case import Case
from boxwright.diagnosis.reading import Reading, failed, not_checked, passed
from boxwright.errors import TrainingError
from boxwright.inference.run import Run
from boxwright.structures.findings import counted

if TYPE_CHECKING:
    from boxwright.models.model import DetectionModel

MIN_LOADED = 0.9  # of the layers, as when weights are loaded
KEPT = 0.5  # correlation of an array with that of the checkpoint


def read(case: Case) -> Reading:
    """Compare the kernels of a run with the pretrained file that it started from."""
    if case.run is None:
        return not_checked("a file does not say which weights it was trained from")
    from boxwright.diagnosis.starts import StartOfRun

    model = case.run.build_model()
    if broken := _not_finite(model):
        return failed(
            "weights are not numbers",
            f"{counted(len(broken), 'layer')} with a weight that is NaN or infinite, such as "
            f"{broken[0]}",
            len(broken),
            0,
            why="a single one makes every result of the network one",
            remedy="Train again. If it happens again, lower the learning rate, such as "
            "`--set learning_rate.peak=0.0005`.",
        )
    if (share := _of_checkpoint(case.run, model)) < MIN_LOADED:
        return failed(
            "the weights are not those of the run",
            f"{share:.0%} of the weights are like those of the run's checkpoint",
            share,
            MIN_LOADED,
            why="the best weights differ little from the last ones of the same training",
            remedy="Copy the whole run folder from where it was trained, or train again.",
        )
    if case.recipe is None:
        return not_checked("the run does not record its recipe")
    start = StartOfRun(case.run, case.recipe)
    if start.title is None:
        return not_checked("it was trained from scratch")
    if start.weights is None:
        return not_checked(f"the pretrained weights {start.title} are not in the cache")
    layers = start.compared(model, start.weights)
    lost = [each for each in layers if each.lost]
    share = 1 - len(lost) / len(layers)
    found = f"{len(layers) - len(lost)} of {len(layers)} layers have the weights of {start.title}"
    why = "with fewer layers, `boxwright train` refuses a file as one of another network"
    if share >= MIN_LOADED:
        return passed(found, share, MIN_LOADED, why)
    return failed(
        "pretrained weights were not loaded",
        f"{found}; the others, such as {lost[0].name}, have a correlation of "
        f"{lost[0].correlation:.2f} with them",
        share,
        MIN_LOADED,
        why=why,
        remedy="Train again from the pretrained weights. In a file of your own, layers need the "
        "names and shapes of the network: `boxwright train` prints how many were loaded.",
    )


def _likeness(first: NDArray[Any], second: NDArray[Any]) -> float:
    """The cosine of two arrays as vectors; 1 for equal ones, also if they are 0."""
    a, b = (each.ravel().astype(np.float64) for each in (first, second))
    if np.array_equal(a, b):
        return 1.0
    return float(a @ b / max(float(np.linalg.norm(a) * np.linalg.norm(b)), 1e-12))


def _not_finite(model: DetectionModel) -> list[str]:
    """The layers with a weight that is not finite."""
    return [
        layer.name
        for layer in model.network.layers
        if any(not np.isfinite(weight.numpy()).all() for weight in layer.weights)
    ]


def _of_checkpoint(run: Run, model: DetectionModel) -> float:
    """The part of the weights that are like those of the run's checkpoint; 1 without one."""
    from boxwright.training.checkpoint import Checkpoint

    try:
        kept = Checkpoint.load(run.checkpoint).weights
    except TrainingError:
        return 1.0
    own = model.network.get_weights()
    if [each.shape for each in own] != [each.shape for each in kept]:
        return 0.0
    same = sum(a.size for a, b in zip(own, kept, strict=True) if _likeness(a, b) >= KEPT)
    return float(same / sum(each.size for each in own))
