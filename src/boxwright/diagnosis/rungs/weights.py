"""Were the pretrained weights loaded?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from boxwright.diagnosis.case import Case
from boxwright.diagnosis.reading import Reading, failed, not_checked, passed
from boxwright.structures.findings import counted

if TYPE_CHECKING:
    from boxwright.models.model import DetectionModel

MIN_LOADED = 0.9  # of the layers, as when weights are loaded


def read(case: Case) -> Reading:
    """Compare the kernels of a run with the pretrained file that it started from."""
    if case.run is None:
        return not_checked("a file does not say which weights it was trained from")
    from boxwright.diagnosis.starts import StartOfRun

    model = case.run.build_model()
    if broken := _not_finite(model):
        return failed(
            "weights are not numbers",
            f"{counted(len(broken), 'layer')} have weights that are NaN or infinite, such as "
            f"{broken[0]}",
            len(broken),
            0,
            why="a single one makes every result of the network one",
            remedy="Train again. If it happens again, lower the learning rate, such as "
            "`--set learning_rate.peak=0.0005`.",
        )
    start = StartOfRun(case)
    if start.unknown:
        return not_checked(start.unknown)
    layers = start.compared(model)
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


def _not_finite(model: DetectionModel) -> list[str]:
    """The layers with a weight that is not finite."""
    return [
        layer.name
        for layer in model.network.layers
        if any(not np.isfinite(weight.numpy()).all() for weight in layer.weights)
    ]
