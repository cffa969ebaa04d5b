"""pipeline.config: every field has its meaning, its reason, or its fault."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from boxwright.errors import TfodError
from boxwright.io.protobuf_text import parse, write
from boxwright.tfod.config import (
    check_all,
    config_text,
    examined,
    parse_config,
    read_config,
    report,
    sample_config,
)
from boxwright.tfod.config.augmentation import OPTIONS, RandomHorizontalFlip, SsdRandomCrop
from boxwright.tfod.config.model import WeightedSigmoidFocal
from boxwright.tfod.config.pipeline import (
    CosineDecay,
    ExponentialDecay,
    Momentum,
    Pipeline,
    RmsProp,
)
from boxwright.tfod.config.schema import ConfigMessage, Instead, schema

pytestmark = pytest.mark.tiny

CONFIGS = Path(__file__).parent / "configs"
HELMET = (CONFIGS / "helmet.config").read_text(encoding="utf-8")
API = json.loads((CONFIGS.parent / "api_fields.json").read_text(encoding="utf-8"))
QUANTIZED = (CONFIGS / "quantized.config").read_text(encoding="utf-8")


def changed(old: str, new: str, text: str = HELMET) -> str:
    assert old in text
    return text.replace(old, new, 1)


def line_of(part: str, text: str) -> int:
    return text[: text.index(part)].count("\n") + 1


def test_the_helmet_detector() -> None:
    pipeline = read_config(CONFIGS / "helmet.config").pipeline
    ssd, train = pipeline.model, pipeline.train_config
    assert ssd.num_classes == 1
    assert ssd.feature_extractor.type == "ssd_mobilenet_v1"
    assert ssd.anchor_generator.aspect_ratios[4] == float(np.float32(0.3333))
    assert ssd.loss.hard_example_miner is not None
    assert ssd.loss.hard_example_miner.num_hard_examples == 3000
    assert not ssd.normalize_loc_loss_by_codesize
    assert train.data_augmentation_options == (RandomHorizontalFlip(), SsdRandomCrop())
    match train.optimizer.algorithm:
        case RmsProp(learning_rate=ExponentialDecay() as rate, epsilon=1.0):
            assert (rate.decay_steps, rate.staircase) == (800_720, True)
    assert train.optimizer.use_moving_average
    assert pipeline.eval_config.num_examples == 70
    assert pipeline.train_input_reader.shuffle
    assert not pipeline.eval_input_reader.shuffle
    assert pipeline.graph_rewriter.quantization is None


def test_the_quantized_detector() -> None:
    config = parse_config(QUANTIZED)
    pipeline = config.pipeline
    assert pipeline.model.loss.classification_loss == WeightedSigmoidFocal(alpha=0.75)
    assert pipeline.model.box_predictor.class_prediction_bias_init == float(np.float32(-4.6))
    assert pipeline.train_config.optimizer.algorithm == Momentum(
        learning_rate=CosineDecay(
            learning_rate_base=0.2,
            total_steps=50_000,
            warmup_learning_rate=0.06,
            warmup_steps=2000,
        )
    )
    assert pipeline.graph_rewriter.quantization is not None
    assert pipeline.graph_rewriter.quantization.delay == 48_000
    assert pipeline.train_input_reader.tf_record_input_reader.input_path == (
        r"E:\demo\annotations\train.record",
    )
    assert config.place("train_config.batch_size") == "pipeline.config:73"
    names = {line.split(": ")[1].rpartition(".")[2] for line in report(config)}
    assert names == {
        "inplace_batchnorm_update",
        "use_matmul_gather",
        "sync_replicas",
        "startup_delay_steps",
        "replicas_to_aggregate",
        "max_number_of_boxes",
        "unpad_groundtruth_tensors",
        "input_path has backslashes, read literally here but as escapes by the Object Detection "
        "API",
        "num_readers",
    }


@pytest.mark.shared
@pytest.mark.parametrize("name", ["v1_c1", "v1_c90", "v2_c90"])
def test_the_configs_of_the_golden_numbers(shared: Path, name: str) -> None:
    config = read_config(shared / "golden" / f"ckpt_parity_{name}" / "pipeline.config")
    assert config.pipeline.model.num_classes == int(name.partition("_c")[2])
    assert not any(note.stops for note in config.notes)
    again = parse_config(config_text(config.pipeline))
    assert again.pipeline == config.pipeline


def test_what_was_read_is_written_back() -> None:
    for text in (HELMET, QUANTIZED):
        tree = parse_config(text).tree
        assert parse(write(tree), "config") == tree
        assert parse_config(write(tree)).messages == parse_config(text).messages


NOTES = [
    ("num_readers: 1", "num_readers: 4", "num_readers: 4 is ignored: images are"),
    ("num_steps", "keep_checkpoint_every_n_hours: 2 num_steps", "the latest checkpoints are kept"),
    ("num_steps", "of_a_fork: 2 num_steps", "unknown field 'of_a_fork' of train_config"),
    ("min_depth: 16", "batch_norm_trainable: true", "the API replaced it"),
    ("weighted_sigmoid { }", "weighted_sigmoid { anchorwise_output: true }", "no longer uses it"),
    ("num_steps", "summarize_gradients: true num_steps", "TensorBoard shows losses"),
    ("max_evals: 10", 'metrics_set: "oid_V2_detection_metrics"', "the metrics are those of coco"),
    ("max_evals: 10", 'metrics_set: "pascal_voc_metrics"', "the metrics are those of coco"),
    ("eval_config {", "[a.fork] { b: 1 }\neval_config {", "unknown field '[a.fork]'"),
]


@pytest.mark.parametrize(("old", "new", "said"), NOTES)
def test_what_changes_nothing_is_said_with_its_line(old: str, new: str, said: str) -> None:
    text = changed(old, new)
    config = parse_config(text)
    assert config.pipeline
    line = line_of(new, text) if "fork" not in new else line_of("fork", text)
    assert any(f":{line}: " in each and said in each for each in report(config))


UNSUPPORTED = [
    ('"ssd_mobilenet_v1"', '"ssd_inception_v2"', "type: \"ssd_inception_v2\" is not supported"),
    ('"ssd_mobilenet_v1"', '"ssd_resnet50_v1_fpn" fpn { }', "supported are ssd_mobilenet_v1, "),
    ("fixed_shape_resizer { height", "keep_aspect_ratio_resizer { max_dimension", "fixed input"),
    ("fixed_shape_resizer { height: 300 width: 300 }",
     "keep_aspect_ratio_resizer { min_dimension: 300 max_dimension: 400 }",
     "nearest is fixed_shape_resizer { height: 352 width: 352 }"),
    ("fixed_shape_resizer { height: 300 width: 300 }", "identity_resizer { }", "height: 300"),
    ("weighted_sigmoid { }", "weighted_softmax { }", "only weighted_sigmoid and"),
    ("weighted_sigmoid { }", "weighted_softmax { }", "the nearest is weighted_sigmoid { }"),
    ("ssd_random_crop { }", "autoaugment_image { }", "the nearest is random_distort_color { }"),
    ("ssd_random_crop { }", "remap_labels { }", "the records are written; leave it out"),
    ("activation: RELU_6", "activation: SWISH", "activation: SWISH is not supported"),
    ("train: true", "train: false", "freeze_batchnorm of model.ssd freezes all of them"),
    ("box_code_size: 4", "box_code_size: 5", "a box has four sides"),
    ("min_depth: 0", "min_dept: 0", "the nearest field is 'min_depth'"),
    ("score_converter: SIGMOID", "", "has no score_converter, and the default IDENTITY"),
    ("score_converter: SIGMOID", "score_converter: SOFTMAX", "SOFTMAX is not supported"),
    ("ssd_random_crop { }", "rgb_to_gray { }", "the network has three input channels"),
    ("ssd_random_crop { }", "random_foo { }", "unknown field 'random_foo'"),
    ("num_steps: 200000", "num_step: 100", "of train_config; the nearest field is 'num_steps'"),
    ("max_evals: 10", 'metrics_set: "all"', "supported are coco"),
    ("truncated_normal_initializer { mean: 0.0 stddev: 0.03 }",
     "keras_initializer_by_name: 'he_normal'", "the nearest is variance_scaling_initializer { }"),
    ("box_code_size: 4", "box_encodings_clip_range { min: -9 }", "encodings are not clipped"),
    ("loss {", "weight_regression_loss_by_score: true loss {", "all matches have equal weight"),
    ("num_steps", 'fine_tune_checkpoint_type: "half" num_steps', "the types are classification"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "said"), UNSUPPORTED)
def test_what_is_not_supported_stops_with_its_line(old: str, new: str, said: str) -> None:
    text = changed(old, new)
    config = parse_config(text)
    with pytest.raises(TfodError, match="BW724") as caught:
        assert config.pipeline
    assert said in str(caught.value)
    assert any(said in line for line in report(config))
    if new:
        assert caught.value.where == f"pipeline.config:{line_of(new, text)}"


@pytest.mark.parametrize("text", [text for text in OPTIONS.values() if isinstance(text, Instead)])
def test_the_nearest_option_is_supported(text: Instead) -> None:
    assert isinstance(text.nearest, str)
    near = changed("ssd_random_crop { }", text.nearest or "random_horizontal_flip { }")
    assert parse_config(near).pipeline


SAMPLES = [
    ('"ssd_mobilenet_v1"', '"ssd_inception_v2"', "ssd_mobilenet_v2_coco", False),
    ('"ssd_mobilenet_v1"', '"ssd_mobilenet_v1_ppn" use_depthwise: true',
     "ssdlite_mobilenet_v1_coco", False),
    ('"ssd_mobilenet_v1"', '"ssd_resnet50_v1_fpn"',
     "ssd_mobilenet_v1_fpn_shared_box_predictor_640x640_coco14_sync", False),
    ('"ssd_mobilenet_v1"', '"ssd_resnet50_v1_fpn_keras"',
     "ssd_mobilenet_v1_fpn_640x640_coco17_tpu-8", False),
    ('"ssd_mobilenet_v1"', '"ssd_efficientnet-b0_bifpn_keras"',
     "ssd_mobilenet_v2_fpnlite_320x320_coco17_tpu-8", False),
    ("fixed_shape_resizer { height: 300 width: 300 }", "keep_aspect_ratio_resizer { }",
     "ssd_mobilenet_v1_coco", True),
    ("ssd_random_crop { }", "autoaugment_image { }", "ssd_mobilenet_v1_coco", True),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "sample", "same_network"), SAMPLES)
def test_the_nearest_sample_has_the_paths_of_the_config(
    old: str, new: str, sample: str, same_network: bool
) -> None:
    config = parse_config(changed(old, new), "my own.config")
    with pytest.raises(TfodError) as caught:
        assert config.pipeline
    checkpoint = "--fine_tune_checkpoint=models/model.ckpt " if same_network else ""
    assert caught.value.remedy.endswith(
        f"boxwright tfod sample_config {sample} --label_map_path=data/label_map.pbtxt "
        f"--train_record=data/train.record --eval_record=data/val.record {checkpoint}"
        "--output_path='my own.nearest.config'"
    )
    assert sample_config(sample)


def test_a_line_that_can_be_mended_needs_no_sample() -> None:
    with pytest.raises(TfodError) as caught:
        assert parse_config(changed("num_layers: 6", "num_layers: 7")).pipeline
    assert "sample_config ssd" not in caught.value.remedy


def test_of_several_evaluation_readers_the_first_is_used() -> None:
    second = 'eval_input_reader {\n  label_map_path: "PATH_TO_BE_CONFIGURED/other.pbtxt"\n}\n'
    config = parse_config(HELMET + second)
    assert config.pipeline == parse_config(HELMET).pipeline
    line = line_of(second, HELMET + second)
    assert any(f":{line}: eval_input_reader is ignored" in each for each in report(config))


def test_a_synchronized_batch_norm_is_a_batch_norm() -> None:
    own = parse_config(HELMET.replace("batch_norm {", "sync_batch_norm {")).pipeline.model
    plain = parse_config(HELMET).pipeline.model
    for part in ("feature_extractor", "box_predictor"):
        norms = [getattr(ssd, part).conv_hyperparams.norm for ssd in (own, plain)]
        assert norms[0] == norms[1] is not None


def test_other_families_of_networks_are_named() -> None:
    text = "model {\n  faster_rcnn {\n    num_classes: 3\n  }\n}\n" + HELMET.split("\n}\n", 1)[1]
    with pytest.raises(TfodError, match="SSD is the only") as caught:
        assert parse_config(text).pipeline
    assert caught.value.where == "pipeline.config:2"


def test_all_that_is_not_supported_is_said_at_once() -> None:
    text = changed(
        "box_code_size: 4", "box_code_size: 5", changed("num_layers: 6", "num_layers: 7")
    )
    with pytest.raises(TfodError, match=r"size: 5 .* Line \d+: .*num_layers: 7 is not supported"):
        assert parse_config(text).pipeline


FAULTS = [
    ("batch_size: 12", "batch_size: twelve", "BW722", "batch_size is twelve, not an integer"),
    ("batch_size: 12", "batch_size: 12.5", "BW722", "is 12.5, not an integer"),
    ("batch_size: 12", "batch_size: '12'", "BW722", 'is "12", not an integer'),
    ("batch_size: 12", "batch_size: 0", "BW722", "at least 1"),
    ("batch_size: 12", f"batch_size: {'9' * 5000}", "BW722", "not an integer"),
    ("batch_size: 12", "batch_size { }", "BW722", "has fields"),
    ("iou_threshold: 0.6", "iou_threshold: 60", "BW722", "at least 0 and at most 1"),
    ("iou_threshold: 0.6", "iou_threshold: nan", "BW722", "not a number"),
    ("y_scale: 10.0", "y_scale: 0", "BW722", "y_scale is 0"),
    ("0.5, 3.0, 0.3333", "0.5, 0", "BW722", "aspect_ratios is 0"),
    ("shuffle: false", "shuffle: no", "BW722", "Write true or false"),
    ("activation: RELU_6", "activation: RELU6", "BW722", "Did you mean RELU_6"),
    ("activation: RELU_6", 'activation: "RELU_6"', "BW722", "without quotation marks"),
    ('"ssd_mobilenet_v1"', "ssd_mobilenet_v1", "BW722", "in quotation marks"),
    ("iou_similarity { }", "iou_similarity: 1", "BW722", "not fields between"),
    ("num_classes: 1", "", "BW723", "model.ssd has no num_classes"),
    ("fixed_shape_resizer { height: 300 width: 300 }", "", "BW723", "contains none of fixed_shape"),
    ("similarity_calculator { iou_similarity { } }", "", "BW723", "no similarity_calculator"),
    ("iou_similarity { }", "", "BW723", "contains none of iou_similarity"),
    ("max_evals: 10", "num_examples: 71", "BW733", "'num_examples' conflicts with"),
    ("rms_prop_optimizer {", "adam_optimizer { } rms_prop_optimizer {", "BW733", "only one of"),
    ("weighted_sigmoid { }", "weighted_sigmoid { } weighted_softmax { }", "BW733", "contains both"),
    ("max_evals: 10", "}", "BW721", "closes no bracket"),
    ('"data/train.record"', "E:\\data\\train.record", "BW721", "in quotation marks"),
    ('"data/train.record"', "“data/train.record”", "BW721", "typographic"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "code", "said"), FAULTS)
def test_a_fault_has_its_line_and_its_remedy(old: str, new: str, code: str, said: str) -> None:
    text = changed(old, new)
    with pytest.raises(TfodError) as caught:
        parse_config(text, "my.config")
    assert caught.value.code == code
    assert said in str(caught.value)
    place, _, line = (caught.value.where or "").rpartition(":")
    assert place == "my.config"
    if code != "BW723" and "closes" not in said:
        assert int(line) == line_of(new, text)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(TfodError, match=r"BW721 .*none\.config: .*No such file"):
        read_config(tmp_path / "none.config")
    (tmp_path / "sixteen.config").write_bytes(HELMET.encode("utf-16"))
    with pytest.raises(TfodError, match="not UTF-8 text"):
        read_config(tmp_path / "sixteen.config")
    (tmp_path / "bom.config").write_bytes(b"\xef\xbb\xbf" + HELMET.encode())
    assert read_config(tmp_path / "bom.config").pipeline.model.num_classes == 1


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (r"'E:\demo\new\train.record'", r"E:\demo\new\train.record"),
        (r"'E:\\demo\\new\\train.record'", r"E:\demo\new\train.record"),
        (r"'E:/demo/new folder/train.record'", "E:/demo/new folder/train.record"),
        (r"'\\server\share\train.record'", r"\\server\share\train.record"),
        (r"'data/Waschb\303\244r.record'", "data/Waschbär.record"),
        (r"'data/' 'train.record'", "data/train.record"),
    ],
)
def test_paths_are_read_as_they_are_meant(written: str, read: str) -> None:
    config = parse_config(changed('"data/train.record"', written))
    assert config.pipeline.train_input_reader.tf_record_input_reader.input_path == (read,)


@pytest.mark.parametrize("option", [name for name, kind in OPTIONS.items() if type(kind) is type])
def test_every_option_of_augmentation_is_read(option: str) -> None:
    config = parse_config(changed("ssd_random_crop { }", f"{option} {{ }}"))
    assert config.pipeline.train_config.data_augmentation_options[1] == OPTIONS[option]()


def unknown(ours: Any, theirs: str, seen: set[tuple[Any, str]]) -> Iterator[str]:
    """The fields of a message of the API that ours lacks, and those of the messages in it."""
    if (ours, theirs) in seen:
        return
    seen.add((ours, theirs))
    specs, fields = schema(ours), API[theirs]
    yield from (f"{theirs}.{name}" for name in fields.keys() - specs.keys())
    for name, inner in fields.items():
        spec = specs.get(name)
        choices = (spec.rule.choices or {}) if spec else {}
        of_name = {name: inner} if spec and (spec.rule.inline or not choices) else API[inner]
        kinds = choices or ({name: spec.single} if spec else {})
        yield from (f"{inner}.{each}" for each in of_name.keys() - kinds.keys())
        for each in of_name.keys() & kinds.keys():
            if isinstance(kinds[each], type) and issubclass(kinds[each], ConfigMessage):
                yield from unknown(kinds[each], of_name[each], seen)


def test_every_field_of_the_api_is_known() -> None:
    """`benchmarks/odapi_reference.py` wrote them from version 2.8."""
    seen: set[tuple[Any, str]] = set()
    assert list(unknown(Pipeline, "TrainEvalPipelineConfig", seen)) == []
    assert len(seen) > 60


@given(st.sampled_from(HELMET.split()), st.sampled_from(["", "}", "{", "1", "x", "'x'", "a: 1"]))
def test_no_damage_ends_in_another_error(old: str, new: str) -> None:
    with contextlib.suppress(TfodError):
        report(parse_config(HELMET.replace(old, new, 1)))
    with contextlib.suppress(TfodError):
        config, problems = examined(HELMET.replace(old, new, 1))
        assert problems or check_all(config).problems


@pytest.mark.parametrize(
    "said", ["train_config { batch_siz: 3 }", "train_config { batch_size: 0 }", "modell { }"]
)
def test_what_is_wrong_with_an_override_is_not_looked_for_in_the_file(said: str) -> None:
    with pytest.raises(TfodError, match=r"pipeline\.config, as overridden"):
        parse_config(HELMET, override=said).pipeline  # noqa: B018
