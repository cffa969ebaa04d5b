"""COCO: what Roboflow, CVAT and the COCO data set write, what is refused, what is written."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from coco_samples import annotation, coco, image
from json_samples import COCO_2017, COCO_ROBOFLOW

from boxwright import formats
from boxwright.formats.coco.rle import RunLengthError, box_around_mask
from boxwright.structures.dataset import CROWD, Dataset, LabeledImage, Split
from folders import VocFolder, codes, marks

pytestmark = pytest.mark.tiny


# ---- as the tools write it ----


def test_a_list_of_images_to_be_labeled_is_no_reason_to_refuse_the_others(
    voc_folder: VocFolder,
) -> None:
    """As competitions have one of their test images."""
    for name in ("train/a.jpg", "test/a.jpg"):
        voc_folder.image(name)
    voc_folder.text("train.json", COCO_ROBOFLOW)
    bare = {key: said for key, said in json.loads(COCO_ROBOFLOW).items() if key != "annotations"}
    voc_folder.text("test.json", json.dumps(bare))
    dataset = formats.read(voc_folder.root)
    assert dataset.names == ("train/a.jpg",)
    (finding,) = dataset.findings
    assert (finding.code, finding.where, finding.repair) == ("BW109", "test.json", "not used")
    assert finding.message == "it lists 1 image and has no annotations"


def test_roboflow_with_a_folder_for_each_split(voc_folder: VocFolder) -> None:
    for split in ("train", "valid", "test"):
        voc_folder.image(f"{split}/a.jpg")
        voc_folder.text(f"{split}/_annotations.coco.json", COCO_ROBOFLOW)
    dataset = formats.read(voc_folder.root)
    assert marks(dataset) == {
        "test/a.jpg": "test",
        "train/a.jpg": "train",
        "valid/a.jpg": "val",
    }
    assert dataset.classes == ("cat", "dog")  # not pets, which is only above the others
    assert dataset.boxes.tolist() == [[4, 6, 30, 40]] * 3
    assert dataset.findings == ()


def test_the_coco_data_set_with_its_other_tasks_beside_it(voc_folder: VocFolder) -> None:
    other = coco([image(9, "b.jpg")], [], [{"id": 17, "name": "cat"}])
    captions = (
        '{"images": [{"id": 397133, "file_name": "a.jpg"}], "annotations": [{"image_id": 1}]}'
    )
    for folder in ("train2017", "val2017"):
        voc_folder.image(f"{folder}/a.jpg")
        voc_folder.image(f"{folder}/b.jpg")
    voc_folder.text("annotations/instances_train2017.json", COCO_2017)
    voc_folder.text("annotations/instances_val2017.json", other)
    voc_folder.text("annotations/person_keypoints_train2017.json", COCO_2017)
    voc_folder.text("annotations/captions_val2017.json", captions)
    dataset = formats.read(voc_folder.root)
    assert marks(dataset) == {"train2017/a.jpg": "train", "val2017/b.jpg": "val"}
    assert dataset.classes == ("person", "cat", "dog")  # by id; person has no box and stays
    assert dataset.labels.tolist() == [1, 2]
    assert dataset.flags.tolist() == [0, CROWD]
    assert np.diff(dataset.offsets).tolist() == [2, 0]
    assert set(codes(dataset)) == {"BW109"}  # the photos of the other split's names


@pytest.mark.parametrize(
    ("path", "split"),
    [
        ("instances_train2017.json", "train"),
        ("annotations/instances_val2014.json", "val"),
        ("annotations/instances_Test.json", "test"),
        ("valid/_annotations.coco.json", "val"),
        ("train/annotations/coco.json", "train"),
        ("train.json", "train"),
        ("annotations/instances_default.json", "unassigned"),
        ("result.json", "unassigned"),
    ],
)
def test_the_file_says_what_its_images_are_for(
    voc_folder: VocFolder, path: str, split: str
) -> None:
    voc_folder.image("images/a.jpg")
    voc_folder.text(path, COCO_ROBOFLOW)
    assert marks(formats.read(voc_folder.root)) == {"images/a.jpg": split}


@pytest.mark.parametrize(
    ("file_name", "found"),
    [
        ("a.jpg", "images/a.jpg"),
        ("images/a.jpg", "images/a.jpg"),
        ("images\\sub\\a.jpg", "images/sub/a.jpg"),
        ("sub/a.jpg", "images/sub/a.jpg"),
        ("../images/a.jpg", "images/a.jpg"),
        ("C:\\Users\\me\\my pets\\a.jpg", "images/a.jpg"),
        ("/home/me/pets/images/a.jpg", "images/a.jpg"),
        ("a%20b.jpg", "images/a%20b.jpg"),
    ],
)
def test_a_file_name_finds_its_image(voc_folder: VocFolder, file_name: str, found: str) -> None:
    for name in dict.fromkeys([found, "images/b.jpg"]):
        voc_folder.image(name)
    voc_folder.text("annotations/coco.json", coco([image(1, file_name)], [annotation(1)]))
    assert formats.read(voc_folder.root).names == (found,)


def test_lvis_names_images_by_their_address(voc_folder: VocFolder) -> None:
    voc_folder.image("train2017/a.jpg")
    url = {"id": 1, "width": 64, "height": 48, "coco_url": "http://images.org/train2017/a.jpg"}
    voc_folder.text("lvis.json", coco([url], [annotation(1)]))
    assert formats.read(voc_folder.root).names == ("train2017/a.jpg",)


@pytest.mark.parametrize(
    ("categories", "used", "expected"),
    [
        ([(7, "cat", ""), (3, "dog", "")], [7], ("dog", "cat")),  # gaps; order of ids
        ([(0, "cat", ""), (1, "dog", "")], [0], ("cat", "dog")),  # from 0
        ([("10", "cat", ""), ("9", "dog", "")], ["10"], ("dog", "cat")),  # ids as text
        ([(0, "pets", "none"), (1, "cat", "pets")], [1], ("cat",)),  # Roboflow's
        ([(0, "pets", "none"), (1, "cat", "pets")], [0, 1], ("pets", "cat")),  # with boxes
        ([(0, "cat", "none"), (1, "dog", "cat"), (2, "cat", "cat")], [2], ("dog", "cat")),
        ([(1, "pet", ""), (2, "cat", "pet"), (3, "car", "thing")], [2], ("pet", "cat", "car")),
        ([(1, 5, ""), (2, 7, "")], [1], ("5", "7")),  # names as numbers
        ([(0, "_background_", None), (1, "cat", None)], [1], ("cat",)),  # labelme2coco's
        ([(0, "_background_", ""), (1, "cat", "")], [0, 1], ("_background_", "cat")),  # with boxes
    ],
)
def test_categories_become_classes(
    voc_folder: VocFolder,
    categories: list[tuple[Any, Any, str]],
    used: list[Any],
    expected: tuple[str, ...],
) -> None:
    voc_folder.image("a.jpg")
    listed = [{"id": i, "name": name, "supercategory": above} for i, name, above in categories]
    boxes = [annotation(1, one) for one in used]
    voc_folder.text("a.json", coco([image(1, "a.jpg")], boxes, listed))
    dataset = formats.read(voc_folder.root)
    assert dataset.classes == expected
    stated = {i: str(name) for i, name, _ in categories}
    assert [dataset.classes[i] for i in dataset.labels] == [stated[one] for one in used]


def test_files_are_merged_by_class_name(voc_folder: VocFolder) -> None:
    voc_folder.image("train/a.jpg")
    voc_folder.image("test/b.jpg")
    voc_folder.text("train/a.json", coco([image(1, "a.jpg")], [annotation(1, 2)]))
    swapped = [{"id": 1, "name": "dog"}, {"id": 5, "name": "ox"}]
    voc_folder.text("test/b.json", coco([image(1, "b.jpg")], [annotation(1, 1)], swapped))
    dataset = formats.read(voc_folder.root)
    assert dataset.classes == ("dog", "cat", "ox")
    assert [dataset.classes[i] for i in dataset.labels] == ["dog", "dog"]


# ---- masks and polygons ----

SQUARE = [4.0, 6.0, 30.0, 6.5, 29.0, 40.0, 5.0, 39.0]


@pytest.mark.parametrize(
    ("segmentation", "box"),
    [
        ([SQUARE], [4, 6, 30, 40]),
        (SQUARE, [4, 6, 30, 40]),
        ([[4, 6, 5, 7, 4, 7], [20, 30, 30, 40, 20, 40]], [4, 6, 30, 40]),
        ({"size": [48, 64], "counts": [2 * 48 + 3, 5, 43, 5, 2920]}, [2, 3, 4, 8]),
        ({"size": [48, 64], "counts": [50, 100, 2922]}, [1, 0, 4, 48]),
        (
            {
                "size": [48, 64],
                "counts": "V6R1>0000000000ROCi0=5000000000000000000000000000000000000jb1",
            },
            [4, 6, 30, 40],
        ),
    ],
)
def test_a_shape_without_a_box_gives_the_box_around_it(
    voc_folder: VocFolder, segmentation: Any, box: list[float]
) -> None:
    voc_folder.image("a.jpg")
    shapes = [annotation(1, bbox=empty, segmentation=segmentation) for empty in (None, [])]
    voc_folder.text("a.json", coco([image(1, "a.jpg")], shapes))
    dataset = formats.read(voc_folder.root)
    assert dataset.boxes.tolist() == [box, box]
    (finding,) = dataset.findings
    assert (finding.code, finding.where) == ("BW143", "a.json")
    assert "2 " in finding.message


def test_boxes_around_masks_are_those_of_the_coco_api() -> None:
    mask = pytest.importorskip("pycocotools.mask")
    random = np.random.default_rng(5)
    for _ in range(300):
        height, width = (int(side) for side in random.integers(1, 40, 2))
        pixels = (random.random((height, width)) < random.choice([0.01, 0.3, 1])).astype(np.uint8)
        if not pixels.any():
            continue
        rle = mask.encode(np.asfortranarray(pixels))
        rows, columns = np.nonzero(pixels)
        edges = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
        found = box_around_mask(rle["size"], rle["counts"].decode())
        runs = [len(list(run)) for run in _runs(pixels)]
        assert found == box_around_mask(rle["size"], runs)
        x, y, wide, high = mask.toBbox(rle)
        assert found == [x, y, x + wide, y + high]
        assert (found[0], found[2]) == (edges[0], edges[2])


def _runs(pixels: np.ndarray) -> list[list[int]]:
    runs: list[list[int]] = [[]]
    value = 0
    for pixel in pixels.T.ravel():
        if pixel != value:
            runs.append([])
            value = int(pixel)
        runs[-1].append(value)
    return runs


@pytest.mark.parametrize(
    ("size", "counts"),
    [
        ([48, 64], [0]),
        ([48, 64], []),
        ([48, 64], [0, 99999]),
        ([48, 64], [-5, 10]),
        ([48, 64], [1.5, 2]),
        ([48, 64], [True, 2]),
        ([48, 64], "~~~~"),
        ([48, 64], "P" * 100_000),
        ([48, 64], "ä"),
        ([48, 64], None),
        ([0, 64], [0, 1]),
        ([-48, -64], [0, 1]),
        ([48], [0, 1]),
        ([48.0, 64.0], [0, 1]),
        (None, [0, 1]),
        ("48", [0, 1]),
    ],
)
def test_runs_that_are_no_mask_are_refused(size: object, counts: object) -> None:
    with pytest.raises(RunLengthError):
        box_around_mask(size, counts)


# ---- odd, but handled ----


def test_an_image_that_is_listed_twice_has_the_boxes_of_both(voc_folder: VocFolder) -> None:
    voc_folder.image("a.jpg")
    images = [image(1, "a.jpg"), image(2, "a.jpg")]
    voc_folder.text("a.json", coco(images, [annotation(1), annotation(2, 2)]))
    dataset = formats.read(voc_folder.root)
    assert [dataset.classes[i] for i in dataset.labels] == ["cat", "dog"]
    assert codes(dataset) == ["BW113"]


@pytest.mark.parametrize(
    ("stated", "box", "found"),
    [
        ({"width": 128, "height": 96}, [2, 3, 15, 20], ["BW108"]),
        ({"width": 0, "height": 0}, [4, 6, 30, 40], ["BW139"]),
        ({"width": None, "height": None}, [4, 6, 30, 40], ["BW139"]),
        ({"width": "64", "height": "48"}, [4, 6, 30, 40], []),
    ],
)
def test_the_stated_size_places_the_boxes(
    voc_folder: VocFolder, stated: dict[str, Any], box: list[float], found: list[str]
) -> None:
    voc_folder.image("a.jpg")
    voc_folder.text("a.json", coco([image(1, "a.jpg", **stated)], [annotation(1)]))
    dataset = formats.read(voc_folder.root)
    assert dataset.boxes.tolist() == [box]
    assert codes(dataset) == found


def test_inverted_boxes_are_left_to_the_checks(voc_folder: VocFolder) -> None:
    voc_folder.image("a.jpg")
    boxes = [annotation(1, bbox=[30, 40, -26, -34])]
    voc_folder.text("a.json", coco([image(1, "a.jpg")], boxes))
    assert formats.read(voc_folder.root).boxes.tolist() == [[30, 40, 4, 6]]


# ---- writing ----


def written(root: Path, target: Path, *splits: Split) -> list[str]:
    images = [
        LabeledImage(f"photos/{i}.jpg", 64, 48, [(1.5, 2, 20.3, 40)], ["dog"], [CROWD], split)
        for i, split in enumerate(splits)
    ]
    formats.write(Dataset.of(root, images, ["dog", "ox", "cat"]), target, "coco")
    return sorted(p.relative_to(target).as_posix() for p in target.rglob("*.json"))


@pytest.mark.parametrize(
    ("splits", "files"),
    [
        ([Split.UNASSIGNED], ["images/_annotations.coco.json"]),
        (
            [Split.TRAIN, Split.VAL, Split.TEST],
            [f"{name}/_annotations.coco.json" for name in ("test", "train", "valid")],
        ),
        ([Split.TRAIN, Split.TRAIN], ["train/_annotations.coco.json"]),
    ],
)
def test_written_as_roboflow_writes_it(
    voc_folder: VocFolder, tmp_path: Path, splits: list[Split], files: list[str]
) -> None:
    for i in range(len(splits)):
        voc_folder.image(f"photos/{i}.jpg")
    assert written(voc_folder.root, tmp_path / "out", *splits) == files
    content = json.loads((tmp_path / "out" / files[-1]).read_text(encoding="utf-8"))
    assert [(one["id"], one["name"]) for one in content["categories"]] == [
        (1, "dog"),
        (2, "ox"),
        (3, "cat"),
    ]
    assert content["licenses"] == []
    assert content["images"][0]["id"] == 1
    assert content["images"][0]["file_name"].endswith(".jpg")
    assert content["annotations"][0] == {
        "id": 1,
        "image_id": 1,
        "category_id": 1,
        "bbox": [1.5, 2, 18.8, 38],
        "area": pytest.approx(18.8 * 38),
        "segmentation": [],
        "iscrowd": 1,
    }


def test_what_is_written_suits_the_coco_api(voc_folder: VocFolder, tmp_path: Path) -> None:
    api = pytest.importorskip("pycocotools.coco")
    voc_folder.image("photos/0.jpg")
    (file,) = written(voc_folder.root, tmp_path / "out", Split.UNASSIGNED)
    loaded = api.COCO(str(tmp_path / "out" / file))
    assert loaded.getCatIds(catNms=["cat"]) == [3]
    assert len(loaded.loadAnns(loaded.getAnnIds(imgIds=[1], iscrowd=True))) == 1


def test_images_that_lie_elsewhere_in_the_target_keep_their_split(voc_folder: VocFolder) -> None:
    images = []
    for i, split in enumerate([Split.TRAIN, Split.VAL, Split.TEST, Split.UNASSIGNED]):
        voc_folder.image(f"photos {i}/a.jpg")
        images.append(
            LabeledImage(f"photos {i}/a.jpg", 64, 48, [(1, 2, 30.3, 4)], ["cat"], [0], split)
        )
    dataset = Dataset.of(voc_folder.root, images, ["cat"])
    formats.write(dataset, voc_folder.root, "coco")
    back = formats.read(voc_folder.root)
    assert marks(back) == marks(dataset)
    order = [back.names.index(name) for name in dataset.names]
    assert replace(back.select(order), findings=()).fingerprint() == dataset.fingerprint()
    assert codes(back) == ["BW119"]  # one photo is in no split
