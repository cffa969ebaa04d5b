"""What the first tutorial's notebook calls, under the names that it uses."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from boxwright.errors import DataError
from boxwright.images.decoding import read_image
from boxwright.tfod import label_map_util
from boxwright.tfod import visualization_utils as vis_util

pytestmark = pytest.mark.tiny

LABEL_MAP = """\
item { id: 3 name: '/m/01g317' display_name: 'person' }
item { id: 1 name: 'helmet' }
"""
INDEX: dict[int, label_map_util.Category] = {
    1: {"id": 1, "name": "helmet"},
    3: {"id": 3, "name": "person"},
}
BOXES = np.array([[0.1, 0.2, 0.5, 0.6], [0.3, 0.5, 0.9, 0.9]], np.float32)  # ymin, xmin, ymax, xmax


@pytest.fixture
def label_map(tmp_path: Path) -> Path:
    path = tmp_path / "pascal_label_map.pbtxt"
    path.write_text(LABEL_MAP, encoding="utf-8")
    return path


def test_the_notebook_of_2018_loads_its_classes_in_three_steps(label_map: Path) -> None:
    loaded = label_map_util.load_labelmap(label_map)
    categories = label_map_util.convert_label_map_to_categories(
        loaded, max_num_classes=3, use_display_name=True
    )
    assert label_map_util.create_category_index(categories) == INDEX
    assert [(one.id, one.name, one.display_name) for one in loaded.item] == [
        (3, "/m/01g317", "person"),
        (1, "helmet", "helmet"),
    ]


def test_the_later_notebook_does_it_in_one(label_map: Path) -> None:
    assert (
        label_map_util.create_category_index_from_labelmap(label_map, use_display_name=True)
        == INDEX
    )
    by_name = label_map_util.create_category_index_from_labelmap(str(label_map), False)
    assert by_name[3]["name"] == "/m/01g317"


def test_classes_beyond_the_wanted_number_are_left_out(label_map: Path) -> None:
    loaded = label_map_util.load_labelmap(label_map)
    assert label_map_util.convert_label_map_to_categories(loaded, 1) == [INDEX[1]]
    assert label_map_util.convert_label_map_to_categories(None, 2) == [
        {"id": 1, "name": "category_1"},
        {"id": 2, "name": "category_2"},
    ]


def test_ids_by_name_as_the_record_scripts_want_them(label_map: Path) -> None:
    assert label_map_util.get_label_map_dict(label_map) == {"/m/01g317": 3, "helmet": 1}
    shown = label_map_util.get_label_map_dict(label_map, use_display_name=True)
    assert shown == {"person": 3, "helmet": 1}


def test_id_0_is_still_reserved(tmp_path: Path) -> None:
    path = tmp_path / "map.pbtxt"
    path.write_text("item { id: 0 name: 'helmet' }", encoding="utf-8")
    with pytest.raises(DataError, match="reserved for the background"):
        label_map_util.load_labelmap(path)


def gray() -> NDArray[np.uint8]:
    return np.full((200, 300, 3), 128, np.uint8)


def drawn(**changes: Any) -> NDArray[np.uint8]:
    arguments: dict[str, Any] = {
        "image": gray(),
        "boxes": BOXES,
        "classes": np.array([1, 3]),
        "scores": np.array([0.9, 0.4], np.float32),
        "category_index": INDEX,
        "use_normalized_coordinates": True,
        "line_thickness": 4,
    }
    image: NDArray[np.uint8] = vis_util.visualize_boxes_and_labels_on_image_array(
        **(arguments | changes)
    )
    return image


def touched(image: NDArray[np.uint8], row: int, column: int) -> bool:
    return bool((image[row, column] != 128).any())


@pytest.mark.shared
def test_boxes_are_drawn_into_the_image_itself(shared: Path) -> None:
    """The notebook's call, on its own photo."""
    image_np = read_image(shared / "images" / "image1.jpg").copy()
    before = image_np.copy()
    output_dict: dict[str, Any] = {
        "detection_boxes": BOXES,
        "detection_classes": np.array([1, 3], np.uint8),
        "detection_scores": np.array([0.9, 0.8], np.float32),
    }
    returned = vis_util.visualize_boxes_and_labels_on_image_array(
        image_np,
        output_dict["detection_boxes"],
        output_dict["detection_classes"],
        output_dict["detection_scores"],
        INDEX,
        instance_masks=output_dict.get("detection_masks"),
        use_normalized_coordinates=True,
        line_thickness=8,
    )
    assert returned is image_np
    height, width = image_np.shape[:2]
    edge = image_np[int(0.3 * height), int(0.2 * width)]
    assert (edge != before[int(0.3 * height), int(0.2 * width)]).any()
    assert (image_np[-5:] == before[-5:]).all()


def test_only_boxes_above_the_threshold_are_drawn() -> None:
    image = drawn()
    assert touched(image, 60, 60)
    assert not touched(image, 120, 270)
    assert touched(drawn(min_score_thresh=0.3), 120, 270)
    assert not touched(drawn(min_score_thresh=0.3, max_boxes_to_draw=1), 120, 270)
    assert touched(drawn(min_score_thresh=0.3, max_boxes_to_draw=None), 120, 270)


def test_pixels_or_fractions() -> None:
    in_pixels = drawn(boxes=BOXES * [200, 300, 200, 300], use_normalized_coordinates=False)
    assert (in_pixels == drawn()).all()


def test_lines_are_as_thick_as_they_are_wanted() -> None:
    def width(image: NDArray[np.uint8]) -> int:
        color = image[60, 60]
        return int((image[60, 40:80] == color).all(axis=1).sum())

    assert (width(drawn(line_thickness=2)), width(drawn(line_thickness=8))) == (2, 8)


def test_plates_without_scores_classes_or_both() -> None:
    whole = drawn()
    for changes in ({"skip_scores": True}, {"skip_labels": True}, {"agnostic_mode": True}):
        assert (drawn(**changes) != whole).any()
    bare = drawn(skip_scores=True, skip_labels=True)
    assert not touched(bare, 40, 100)
    assert (drawn(skip_scores=True, category_index={}) != bare).any(), "the plate says N/A"


def test_without_scores_boxes_are_the_truth() -> None:
    image = drawn(scores=None, classes=None)
    assert touched(image, 60, 60)
    assert touched(image, 120, 270)
    assert (image == 255).all(axis=2).any(), "dashed white"


def test_masks_tint_their_objects_and_keypoints_are_dots() -> None:
    masks = np.zeros((2, 200, 300), np.uint8)
    masks[0, 60:80, 80:120] = masks[1, 150:, :50] = 1
    image = drawn(instance_masks=masks)
    assert touched(image, 70, 100)
    assert not touched(image, 170, 20), "its score is too low"
    assert drawn(instance_boundaries=masks)[70, 100].tolist() == [255, 0, 0]
    points = drawn(keypoints=np.array([[[0.35, 0.4]], [[0.8, 0.1]]]))
    assert touched(points, 70, 120)
    assert not touched(points, 160, 30)


def test_nothing_found_draws_nothing() -> None:
    nothing = {"boxes": np.zeros((0, 4)), "classes": np.zeros(0), "scores": np.zeros(0)}
    assert (drawn(**nothing) == gray()).all()
