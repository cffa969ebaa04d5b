"""load: a folder becomes a data set that can be trained on."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

import boxwright
from boxwright.structures.dataset import Split
from folders import VocFolder

pytestmark = pytest.mark.tiny


def test_a_folder_without_marks_is_split_for_its_seed(voc_folder: VocFolder) -> None:
    for i in range(20):
        voc_folder.pair(f"{i:02}")
    first, again, other = (boxwright.load(voc_folder.root, seed=seed) for seed in (0, 0, 1))
    assert np.bincount(first.splits).tolist() == [16, 0, 4]
    assert first.fingerprint() == again.fingerprint()
    assert first.splits.tolist() != other.splits.tolist()


def test_copies_are_on_the_same_side(voc_folder: VocFolder) -> None:
    for i in range(20):
        voc_folder.pair(f"{i:02}")
        content = (voc_folder.root / f"{i:02}.jpg").read_bytes()
        (voc_folder.root / f"copy of {i:02}.jpg").write_bytes(content)
        voc_folder.xml(f"copy of {i:02}.xml")
    dataset = boxwright.load(voc_folder.root)
    assert np.bincount(dataset.splits).tolist() == [32, 0, 8]
    side = dict(zip(dataset.names, dataset.splits, strict=True))
    assert all(side[f"{i:02}.jpg"] == side[f"copy of {i:02}.jpg"] for i in range(20))


def test_marks_are_kept_and_no_image_is_decoded(voc_folder: VocFolder) -> None:
    voc_folder.pair("train/a")
    voc_folder.pair("test/b")
    image = voc_folder.root / "test" / "b.jpg"
    image.write_bytes(image.read_bytes()[:-200])
    dataset = boxwright.load(voc_folder.root)
    assert dataset.splits.tolist() == [Split.TEST, Split.TRAIN]
    assert dataset.findings == ()


def test_an_image_cut_off_is_left_out_where_images_are_compared(voc_folder: VocFolder) -> None:
    for name in ("a", "b", "c"):
        voc_folder.pair(name)
    image = voc_folder.root / "b.jpg"
    image.write_bytes(image.read_bytes()[:-200])
    dataset = boxwright.load(voc_folder.root)
    assert dataset.names == ("a.jpg", "c.jpg")
    (finding,) = dataset.findings
    assert (finding.code, finding.where, finding.repair) == ("BW102", "b.jpg", "left out")


def test_if_no_image_can_be_decoded_that_is_an_error(voc_folder: VocFolder) -> None:
    voc_folder.pair("a")
    image = voc_folder.root / "a.jpg"
    image.write_bytes(image.read_bytes()[:-200])
    with pytest.raises(boxwright.BoxwrightError, match="BW102"):
        boxwright.load(voc_folder.root)


def test_boxes_and_names_are_repaired(voc_folder: VocFolder) -> None:
    voc_folder.pair("a", [("cat", 50, 40, 4, 6), ("cat", 1, 1, 99, 99), ("Cat ", 9, 9, 9, 9)])
    dataset = boxwright.load(voc_folder.root)
    assert dataset.classes == ("cat",)
    assert dataset.boxes.tolist() == [[4, 6, 50, 40], [1, 1, 64, 48]]
    assert [finding.code for finding in dataset.findings] == ["BW107", "BW105", "BW103", "BW106"]
    assert [str(finding).split(":")[0] for finding in dataset.findings] == [
        "BW107 class 'Cat '",
        "BW105 a.jpg, box 1",
        "BW103 a.jpg, box 2",
        "BW106 a.jpg, box 3",
    ]


def test_a_class_that_is_judged_but_not_trained_is_told(voc_folder: VocFolder) -> None:
    voc_folder.pair("train/a")
    voc_folder.pair("test/b", [("dog", 4, 6, 30, 40)])
    (finding,) = boxwright.load(voc_folder.root).findings
    assert (finding.code, finding.where) == ("BW129", "class 'dog'")


def test_marks_without_one_for_testing_are_told(voc_folder: VocFolder) -> None:
    voc_folder.pair("train/a")
    voc_folder.pair("val/b")
    (finding,) = boxwright.load(voc_folder.root).findings
    assert (finding.code, finding.message) == (
        "BW122",
        "there is no test split, only train and val",
    )


# ---- Several folders ---------------------------------------------------------------------------


@pytest.fixture
def two(tmp_path: Path) -> list[Path]:
    """A folder of cats without a split and one of dogs with one; images of both have one name."""
    cats = VocFolder(tmp_path / "cats")
    for i in range(10):
        cats.pair(f"{i}")
    dogs = VocFolder(tmp_path / "dogs", made=100)
    for i, split in enumerate(["train", "train", "val", "test"]):
        dogs.pair(f"{split}/{i}", [("dog", 4, 6, 30, 40)])
    return [cats.root, dogs.root]


def test_several_folders_are_one_dataset(two: list[Path]) -> None:
    both = boxwright.load(two)
    assert both.classes == ("cat", "dog")
    assert len(both) == 14
    for i in range(14):
        assert Path(str(both.image(i))).is_file()
    assert np.bincount(both.splits).tolist() == [8 + 2, 1, 2 + 1]


def test_each_is_split_as_it_would_be_alone(two: list[Path]) -> None:
    """So whoever measures on one of them measures on images that were not learnt from."""
    both = boxwright.load(two)
    alone = [boxwright.load(path) for path in two]
    assert both.splits.tolist() == [*alone[0].splits.tolist(), *alone[1].splits.tolist()]


def test_an_image_that_several_have_is_there_once_and_kept_from_training(two: list[Path]) -> None:
    content = (two[1] / "test/3.jpg").read_bytes()
    (two[0] / "0.jpg").write_bytes(content)
    both = boxwright.load(two)
    assert len(both) == 13
    assert both.splits[both.names.index("0.jpg")] == Split.TEST
    assert {"BW113"} <= {finding.code for finding in both.findings}


def test_findings_of_each_are_there(two: list[Path]) -> None:
    for folder in two:
        (folder / "torn.jpg").write_bytes(b"not an image")
        shutil.copy(two[0] / "0.xml", folder / "torn.xml")
    codes = [finding.code for finding in boxwright.load(two).findings]
    assert codes.count("BW102") == 2


def test_the_fingerprint_stays_when_all_are_moved(two: list[Path], tmp_path: Path) -> None:
    before = boxwright.load(two).fingerprint()
    moved = tmp_path / "moved"
    moved.mkdir()
    for folder in two:
        shutil.copytree(folder, moved / folder.name)
    assert boxwright.load([moved / folder.name for folder in two]).fingerprint() == before
    assert boxwright.load(two[::-1]).fingerprint() != before
