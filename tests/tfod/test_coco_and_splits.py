"""create_coco_tf_record, partition_dataset and the many flags of generate_tfrecords."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from data_commands import DOG, Examples, Tfod, code_of, records

from folders import VocFolder

CATEGORIES = [{"id": 18, "name": "dog"}, {"id": 90, "name": "toothbrush"}]


@pytest.fixture
def coco(voc_folder: VocFolder) -> Path:
    """Three images, of which the second has no box."""
    root = voc_folder.root
    for name in "abc":
        voc_folder.image(f"images/{name}.jpg")
    images = [
        {"id": i, "file_name": f"{name}.jpg", "width": 64, "height": 48}
        for i, name in enumerate("abc")
    ]
    boxes = [
        {"id": 1, "image_id": 0, "category_id": 18, "bbox": [10, 12, 40, 32]},
        {"id": 2, "image_id": 2, "category_id": 90, "bbox": [1, 2, 3, 4]},
    ]
    content = {"images": images, "annotations": boxes, "categories": CATEGORIES}
    (root / "train.json").write_text(json.dumps(content), encoding="utf-8")
    return root


def words(root: Path) -> list[str]:
    return [
        f"--train_image_dir={root / 'images'}",
        f"--train_annotations_file={root / 'train.json'}",
        f"--output_dir={root / 'records'}",
    ]


def test_coco_becomes_shards_with_its_category_ids(
    tfod: Tfod, examples: Examples, coco: Path
) -> None:
    said = tfod("create_coco_tf_record", *words(coco), "--train_shards=2", "--include_masks")
    assert len(said) == 2
    first, second = (coco / "records" / f"coco_train.record-0000{i}-of-00002" for i in range(2))
    assert records(first) == [("a.jpg", ["dog"]), ("c.jpg", ["toothbrush"])]
    assert records(second) == [("b.jpg", [])]
    ids = [one.get("image/object/class/label") for one in examples(first)]
    assert ids == [[18], [90]]


def test_what_coco_lacks_is_said(tfod: Tfod, coco: Path) -> None:
    some = words(coco)
    assert code_of(lambda: tfod("create_coco_tf_record", *some[1:])) == "BW703"
    assert code_of(lambda: tfod("create_coco_tf_record", some[2])) == "BW703"
    assert code_of(lambda: tfod("create_coco_tf_record", *some, "--train_shards=0")) == "BW704"
    for text in ("[]", '{"images": [], "annotations": [], "categories": [{"id": 0, "name": "a"}]}'):
        (coco / "train.json").write_text(text, encoding="utf-8")
        assert code_of(lambda: tfod("create_coco_tf_record", *some)) in {"BW705", "BW110"}


def test_the_split_is_random_but_always_the_same(tfod: Tfod, voc_folder: VocFolder) -> None:
    for i in range(10):
        voc_folder.pair(f"images/{i}")
    images = voc_folder.root / "images"
    said = tfod("partition_dataset", "-x", "-i", images, "-r", "0.15", "-o", voc_folder.root)
    assert said == [
        f"{voc_folder.root / 'test'}: 2 images with 2 xml files",
        f"{voc_folder.root / 'train'}: 8 images with 8 xml files",
    ]
    chosen = sorted(path.name for path in (voc_folder.root / "test").iterdir())
    assert chosen[0] != "0.jpg" or chosen[2] != "1.jpg", "not simply the first"
    tfod("partition_dataset", "-i", images, "-r", "0.15", "-o", voc_folder.root / "again")
    again = sorted(path.name for path in (voc_folder.root / "again/test").iterdir())
    assert again == [name for name in chosen if not name.endswith(".xml")]


def test_a_folder_without_images_and_a_wrong_share_are_said(tfod: Tfod, tmp_path: Path) -> None:
    assert code_of(lambda: tfod("partition_dataset", "-i", tmp_path)) == "BW705"
    assert code_of(lambda: tfod("partition_dataset", "-i", tmp_path, "-r", "10")) == "BW704"
    assert code_of(lambda: tfod("train_val_test_split", f"--datapath={tmp_path}")) == "BW705"


@pytest.fixture
def dogs(voc_folder: VocFolder, tfod: Tfod, monkeypatch: pytest.MonkeyPatch) -> Path:
    voc_folder.pair("images/a", [DOG])
    root = voc_folder.root
    monkeypatch.chdir(root)
    voc_folder.text("annotations/label_map.pbtxt", "item { id: 5 name: 'dog' }")
    tfod("xml_to_csv", "-i", "images", "-o", "l.csv")
    return root


# The flags of the raccoons' script, of the guide's with and without a list, and of the Colab's.
FLAGS = [
    "--csv_input=l.csv --output_path=o.record --image_dir=images",
    "-x images -l annotations/label_map.pbtxt -o o.record",
    "-x images -l annotations/label_map.pbtxt -o o.record -i images -c again.csv",
    "--csv_input=l.csv --labelmap=names.txt --image_dir=images --output_path=o.record",
]


@pytest.mark.parametrize("flags", FLAGS)
def test_every_scripts_flags_give_the_same_record(tfod: Tfod, dogs: Path, flags: str) -> None:
    (dogs / "names.txt").write_text("dog\n", encoding="utf-8")
    tfod("generate_tfrecord", *flags.split())
    assert records(dogs / "o.record") == [("a.jpg", ["dog"])]
    if "again.csv" in flags:
        assert (dogs / "again.csv").read_bytes() == (dogs / "l.csv").read_bytes()
    if "names.txt" in flags:
        assert "id: 1" in (dogs / "labelmap.pbtxt").read_text(encoding="utf-8")


def test_the_label_map_is_found_or_asked_for(tfod: Tfod, dogs: Path) -> None:
    given = ["--csv_input=l.csv", "--image_dir=images", "--output_path=o.record"]
    assert tfod("generate_tfrecord", *given)[0].replace("\\", "/") == (
        "class ids from annotations/label_map.pbtxt"
    )
    (dogs / "labelmap.pbtxt").write_text("item { id: 1 name: 'dog' }", encoding="utf-8")
    assert code_of(lambda: tfod("generate_tfrecord", *given)) == "BW705", "which of the two?"


def test_a_list_or_xml_files_but_not_both(tfod: Tfod, dogs: Path) -> None:
    assert code_of(lambda: tfod("generate_tfrecord", "-o", "o.record")) == "BW703"
    both = ["--csv_input=l.csv", "-x", "images", "-o", "o.record"]
    assert code_of(lambda: tfod("generate_tfrecord", *both)) == "BW710"
    (dogs / "empty").mkdir()
    assert code_of(lambda: tfod("generate_tfrecord", "-x", "empty", "-o", "o.record")) == "BW705"


def test_the_first_tutorials_own_script_is_known(tfod: Tfod, voc_folder: VocFolder) -> None:
    voc_folder.pair("Annotations/a", [DOG])
    voc_folder.text("ImageSets/Main/dog_train.txt", "a.jpg 1\n")
    voc_folder.text("pascal_label_map.pbtxt", "item { id: 1 name: 'dog' }")
    root = voc_folder.root
    script = "object_detection/dataset_tools/create_helmet_tf_record.py"
    tfod(script, "--set=train", f"--data_dir={root}", f"--output_dir={root / 'out'}")
    assert records(root / "out/dog_train.record") == [("a.jpg", ["dog"])]
