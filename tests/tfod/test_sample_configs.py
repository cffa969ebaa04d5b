"""Sample configs: the published numbers, the user's paths."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from boxwright.errors import TfodError
from boxwright.models.weights import zoo
from boxwright.structures.labels import write_label_map
from boxwright.tfod.config import SAMPLES, parse_config, read_config, report, sample_config
from boxwright.tfod.config.paths import weights
from boxwright.tfod.config.pipeline import InputReader

pytestmark = pytest.mark.tiny

CONFIGS = Path(__file__).parent / "configs"


@pytest.mark.parametrize("name", SAMPLES)
def test_a_sample_is_supported_from_the_first_line_to_the_last(name: str) -> None:
    text = sample_config(name)
    config = parse_config(text)
    assert report(config) == []
    start = parse_config(text).pipeline.train_config.fine_tune_checkpoint
    in_zoo = zoo.of_title(name)
    assert start == (in_zoo.name if in_zoo else "PATH_TO_BE_CONFIGURED/model.ckpt")
    assert text.count("PATH_TO_BE_CONFIGURED") == (4 if in_zoo else 5)
    assert in_zoo is None or weights(start, "pipeline.config:1") == in_zoo
    pipeline = config.pipeline
    assert pipeline.model.num_classes == 90
    assert pipeline.model.feature_extractor.network in name.replace("ssdlite", "ssd")
    version = "V2" if "coco17" in name else "V1"
    assert pipeline.train_config.fine_tune_checkpoint_version == version
    assert ("lite" in name) == pipeline.model.box_predictor.use_depthwise
    assert ("0.75" in name) == (pipeline.model.feature_extractor.depth_multiplier == 0.75)
    assert ("quantized" in name) == (pipeline.graph_rewriter.quantization is not None)
    extractor = config.tree.find("model.ssd.feature_extractor.*")
    assert "num_layers" not in [each.name for each in extractor]  # the API's pyramids refuse it


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("ssd_mobilenet_v1_coco", "helmet.config"),
        ("ssd_mobilenet_v1_quantized_300x300_coco14_sync", "quantized.config"),
    ],
)
def test_samples_are_the_networks_of_the_tutorials(name: str, file: str) -> None:
    sample, tutorial = parse_config(sample_config(name)).pipeline, read_config(CONFIGS / file)
    model = tutorial.pipeline.model
    assert replace(sample.model, num_classes=1, inplace_batchnorm_update=False) == replace(
        model,
        inplace_batchnorm_update=False,
        matcher=replace(model.matcher, use_matmul_gather=False),
    )
    assert sample.train_config.optimizer == tutorial.pipeline.train_config.optimizer
    assert sample.train_config.num_steps == tutorial.pipeline.train_config.num_steps


def test_the_users_paths_and_classes_are_filled_in(tmp_path: Path) -> None:
    label_map = tmp_path / "label map.pbtxt"
    write_label_map(label_map, ["hamster", "apple"])
    text = sample_config(
        "ssd_mobilenet_v2_quantized_300x300_coco",
        label_map=label_map,
        train_records=["E:\\demo\\train.record-?????-of-00002", "more.record"],
        eval_records=["val.record"],
        checkpoint="zoo/model.ckpt",
        num_examples=40,
    )
    pipeline = parse_config(text).pipeline
    assert "PATH_TO_BE_CONFIGURED" not in text
    assert pipeline.model.num_classes == 2
    assert pipeline.train_input_reader.label_map_path == label_map.as_posix()
    assert pipeline.train_input_reader.tf_record_input_reader.input_path == (
        "E:/demo/train.record-?????-of-00002",
        "more.record",
    )
    assert not pipeline.eval_input_reader.shuffle
    assert pipeline.train_config.fine_tune_checkpoint == "zoo/model.ckpt"
    assert pipeline.eval_config.num_examples == 40


def test_an_unknown_sample_has_near_spellings() -> None:
    with pytest.raises(TfodError, match=r"BW731 .*Did you mean ssd_mobilenet_v1_coco"):
        sample_config("ssd_mobilenet_v1_cocoo")


def test_numbers_are_those_of_the_api() -> None:
    ssd = parse_config(sample_config("ssd_mobilenet_v1_coco")).pipeline.model
    assert ssd.anchor_generator.aspect_ratios[-1] == float(np.float32(0.3333))
    assert InputReader().shuffle
