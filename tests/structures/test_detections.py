"""Detections: what can be asked of them, and what other packages make of them."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from boxwright.errors import DetectorError, SystemFaultError
from boxwright.structures.detections import Detection, Detections

pytestmark = pytest.mark.tiny

CLASSES = ("cat", "dog", "kite")
BOXES = [(10, 20, 30, 60), (0, 0, 100, 50), (40.5, 10, 80, 20)]
FOUND = Detections(BOXES, [0.9, 0.6, 0.3], [1, 0, 1], CLASSES, (100, 80))
NOTHING = Detections([], [], [], CLASSES, (100, 80))


# ---- Indexing ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("which", "rows"),
    [
        (slice(1, None), [1, 2]),
        (slice(None, None, -1), [2, 1, 0]),
        (slice(5, 9), []),
        (np.array([True, False, True]), [0, 2]),
        ([False, True, False], [1]),
        (np.array([2, 0]), [2, 0]),
        ([1, 1], [1, 1]),
        ([], []),
        (np.zeros(3, np.bool_), []),
        ("dog", [0, 2]),
        ("cat", [1]),
        ("kite", []),
    ],
)
def test_several_are_selected(which: Any, rows: list[int]) -> None:
    some = FOUND[which]
    assert isinstance(some, Detections)
    np.testing.assert_array_equal(some.boxes, FOUND.boxes[rows])
    np.testing.assert_array_equal(some.scores, FOUND.scores[rows])
    np.testing.assert_array_equal(some.labels, FOUND.labels[rows])
    assert (some.classes, some.image_size) == (CLASSES, (100, 80))


@pytest.mark.parametrize("index", [0, np.int64(0), -3])
def test_one_is_selected(index: Any) -> None:
    assert FOUND[index] == Detection("dog", pytest.approx(0.9), (10.0, 20.0, 30.0, 60.0))
    assert [each.name for each in FOUND] == ["dog", "cat", "dog"]


def test_what_is_not_there_is_an_error_of_python() -> None:
    with pytest.raises(IndexError):
        _ = FOUND[3]
    with pytest.raises(KeyError, match="'bird' is not one of the classes cat, dog, kite"):
        _ = FOUND["bird"]


def test_identities_go_with_their_boxes() -> None:
    tracked = replace(FOUND, track_ids=[5, -1, 7])
    assert tracked["dog"].track_ids.tolist() == [5, 7]
    assert tracked[1:].track_ids.tolist() == [-1, 7]
    assert tracked.above(0.5).resized((50, 40)).track_ids.tolist() == [5, -1]
    assert FOUND[1:].track_ids is None
    assert Detections.concatenate([tracked, FOUND]).track_ids is None
    with pytest.raises(ValueError, match="2 track_ids do not fit 3 boxes"):
        replace(FOUND, track_ids=[1, 2])


# ---- Sizes, and several together ---------------------------------------------------------------


def test_boxes_grow_with_their_image() -> None:
    large = FOUND.resized((200, 40))
    np.testing.assert_allclose(large.boxes[0], [20, 10, 60, 30])
    assert large.image_size == (200, 40)


def test_together_they_are_sorted_and_their_classes_matched_by_name() -> None:
    other = Detections([(1, 2, 3, 4), (5, 6, 7, 8)], [0.7, 0.2], [0, 1], ("bird", "cat"))
    both = Detections.concatenate([FOUND, other, NOTHING])
    assert both.classes == (*CLASSES, "bird")
    assert both.image_size == (100, 80)
    assert [each.name for each in both] == ["dog", "bird", "cat", "dog", "cat"]
    np.testing.assert_allclose(both.scores, [0.9, 0.7, 0.6, 0.3, 0.2])
    np.testing.assert_allclose(both.boxes[1], [1, 2, 3, 4])


def test_none_together_are_none() -> None:
    nothing = Detections.concatenate([])
    assert (len(nothing), nothing.classes, nothing.image_size) == (0, (), None)


def test_images_of_different_sizes_do_not_go_together() -> None:
    with pytest.raises(DetectorError, match="100 x 80 and 80 x 100") as caught:
        Detections.concatenate([FOUND, Detections([], [], [], CLASSES, (80, 100))])
    assert caught.value.code == "BW511"


@pytest.mark.parametrize("convert", [Detections.to_tensorflow, lambda d: d.resized((9, 9))])
def test_fractions_need_the_size_of_the_image(convert: Any) -> None:
    with pytest.raises(DetectorError) as caught:
        convert(Detections([], [], [], CLASSES))
    assert caught.value.code == "BW510"


# ---- Drawing -----------------------------------------------------------------------------------


def test_drawn_on_the_image_in_any_form(tmp_path: Path) -> None:
    pixels = np.full((80, 100, 3), 90, np.uint8)
    Image.fromarray(pixels).save(tmp_path / "image.png")
    drawn = [
        FOUND.draw(image) for image in (pixels, tmp_path / "image.png", Image.fromarray(pixels))
    ]
    assert (np.asarray(drawn[0]) != pixels).any()
    assert (pixels == 90).all()
    for other in drawn[1:]:
        np.testing.assert_array_equal(np.asarray(other), np.asarray(drawn[0]))


def test_drawn_on_a_smaller_copy_the_boxes_are_scaled() -> None:
    large = Detections([(400, 400, 800, 800)], [0.9], [0], ("cat",), (1000, 1000))
    changed = (np.asarray(large.draw(np.zeros((500, 500, 3), np.uint8), scores=False)) > 0).any(2)
    rows, columns = np.nonzero(changed)
    assert 190 <= columns.min() <= 200
    assert 400 <= columns.max() <= 410
    assert 400 <= rows.max() <= 410


# ---- Other packages ----------------------------------------------------------------------------


def test_supervision_has_it_all_and_gives_it_back() -> None:
    import supervision

    theirs = FOUND.to_supervision()
    assert isinstance(theirs, supervision.Detections)
    assert theirs.data["class_name"].tolist() == ["dog", "cat", "dog"]
    back = Detections(theirs.xyxy, theirs.confidence, theirs.class_id, CLASSES, FOUND.image_size)
    np.testing.assert_array_equal(back.boxes, FOUND.boxes)
    np.testing.assert_array_equal(back.scores, FOUND.scores)
    np.testing.assert_array_equal(back.labels, FOUND.labels)
    sure = theirs[theirs.confidence > 0.5]
    assert sure.data["class_name"].tolist() == ["dog", "cat"]
    image = np.zeros((80, 100, 3), np.uint8)
    assert supervision.BoxAnnotator().annotate(image.copy(), theirs).any()
    assert NOTHING.to_supervision().is_empty()
    assert len(supervision.Detections.merge([theirs, NOTHING.to_supervision()])) == 3


def test_fiftyone_gets_fractions_of_the_image(monkeypatch: pytest.MonkeyPatch) -> None:
    fake = SimpleNamespace(Detections=dict, Detection=dict)  # the package installs MongoDB
    monkeypatch.setitem(sys.modules, "fiftyone", fake)
    theirs = FOUND.to_fiftyone()["detections"]
    assert [each["label"] for each in theirs] == ["dog", "cat", "dog"]
    assert [each["confidence"] for each in theirs] == pytest.approx(FOUND.scores.tolist())
    width, height = FOUND.image_size or (0, 0)
    xmin, ymin, xmax, ymax = FOUND.boxes[0].tolist()
    expected = [xmin / width, ymin / height, (xmax - xmin) / width, (ymax - ymin) / height]
    assert theirs[0]["bounding_box"] == pytest.approx(expected)


def test_a_table_of_pandas_has_the_columns_that_people_know() -> None:
    table = FOUND.to_pandas()
    columns = ["xmin", "ymin", "xmax", "ymax", "confidence", "class", "name"]
    assert list(table.columns) == columns == list(NOTHING.to_pandas().columns)
    np.testing.assert_array_equal(table[["xmin", "ymin", "xmax", "ymax"]].to_numpy(), FOUND.boxes)
    assert table["class"].tolist() == [1, 0, 1]
    assert table["name"].tolist() == ["dog", "cat", "dog"]
    np.testing.assert_array_equal(table["confidence"], FOUND.scores)
    assert table.groupby("name").size().to_dict() == {"cat": 1, "dog": 2}
    assert len(NOTHING.to_pandas()) == 0


def test_other_packages_get_identities(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "fiftyone", SimpleNamespace(Detections=dict, Detection=dict))
    tracked = replace(FOUND, track_ids=[5, -1, 7])
    assert [each["track_id"] for each in tracked.to_json()] == [5, None, 7]
    assert [each["track_id"] for each in tracked.to_coco(1)] == [5, None, 7]
    assert [each["index"] for each in tracked.to_fiftyone()["detections"]] == [5, None, 7]
    assert tracked.to_pandas()["track_id"].tolist() == [5, -1, 7]
    assert tracked.to_supervision().tracker_id.tolist() == [5, -1, 7]
    assert FOUND.to_supervision().tracker_id is None
    assert not any("track_id" in each for each in [*FOUND.to_json(), *FOUND.to_coco(1)])


@pytest.mark.parametrize("ids", [None, {"cat": 17, "dog": 18, "kite": 38}])
def test_results_for_pycocotools(ids: dict[str, int] | None) -> None:
    from pycocotools.coco import COCO

    numbers = ids or {"cat": 1, "dog": 2, "kite": 3}
    truth = COCO()
    truth.dataset = {
        "images": [{"id": 7, "width": 100, "height": 80}],
        "categories": [{"id": number, "name": name} for name, number in numbers.items()],
        "annotations": [],
        "info": {},
    }
    truth.createIndex()
    loaded = truth.loadRes(FOUND.to_coco(7, category_ids=ids))
    back = loaded.loadAnns(loaded.getAnnIds(imgIds=[7]))
    assert [one["category_id"] for one in back] == [numbers[each.name] for each in FOUND]
    corners = [(x, y, x + w, y + h) for x, y, w, h in (one["bbox"] for one in back)]
    np.testing.assert_allclose(corners, FOUND.boxes, rtol=1e-6)
    np.testing.assert_allclose([one["score"] for one in back], FOUND.scores)
    assert NOTHING.to_coco("a") == []


@pytest.mark.parametrize("found", [FOUND, NOTHING], ids=["three", "none"])
def test_tensors_as_the_object_detection_api_returns_them(found: Detections) -> None:
    given = {name: tensor.numpy() for name, tensor in found.to_tensorflow().items()}
    assert {name: (value.shape, value.dtype) for name, value in given.items()} == {
        "detection_boxes": ((1, len(found), 4), np.float32),
        "detection_classes": ((1, len(found)), np.float32),
        "detection_scores": ((1, len(found)), np.float32),
        "num_detections": ((1,), np.float32),
    }
    assert given["num_detections"] == len(found)
    pixels = given["detection_boxes"][0] * [80, 100, 80, 100]
    np.testing.assert_allclose(pixels[:, [1, 0, 3, 2]], found.boxes, rtol=1e-6)
    np.testing.assert_array_equal(given["detection_classes"][0] - 1, found.labels)
    np.testing.assert_array_equal(given["detection_scores"][0], found.scores)


@pytest.mark.parametrize(
    ("convert", "package"),
    [
        (Detections.to_fiftyone, "fiftyone"),
        (Detections.to_pandas, "pandas"),
        (Detections.to_supervision, "supervision"),
    ],
)
def test_a_missing_package_is_named_with_the_command_that_installs_it(
    convert: Any, package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(SystemFaultError, match=f"pip install {package}$") as caught:
        convert(FOUND)
    assert caught.value.code == "BW901"
