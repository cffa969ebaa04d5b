"""The operations that families decode with are the same numbers for every export target."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from boxwright.backend import framework
from boxwright.errors import ExportError
from boxwright.export.graph import TensorFlowOperations
from boxwright.export.onnx_graph import Graph, OnnxOperations, Tensor
from boxwright.models import registry
from boxwright.models.model import Candidates, DetectionModel
from boxwright.ops import box_coder
from boxwright.ops.operation_check import CHECKING, OPERATIONS, Checking
from boxwright.ops.operations import NUMPY

MAPS = np.random.default_rng(0).normal(size=(2, 5, 5, 4)).astype(np.float32)
ROW = np.array([1.0, 2.0, 3.0, 4.0], np.float32)
EXPRESSIONS: dict[str, Callable[[Any, Any], Any]] = {
    "arithmetic": lambda x, ops: -(2.0 - x) * 3.0 / (1.0 / (x * x + 1.0)) + x - 0.5,
    "constant": lambda x, ops: ROW * x + ops.constant(ROW) - ROW / (x * x + 1.0),
    "slice": lambda x, ops: ops.concat([x[..., 1:3], x[..., :1], x[..., 3:]], axis=-1),
    "exp": lambda x, ops: ops.exp(x),
    "log": lambda x, ops: ops.log(x * x + 1.0),
    "sigmoid": lambda x, ops: ops.sigmoid(x),
    "softmax": lambda x, ops: ops.softmax(x),
    "maximum": lambda x, ops: ops.maximum(x, 0.5) + ops.maximum(x, -x),
    "minimum": lambda x, ops: ops.minimum(x, 0.5),
    "clip": lambda x, ops: ops.clip(x, -0.5, 0.5),
    "sum": lambda x, ops: ops.sum(x, axis=-1) + ops.sum(x, axis=-1, keepdims=True)[..., 0],
    "reshape": lambda x, ops: ops.reshape(x, (25, 4)),
    "transpose": lambda x, ops: ops.transpose(x, (0, 3, 1, 2)),
    "concat": lambda x, ops: ops.concat([x, x * 2.0], axis=1),
    "stack": lambda x, ops: ops.stack([x[..., 0], x[..., 3]], axis=-1),
    "resize": lambda x, ops: ops.resize(x, 2) + ops.resize(x, 2, "nearest"),
    "max_pool": lambda x, ops: ops.max_pool(x, 3),
}


def test_there_is_an_expression_of_every_operation() -> None:
    assert set(EXPRESSIONS) >= OPERATIONS


@pytest.mark.parametrize("name", EXPRESSIONS)
def test_tensorflow_computes_what_numpy_does(name: str) -> None:
    tf = framework.tensorflow()

    @tf.function(input_signature=[tf.TensorSpec((None, 5, 5, 4))])
    def compute(x: Any) -> Any:
        return EXPRESSIONS[name](x, TensorFlowOperations(tf))

    np.testing.assert_allclose(compute(MAPS), EXPRESSIONS[name](MAPS, NUMPY), rtol=1e-5, atol=1e-5)


def test_onnx_computes_what_numpy_does() -> None:
    graph, expected = Graph(), {}
    x, outputs = Tensor(graph, "x"), {}
    for name, expression in EXPRESSIONS.items():
        expected[name] = expression(MAPS, NUMPY)
        shape = ("N", *expected[name].shape[1:])
        outputs[name] = expression(x, OnnxOperations(graph)), "FLOAT", shape
    model = graph.model({"x": ("FLOAT", ("N", 5, 5, 4))}, outputs, {})
    session = framework.onnxruntime().InferenceSession(model.SerializeToString())
    for name, values in zip(expected, session.run(list(expected), {"x": MAPS}), strict=True):
        np.testing.assert_allclose(values, expected[name], rtol=1e-5, atol=1e-5, err_msg=name)


@pytest.mark.parametrize("name", EXPRESSIONS)
def test_the_guard_lets_them_through(name: str) -> None:
    EXPRESSIONS[name](Checking(MAPS), CHECKING)


@pytest.mark.parametrize(
    ("expression", "named"),
    [
        (lambda x, ops: ops.gather(x, 1), "operation gather"),
        (lambda x, ops: np.tanh(x), "numpy.tanh"),
        (lambda x, ops: np.concatenate([x, x]), "array module"),
        (lambda x, ops: x.sum(), "attribute sum"),
        (lambda x, ops: x[0], "index of 0"),
        (lambda x, ops: framework.keras().ops.exp(x), "which some export targets lack"),
    ],
    ids=["operation", "ufunc", "NumPy", "attribute", "index", "Keras"],
)
def test_what_a_family_may_not_decode_with(expression: Any, named: str) -> None:
    """Registering it says what."""
    base = registry.family("ssd")

    class Odd(base):  # type: ignore[misc, valid-type]
        family = "odd"

        def decode(self, outputs: Any, ops: Any) -> Candidates:
            boxes, scores = super().decode(outputs, ops)
            return Candidates(boxes, expression(scores, ops))

    with pytest.raises(ExportError, match=named) as caught:
        registry.register(Odd)
    assert caught.value.code == "BW409"
    assert "odd" not in registry.FAMILIES


@pytest.mark.parametrize("name", registry.FAMILIES)
def test_families_of_the_package_decode_with_them(name: str) -> None:
    registry.check_operations(registry.family(name))


def test_a_head_without_references_is_relative_to_the_whole_image() -> None:
    """What TFLite's operator makes of it are the decoded boxes again."""

    class Given(DetectionModel):
        candidates = 2

        def decode(self, outputs: Any, ops: Any) -> Candidates:
            return Candidates(outputs["boxes"], outputs["scores"])

    Given.__abstractmethods__ = frozenset()
    boxes = np.array([[[0.1, 0.2, 0.4, 0.8], [-0.1, 0.0, 1.0, 1.2]]], np.float32)
    scores = np.zeros((1, 2, 3), np.float32)
    head = Given(None, None).export_head({"boxes": boxes, "scores": scores}, NUMPY)
    again = box_coder.decode(head.encodings, head.references, scales=head.scales)
    np.testing.assert_allclose(again, boxes, atol=1e-6)
