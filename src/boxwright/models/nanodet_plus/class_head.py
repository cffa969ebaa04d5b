"""The start of a new class head from the pretrained one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from boxwright.backend import framework
from boxwright.backend.networks import outputs_of
from boxwright.models.model import Truth
from boxwright.models.weights.class_head import (
    ClassHeadInit,
    find_class_head_init,
    with_columns,
)
from boxwright.models.weights.pretrained import Pretrained
from boxwright.ops.operations import NUMPY

if TYPE_CHECKING:
    from boxwright.models.nanodet_plus.detector import NanoDetModel

BATCH = 8  # images


def start_classes(
    model: NanoDetModel,
    pretrained: Pretrained,
    images: NDArray[np.float32],
    truth: Truth,
    classes: tuple[str, ...],
) -> Sequence[ClassHeadInit]:
    """Initialize the class head with the columns of pretrained classes that fire on the new ones'
    boxes: those that score high where the network predicts such a box.

    Args:
        model: the new model, with the pretrained weights loaded into all but its class head.
        pretrained: the file with the class head.
        images: `(n, S, S, 3)` in the network's input range.
        truth: their labels, NumPy.
        classes: the new classes' names.
    """
    keras, network = framework.keras(), model.network
    heads = [layer for layer in network.layers if layer.name.endswith("_classes")]
    maps = {head.name: head.input for head in heads}
    probe = keras.Model(network.input, network.output | maps)
    outputs = outputs_of(probe, images, BATCH)
    logits = [
        (outputs[name].astype(np.float32) @ known["kernel"][0, 0] + known["bias"]).reshape(
            len(images), -1, len(pretrained.classes)
        )
        for name, known in ((head.name, pretrained.layers[head.name]) for head in heads)
    ]
    scores = NUMPY.sigmoid(np.concatenate(logits, axis=1))
    positions = model.decode(outputs, NUMPY).boxes
    starts = find_class_head_init(
        pretrained.classes, scores, positions, truth.boxes, truth.labels, classes
    )
    for head in heads:
        for variable in (head.kernel, head.bias):
            known = pretrained.layers[head.name][variable.name]
            variable.assign(with_columns(variable.numpy(), known, starts, classes))
    return starts
