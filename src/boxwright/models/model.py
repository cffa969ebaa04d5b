"""`DetectionModel`: the interface of a detector family for training, inference and export.

Everything specific to one family, such as anchors, is hidden behind this interface. A new family
is a subclass and a row of `registry`.
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
from boxwright.models.tuning import USUAL, Tuning
from boxwright.ops import box_coder
from boxwright.ops.operations import NUMPY, Operations

if TYPE_CHECKING:
    from boxwright.datasets.stats import Reach
    from boxwright.models.layers.quantized import QuantizationSpec  # Keras, which takes seconds
    from boxwright.models.weights.pretrained import Pretrained

FAMILY_KEY = "family"  # in a spec's JSON
PADDING, IGNORED_REGION = -1, -2  # special labels
Outputs = Mapping[str, Any]  # network outputs by name
LayerGroup = Literal["backbone", "extras", "heads"]
# (boxes (B, A, 4) yxyx, scores (B, A), max count, IoU threshold) -> (B, A) bool: kept by greedy NMS
# within each image. Each framework has its own implementation.
Suppress = Callable[[Any, Any, int, float], Any]
# For the usual export head. The logarithm of a size spans about twice the range of a position, and
# int8 has one range for all four.
EXPORT_SCALES: box_coder.Scales = (10.0, 10.0, 2.0, 2.0)


class Truth(NamedTuple):
    """The labels of a batch, padded to `G` boxes per image.

    `boxes (B, G, 4)` normalized yxyx; `labels (B, G)` 0-based class ids, PADDING for missing
    boxes, IGNORED_REGION for regions that are neither object nor background; `weights (B, G)`: the
    weight of each box, 0 for ignored regions; `verified (B, C)`: 1 for classes that someone looked
    for in the image, 0 for others, whose scores are not learned from it; None for all.
    """

    boxes: Any
    labels: Any
    weights: Any
    verified: Any = None


class Loss(NamedTuple):
    """The training loss; `total` is the sum of the others.

    `classes` and `boxes` are means over the labeled objects, unless the family defines them
    differently; `penalty` is the regularization loss.
    """

    total: Any
    classes: Any
    boxes: Any
    penalty: Any = 0.0


class Candidates(NamedTuple):
    """Predictions before NMS: `boxes (B, A, 4)` normalized yxyx, not clipped, and
    `scores (B, A, C)` from 0 to 1, as arrays of any `Operations`."""

    boxes: Any
    scores: Any


class ExportHead(NamedTuple):
    """The candidates in the input format of TFLite's post-processing.

    Attributes:
        encodings: `(B, A, 4)`, boxes encoded by `ops.box_coder`.
        scores: `(B, A, C)` from 0 to 1.
        references: `(A, 4)` NumPy float32, normalized yxyx: boxes that encodings refer to.
        scales: scales of the box coder.
    """

    encodings: Any
    scores: Any
    references: NDArray[np.float32]
    scales: box_coder.Scales


class Spec(Protocol):
    """The architecture of a network, enough to rebuild it; families add fields.

    Attributes:
        num_classes: `C`.
        input_size: `S`, side of the square input in pixels.
    """

    @property
    def num_classes(self) -> int: ...

    @property
    def input_size(self) -> int: ...

    def to_json(self) -> dict[str, Any]:
        """JSON values."""
        ...


class DetectionModel(ABC):
    """A detector: its spec, its Keras network, and the parts specific to its family.

    Attributes:
        family: the key in `registry`.
        objective_classes: the dataclasses allowed in a recipe's `objective`.
        quantization_aware: True if the family supports QAT.
        reach: the boxes that it can learn, for `boxwright check`; None if unknown.
        tuning: how it is tuned from pretrained weights.
        size_multiple: input sizes are multiples of it.
        decodes_exactly: True if int8 files compute `export_head` in float32, because a step of it,
            such as a softmax, loses too much in 8 bits.
        heads: how the names of the layers of its heads start, which an int8 file may compute in
            float32; empty if it does not.
        network: scaled pixels `(B, S, S, 3)` to float32 outputs by name.
        objective: the training objective; None for the family's default.
    """

    family: ClassVar[str]
    objective_classes: ClassVar[tuple[type, ...]] = ()
    quantization_aware: ClassVar[bool] = False
    reach: ClassVar[Reach | None] = None
    tuning: ClassVar[Tuning] = USUAL
    size_multiple: ClassVar[int] = 1
    decodes_exactly: ClassVar[bool] = False
    heads: ClassVar[str] = ""

    def __init__(self, spec: Any, network: Any, objective: Any = None) -> None:
        self.spec = spec
        self.network = network
        self.objective = objective

    # ---- Architecture ----------------------------------------------------------------------------

    @classmethod
    @abstractmethod
    def spec_from_json(cls, value: dict[str, Any]) -> Any:
        """The inverse of the spec's `to_json`.

        Raises:
            KeyError, TypeError, ValueError: the spec is invalid.
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
            depth_multiplier: multiplier of the filters; None for the family's default.
            objective: the training objective.
            quantization: settings for QAT, if the family is `quantization_aware`.
            like: the spec of a pretrained network, used for all other fields.
        """

    @classmethod
    @abstractmethod
    def build_network(cls, spec: Any, *, precision: str = "float32", **options: Any) -> Any:
        """Build the Keras network of a spec with initial weights.

        Args:
            spec: the architecture.
            precision: Keras dtype policy of the convolutions; variables are float32 in any case.
            options: `frozen_through`, the last backbone block that does not train, -1 for none,
                and options of the family.
        """

    @classmethod
    def build(cls, spec: Any, objective: Any = None, **options: Any) -> Self:
        """Build a model with initial weights; options as in `build_network`."""
        return cls(spec, cls.build_network(spec, **options), objective)

    def to_json(self) -> dict[str, Any]:
        """The family and the spec, the input of `registry.restored`."""
        return {FAMILY_KEY: self.family, **self.spec.to_json()}

    @cached_property
    def compiled(self) -> Callable[[NDArray[np.float32]], Any]:
        """The network as a function of images `(B, S, S, 3)` in its input range."""
        from boxwright.backend.networks import compiled

        return compiled(self.network)

    @property
    def quantizer(self) -> Any:
        """The shared state of the layers of a QAT network; None for a float network."""
        return getattr(self.network, "quantizer", None)

    # ---- Training --------------------------------------------------------------------------------

    @classmethod
    def usual_objective(cls, *, pretrained: bool) -> tuple[Any, dict[str, str]]:
        """The default objective of a recipe, and reasons by field name."""
        return None, {}

    @abstractmethod
    def losses(self, outputs: Outputs, truth: Truth, suppress: Suppress) -> Loss:
        """The losses of the classes and of the boxes, in `keras.ops`.

        Args:
            outputs: network outputs in training.
            truth: the labels.
            suppress: the framework's NMS, for losses that need it.
        """

    def layer_group_of(self, layer: str) -> LayerGroup:
        """The layer group of a layer, by its name; recipes have settings for each group."""
        return "backbone"

    def named_variables(self) -> dict[str, Any]:
        """The network's variables by their checkpoint names."""
        return {variable.path: variable for variable in self.network.weights}

    # ---- A pretrained start ----------------------------------------------------------------------

    @classmethod
    def reads(cls, path: Path) -> bool:
        """True if a file looks like pretrained weights of the family."""
        return False

    @classmethod
    def read_pretrained(cls, path: str | Path) -> Pretrained:
        """Read a pretrained file of the family; its spec is the `like` of `spec_for`.

        Raises:
            WeightsError: BW207 the family has no pretrained weights; errors of the readers.
        """
        raise WeightsError(
            "BW207",
            f"detectors of the family {cls.family} have no pretrained weights.",
            where=path,
        )

    def load(self, pretrained: Pretrained) -> object:
        """Load a file's weights into the network, except for the class head; return a printable
        report."""
        raise NotImplementedError

    def start_classes(
        self,
        pretrained: Pretrained,
        images: NDArray[np.float32],
        truth: Truth,
        classes: tuple[str, ...],
    ) -> Sequence[object]:
        """Initialize the new class head from the pretrained one.

        Args:
            pretrained: the file given to `load`.
            images: `(n, S, S, 3)` in the network's input range.
            truth: their labels, NumPy.
            classes: the new classes' names.

        Returns:
            A printable description of each class's initialization.
        """
        return ()

    # ---- Inference and export --------------------------------------------------------------------

    @abstractmethod
    def decode(self, outputs: Outputs, ops: Operations) -> Candidates:
        """Boxes and scores from the network's outputs, using only arithmetic and `ops`."""

    @cached_property
    def candidates(self) -> int:
        """`A`, the number of boxes that `decode` returns per image."""
        return int(self.decode(self.blank_outputs(), NUMPY).boxes.shape[1])

    def blank_outputs(self, images: int = 1) -> dict[str, NDArray[np.float32]]:
        """Zeros in the shapes of the network's outputs."""
        shapes = {name: tensor.shape[1:] for name, tensor in self.network.output.items()}
        return {name: np.zeros((images, *shape), np.float32) for name, shape in shapes.items()}

    def export_head(self, outputs: Outputs, ops: Operations) -> ExportHead:
        """Encoded boxes, relative to the full image unless the family has references."""
        boxes, scores = self.decode(outputs, ops)
        whole = np.array([0, 0, 1, 1], np.float32)
        low, high = boxes[..., :2], boxes[..., 2:]
        high = low + ops.maximum(high - low, 0.0)  # the logarithm needs a nonnegative size
        boxes = ops.concat([low, high], axis=-1)
        encodings = box_coder.encode(boxes, whole, ops, EXPORT_SCALES)
        references = np.tile(whole, (self.candidates, 1))
        return ExportHead(encodings, scores, references, EXPORT_SCALES)

    def shows_part_of(self, layer: str) -> bool:
        """True if only some of a layer's outputs are ever shown, so that its int8 range excludes
        the others."""
        return False
