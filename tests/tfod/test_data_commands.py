"""The tutorials' data half: from labelled photos to records, by the scripts' own flags."""

from __future__ import annotations

import io
import random
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from data_commands import DOG, TWO_CLASSES, Examples, Tfod, code_of, records
from PIL import Image

from boxwright.errors import BoxwrightError, FlagError
from boxwright.structures.findings import counted
from folders import CAT, VocFolder

ORIGINAL_KEYS = {  # of create_pascal_tf_record's Examples
    "image/height",
    "image/width",
    "image/filename",
    "image/source_id",
    "image/key/sha256",
    "image/encoded",
    "image/format",
    "image/object/bbox/xmin",
    "image/object/bbox/xmax",
    "image/object/bbox/ymin",
    "image/object/bbox/ymax",
    "image/object/class/text",
    "image/object/class/label",
    "image/object/difficult",
    "image/object/truncated",
    "image/object/view",
}


@pytest.fixture
def vott(voc_folder: VocFolder) -> Path:
    """What VoTT exports: three photos of helmets, two to train on."""
    for name in ("b", "a", "c"):
        voc_folder.image(f"JPEGImages/{name}.jpg")
        voc_folder.xml(f"Annotations/{name}.xml", [("helmet", *CAT[1:])])
    voc_folder.text("ImageSets/Main/helmet_train.txt", "b.jpg 1\na.jpg -1\n")
    voc_folder.text("ImageSets/Main/helmet_val.txt", "c.jpg 1\n")
    voc_folder.text("pascal_label_map.pbtxt", "item { id: 1 name: 'helmet' }\n")
    return voc_folder.root


# create_pascal_tf_record ----------------------------------------------------------------------


def test_the_helmet_variant_names_its_record_after_the_list(
    tfod: Tfod, vott: Path, tmp_path: Path
) -> None:
    out = tmp_path / "tfrecords"
    for split, names in (("train", ["b.jpg", "a.jpg"]), ("val", ["c.jpg"])):
        words = (f"--set={split}", f"--data_dir={vott}", f"--output_dir={out}")
        (said,) = tfod("create_pascal_tf_record", *words)
        record = out / f"helmet_{split}.record"
        images, boxes = counted(len(names), "image"), counted(len(names), "box", "boxes")
        assert said == f"{record}: {images}, {boxes}"
        assert records(record) == [(name, ["helmet"]) for name in names]


def test_both_years_merge_and_ids_are_the_label_maps(
    tfod: Tfod, examples: Examples, voc_folder: VocFolder, tmp_path: Path
) -> None:
    for year, name, box in (("VOC2007", "a", CAT), ("VOC2012", "b", DOG)):
        voc_folder.image(f"{year}/JPEGImages/{name}.jpg")
        voc_folder.xml(f"{year}/Annotations/{name}.xml", [box, CAT])
        voc_folder.text(f"{year}/ImageSets/Main/train.txt", f"{name}\n")
    voc_folder.text("map.pbtxt", TWO_CLASSES)
    root, record = voc_folder.root, tmp_path / "pascal.record"
    flags = (f"--data_dir={root}", "--year=merged", f"--output_path={record}")
    tfod("create_pascal_tf_record", *flags, f"--label_map_path={root / 'map.pbtxt'}")
    first, second = examples(record)
    assert set(first) == ORIGINAL_KEYS | {"image/object/is_crowd", "image/object/group_of"}
    assert [first["image/filename"], second["image/filename"]] == [[b"a.jpg"], [b"b.jpg"]]
    assert second["image/object/class/text"] == [b"dog", b"cat"]
    assert second["image/object/class/label"] == [5, 2]
    assert second["image/object/view"] == [b"Unspecified"] * 2
    assert second["image/object/bbox/xmin"] == pytest.approx([10 / 64, 4 / 64])
    assert second["image/encoded"] == [(root / "VOC2012/JPEGImages/b.jpg").read_bytes()]


def test_difficult_boxes_can_be_left_out(
    tfod: Tfod, vott: Path, voc_folder: VocFolder, tmp_path: Path
) -> None:
    xml = vott / "Annotations" / "c.xml"
    text = xml.read_text(encoding="utf-8")
    xml.write_text(text.replace("<bndbox>", "<difficult>1</difficult><bndbox>"), encoding="utf-8")
    words = ("--set=val", f"--data_dir={vott}", f"--output_path={tmp_path / 'v.record'}")
    tfod("create_pascal_tf_record", *words)
    assert records(tmp_path / "v.record") == [("c.jpg", ["helmet"])]
    tfod("create_pascal_tf_record", *words, "--ignore_difficult_instances")
    assert records(tmp_path / "v.record") == [("c.jpg", [])]


def test_what_is_missing_is_said_by_name(
    tfod: Tfod, vott: Path, voc_folder: VocFolder, tmp_path: Path
) -> None:
    out = f"--output_path={tmp_path / 'x.record'}"

    def run(*words: str) -> Callable[[], object]:
        return lambda: tfod("create_pascal_tf_record", f"--data_dir={vott}", *words)

    assert code_of(run()) == "BW703"
    assert code_of(run("--set=test", out)) == "BW705"
    assert code_of(run("--annotations_dir=Labels", out)) == "BW705"
    assert code_of(run("--label_map_path=nowhere.pbtxt", out)) == "BW116"
    voc_folder.text("other.pbtxt", "item { id: 1 name: 'Helmet' }")
    with pytest.raises(BoxwrightError, match="Did you mean 'Helmet'") as caught:
        run(f"--label_map_path={vott / 'other.pbtxt'}", out)()
    assert caught.value.code == "BW706"
    voc_folder.text("ImageSets/Main/helmet_train.txt", "b\nz\n")
    assert code_of(run(out)) == "BW711"
    (vott / "pascal_label_map.pbtxt").unlink()
    assert code_of(run(out)) == "BW705"
    assert not (tmp_path / "x.record").exists()


@pytest.mark.shared
def test_blood_cells_by_their_list(
    tfod: Tfod, examples: Examples, shared: Path, tmp_path: Path
) -> None:
    root = shared / "data" / "bccd"
    (tmp_path / "map.pbtxt").write_text(
        "item { id: 3 name: 'RBC' } item { id: 1 name: 'WBC' } item { id: 2 name: 'Platelets' }",
        encoding="utf-8",
    )
    record = tmp_path / "test.record"
    words = ("--year=BCCD", "--set=test", f"--label_map_path={tmp_path / 'map.pbtxt'}")
    tfod("create_pascal_tf_record", f"--data_dir={root}", *words, f"--output_path={record}")
    listed = (root / "BCCD/ImageSets/Main/test.txt").read_text(encoding="utf-8").split()
    found = examples(record)
    assert [one["image/filename"][0].decode() for one in found] == [f"{n}.jpg" for n in listed]
    ids = {b"RBC": 3, b"WBC": 1, b"Platelets": 2}
    for one, name in zip(found, listed, strict=True):
        assert [ids[text] for text in one["image/object/class/text"]] == one[
            "image/object/class/label"
        ]
        assert one["image/encoded"] == [(root / f"BCCD/JPEGImages/{name}.jpg").read_bytes()]


# create_pet_tf_record -------------------------------------------------------------------------


@pytest.fixture
def pets(voc_folder: VocFolder) -> Path:
    """Ten pets of two breeds; one listed photo has no annotation."""
    breeds = ["Abyssinian", "american_bulldog"]
    names = [f"{breeds[i % 2]}_{i}" for i in range(10)]
    for name in names:
        voc_folder.image(f"images/{name}.jpg")
        voc_folder.xml(f"annotations/xmls/{name}.xml")
        trimap = np.full((48, 64), 2, np.uint8)
        trimap[10:31, 5:41] = 1
        trimap[9, 20] = 3
        (voc_folder.root / "annotations" / "trimaps").mkdir(exist_ok=True)
        Image.fromarray(trimap).save(voc_folder.root / f"annotations/trimaps/{name}.png")
    lines = [f"{name} 1 2 1\n" for name in [*names, "Abyssinian_99"]]
    voc_folder.text("annotations/trainval.txt", "".join(lines))
    voc_folder.text(
        "map.pbtxt", "item { id: 1 name: 'Abyssinian' } item { id: 2 name: 'american_bulldog' }"
    )
    return voc_folder.root


def test_pets_are_dealt_out_as_the_original_deals_them(
    tfod: Tfod, pets: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    map_flag = f"--label_map_path={pets / 'map.pbtxt'}"
    said = tfod("create_pet_tf_record", f"--data_dir={pets}", f"--output_dir={out}", map_flag)
    assert "1 of 11 listed images has no annotation and is left out" in said
    assert sorted(path.name for path in out.iterdir()) == [
        f"pet_faces_{split}.record-{shard:05}-of-00010"
        for split in ("train", "val")
        for shard in range(10)
    ]
    lines = (pets / "annotations/trainval.txt").read_text(encoding="utf-8").splitlines()
    expected = [line.split()[0] for line in lines]
    random.seed(42)
    random.shuffle(expected)
    for shard in range(7):
        path = out / f"pet_faces_train.record-{shard:05}-of-00010"
        name = expected[shard]
        found = records(path) if path.stat().st_size else []
        breed = name.rpartition("_")[0]
        assert found == ([] if name == "Abyssinian_99" else [(f"{name}.jpg", [breed])])


@pytest.mark.parametrize("kind", ["png", "numerical"])
def test_whole_pets_have_masks(
    tfod: Tfod, examples: Examples, pets: Path, tmp_path: Path, kind: str
) -> None:
    words = (f"--data_dir={pets}", f"--output_dir={tmp_path}", "--num_shards=1")
    masks = ("--faces_only=False", f"--mask_type={kind}")
    tfod("create_pet_tf_record", *words, *masks, f"--label_map_path={pets / 'map.pbtxt'}")
    path = tmp_path / "pets_fullbody_with_masks_val.record-00000-of-00001"
    one = examples(path)[0]
    sides = [one[f"image/object/bbox/{side}"][0] for side in ("xmin", "ymin", "xmax", "ymax")]
    assert sides == pytest.approx([5 / 64, 9 / 48, 40 / 64, 30 / 48])
    (mask,) = one["image/object/mask"][:1]
    if kind == "png":
        pixels = np.asarray(Image.open(io.BytesIO(mask)))
    else:
        pixels = np.reshape(one["image/object/mask"], (48, 64))
    assert pixels.sum() == 21 * 36 + 1
    assert set(np.unique(pixels)) == {0, 1}


def test_no_shards_are_a_misunderstanding(tfod: Tfod, pets: Path, tmp_path: Path) -> None:
    words = (f"--data_dir={pets}", f"--output_dir={tmp_path}", "--num_shards=0")
    with pytest.raises(FlagError):
        tfod("create_pet_tf_record", *words)


# sample_config --------------------------------------------------------------------------------


def test_a_sample_config_counts_what_it_can(tfod: Tfod, vott: Path, tmp_path: Path) -> None:
    words = ("--set=train", f"--data_dir={vott}", f"--output_dir={tmp_path}")
    tfod("create_pascal_tf_record", *words)
    paths = (
        f"--label_map_path={vott / 'pascal_label_map.pbtxt'}",
        f"--eval_record={tmp_path / 'helmet_train.record'}",
    )
    (text,) = tfod("sample_config", "ssd_mobilenet_v1_coco", *paths)
    assert "num_classes: 1\n" in text
    assert "num_examples: 2\n" in text
    assert text.count("PATH_TO_BE_CONFIGURED") == 1
    tfod("sample_config", "ssd_mobilenet_v1_coco", *paths, f"--output_path={tmp_path / 'p.config'}")
    assert (tmp_path / "p.config").read_text(encoding="utf-8").rstrip() == text
    assert code_of(lambda: tfod("sample_config", "ssd", "--eval_record=nowhere")) == "BW705"
    assert code_of(lambda: tfod("sample_config", "ssd")) == "BW731"
