"""Checkpoints of the Object Detection API: the same network, by name, to the golden numbers."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from boxwright.backend import framework
from boxwright.errors import WeightsError

pytestmark = pytest.mark.shared


class Parity(NamedTuple):
    """One of the golden checkpoints, read and built."""

    folder: Path
    pretrained: Any
    model: Any
    report: Any
    outputs: dict[str, Any]  # on io.npz's images, float32 as golden has them
    golden: Any

    @property
    def decoded(self) -> tuple[Any, Any]:
        """Boxes and scores."""
        from boxwright.models.ssd.detector import SsdModel
        from boxwright.ops.operations import NUMPY

        return SsdModel(self.pretrained.spec, self.model).decode(self.outputs, NUMPY)


@pytest.fixture(scope="module", params=["v1_c1", "v1_c90", "v2_c90"])
def parity(request: pytest.FixtureRequest, shared: Path) -> Parity:
    framework.keras()
    from boxwright.models.ssd.network import build
    from boxwright.models.weights import loading
    from boxwright.models.weights.checkpoint import read_checkpoint

    folder = shared / f"golden/ckpt_parity_{request.param}"
    pretrained = read_checkpoint(folder / "model.ckpt")
    model = build(pretrained.spec)
    report = loading.load(model, pretrained, keep_class_head=True)
    golden = np.load(folder / "io.npz")
    inputs = pretrained.preprocessing
    images = golden["images"].astype(np.float32) * inputs.scale + inputs.offset
    raw = {name: np.asarray(each) for name, each in model(images).items()}
    raw["all_logits"] = np.concatenate([raw["background_logits"], raw["class_logits"]], axis=-1)
    return Parity(folder, pretrained, model, report, raw, golden)


def listed(folder: Path) -> dict[str, tuple[tuple[int, ...], str, bool]]:
    """variables.tsv: name to shape, dtype and whether it trains."""
    rows = (folder / "variables.tsv").read_text(encoding="utf-8").splitlines()[1:]
    cells = [row.split("\t") for row in rows if row]
    return {name: (tuple(ast.literal_eval(s)), t, b == "1") for name, s, t, b in cells}


def test_the_network_is_seen_from_the_file(parity: Parity) -> None:
    spec, version = parity.pretrained.spec, parity.folder.name.split("_")[2]
    assert spec.name == f"ssd_mobilenet_{version}"
    assert spec.num_classes == int(parity.folder.name.split("_c")[-1])
    assert (spec.depth_multiplier, spec.min_depth, spec.background) == (1.0, 16, True)


def test_every_variable_has_its_place(parity: Parity) -> None:
    from boxwright.models.weights.variables import variables_by_name

    ours = {
        name: (tuple(variable.shape), variable.dtype, variable.trainable)
        for name, variable in variables_by_name(parity.model).items()
    }
    theirs = listed(parity.folder)
    assert theirs.pop("global_step") == ((), "int64", False)
    assert ours == theirs
    assert not parity.report.reset
    assert set(parity.report.ignored) == {"global_step"}


def test_raw_outputs(parity: Parity) -> None:
    """Largest absolute difference 1e-4 for v1.

    v2's random weights magnify rounding: the golden logits, up to 14, are themselves 3.3e-4 away
    from what float64 gives, and so are ours, with folded batch norm, fused or plain, with oneDNN
    or without, eagerly or in a session of TensorFlow 1. The test after this one takes the stages
    apart.
    """
    largest = 1e-4 if parity.pretrained.spec.name.endswith("v1") else 8e-4
    expected = parity.golden["class_predictions_with_background"]
    assert np.abs(parity.outputs["all_logits"] - expected).max() < largest
    assert np.abs(parity.outputs["box_encodings"] - parity.golden["box_encodings"]).max() < largest


def test_each_stage_from_the_golden_maps(parity: Parity) -> None:
    """Extra maps and heads, given the API's own maps instead of ours: 1e-4 for v2 too."""
    model, golden = parity.model, parity.golden
    maps = [golden[f"feature_map_{i}"] for i in range(6)]
    names = [layer.name for layer in model.layers if re.search(r"_[12]_Conv2d_\d_", layer.name)]
    for i, (narrow, wide) in enumerate(zip(names[::2], names[1::2], strict=True), start=1):
        following = model.get_layer(wide)(model.get_layer(narrow)(maps[i]))
        assert np.abs(following - maps[i + 1]).max() < 1e-4, wide
    for head, columns, output in (
        ("BoxEncodingPredictor", 4, "box_encodings"),
        (
            "ClassPredictor",
            parity.pretrained.spec.class_columns,
            "class_predictions_with_background",
        ),
    ):
        parts = [
            np.reshape(model.get_layer(f"BoxPredictor_{i}_{head}")(each), (2, -1, columns))
            for i, each in enumerate(maps)
        ]
        assert np.abs(np.concatenate(parts, axis=1) - golden[output]).max() < 1e-4


def test_detections(parity: Parity) -> None:
    """The same, in any order: scores that differ by rounding alone may change places."""
    from boxwright.models.ssd.spec import anchors as anchors_of
    from boxwright.ops.postprocess import NmsConfig, postprocess

    golden = parity.golden
    anchors = anchors_of(parity.pretrained.spec)
    np.testing.assert_allclose(anchors, golden["anchors"], atol=2e-7)
    found = postprocess(*parity.decoded, NmsConfig())
    for i, (boxes, scores, labels) in enumerate(found):
        count = int(golden["post_num_detections"][i])
        assert len(boxes) == count
        same = labels[:, None] == golden["post_detection_classes"][i, :count]
        same &= np.abs(scores[:, None] - golden["post_detection_scores"][i, :count]) < 1e-4
        moved = np.abs(boxes[:, None] - golden["post_detection_boxes"][i, :count]).max(axis=2)
        same &= moved < 1e-4
        assert same.any(axis=0).all()
        assert same.any(axis=1).all()


def test_detections_of_the_frozen_graph(parity: Parity) -> None:
    """What export_inference_graph's file says of the same two photos, one at a time."""
    from boxwright.ops.postprocess import NmsConfig, postprocess

    if parity.folder.name != "ckpt_parity_v1_c90":
        pytest.skip("there is a frozen graph of v1_c90 alone")
    frozen = np.load(parity.folder / "frozen_io.npz")
    found = postprocess(*parity.decoded, NmsConfig())
    for i, (boxes, scores, labels) in enumerate(found):
        assert len(boxes) == frozen[f"frozen_num_detections_{i}"][0]
        np.testing.assert_array_equal(labels + 1, frozen[f"frozen_detection_classes_{i}"][0])
        np.testing.assert_allclose(scores, frozen[f"frozen_detection_scores_{i}"][0], atol=1e-5)
        np.testing.assert_allclose(boxes, frozen[f"frozen_detection_boxes_{i}"][0], atol=1e-5)


def copy_of(golden: Path, folder: Path, name: str = "model.ckpt") -> Path:
    for end in (".index", ".data-00000-of-00001"):
        (folder / (name + end)).write_bytes((golden / f"model.ckpt{end}").read_bytes())
    return folder / name


@pytest.mark.parametrize(
    ("path", "code", "remedy"),
    [
        ("model.ckpt.index", "BW205", "Give {folder}/model.ckpt instead."),
        ("model.ckpt.data-00000-of-00001", "BW205", "Give {folder}/model.ckpt instead."),
        ("model.ckpt.meta", "BW205", "Give {folder}/model.ckpt instead."),
        ("frozen_inference_graph.pb", "BW202", "the checkpoint it was made from"),
        ("pipeline.config", "BW202", "neither a .tflite file nor a checkpoint"),
        ("model.ckpt-9", "BW201", "model.ckpt-9.index is missing"),
        ("empty", "BW201", "the folder contains no checkpoints"),
    ],
)
def test_what_is_no_prefix_says_what_is(
    shared: Path, tmp_path: Path, path: str, code: str, remedy: str
) -> None:
    from boxwright.models.weights.checkpoint import find_prefix

    copy_of(shared / "golden/ckpt_parity_v1_c1", tmp_path)
    (tmp_path / "empty").mkdir()
    for other in ("frozen_inference_graph.pb", "pipeline.config"):
        (tmp_path / other).write_bytes(b"model { ssd { } }")
    with pytest.raises(WeightsError) as failure:
        find_prefix(tmp_path / path)
    assert failure.value.code == code
    assert remedy.format(folder=tmp_path) in str(failure.value)


STATE = 'model_checkpoint_path: "{}"\nall_model_checkpoint_paths: "model.ckpt-5"\n'


@pytest.mark.parametrize(
    "latest",
    ["model.ckpt-5", "/home/pliu/train/model.ckpt-5", r"E:\\training\\model.ckpt-5"],
    ids=["relative", "another machine's", "Windows'"],
)
def test_a_folder_means_its_latest(shared: Path, tmp_path: Path, latest: str) -> None:
    from boxwright.models.weights.checkpoint import find_prefix

    for step in (10, 5):
        copy_of(shared / "golden/ckpt_parity_v1_c1", tmp_path, f"model.ckpt-{step}")
    assert find_prefix(tmp_path) == tmp_path / "model.ckpt-10"
    (tmp_path / "checkpoint").write_text(STATE.format(latest), encoding="utf-8")
    assert find_prefix(tmp_path) == tmp_path / "model.ckpt-5"


def test_a_damaged_checkpoint_is_refused(shared: Path, tmp_path: Path) -> None:
    from boxwright.models.weights.checkpoint import read_variables

    prefix = copy_of(shared / "golden/ckpt_parity_v1_c1", tmp_path)
    data = tmp_path / "model.ckpt.data-00000-of-00001"
    data.write_bytes(data.read_bytes()[:1000])
    with pytest.raises(WeightsError, match=r"BW202 .*is a damaged checkpoint \("):
        read_variables(prefix)
    data.unlink()
    with pytest.raises(WeightsError, match="BW202"):
        read_variables(prefix)


def changed(shared: Path, folder: Path, change: Any) -> Path:
    """The golden one-class checkpoint with another set of variables."""
    from boxwright.models.weights.checkpoint import read_variables

    values = read_variables(shared / "golden/ckpt_parity_v1_c1")
    values = dict(change(name, value) for name, value in values.items())
    prefix, names = folder / "model.ckpt", sorted(values)
    framework.tensorflow().raw_ops.SaveV2(
        prefix=str(prefix),
        tensor_names=names,
        shape_and_slices=[""] * len(names),
        tensors=[values[name] for name in names],
    )
    return prefix


def test_a_classifier_gives_its_backbone(shared: Path, tmp_path: Path) -> None:
    """Names without FeatureExtractor, no extra maps, no heads."""
    from boxwright.models.ssd.network import build
    from boxwright.models.ssd.spec import ModelSpec
    from boxwright.models.weights import loading

    def classifier(name: str, value: Any) -> tuple[str, Any]:
        if "_Conv2d_" in name or name.startswith("BoxPredictor"):
            return f"MobilenetV1/Logits/{name.replace('/', '_')}", value
        return name.removeprefix("FeatureExtractor/"), value

    pretrained = loading.read_pretrained(changed(shared, tmp_path, classifier))
    assert (pretrained.spec.num_classes, pretrained.classes) == (0, ())
    model = build(ModelSpec(3, input_size=96))
    report = loading.load(model, pretrained)
    assert len(report.loaded) == 27
    assert {name.split("_")[0] for name in report.reset} == {"Conv2d", "BoxPredictor"}
    assert {fate for fate, *_ in report.table()} == {"loaded", "reset", "ignored"}


def test_the_table_says_what_became_of_everything(shared: Path, tmp_path: Path) -> None:
    from boxwright.models.ssd.network import build
    from boxwright.models.ssd.spec import ModelSpec
    from boxwright.models.weights import loading
    from boxwright.models.weights.checkpoint import read_checkpoint

    def with_slots(name: str, value: Any) -> tuple[str, Any]:
        return f"{name}/RMSProp" if "pointwise_2" in name and "gamma" in name else name, value

    pretrained = read_checkpoint(changed(shared, tmp_path, with_slots))
    model = build(ModelSpec(3, input_size=96, background=True))
    report = loading.load(model, pretrained, keep_class_head=True)
    assert str(report) == "37 layers loaded, 10 reset"
    rows = {reason: (fate, what) for fate, what, reason in report.table()}
    assert rows["same name, same shape"][0] == "loaded"
    assert rows["gamma is not in the file"][1].endswith("(4)")
    assert rows["kernel is (1, 1, 512, 6) in the file but (1, 1, 512, 12) in the model"] == (
        "reset",
        "BoxPredictor_0_ClassPredictor",
    )
    fate, what = rows["optimizer state of an earlier training"]
    assert (fate, what[-4:]) == ("ignored", " (4)")
    assert rows["training starts its own step count"] == ("ignored", "global_step")


def test_averages_are_taken_where_they_are_asked_for(shared: Path, tmp_path: Path) -> None:
    from boxwright.models.weights.checkpoint import AVERAGE, read_checkpoint, read_variables

    name = "BoxPredictor_0/ClassPredictor/biases"
    values = read_variables(shared / "golden/ckpt_parity_v1_c1")
    average = values[name] + 1

    def with_average(each: str, value: Any) -> tuple[str, Any]:
        return (name + AVERAGE, average) if each == "global_step" else (each, value)

    prefix = changed(shared, tmp_path, with_average)
    for averages, expected in ((False, values[name]), (True, average)):
        layers = read_checkpoint(prefix, averages=averages).layers
        np.testing.assert_array_equal(layers["BoxPredictor_0_ClassPredictor"]["bias"], expected)


def test_read_pretrained_leaves_the_background_out(shared: Path) -> None:
    from boxwright.models.weights import loading
    from boxwright.models.weights.checkpoint import read_checkpoint

    folder, head = shared / "golden/ckpt_parity_v1_c90", "BoxPredictor_1_ClassPredictor"
    ours, theirs = loading.read_pretrained(folder), read_checkpoint(folder)
    assert (ours.spec.background, theirs.spec.background) == (False, True)
    for name, columns in ours.layers[head].items():
        all_columns = theirs.layers[head][name].reshape(*columns.shape[:-1], 6, 91)
        np.testing.assert_array_equal(columns, all_columns[..., 1:].reshape(columns.shape))


@pytest.mark.parametrize(
    ("version", "multiplier", "options"),
    [
        ("v1", 0.25, {"min_depth": 8}),
        ("v1", 0.25, {"heads": {"kernel": 3}}),
        ("v2", 0.35, {"depthwise_maps": True, "heads": {"kernel": 3, "depthwise": True}}),
    ],
    ids=["min_depth 8", "wide heads", "SSDLite"],
)
def test_another_network_is_seen_from_its_layers(
    version: str, multiplier: float, options: dict[str, Any], tmp_path: Path
) -> None:
    framework.keras()
    from boxwright.models.ssd.network import build
    from boxwright.models.ssd.spec import HeadSpec, ModelSpec
    from boxwright.models.weights.checkpoint import read_checkpoint, read_variables
    from boxwright.models.weights.loading import load
    from boxwright.models.weights.variables import variables_by_name
    from boxwright.tfod.checkpoint import save

    name = f"ssd_mobilenet_{version}"
    if "heads" in options:
        options = {**options, "heads": HeadSpec(**options["heads"])}
    spec = ModelSpec(4, multiplier, 96, name=name, background=True, **options)
    assert ModelSpec.from_json(spec.to_json()) == spec
    model = build(spec)
    pretrained = read_checkpoint(save(tmp_path, model, 1))
    seen = pretrained.spec
    assert (seen.name, seen.num_classes) == (name, 4)
    assert seen.depth_multiplier == pytest.approx(multiplier, abs=0.01)
    assert {option: getattr(seen, option) for option in options} == options
    again = build(seen)
    load(again, pretrained, keep_class_head=True)
    written = read_variables(tmp_path)
    for at, variable in variables_by_name(again).items():
        np.testing.assert_array_equal(variable, written[at])


def test_ssdlite_has_the_variables_of_the_original() -> None:
    framework.keras()
    from boxwright.models.ssd.network import build
    from boxwright.models.ssd.spec import HeadSpec, ModelSpec
    from boxwright.models.weights.variables import variables_by_name

    heads = HeadSpec(kernel=3, depthwise=True)
    spec = ModelSpec(90, name="ssd_mobilenet_v2", background=True, depthwise_maps=True, heads=heads)
    shapes = {name: tuple(value.shape) for name, value in variables_by_name(build(spec)).items()}
    lite = "FeatureExtractor/MobilenetV2/layer_19_2_Conv2d_2_3x3_s2_512"
    for name, shape in {
        f"{lite}_depthwise/depthwise_weights": (3, 3, 256, 1),
        f"{lite}_depthwise/BatchNorm/moving_mean": (256,),
        f"{lite}/weights": (1, 1, 256, 512),
        f"{lite}/BatchNorm/gamma": (512,),
        "BoxPredictor_1/BoxEncodingPredictor_depthwise/depthwise_weights": (3, 3, 1280, 1),
        "BoxPredictor_1/BoxEncodingPredictor_depthwise/BatchNorm/beta": (1280,),
        "BoxPredictor_1/BoxEncodingPredictor/weights": (1, 1, 1280, 24),
        "BoxPredictor_1/ClassPredictor/weights": (1, 1, 1280, 546),
    }.items():
        assert shapes[name] == shape
