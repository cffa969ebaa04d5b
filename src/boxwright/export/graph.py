"""What every exported file computes: uint8 pixels in, raw boxes and scores out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from boxwright.data.preprocessing import Preprocessing
from boxwright.errors import ExportError
from boxwright.models import framework

INPUT_NAME = "images"


def tensorflow_for(model: Any) -> Any:
    """The `tensorflow` module, for a Keras model that TensorFlow can write.

    Raises:
        ExportError: BW404 the model was built on another engine.
        SystemFaultError: BW901 TensorFlow is not installed.
    """
    engine = framework.keras().backend.backend()
    if engine != "tensorflow":
        raise ExportError(
            "BW404",
            f"the network was built on {engine}, but only TensorFlow writes TensorFlow's files.",
            remedy="Set KERAS_BACKEND=tensorflow for this command; the run itself can stay as is.",
        )
    return framework.tensorflow()


def raw_outputs(
    tf: Any, model: Any, preprocessing: Preprocessing | None, images: Any
) -> tuple[Any, Any]:
    """Box encodings `(B, A, 4)` and class scores `(B, A, C)` for pixels `(B, S, S, 3)` uint8, or
    for what these are scaled to where there is no `preprocessing`."""
    if preprocessing:
        images = tf.cast(images, tf.float32) * preprocessing.scale + preprocessing.offset
    raw = model(images, training=False)
    return raw["box_encodings"], tf.sigmoid(raw["class_logits"])


class Signature(NamedTuple):
    """A function of one tensor: the outputs by name, and the name, shape and type of the input."""

    serve: Callable[[Any], dict[str, Any]]
    shape: tuple[int | None, ...]
    input_name: str = INPUT_NAME
    dtype: str = "uint8"


def save(tf: Any, folder: Path, model: Any, signatures: Mapping[str, Signature]) -> None:
    """Write functions of `model` as a SavedModel's signatures."""
    module = tf.Module(name="detector")
    module.weights = [variable.value for variable in model.variables]  # so that they are saved
    module.functions = {}
    for name, (serve, shape, input_name, dtype) in signatures.items():
        spec = tf.TensorSpec(shape, dtype, name=input_name)
        module.functions[name] = tf.function(serve, input_signature=[spec])
    with framework.hushed():
        tf.saved_model.save(module, str(folder), signatures=dict(module.functions))
