"""What is said of a config before training: paths, classes, checkpoints, steps, records."""

from __future__ import annotations

from pathlib import Path

import pytest

from boxwright.errors import BoxwrightError
from boxwright.formats.tfrecord.framing import write_record
from boxwright.models.ssd.network import BACKBONES
from boxwright.tfod.config import Config, checked, parse_config
from boxwright.tfod.config.model import FEATURE_EXTRACTORS

CONFIG = (Path(__file__).parent / "configs" / "helmet.config").read_text(encoding="utf-8")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """All files that the config names, below the current folder."""
    for name in ("data/train.record", "data/val.record"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        with path.open("wb") as file:
            write_record(file, b"an example")
    (tmp_path / "data" / "label_map.pbtxt").write_text("item { id: 1 name: 'helmet' }")
    (tmp_path / "models").mkdir()
    for suffix in ("index", "meta", "data-00000-of-00001"):
        (tmp_path / "models" / f"model.ckpt.{suffix}").touch()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def config(old: str = "", new: str = "") -> Config:
    assert old in CONFIG
    return parse_config(CONFIG.replace(old, new, 1) if old else CONFIG)


def line_of(part: str, text: str) -> int:
    return text[: text.index(part)].count("\n") + 1


def test_a_config_with_all_that_it_names(folder: Path) -> None:
    job = checked(config())
    assert job.classes == {1: "helmet"}
    assert [path.name for path in job.train_records + job.eval_records] == [
        "train.record",
        "val.record",
    ]
    assert job.checkpoint == Path("models/model.ckpt")
    assert job.pipeline.train_config.batch_size == 12


def test_only_what_is_needed_is_looked_at(folder: Path) -> None:
    for path in folder.glob("data/*"):
        path.unlink()
    assert checked(config(), train=False, evaluate=False).train_records == ()
    model = parse_config(CONFIG[: CONFIG.index("train_config")])
    assert checked(model, train=False, evaluate=False).pipeline.model.num_classes == 1
    with pytest.raises(BoxwrightError, match=r"BW723 .*has no train_config"):
        checked(model)


def test_only_the_first_evaluation_reader_is_checked(folder: Path) -> None:
    second = 'eval_input_reader { label_map_path: "lost" } '
    third = 'eval_input_reader { tf_record_input_reader { input_path: "PATH_TO_BE_CONFIGURED" } }'
    assert (
        checked(parse_config(CONFIG + second + third)).eval_records
        == checked(config()).eval_records
    )


def test_patterns_and_several_paths(folder: Path) -> None:
    record = (folder / "data" / "train.record").read_bytes()
    for number in range(3):
        (folder / "data" / f"part-{number}-of-00003").write_bytes(record if number else b"")
    job = checked(config('"data/train.record"', '["data/part-?-of-00003", "data/train.record"]'))
    assert [path.name for path in job.train_records] == [
        "part-1-of-00003",
        "part-2-of-00003",
        "train.record",
    ]


RATE = CONFIG[CONFIG.index("exponential_decay") : CONFIG.index("momentum_optimizer_value")]
MANUAL = "manual_step_learning_rate {{ {} }} }}\n"
FAULTS = [
    ('"data/train.record"', '"data/train.recrod"', "BW726", "which contains train.record"),
    ('"data/train.record"', '"none/of/these"', "BW726", "/none/of/these does not exist"),
    ('"data/train.record"', '"data/part-?"', "BW726", "does not exist"),
    ('"data/train.record"', '"E:/demo/train.record"', "BW726", "a Windows path"),
    ('"data/train.record"', '"gs://bucket/train.record"', "BW726", "copy the file"),
    ('"data/train.record"', '"data"', "BW730", "is a folder"),
    ('"data/train.record"', '"models/notes.csv"', "BW730", "is not a TFRecord file"),
    ('"data/train.record"', '"empty.record"', "BW730", "is empty"),
    ('"data/val.record"', '"packed.record"', "BW730", "is compressed (gzip)"),
    ('"data/label_map.pbtxt"', '"data/labels.pbtxt"', "BW726", "which contains label_map.pbtxt"),
    ('"data/label_map.pbtxt"', '"zero.pbtxt"', "BW116", "reserved for the background"),
    ('label_map_path: "data/label_map.pbtxt"', "", "BW723", "has no label_map_path"),
    ('input_path: "data/train.record"', "", "BW723", "has no tf_record_input_reader"),
    ('"data/train.record"', '"PATH_TO_BE_CONFIGURED/train.record"', "BW725", "input_path in line"),
    ('"models/model.ckpt"', '"PATH_TO_BE_CONFIGURED/m"', "BW725", "fine_tune_checkpoint in line"),
    ("num_classes: 1", "num_classes: 90", "BW727", "num_classes is 90, but the highest id"),
    ("width: 300", "width: 400", "BW724", "fixed_shape_resizer { height: 352 width: 352 }"),
    ("width: 300", "width: 400", "BW724",
     "sample_config ssd_mobilenet_v1_coco --label_map_path=data/label_map.pbtxt --train_record="),
    ("width: 300 } }\n    feature_extractor {",
     "width: 300 } }\n    feature_extractor { pad_to_multiple: 32",
     "BW724", "Write fixed_shape_resizer { height: 320 width: 320 } there."),
    ('"models/model.ckpt"', '"models/model.ckpt.index"', "BW728", "models/model.ckpt"),
    ('"models/model.ckpt"', '"models/model.ckpt.data-00000-of-00001"', "BW728", "model.ckpt"),
    ('"models/model.ckpt"', '"models/model.chpt"', "BW728", "Write models/model.ckpt."),
    ('"models/model.ckpt"', '"models/frozen.pb"', "BW728", "frozen graph"),
    ('"models/model.ckpt"', '"models/zoo.tar.gz"', "BW728", "neither"),
    ('"models/model.ckpt"', '"/x/ssd_mobilenet_v2_coco_2018_03_29/model.ckpt"', "BW728",
     "Write ssd_mobilenet_v2_coco."),
    ('"models/model.ckpt"', '"nanodet_plus_m_320_coco"', "BW728", "does not exist"),
    ('"models/model.ckpt"', '"models/half.ckpt"', "BW728", ".data-00000-of-00001 is missing"),
    ('"models/model.ckpt"', '"data"', "BW728", "no checkpoints"),
    ("decay_steps: 800720", "decay_steps: 0", "BW729", "decay_steps is 0"),
    (RATE, MANUAL.format("schedule { step: 0 learning_rate: .1 }"), "BW729", "starts at step 0"),
    (RATE, MANUAL.format("schedule { learning_rate: .1 }"), "BW729", "schedule is 0"),
    (RATE, MANUAL.format("schedule { step: 9 } schedule { step: 9 }"), "BW729", "9 comes after"),
    (RATE, MANUAL.format(""), "BW729", "has no schedule"),
    (RATE, "cosine_decay_learning_rate { total_steps: 9 } }\n", "BW729", "take all of total_steps"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "code", "said"), FAULTS)
def test_a_fault_names_its_line(folder: Path, old: str, new: str, code: str, said: str) -> None:
    (folder / "empty.record").touch()
    (folder / "packed.record").write_bytes(b"\x1f\x8b\x08" + bytes(20))
    (folder / "models" / "notes.csv").write_text("filename,width,height")
    (folder / "zero.pbtxt").write_text("item { id: 0 name: 'helmet' }")
    for name in ("frozen.pb", "zoo.tar.gz", "half.ckpt.index"):
        (folder / "models" / name).touch()
    given = config(old, new)
    with pytest.raises(BoxwrightError) as caught:
        checked(given)
    assert caught.value.code == code
    assert said in str(caught.value)
    text = CONFIG.replace(old, new, 1)
    if code not in {"BW116", "BW723"}:
        assert caught.value.where == f"pipeline.config:{line_of(new or old, text)}"


def test_a_step_of_zero_is_named_by_its_own_line(folder: Path) -> None:
    schedule = "schedule {\n  step: 500\n}\nschedule {\n  learning_rate: .1\n  step: 0\n}"
    text = CONFIG.replace(RATE, MANUAL.format(schedule), 1)
    with pytest.raises(BoxwrightError, match="BW729") as caught:
        checked(parse_config(text))
    assert caught.value.where == f"pipeline.config:{line_of('step: 0', text)}"


def test_the_folder_of_a_training_means_its_latest_checkpoint(folder: Path) -> None:
    job = checked(config('"models/model.ckpt"', '"models"'))
    assert job.checkpoint == Path("models/model.ckpt")


def test_without_a_checkpoint_training_begins_from_scratch(folder: Path) -> None:
    assert checked(config('fine_tune_checkpoint: "models/model.ckpt"', "")).checkpoint is None


def test_the_networks_are_those_that_there_are() -> None:
    assert set(FEATURE_EXTRACTORS.values()) == set(BACKBONES)


def test_all_paths_that_lead_nowhere_are_named_at_once(folder: Path) -> None:
    (folder / "data" / "train.record").unlink()
    (folder / "data" / "label_map.pbtxt").unlink()
    (folder / "models" / "model.ckpt.index").unlink()
    with pytest.raises(BoxwrightError, match="BW726") as caught:
        checked(config())
    text = caught.value.message
    for name in ("train.record", "label_map.pbtxt", "model.ckpt"):
        assert f"{name} does not exist" in text
    lines = [line_of("data/train.record", CONFIG), line_of("models/model.ckpt", CONFIG)]
    assert all(f"Line {line}: " in text for line in lines)


@pytest.mark.parametrize("name", ["ssd_mobilenet_v2_coco", "ssd_mobilenet_v1_coco_2018_01_28"])
def test_a_name_of_the_zoo_is_a_start(folder: Path, name: str) -> None:
    start = checked(config('"models/model.ckpt"', f'"{name}"')).checkpoint
    assert not isinstance(start, Path)
    assert start is not None
    assert start.family == "ssd"


def test_a_tflite_file_is_a_start(folder: Path) -> None:
    (folder / "models" / "detect.tflite").touch()
    start = checked(config('"models/model.ckpt"', '"models/detect.tflite"')).checkpoint
    assert start == Path("models/detect.tflite")


def test_the_evaluation_may_take_each_image_once(folder: Path) -> None:
    text = CONFIG.replace("shuffle: false", "shuffle: false num_epochs: 1")
    assert checked(parse_config(text)).eval_records
    with pytest.raises(BoxwrightError, match=r"BW724 .*num_epochs: 1 .*num_steps sets"):
        checked(config('"data/train.record"', '"data/train.record" } num_epochs: 1 name: "" #'))
