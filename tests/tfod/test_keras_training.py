"""A config of TensorFlow 2, trained: checkpoints `ckpt-N`, from which the training goes on."""

from __future__ import annotations

from pathlib import Path

import pytest
from api_folder import ApiFolder

from boxwright.models.backbones import mobilenet_v2
from boxwright.tfod.config import sample_config

TRAIN = "train --pipeline_config_path=ROOT/pipeline.config --train_dir=ROOT/training"
SMALL = {
    "height: 320": "height: 64",
    "width: 320": "width: 64",
    "depth_multiplier: 1.0": "depth_multiplier: 0.1",
    "num_layers_before_predictor: 4": "num_layers_before_predictor: 1",
    "batch_size: 128": "batch_size: 2",
    'fine_tune_checkpoint: "ssd_mobilenet_v2_fpnlite_320x320_coco17"': "",
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ApiFolder:
    monkeypatch.setattr(mobilenet_v2, "BLOCKS", ((16, 1), (24, 2), (32, 2), (64, 2), (96, 2)))
    monkeypatch.setattr(mobilenet_v2, "LEVELS", {2: 2, 3: 3, 4: 4})
    return ApiFolder.made(tmp_path, 4, 1)


def config(folder: ApiFolder, steps: int) -> None:
    text = sample_config(
        "ssd_mobilenet_v2_fpnlite_320x320_coco17_tpu-8",
        label_map=folder.root / "label_map.pbtxt",
        train_records=[folder.root / "train.record"],
        eval_records=[folder.root / "val.record"],
    )
    for before, after in {**SMALL, "num_steps: 50000": f"num_steps: {steps}"}.items():
        assert before in text
        text = text.replace(before, after)
    (folder.root / "pipeline.config").write_text(text, encoding="utf-8")


@pytest.mark.usefixtures("op_by_op")
def test_a_training_writes_checkpoints_and_goes_on(folder: ApiFolder) -> None:
    from boxwright.models.weights.checkpoint import read_variables

    config(folder, 1)
    folder.run(TRAIN)
    names = {path.name for path in (folder.root / "training").iterdir()}
    assert {"checkpoint", "ckpt-1.index", "ckpt-1.data-00000-of-00001"} <= names
    assert not any(name.startswith("model.ckpt") for name in names)
    config(folder, 2)
    said = folder.run(TRAIN)
    assert any("ckpt-1, step 1" in line for line in said)
    values = read_variables(folder.root / "training" / "ckpt-2")
    kernel = "FeatureExtractor/MobilenetV2/fpn/smoothing_1/pointwise_weights"
    assert values[f"{kernel}/Momentum"].shape == values[kernel].shape
    assert values["global_step"] == 2
