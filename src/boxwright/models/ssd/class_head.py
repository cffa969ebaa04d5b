"""The pretrained class head of an SSD: its scores, and its columns in a new one."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from boxwright.backend import framework
from boxwright.backend.networks import outputs_of
from boxwright.models.weights.class_head import ClassHeadInit, with_columns
from boxwright.models.weights.pretrained import Pretrained

keras: Any = framework.keras()
ops: Any = keras.ops

BATCH = 16  # images


def apply_class_head_init(
    model: Any, pretrained: Pretrained, starts: list[ClassHeadInit], classes: tuple[str, ...]
) -> None:
    """Copy the chosen columns of the pretrained class head into the model's."""
    background = int("background_logits" in model.output)
    for head in _class_heads(model):
        old = pretrained.layers[head.name]
        for variable in (head.kernel, head.bias):
            value = variable.numpy()
            new = value.reshape(*value.shape[:-1], -1, background + len(classes))
            known = old[variable.name]
            known = known.reshape(*known.shape[:-1], -1, len(pretrained.classes))
            new[..., background:] = with_columns(new[..., background:], known, starts, classes)
            variable.assign(new.reshape(value.shape))


def pretrained_scores(
    model: Any, pretrained: Pretrained, images: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Scores `(n, A, K)` of the pretrained classes, for images in the network's input range.

    Args:
        model: the new network with the pretrained weights loaded into all but its class head.
        pretrained: the file with the class head.
        images: `(n, S, S, 3)`.
    """
    heads = _class_heads(model)
    probe = keras.Model(model.input, {head.name: head.input for head in heads})
    maps = outputs_of(probe, images, BATCH)
    known = len(pretrained.classes)
    parts = []
    for head in heads:
        arrays = pretrained.layers[head.name]
        logits = ops.conv(maps[head.name].astype(np.float32), arrays["kernel"], padding="same")
        parts.append(np.asarray(logits + arrays["bias"]).reshape(len(images), -1, known))
    logits = np.concatenate(parts, axis=1, dtype=np.float32)
    scores: NDArray[np.float32] = 1 / (1 + np.exp(-logits))
    return scores


def _class_heads(model: Any) -> list[Any]:
    return [layer for layer in model.layers if layer.name.endswith("ClassPredictor")]
