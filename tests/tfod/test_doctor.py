"""The doctor: all that is wrong with a config in one report, and a corrected copy."""

from __future__ import annotations

from pathlib import Path

import pytest
from api_folder import ApiFolder

from boxwright.errors import TfodError
from boxwright.tfod.config import read_config

FAULTS = {  # what is written, what stands there instead, what is said, what the copy has
    "num_classes: 1": ("num_classes: 90", "num_classes is 90", "num_classes: 1"),
    "num_layers: 6": ("num_layers: 7", "num_layers: 7 is not supported", None),
    "activation: RELU_6": ("activation: RELU6", "RELU6", "activation: RELU_6"),
    "num_steps: 2": ("num_steps: 9 num_steps: 2", "conflicts with 'num_steps'", "num_steps: 2"),
    "batch_size: 4": ("batch_siz: 4", "the nearest field is 'batch_size'", "batch_size: 4"),
    "score_converter: SIGMOID": ("", "has no score_converter", "score_converter: SIGMOID"),
    "height: 64": ("height: 96", "the network's input is square", "height: 64"),
    "random_horizontal_flip {": (
        "autoaugment_image {",
        "the nearest is random_distort_color",
        "random_distort_color {",
    ),
    "ssd_random_crop {": ("drop_label_probabilistically {", "leave it out", None),
    "weighted_sigmoid {": (
        "weighted_softmax {",
        "the nearest is weighted_sigmoid",
        "weighted_sigmoid {",
    ),
}


@pytest.fixture
def api(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ApiFolder:
    monkeypatch.chdir(tmp_path)
    return ApiFolder.made(tmp_path)


def broken(api: ApiFolder, faults: dict[str, tuple[str, str, str | None]]) -> Path:
    path = api.config()
    text = path.read_text(encoding="utf-8")
    for old, (new, *_) in faults.items():
        assert old in text
        text = text.replace(old, new, 1)
    path.write_text(text, encoding="utf-8")
    return path


def doctor(api: ApiFolder) -> tuple[str, TfodError]:
    with pytest.raises(TfodError, match="BW740") as caught:
        api.run("doctor ROOT/pipeline.config", api.said.append)
    return "\n".join(api.said), caught.value


def test_all_faults_are_said_at_once_and_corrected(api: ApiFolder) -> None:
    path = broken(api, FAULTS)
    report, error = doctor(api)
    corrected = path.with_name("pipeline.corrected.config")
    text = corrected.read_text(encoding="utf-8")
    for _, said, written in FAULTS.values():
        assert said in report
        assert written is None or written in text
    assert "autoaugment" not in text
    assert f"has {len(FAULTS)} problems" in error.message
    assert str(corrected) in error.remedy
    assert f"{len(FAULTS)} corrections, 0 problems left" in report
    assert read_config(corrected).pipeline.train_config.batch_size == 4
    assert f"sample_config ssd_mobilenet_v1_coco --label_map_path={api.root}" in report


def test_parts_that_do_not_fit_together_are_said(api: ApiFolder) -> None:
    api.config("model { ssd { anchor_generator { ssd_anchor_generator { num_layers: 5 } } } }")
    report, _ = doctor(api)
    assert "anchors for 5, but the feature extractor has 6 feature maps" in report


def test_a_reader_takes_every_nth_image(api: ApiFolder) -> None:
    api.config("train_input_reader { sample_1_of_n_examples: 4 }")
    assert "train_input_reader: 2 images, 2 boxes" in api.run("doctor ROOT/pipeline.config")


def test_the_copy_is_sound(api: ApiFolder) -> None:
    broken(api, FAULTS)
    doctor(api)
    said = api.run("doctor ROOT/pipeline.corrected.config")
    assert "train_input_reader: 6 images, 6 boxes" in said
    assert said[-1].startswith(f"{api.root}/pipeline.corrected.config: nothing is wrong.")


def test_lost_files_are_found_by_their_names(api: ApiFolder) -> None:
    path = api.config()
    text = path.read_text(encoding="utf-8").replace(api.root.as_posix(), "/content/somewhere")
    text = text.replace("train_config {", 'train_config {\n  fine_tune_checkpoint: "'
                        '/content/ssd_mobilenet_v1_coco_2018_01_28/model.ckpt"')  # fmt: skip
    path.write_text(text, encoding="utf-8")
    doctor(api)
    pipeline = read_config(path.with_name("pipeline.corrected.config")).pipeline
    assert pipeline.train_input_reader.tf_record_input_reader.input_path == ("train.record",)
    assert pipeline.eval_input_reader.label_map_path == "label_map.pbtxt"
    assert pipeline.train_config.fine_tune_checkpoint == "ssd_mobilenet_v1_coco"


def test_typographic_quotes_are_replaced(api: ApiFolder) -> None:
    path = api.config()
    text = path.read_text(encoding="utf-8").replace(
        '"ssd_mobilenet_v1"', "\u201cssd_mobilenet_v1\u201d"
    )
    path.write_text(text, encoding="utf-8")
    report, _ = doctor(api)
    assert "typographic" in report
    assert "0 problems left" in report


def test_what_has_no_right_answer_is_left(api: ApiFolder) -> None:
    (api.root / "val.record").write_bytes(b"")
    api.config()
    report, error = doctor(api)
    assert "BW730" in report
    assert "is empty" in report
    assert "corrected" not in report
    assert error.remedy == "Mend the lines that have no correction."


def test_what_is_odd_is_said(api: ApiFolder) -> None:
    records = 'tf_record_input_reader { input_path: "ROOT/train.record" }'
    same = f"eval_input_reader {{ {records.replace('ROOT', api.root.as_posix())} }}"
    (api.root / "label_map.pbtxt").write_text(
        "item { id: 1 name: 'square' } item { id: 2 name: 'circle' }", encoding="utf-8"
    )
    api.config(f"{same} model {{ ssd {{ num_classes: 2 }} }} train_config {{ batch_size: 9 }}")
    said = "\n".join(api.run("doctor ROOT/pipeline.config"))
    assert "both readers read the same records" in said
    assert "no box to train on has the class circle" in said
    assert "batch_size is 9, but there are 6 images to train on" in said
    assert "starts from scratch" in said


def test_a_record_with_an_unknown_class_is_a_problem(api: ApiFolder) -> None:
    (api.root / "label_map.pbtxt").write_text("item { id: 1 name: 'circle' }", encoding="utf-8")
    api.config()
    report, _ = doctor(api)
    assert "BW706" in report
    assert "the class 'square'" in report


def test_what_is_no_config_is_named(api: ApiFolder) -> None:
    (api.root / "pipeline.config").write_text("\n<!DOCTYPE html>", encoding="utf-8")
    with pytest.raises(TfodError, match=r"BW721 .*web page; download the file itself"):
        api.run("doctor ROOT/pipeline.config")
