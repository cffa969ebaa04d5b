"""TensorFlow 2 networks: equal to numbers that the Object Detection API itself computed from the
same config and weights (`benchmarks/odapi_reference.py`)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from boxwright.backend import framework
from boxwright.tfod.config import parse_config
from named_weights import weights

HERE = Path(__file__).parent
CASES = ("v2_fpnlite", "v1_fpnlite", "v1_fpn", "v2", "v1")
NONE = np.zeros((2, 0), np.float32)  # draws of an augmentation


@dataclass
class Case:
    """A config with the API's numbers, and our network of it with the same weights."""

    golden: Any

    def __post_init__(self) -> None:
        framework.keras()
        from boxwright.models.weights.keras_names import api_names
        from boxwright.tfod.mapping.network import initializers_of
        from boxwright.tfod.mapping.recipe import recipe_of
        from boxwright.tfod.mapping.start import family_of, spec_of
        from boxwright.training import start

        self.config = parse_config(str(self.golden["config"]))
        self.recipe = replace(recipe_of(self.config.pipeline), augmentation=(), batch_size=2)
        self.names = api_names(self.golden["names"].tolist())
        kind, spec = family_of(self.config.pipeline), spec_of(self.config)
        begin = initializers_of(self.config)
        self.model = start.built(kind, spec, self.recipe, "float32", initializers=begin)
        self.restart()

    def restart(self) -> None:
        """Give all variables their first values."""
        own = self.model.named_variables()
        assert own.keys() == set(self.names.values())
        for keras_name, name in self.names.items():
            own[name].assign(weights(keras_name, tuple(own[name].shape)))

    @property
    def inputs(self) -> NDArray[np.float32]:
        return self.golden["images"].astype(np.float32) * np.float32(2 / 255) - 1

    @cached_property
    def truth(self) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
        boxes = np.zeros((2, 3, 4), np.float32)
        labels = np.full((2, 3), -1, np.int32)
        for image in range(2):
            own = self.golden[f"boxes_{image}"]
            boxes[image, : len(own)] = own
            labels[image, : len(own)] = self.golden[f"labels_{image}"]
        return boxes, labels

    @cached_property
    def step(self) -> Any:
        """The losses of one training step, which changes the variables."""
        from boxwright.training import start
        from boxwright.training.step_tensorflow import Engine

        self.restart()
        engine = Engine(
            self.model,
            start.trained_variables(self.model, self.recipe),
            start.statistics_of(self.model, self.recipe),
            self.recipe,
            scale=2 / 255,
            offset=-1.0,
            kernels=start.regularized_kernels(self.model, self.recipe),
        )
        images = self.golden["images"].astype(np.float32)
        sizes = np.ones((2, 2), np.float32)
        return engine.step(images, *self.truth, sizes, NONE, number=0, learning_rate=0.01)


@pytest.fixture(scope="module", params=CASES)
def case(request: pytest.FixtureRequest) -> Case:
    return Case(np.load(HERE / f"odapi_{request.param}.npz"))


def test_outputs_and_detections(case: Case) -> None:
    from boxwright.ops.operations import NUMPY
    from boxwright.ops.postprocess import postprocess
    from boxwright.tfod.mapping.network import nms_config_of

    np.testing.assert_allclose(case.model.anchors, case.golden["anchors"], atol=1e-6)
    outputs = {name: np.asarray(value) for name, value in case.model.compiled(case.inputs).items()}
    assert near(outputs["box_encodings"], case.golden["box_encodings"]) < 1e-3
    classes = case.golden["class_predictions"]
    assert near(outputs["background_logits"], classes[..., :1]) < 1e-3
    assert near(outputs["class_logits"], classes[..., 1:]) < 1e-3
    boxes, scores = case.model.decode(outputs, NUMPY)
    detections = postprocess(boxes, scores, nms_config_of(case.config))
    for i, (found, own_scores, _) in enumerate(detections):
        count = int(case.golden["num_detections"][i])
        assert len(found) == count
        assert near(own_scores, case.golden["detection_scores"][i, :count]) < 1e-3


def near(ours: Any, theirs: Any) -> float:
    """The largest difference, relative to the largest number."""
    assert np.shape(ours) == np.shape(theirs)
    return float(np.abs(np.asarray(ours) - theirs).max() / max(np.abs(theirs).max(), 1e-9))


def test_targets(case: Case) -> None:
    from boxwright.models.ssd.assigner import assign

    boxes, labels = case.truth
    given = (labels >= 0).astype(np.float32)
    targets = assign(boxes, labels, given, case.model.anchors, 3, scales=case.model.spec.box_scales)
    np.testing.assert_array_equal(targets.match, case.golden["match"])
    np.testing.assert_array_equal(targets.class_weights, case.golden["class_weights"])
    np.testing.assert_array_equal(targets.box_weights, case.golden["box_weights"])
    assert near(targets.box_targets, case.golden["box_targets"]) < 1e-5


def test_a_step_of_training(case: Case) -> None:
    boxes, classes, penalty = case.golden["losses"]
    assert case.step.boxes == pytest.approx(boxes, rel=1e-3)
    assert case.step.classes == pytest.approx(classes, rel=1e-3)
    assert case.step.penalty == pytest.approx(penalty, rel=1e-5)
    own = case.model.named_variables()
    for keras_name, norm in zip(case.golden["names"], case.golden["norms_after"], strict=True):
        after = np.asarray(own[case.names[str(keras_name)]].value)
        assert float(np.linalg.norm(after)) == pytest.approx(float(norm), rel=1e-3), keras_name
        if (name := f"after/{keras_name}") in case.golden:
            assert near(after, case.golden[name]) < 1e-2, keras_name
