"""Which pretrained class a new class of the class head begins as, and that it begins as it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from boxwright.backend import framework
from boxwright.models.weights.class_head import find_class_head_init

QUARTERS = [[0, 0, 0.5, 0.5], [0, 0.5, 0.5, 1], [0.5, 0, 1, 0.5], [0.5, 0.5, 1, 1]]
ANCHORS = np.array(QUARTERS, np.float32)
KNOWN = ("", "cat", "kite", "bus")
NEW = ("raccoon", "drone")


def found(
    scores: NDArray[np.float32],
    boxes: Any,
    labels: Any,
) -> list[Any]:
    places = np.tile(ANCHORS, (len(scores), 1, 1))
    truth = np.array(boxes, np.float32), np.array(labels, np.int32)
    return find_class_head_init(KNOWN, scores, places, *truth, NEW)


def test_a_class_starts_from_what_fires_on_its_boxes_and_not_elsewhere() -> None:
    """Two photos; the raccoon is at the first anchor of each, the drone at the last of one."""
    scores = np.zeros((2, 4, 4), np.float32)
    scores[..., 0] = 0.99  # an id without a name
    scores[..., 3] = 0.9  # buses are seen everywhere
    scores[:, 0, 1] = 0.6, 0.8  # cats where the raccoons are
    scores[1, 3, 2] = 0.5  # a kite where the drone is
    boxes = [[[0, 0, 0.5, 0.5], [0, 0, 0, 0]], [[0.02, 0, 0.5, 0.5], [0.5, 0.5, 1, 1]]]
    raccoon, drone = found(scores, boxes, [[0, -1], [0, 1]])
    assert (raccoon.name, raccoon.origin, raccoon.column) == ("raccoon", "cat", 1)
    assert (raccoon.on_boxes, raccoon.elsewhere) == pytest.approx((0.7, 0))
    assert (drone.name, drone.origin) == ("drone", "kite")
    assert str(raccoon) == (
        '"raccoon" starts from the pretrained "cat", which scores 0.70 on its boxes and 0.00 '
        "elsewhere"
    )


def test_a_box_that_no_anchor_fits_is_looked_for_at_the_nearest() -> None:
    scores = np.zeros((1, 4, 4), np.float32)
    scores[0, 1, 2] = 0.4
    small = [[[0.2, 0.7, 0.25, 0.75]]]  # an IoU of 0.01 with the second anchor
    (raccoon,) = found(scores, small, [[0]])
    assert (raccoon.origin, raccoon.on_boxes) == ("kite", pytest.approx(0.4))


def test_a_class_without_examples_gets_no_head_start() -> None:
    scores = np.full((2, 4, 4), 0.5, np.float32)
    boxes = [[[0, 0, 0.5, 0.5]], [[0, 0, 0, 0]]]  # the second photo shows nothing
    starts = found(scores, boxes, [[1], [-1]])
    assert [start.name for start in starts] == ["drone"]


@pytest.fixture
def class_head_init() -> Any:
    framework.keras()
    from boxwright.models.ssd import class_head

    return class_head


CASES: dict[str, dict[str, Any]] = {
    "plain": {},
    "background": {"background": True},
    "wide heads": {"kernel": 3},
    "depthwise heads": {"kernel": 3, "depthwise": True},
}


@pytest.fixture(params=CASES)
def networks(
    class_head_init: Any, small_network: None, request: pytest.FixtureRequest
) -> tuple[Any, Any]:
    """A new network of two classes and a pretrained one of four, alike but for the class head, in
    which the new one may have a background column."""
    from boxwright.images.preprocessing import Preprocessing
    from boxwright.models.ssd.network import build
    from boxwright.models.ssd.spec import HeadSpec, ModelSpec
    from boxwright.models.weights import loading
    from boxwright.models.weights.pretrained import Pretrained

    case = dict(CASES[request.param])
    background = case.pop("background", False)
    spec = ModelSpec(4, 0.1, 64, heads=HeadSpec(**case))
    old = build(spec)
    rng = np.random.default_rng(0)
    for layer in old.layers:
        if layer.name.endswith("ClassPredictor"):
            layer.bias.assign(rng.normal(size=layer.bias.shape))
            layer.kernel.assign(rng.normal(size=layer.kernel.shape) * 0.3)
    layers = {
        layer.name: {variable.name: variable.numpy() for variable in layer.weights}
        for layer in old.layers
        if layer.weights
    }
    pretrained = Pretrained(Path("net"), spec, KNOWN, Preprocessing(64), layers, True)
    new = build(replace(spec, num_classes=2, background=background))
    loading.load(new, pretrained)
    return new, SimpleNamespace(model=old, pretrained=pretrained)


def test_the_new_class_then_answers_as_the_pretrained_one(
    class_head_init: Any, networks: tuple[Any, Any]
) -> None:
    new, old = networks
    images = np.random.default_rng(1).uniform(-1, 1, (2, 64, 64, 3)).astype(np.float32)
    before = np.asarray(new(images)["class_logits"])
    starts = [class_head_init.ClassHeadInit("drone", "kite", 2, 0.5, 0.1)]
    class_head_init.apply_class_head_init(new, old.pretrained, starts, NEW)
    after = np.asarray(new(images)["class_logits"])
    known = np.asarray(old.model(images)["class_logits"])
    np.testing.assert_allclose(after[..., 1], known[..., 2], atol=1e-4)
    np.testing.assert_array_equal(after[..., 0], before[..., 0])


def test_the_scores_it_looks_at_are_the_pretrained_networks(
    class_head_init: Any, networks: tuple[Any, Any]
) -> None:
    new, old = networks
    images = np.random.default_rng(1).uniform(-1, 1, (3, 64, 64, 3)).astype(np.float32)
    logits = np.asarray(old.model(images)["class_logits"])
    scores = class_head_init.pretrained_scores(new, old.pretrained, images)
    np.testing.assert_allclose(scores, 1 / (1 + np.exp(-logits)), atol=1e-4)
