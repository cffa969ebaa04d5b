"""A detector as training, inference and export know it: `DetectionModel`.

Everything that only one family of detectors knows, such as anchors, is below this line. A new
family is a subclass, and a row of `registry`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, NamedTuple, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from boxwright.errors import WeightsError
from boxwright.ops import box_coder
from boxwright.ops.operations import NUMPY, Operations

if TYPE_CHECKING:
    from boxwright.datasets.stats import Reach
    from boxwright.models.layers.quantized import QuantizationSpec  # Keras, which takes seconds
    from boxwright.models.weights.pretrained import Pretrained

FAMILY_KEY = "family"  # in a spec's JSON
PADDING, IGNORED_REGION = -1, -2  # labels of what is no object
Outputs = Mapping[str, Any]  # the network's, by name
LayerGroup = Literal["backbone", "extras", "heads"]
# (boxes (B, A, 4) yxyx, scores (B, A), how many at most, IoU threshold) -> (B, A) bool: which stay
# in greedy non-maximum suppression within each image. Each framework has its own.
Suppress = Callable[[Any, Any, int, float], Any]
# Of the head that most families export. The logarithm of a size spans about as much as twice that
# of a position, and 8 bits have one range for all four.
EXPORT_SCALES: box_coder.Scales = (10.0, 10.0, 2.0, 2.0)


class Truth(NamedTuple):
    """What is labelled in a batch, padded to `G` boxes an image.

    `boxes (B, G, 4)` normalized yxyx; `labels (B, G)` 0-based class ids, PADDING where there is no
    box, IGNORED_REGION for one that is neither an object nor background; `weights (B, G)`: how
    much each box counts, 0 for such a region.
    """

    boxes: Any
    labels: Any
    weights: Any


class Loss(NamedTuple):
    """What training lowers; `total` is the sum of the others.

    `classes` and `boxes` are a mean over the labelled objects, unless the family says otherwise;
    `penalty` is the regularization's.
    """

    total: Any
    classes: Any
    boxes: Any
    penalty: Any = 0.0


class Candidates(NamedTuple):
    """What a network says before non-maximum suppression: `boxes (B, A, 4)` normalized yxyx, not
    clipped, and `scores (B, A, C)` from 0 to 1, of any operations' arrays."""

    boxes: Any
    scores: Any


class ExportHead(NamedTuple):
    """The candidates as TFLite's post-processing takes them.

    Attributes:
        encodings: `(B, A, 4)`, boxes by `ops.box_coder`.
        scores: `(B, A, C)` from 0 to 1.
        references: `(A, 4)` NumPy float32, normalized yxyx: what the encodings are relative to.
        scales: the box coder's.
    """

    encodings: Any
    scores: Any
    references: NDArray[np.float32]
    scales: box_coder.Scales


class Spec(Protocol):
    """All that is needed to build a network again; a family's own has more fields.

    Attributes:
        num_classes: `C`.
        input_size: `S`, side of the square input in pixels.
    """

    @property
    def num_classes(self) -> int: ...

    @property
    def input_size(self) -> int: ...

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        ...


class DetectionModel(ABC):
    """A detector: its spec, its Keras network, and what only its family knows.

    Attributes:
        family: the row of `registry`.
        objective_classes: the dataclasses that a recipe's `objective` may be made of.
        quantization_aware: whether networks are built that round as a file of 8 bits does.
        reach: which boxes it can learn, for `boxwright check`; None if that cannot be told.
        network: scaled pixels `(B, S, S, 3)` to float32 outputs by name.
        objective: what its training lowers; None is the family's usual one.
    """

    family: ClassVar[str]
    objective_classes: ClassVar[tuple[type, ...]] = ()
    quantization_aware: ClassVar[bool] = False
    reach: ClassVar[Reach | None] = None

    def __init__(self, spec: Any, network: Any, objective: Any = None) -> None:
        self.spec = spec
        self.network = network
        self.objective = objective

    # ---- What it is ------------------------------------------------------------------------------

    @classmethod
    @abstractmethod
    def spec_from_json(cls, value: dict[str, Any]) -> Any:
        """The inverse of the spec's `to_json`.

        Raises:
            KeyError, TypeError, ValueError: it is of no such network.
        """

    @classmethod
    @abstractmethod
    def spec_for(
        cls,
        num_classes: int,
        input_size: int,
        *,
        depth_multiplier: float | None = None,
        objective: Any = None,
        quantization: QuantizationSpec | None = None,
        like: Any = None,
    ) -> Any:
        """The spec of a network to train.

        Args:
            num_classes, input_size: of the network.
            depth_multiplier: of its filters; None for the family's usual number.
            objective: what training lowers.
            quantization: of a network that rounds, where the family is `quantization_aware`.
            like: the spec of a pretrained network, whose other fields are taken.
        """

    @classmethod
    @abstractmethod
    def build_network(cls, spec: Any, *, precision: str = "float32", **options: Any) -> Any:
        """The Keras network of a spec, with its first weights.

        Args:
            spec: what to build.
            precision: Keras dtype policy of the convolutions; variables are float32 in any case.
            options: `frozen_through`, the last backbone block that does not train, -1 for none,
                and what else the family knows.
        """

    @classmethod
    def build(cls, spec: Any, objective: Any = None, **options: Any) -> Self:
        """A model with its first weights; options as `build_network`'s."""
        return cls(spec, cls.build_network(spec, **options), objective)

    def to_json(self) -> dict[str, Any]:
        """The family and the spec, what `registry.restored` takes."""
        return {FAMILY_KEY: self.family, **self.spec.to_json()}

    @property
    def quantizer(self) -> Any:
        """What the layers of a network that rounds share; None for a network of floats."""
        return getattr(self.network, "quantizer", None)

    # ---- Training --------------------------------------------------------------------------------

    @classmethod
    def usual_objective(cls, *, pretrained: bool) -> tuple[Any, dict[str, str]]:
        """The objective that a recipe gets, and reasons by the name of its fields."""
        return None, {}

    @abstractmethod
    def losses(self, outputs: Outputs, truth: Truth, suppress: Suppress) -> Loss:
        """The losses of the classes and of the boxes, in `keras.ops`.

        Args:
            outputs: the network's, while training.
            truth: what is labelled.
            suppress: the framework's non-maximum suppression, for losses that need one.
        """

    def layer_group_of(self, layer: str) -> LayerGroup:
        """Which part of the network a layer is, by its name; recipes have numbers for each."""
        return "backbone"

    def named_variables(self) -> dict[str, Any]:
        """The network's variables by the names that checkpoints have for them."""
        return {variable.path: variable for variable in self.network.weights}

    # ---- A pretrained start ----------------------------------------------------------------------

    @classmethod
    def read_pretrained(cls, path: str | Path) -> Pretrained:
        """A pretrained file of the family, whose spec is the `like` of `spec_for`.

        Raises:
            WeightsError: BW207 the family has none; others as its readers say.
        """
        raise WeightsError(
            "BW207",
            f"detectors of the family {cls.family} have no pretrained weights.",
            where=path,
        )

    def load(self, pretrained: Pretrained) -> object:
        """Put a file's weights into the network, all but those of the class head; returns what
        became of them, for people."""
        raise NotImplementedError

    def start_classes(
        self,
        pretrained: Pretrained,
        images: NDArray[np.float32],
        truth: Truth,
        classes: tuple[str, ...],
    ) -> Sequence[object]:
        """Let the new class head start from what the pretrained one already sees.

        Args:
            pretrained: the file that `load` took.
            images: `(n, S, S, 3)` in the network's input range.
            truth: their labels, NumPy.
            classes: the new classes' names.

        Returns:
            What each started from, for people.
        """
        return ()

    # ---- Detecting and exporting -----------------------------------------------------------------

    @abstractmethod
    def decode(self, outputs: Outputs, ops: Operations) -> Candidates:
        """Boxes and scores of the network's outputs, in nothing but arithmetic and `ops`."""

    @cached_property
    def candidates(self) -> int:
        """`A`, how many boxes `decode` gives for an image."""
        return int(self.decode(self.blank_outputs(), NUMPY).boxes.shape[1])

    def blank_outputs(self, images: int = 1) -> dict[str, NDArray[np.float32]]:
        """Zeros in the shapes of the network's outputs."""
        shapes = {name: tensor.shape[1:] for name, tensor in self.network.output.items()}
        return {name: np.zeros((images, *shape), np.float32) for name, shape in shapes.items()}

    def export_head(self, outputs: Outputs, ops: Operations) -> ExportHead:
        """Boxes as encodings, relative to the whole image unless the family has references."""
        boxes, scores = self.decode(outputs, ops)
        whole = np.array([0, 0, 1, 1], np.float32)
        low, high = boxes[..., :2], boxes[..., 2:]
        high = low + ops.maximum(high - low, 0.0)  # the logarithm of a size takes no other
        boxes = ops.concat([low, high], axis=-1)
        encodings = box_coder.encode(boxes, whole, ops, EXPORT_SCALES)
        references = np.tile(whole, (self.candidates, 1))
        return ExportHead(encodings, scores, references, EXPORT_SCALES)

    def shows_part_of(self, layer: str) -> bool:
        """Whether only a part of what a layer computes is ever shown, so that its range of 8 bits
        leaves the rest out."""
        return False
