"""Drawn boxes can be seen, and their plates read, on any photo."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from boxwright.images.decoding import read_image
from boxwright.structures.detections import Detections
from boxwright.visualize import draw as drawing
from boxwright.visualize.draw import (
    BLACK,
    WHITE,
    _readable_on,
    beside_truth,
    color_of,
    contact_sheet,
    draw,
)
from boxwright.visualize.label_layout import LabelBox, lay_out

pytestmark = pytest.mark.tiny

CLASSES = ("cat", "dog", "a class with quite a long name")


def detections(*rows: tuple[Any, float, int]) -> Detections:
    boxes, scores, labels = zip(*rows, strict=True) if rows else ((), (), ())
    return Detections(boxes, scores, labels, CLASSES)


def plain(width: int, height: int, gray: int = 128) -> np.ndarray:
    return np.full((height, width, 3), gray, np.uint8)


def differs(picture: Image.Image, image: np.ndarray) -> np.ndarray:
    return (np.asarray(picture) != image).any(axis=2)


@pytest.mark.parametrize("gray", [0, 128, 255])
@pytest.mark.parametrize("label", [0, 1])
def test_all_four_edges_have_the_color_of_the_class(gray: int, label: int) -> None:
    picture = draw(plain(400, 300, gray), detections(((100, 100, 300, 250), 0.9, label)))
    for place in [(100, 175), (299, 175), (200, 100), (200, 249)]:
        assert picture.getpixel(place) == color_of(label)
    assert picture.getpixel((200, 175)) == (gray, gray, gray)
    assert picture.size == (400, 300)


def test_a_bright_box_has_a_dark_rim_on_a_bright_image() -> None:
    picture = draw(plain(400, 300, 255), detections(((100, 100, 300, 250), 0.9, 0)))
    assert max(picture.getpixel((200, 251))) < 160


def test_the_image_given_stays_as_it_was() -> None:
    image = plain(64, 48)
    draw(image, detections(((5, 5, 40, 40), 0.9, 0)))
    assert (image == 128).all()


def test_without_detections_the_picture_is_the_image() -> None:
    image = np.random.default_rng(0).integers(0, 256, (48, 64, 3), np.uint8)
    assert not differs(draw(image, detections()), image).any()


def test_the_best_score_lies_on_top() -> None:
    box = (100, 100, 300, 250)
    picture = draw(plain(400, 300), detections((box, 0.4, 1), (box, 0.8, 0), (box, 0.6, 1)))
    assert picture.getpixel((200, 249)) == color_of(0)


@pytest.mark.parametrize("side", [5, 8, 20])
def test_a_small_object_in_a_large_image_stays_visible_inside_its_box(side: int) -> None:
    box = (800, 600, 800 + side, 600 + side)
    picture = draw(plain(1600, 1200), detections((box, 0.9, 0)))
    assert picture.getpixel((800, 600 + side // 2)) == color_of(0)
    assert picture.getpixel((800 + side // 2, 600 + side // 2)) == (128, 128, 128)


def test_lines_and_plates_grow_with_the_image() -> None:
    drawn = {}
    for scale in (1, 4):
        image = plain(400 * scale, 300 * scale)
        box = np.multiply((100, 100, 300, 250), scale)
        drawn[scale] = differs(draw(image, detections((box, 0.9, 0))), image)
    small, large = (drawn[scale].mean() for scale in (1, 4))
    assert large == pytest.approx(small, rel=0.5)


def test_truth_is_dashed_white_below_the_detections() -> None:
    truth = np.array([[50, 50, 350, 250]], np.float32)
    bare = draw(plain(400, 300), detections(), truth=truth)
    edge = np.asarray(bare)[50, 50:350]
    white = (edge == 255).all(axis=1)
    assert 0.3 < white.mean() < 0.7
    assert np.count_nonzero(np.diff(white.astype(int))) >= 8
    assert bare.getpixel((200, 150)) == (128, 128, 128)
    covered = draw(plain(400, 300), detections((truth[0], 0.9, 0)), truth=truth)
    assert (np.asarray(covered)[249, 60:340] == color_of(0)).all()


sides = st.integers(1, 300)
numbers = st.integers(-400, 400)
rows = st.tuples(
    st.tuples(numbers, numbers, numbers, numbers), st.floats(0, 1), st.integers(0, len(CLASSES) - 1)
)


@given(sides, sides, st.lists(rows, max_size=6))
@settings(max_examples=80, deadline=None)
def test_any_boxes_can_be_drawn_on_an_image_of_any_size(
    width: int, height: int, boxes: list[Any]
) -> None:
    found = detections(*boxes)
    picture = draw(plain(width, height), found, truth=found.boxes)
    assert (picture.size, picture.mode) == ((width, height), "RGB")


def label_boxes_of(
    found: Detections, size: tuple[int, int], text_size: int = 14
) -> list[LabelBox | None]:
    names, notes = [each.name for each in found], [f"{score:.0%}" for score in found.scores]
    return lay_out(names, notes, found.boxes.astype(np.int64), text_size, size)


def apart(label_boxes: list[LabelBox | None]) -> bool:
    return not any(
        min(a.left + a.width, b.left + b.width) > max(a.left, b.left)
        and min(a.top + a.height, b.top + b.height) > max(a.top, b.top)
        for a, b in combinations(filter(None, label_boxes), 2)
    )


def framed(size: tuple[int, int], found: Detections) -> Detections:
    """The same with boxes that lie in the photo, as `draw` hands them on."""
    boxes = np.sort(found.boxes.reshape(-1, 2, 2), axis=1)
    first = np.clip(boxes[:, 0], 0, np.subtract(size, 1))
    last = np.clip(boxes[:, 1], first + 1, size)
    return Detections(np.hstack([first, last]), found.scores, found.labels, found.classes)


@given(sides, sides, st.lists(rows, min_size=1, max_size=6), st.integers(1, 40))
@settings(max_examples=80, deadline=None)
def test_every_plate_lies_inside_the_image(
    width: int, height: int, boxes: list[Any], text_size: int
) -> None:
    found = framed((width, height), detections(*boxes))
    label_boxes = label_boxes_of(found, (width, height), text_size)
    assert len(label_boxes) == len(found)
    for label_box in filter(None, label_boxes):
        assert label_box.left >= 0 <= label_box.top
        assert label_box.left + label_box.width <= width
        assert label_box.top + label_box.height <= height
        assert label_box.font.getlength(label_box.text) <= label_box.width - 2 * label_box.padding


@pytest.mark.parametrize(
    "boxes",
    [
        pytest.param([(50, 50, 150, 150)] * 3, id="the same box three times"),
        pytest.param([(x, 60, x + 50, 120) for x in range(10, 340, 40)], id="a row"),
        pytest.param([(5, y, 60, y + 40) for y in range(0, 240, 20)], id="at the left edge"),
        pytest.param([(340, y, 400, y + 40) for y in range(0, 240, 20)], id="at the right edge"),
        pytest.param([(0, 0, 400, 300), (2, 2, 398, 298)], id="two as large as the photo"),
        pytest.param([(x, 150, x + 9, 159) for x in range(180, 216, 12)], id="tiny neighbours"),
    ],
)
def test_plates_do_not_cover_each_other_where_that_can_be_avoided(boxes: list[Any]) -> None:
    found = detections(*((box, 0.9 - 0.01 * i, 0) for i, box in enumerate(boxes)))
    assert apart(label_boxes_of(found, (400, 300)))


def test_a_plate_does_not_hide_a_small_object_where_that_can_be_avoided() -> None:
    found = detections(((100, 100, 116, 116), 0.9, 0), ((100, 82, 116, 98), 0.8, 0))
    for label_box in label_boxes_of(found, (400, 300)):
        for left, top, right, bottom in found.boxes:
            across = min(label_box.left + label_box.width, right) - max(label_box.left, left)
            down = min(label_box.top + label_box.height, bottom) - max(label_box.top, top)
            assert max(across, 0) * max(down, 0) < 0.25 * 16 * 16


CROWD = [(x, y, x + 14, y + 14) for x in range(100, 300, 16) for y in range(60, 240, 16)]


def test_no_label_hides_a_neighbor_in_a_crowd() -> None:
    found = detections(*((box, 0.9 - 0.001 * i, i % 2) for i, box in enumerate(CROWD)))
    label_boxes = label_boxes_of(found, (400, 300))
    assert any(label_boxes), "there is room at the edge of the crowd"
    for number, label in enumerate(label_boxes):
        for other, (left, top, right, bottom) in enumerate(CROWD if label else ()):
            across = min(label.left + label.width, right) - max(label.left, left)
            down = min(label.top + label.height, bottom) - max(label.top, top)
            assert other == number or max(across, 0) * max(down, 0) <= 0.25 * 14 * 14


def texts_drawn(found: Detections, monkeypatch: pytest.MonkeyPatch, **options: bool) -> list[str]:
    texts: list[str] = []
    monkeypatch.setattr(drawing, "_draw_label", lambda pen, label, color: texts.append(label.text))
    draw(plain(400, 300), found, **options)
    return sorted(texts)


@pytest.mark.parametrize(
    ("labels", "options", "texts"),
    [
        ((0,), {}, ["cat 90%"]),
        ((0, 1), {}, ["cat 90%", "dog 80%"]),
        ((0, 0), {}, ["80%", "90%", "cat"]),
        ((0, 0), {"scores": False}, ["cat"]),
        ((0, 1), {"scores": False}, ["cat", "dog"]),
    ],
)
def test_one_class_is_named_once(
    labels: tuple[int, ...],
    options: dict[str, bool],
    texts: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    boxes = [(50 + 150 * i, 100, 150 + 150 * i, 200) for i in range(len(labels))]
    found = detections(*((b, 0.9 - 0.1 * i, labels[i]) for i, b in enumerate(boxes)))
    assert texts_drawn(found, monkeypatch, **options) == texts


def test_a_class_without_room_for_a_label_is_in_the_legend(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rows = [(box, 0.9 - 0.001 * i, 0) for i, box in enumerate(CROWD)]
    rows.append(((196, 140, 210, 154), 0.1, 1))
    assert "dog" in texts_drawn(detections(*rows), monkeypatch)


def caption(name: str, room: int) -> str | None:
    (label_box,) = lay_out([name], ["93%"], np.array([[0, 0, 9, 9]]), 14, (room, 100))
    return None if label_box is None else label_box.text


def test_a_name_too_long_for_the_image_is_shortened_but_never_the_score() -> None:
    assert caption("raccoon", 400) == "raccoon 93%"
    short = caption("raccoon", 70)
    assert short.startswith("r")
    assert short.endswith("… 93%")
    assert caption("raccoon", 36) == "93%"
    assert caption("raccoon", 10) is None


def test_the_plate_carries_text_in_a_color_that_can_be_read_on_it() -> None:
    image = plain(400, 300)
    found = detections(((100, 100, 300, 250), 0.9, 0))
    picture = np.asarray(draw(image, found))
    above = picture[:98][differs(Image.fromarray(picture), image)[:98]]
    colors = {tuple(pixel) for pixel in above.tolist()}
    assert {color_of(0), BLACK} <= colors


def luminance(color: tuple[int, int, int]) -> float:
    channels = np.array(color) / 255
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


@pytest.mark.parametrize("label", range(21))
def test_text_contrasts_with_its_plate_as_wcag_asks(label: int) -> None:
    text = _readable_on(color_of(label))
    high, low = sorted((luminance(text), luminance(color_of(label))), reverse=True)
    assert text in {BLACK, WHITE}
    assert (high + 0.05) / (low + 0.05) >= 4.5


def test_twenty_one_classes_have_different_colors_and_more_do_not_fail() -> None:
    colors = [color_of(label) for label in range(21)]
    distances = [np.abs(np.subtract(a, b)).sum() for a, b in combinations(colors, 2)]
    assert min(distances) >= 30
    assert color_of(21) == color_of(0)


@pytest.mark.shared
def test_on_a_real_image_only_boxes_and_plates_change(shared: Path) -> None:
    image = read_image(shared / "images" / "image1.jpg")
    changed = differs(draw(image, detections(((300, 200, 700, 500), 0.9, 2))), image)
    assert changed[195:505, 295:705].any()
    assert 0.002 < changed.mean() < 0.05
    assert not changed[220:480, 320:680].any()


def colored(width: int, height: int, red: int) -> Image.Image:
    return Image.new("RGB", (width, height), (red, 0, 0))


def test_a_contact_sheet_shows_every_picture_in_its_cell() -> None:
    pictures = [colored(300, 200, 10 * i) for i in range(1, 6)]
    sheet = np.asarray(contact_sheet(pictures, columns=3, width=650))
    assert sheet.shape[1] == 650
    counts = {i: int((sheet == (10 * i, 0, 0)).all(axis=2).sum()) for i in range(1, 6)}
    assert min(counts.values()) == max(counts.values()) > 200 * 130
    first, fourth = (np.argwhere((sheet == (red, 0, 0)).all(axis=2))[0] for red in (10, 40))
    assert first[1] == fourth[1]
    assert first[0] < fourth[0]


def test_a_contact_sheet_enlarges_nothing_and_keeps_proportions() -> None:
    sheet = np.asarray(contact_sheet([colored(40, 80, 9), colored(2000, 500, 8)], columns=2))
    small, wide = (np.argwhere((sheet == (red, 0, 0)).all(axis=2)) for red in (9, 8))
    assert (np.ptp(small, axis=0) + 1).tolist() == [80, 40]
    height, width = np.ptp(wide, axis=0) + 1
    assert width < 800
    assert width / height == pytest.approx(4, rel=0.02)


def test_captions_stand_below_their_pictures() -> None:
    pictures = [colored(300, 200, 10), colored(300, 200, 20)]
    plain_sheet = contact_sheet(pictures, columns=2, width=650)
    sheet = contact_sheet(pictures, columns=2, width=650, captions=["", "raccoon"])
    assert sheet.height > plain_sheet.height
    below = np.asarray(sheet)[plain_sheet.height - 5 :]
    assert (below[:, :325] == 255).all()
    assert (below[:, 325:] < 100).any()


@pytest.mark.parametrize(("width", "height"), [(400, 300), (4000, 3000), (300, 400)])
def test_what_was_found_is_on_the_left_and_the_truth_on_the_right(width: int, height: int) -> None:
    box = (0.25 * width, 0.25 * height, 0.75 * width, 0.75 * height)
    found, truth = detections((box, 0.9, 0)), detections((box, 1.0, 1))
    pair = beside_truth(plain(width, height), found, truth, name="photo.jpg")
    pixels = np.asarray(pair).astype(int)
    assert pair.width <= 960
    for label, half in enumerate(np.array_split(pixels, 2, axis=1)):
        distance = [np.abs(half - color_of(each)).max(axis=2).min() for each in (0, 1)]
        assert distance[label] < 40 < distance[1 - label]
