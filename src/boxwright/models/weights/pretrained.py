"""Pretrained: a trained network read from a file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from boxwright.images.preprocessing import Preprocessing

Arrays = dict[str, NDArray[np.float32]]


@dataclass(frozen=True)
class Pretrained:
    """A trained network read from a file.

    Attributes:
        source: the file.
        spec: the network that the arrays belong to, as its family describes it.
        classes: class names, in the order of the class head's columns; empty for a classifier, of
            which only the backbone is used.
        preprocessing: the preprocessing of its input.
        layers: arrays by layer name and variable name, as `ConvNorm` and `Conv2D` name them.
        statistics_known: True if the batch norms' mean and variance come from real activations.
            A file with folded batch norm has none: estimate them from images
            (`weights.statistics`) before batch norm is trained or a checkpoint is written.
        others: other content of the file (optimizer slots, a step), and why it is ignored.
    """

    source: Path
    spec: Any
    classes: tuple[str, ...]
    preprocessing: Preprocessing
    layers: Mapping[str, Arrays]
    statistics_known: bool
    others: Mapping[str, str] = field(default_factory=dict)

    def without_background(self) -> Pretrained:
        """The same SSD without the background column of its class head."""
        if not self.spec.background:
            return self
        layers = {
            name: {key: self._class_columns(array) for key, array in arrays.items()}
            if name.endswith("ClassPredictor")
            else arrays
            for name, arrays in self.layers.items()
        }
        return replace(self, spec=replace(self.spec, background=False), layers=layers)

    def _class_columns(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """`(..., shapes * (1 + C))` to `(..., shapes * C)`: column 0 is the background."""
        columns = values.reshape(*values.shape[:-1], -1, self.spec.class_columns)
        return np.ascontiguousarray(columns[..., 1:].reshape(*values.shape[:-1], -1))


def folded_norm(bias: NDArray[np.float32]) -> Arrays:
    """A batch norm that only adds `bias`, for a layer with folded batch norm."""
    from boxwright.models.layers.conv_norm import EPSILON

    ones = np.ones_like(bias)
    return {
        "gamma": ones,
        "beta": bias,
        "moving_mean": np.zeros_like(bias),
        "moving_variance": ones - np.float32(EPSILON),
    }
