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
STEPS = ("v1_fpnlite",)  # it has all parts; the others agree too, but each compiles for seconds
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


def test_outputs(case: Case) -> None:
    np.testing.assert_allclose(case.model.anchors, case.golden["anchors"], atol=1e-6)
    found = case.model.network(case.inputs, training=False)
    outputs = {name: np.asarray(value) for name, value in found.items()}
    theirs = outputs_of(case.golden)
    assert {name: near(outputs[name], theirs[name]) < 1e-3 for name in theirs} == dict.fromkeys(
        theirs, True
    )


def outputs_of(golden: Any) -> dict[str, NDArray[np.float32]]:
    classes = golden["class_predictions"]
    return {
        "box_encodings": golden["box_encodings"],
        "background_logits": classes[..., :1],
        "class_logits": classes[..., 1:],
    }


def test_detections(case: Case) -> None:
    from boxwright.ops.operations import NUMPY
    from boxwright.ops.postprocess import postprocess
    from boxwright.tfod.mapping.network import nms_config_of

    boxes, scores = case.model.decode(outputs_of(case.golden), NUMPY)
    detections = postprocess(boxes, scores, nms_config_of(case.config))
    for i, (found, own_scores, classes) in enumerate(detections):
        inside = (found[:, 2:] > found[:, :2]).all(axis=1)  # the API drops boxes outside the image
        count = min(int(case.golden["num_detections"][i]), int(inside.sum()))
        assert count > 50
        for name, own in (("boxes", found), ("scores", own_scores), ("classes", classes)):
            assert near(own[inside][:count], case.golden[f"detection_{name}"][i, :count]) < 1e-5


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


@pytest.mark.parametrize("case", STEPS, indirect=True)
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


# ---- Checkpoints of TensorFlow 2 ---------------------------------------------------------------


def test_a_checkpoint_of_the_api_is_read(case: Case, tmp_path: Path) -> None:
    """One with the graph that the API wrote, and the weights by their names."""
    from tensorflow.core.protobuf.trackable_object_graph_pb2 import TrackableObjectGraph

    from boxwright.models.weights.checkpoint import read_checkpoint, read_variables
    from boxwright.models.weights.object_graph import GRAPH
    from boxwright.tfod.checkpoint import resume

    graph = TrackableObjectGraph.FromString(case.golden["graph"].tobytes())
    case.restart()
    own = case.model.named_variables()
    values: dict[str, Any] = {GRAPH: np.array(case.golden["graph"].tobytes(), object)}
    for attribute in (each for node in graph.nodes for each in node.attributes):
        name = case.names.get(attribute.full_name)
        there = weights(attribute.full_name, tuple(own[name].shape)) if name else np.array(7)
        values[attribute.checkpoint_key] = there
    framework.tensorflow().raw_ops.SaveV2(
        prefix=str(tmp_path / "ckpt-1"),
        tensor_names=list(values),
        shape_and_slices=[""] * len(values),
        tensors=list(values.values()),
    )
    expected = {name: variable.numpy() for name, variable in own.items()}
    for variable in own.values():
        variable.assign(np.zeros(variable.shape))
    resumed = resume(case.model.network, tmp_path / "ckpt-1")
    assert resumed.step == 7
    for name, variable in own.items():
        np.testing.assert_array_equal(variable.numpy(), expected[name])
        if variable.trainable:
            assert f"{name}/Momentum" in resumed.slots
    spec = read_checkpoint(tmp_path / "ckpt-1").spec
    ours = case.model.spec
    assert (spec.name, spec.num_classes, spec.levels) == (ours.name, 3, ours.levels)
    assert spec.heads.shared_tower == ours.heads.shared_tower
    assert read_variables(tmp_path / "ckpt-1").keys() >= expected.keys()


def test_a_checkpoint_of_ours_is_read_by_the_api(case: Case, tmp_path: Path) -> None:
    """TensorFlow restores along the edges that both graphs have: the API's reach all our values."""
    from tensorflow.core.protobuf.trackable_object_graph_pb2 import TrackableObjectGraph

    from boxwright.models.weights.object_graph import GRAPH
    from boxwright.tfod.checkpoint import resume, save

    case.restart()
    slots = {
        f"{name}/Momentum": np.full(variable.shape, 2, np.float32)
        for name, variable in case.model.named_variables().items()
        if variable.trainable
    }
    prefix = save(tmp_path, case.model.network, 30, slots, object_based=True)
    assert prefix.name == "ckpt-30"
    reader = framework.tensorflow().train.load_checkpoint(str(prefix))
    written = TrackableObjectGraph.FromString(np.asarray(reader.get_tensor(GRAPH)).item())
    theirs = TrackableObjectGraph.FromString(case.golden["graph"].tobytes())
    reached, waiting = {0: 0}, [0]
    while waiting:
        node = waiting.pop()
        edges = {each.local_name: each.node_id for each in written.nodes[reached[node]].children}
        for child in theirs.nodes[node].children:
            if child.local_name in edges and child.node_id not in reached:
                reached[child.node_id] = edges[child.local_name]
                waiting.append(child.node_id)
    found = {}
    for node, ours in reached.items():
        for attribute in theirs.nodes[node].attributes:
            key = written.nodes[ours].attributes[0].checkpoint_key
            found[attribute.full_name] = reader.get_tensor(key)
    missing = set(case.names) - set(found)
    assert missing == set()
    for name in case.names:
        np.testing.assert_array_equal(found[name], weights(name, found[name].shape))
    of_slots = {
        reached[slot.original_variable_node_id]: slot.slot_name
        for node in theirs.nodes
        for slot in node.slot_variables
    }
    written_slots = {
        slot.original_variable_node_id: slot.slot_name
        for node in written.nodes
        for slot in node.slot_variables
    }
    assert written_slots == of_slots
    again = resume(case.model.network, prefix)
    assert again.step == 30
    assert again.slots.keys() == slots.keys()
