"""The weights that a run started from, built again to be compared and trained."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from boxwright.inference.artifact import Artifact
from boxwright.inference.run import Run
from boxwright.models.weights import zoo
from boxwright.training.cache import Cache
from boxwright.training.recipe import Recipe

if TYPE_CHECKING:
    from boxwright.models.model import DetectionModel
    from boxwright.structures.dataset import Dataset
    from boxwright.training.start import Start

KEPT = 0.5  # correlation of a layer's kernel with that of the pretrained file
BLOWN_UP = 2.0  # times its size: training has destroyed a layer that was loaded before


@dataclass(frozen=True)
class Layer:
    """A layer outside the heads, compared with the pretrained file.

    Attributes:
        name: its name.
        correlation: of its kernel with the pretrained one.
        growth: the size of its kernel by that of the pretrained one.
        trained: True if the recipe trains it.
    """

    name: str
    correlation: float
    growth: float
    trained: bool

    @property
    def lost(self) -> bool:
        """True if it is not from the pretrained file."""
        return self.correlation < KEPT and not (self.trained and self.growth > BLOWN_UP)


@dataclass(frozen=True)
class StartOfRun:
    """The start of a run's training.

    Attributes:
        run: the run.
        recipe: its recipe.
    """

    run: Run
    recipe: Recipe

    @cached_property
    def artifact(self) -> Artifact:
        """The description of the run."""
        return self.run.artifact

    @property
    def title(self) -> str | None:
        """The name of the pretrained file; None for a training from scratch."""
        title = self.artifact.provenance.get("weights")
        return title if isinstance(title, str) else None

    @cached_property
    def weights(self) -> Path | None:
        """The pretrained file, if it is published and in the cache."""
        published = zoo.of_title(self.title) if self.title else None
        return zoo.find(published) if published else None

    def begin(self, recipe: Recipe, precision: str, images: Cache) -> Start:
        """The start of another training by a recipe: from the pretrained file, or, without it, from
        the run's own weights."""
        from boxwright.training import start

        artifact = self.artifact
        if self.weights is not None:
            return start.from_weights(self.weights, recipe, artifact.classes, precision, images)
        weights = self.run.build_model().network.get_weights()
        return start.from_run(artifact, recipe, weights, precision)

    def compared(self, model: DetectionModel, weights: Path) -> list[Layer]:
        """Compare the layers of the run's model with the pretrained file."""
        from boxwright.training.start import built, trained_variables

        began = built(type(model), model.spec, self.recipe, "float32")
        began.load(began.read_pretrained(weights))
        trained = {id(variable) for variable in trained_variables(began, self.recipe)}
        pairs = zip(began.network.layers, model.network.layers, strict=True)
        return [
            Layer(layer.name, *_compared(layer, own), id(layer.kernel) in trained)
            for layer, own in pairs
            if hasattr(layer, "kernel") and began.layer_group_of(layer.name) != "heads"
        ]


def few(training: Dataset, count: int = 4, max_boxes: int = 20) -> Dataset:
    """Some training images with boxes, evenly spread: of those with few boxes, if there are
    enough."""
    boxes = np.diff(training.offsets)
    for limit in (max_boxes, np.inf):
        rows = np.flatnonzero((boxes > 0) & (boxes <= limit))
        if len(rows) >= count:
            break
    return training.select(np.unique(rows[np.linspace(0, len(rows) - 1, count).astype(int)]))


def _compared(first: Any, second: Any) -> tuple[float, float]:
    """The correlation of the kernels of two layers, and the size of the second by that of the
    first."""
    a, b = _kernel(first), _kernel(second)
    first_size, second_size = float(np.linalg.norm(a)), float(np.linalg.norm(b))
    correlation = float(a @ b) / max(first_size * second_size, 1e-12)
    return correlation, second_size / max(first_size, 1e-12)


def _kernel(layer: Any) -> NDArray[np.float64]:
    """A layer's kernel as one row, with the scale of its batch norm, which a training may move into
    the kernel."""
    kernel = layer.kernel.numpy().astype(np.float64)
    if hasattr(layer, "gamma"):
        scale = layer.gamma.numpy() / np.sqrt(layer.moving_variance.numpy() + layer.spec.epsilon)
        kernel = kernel * scale.reshape((1, 1, -1, 1) if layer.depthwise else (1, 1, 1, -1))
    return np.asarray(kernel.ravel(), np.float64)
