"""The lines of YOLO's label files."""

from __future__ import annotations

import numpy as np
import pytest

from boxwright import formats
from boxwright.errors import DataError
from boxwright.formats.folder import Folder
from boxwright.formats.registry import read_annotations
from boxwright.formats.yolo.editor import Editor
from folders import VocFolder, codes, lay

pytestmark = pytest.mark.tiny

CAT_LINE = "0 0.5 0.5 0.25 0.5\n"  # of a photo of 64 x 48: 24, 12, 40, 36
CAT_BOX = [24, 12, 40, 36]
DATA = "train: train/images\nval: valid/images\nnc: 2\nnames: ['cat', 'dog']\n"


@pytest.mark.parametrize(
    ("line", "box"),
    [
        ("0 0.5 0.5 0.25 0.5", CAT_BOX),
        ("0\t0.5  0.5\t0.25 0.5  ", CAT_BOX),
        ("\ufeff0 0.5 0.5 0.25 0.5", CAT_BOX),
        ("0.0 5e-1 .5 0.25 0.5", CAT_BOX),
        ("0.000000000000000000e+00 0.5 0.5 0.25 0.5", CAT_BOX),
        ("0 0.5 0.5 0.25 0.5 0.93", CAT_BOX),
        ("0 0.5 0.5 0.25 0.5 17", CAT_BOX),
        ("0 0.5 0.5 0.25 0.5 0.93 17", CAT_BOX),
        ("0 0.5 0.5 1.0000001 1", [0, 0, 64, 48]),
        ("0 0.5 0.5 0 0", [32, 24, 32, 24]),
        ("0 0.95 0.5 0.25 0.5", [52.8, 12, 68.8, 36]),
    ],
)
def test_lines_of_boxes(voc_folder: VocFolder, line: str, box: list[float]) -> None:
    root = lay(voc_folder, {"a.jpg": "", "a.txt": line, "classes.txt": "cat"})
    dataset = formats.read(root)
    np.testing.assert_allclose(dataset.boxes, [box], atol=1e-4)
    assert dataset.findings == ()


@pytest.mark.parametrize(
    ("line", "box"),
    [
        ("0 0.25 0.25 0.75 0.25 0.5 0.75", [16, 12, 48, 36]),
        ("0 0.25 0.25 0.75 0.25 0.5 0.75 0.5 1", [16, 12, 48, 48]),
        ("0 0.25 0.25 0.75 0.25 0.5 0.75 0.5 1 0.5 0.5 0.9", [16, 12, 48, 48]),
        ("0 0.5 0.25 0.75 0.5 0.5 0.75 0.25 0.5", [16, 12, 48, 36]),
    ],
)
def test_shapes_become_the_boxes_around_them(
    voc_folder: VocFolder, line: str, box: list[float]
) -> None:
    files = {"a.jpg": "", "a.txt": f"{line}\n{line}\n{CAT_LINE}", "classes.txt": "cat"}
    dataset = formats.read(lay(voc_folder, files))
    np.testing.assert_allclose(dataset.boxes, [box, box, CAT_BOX], atol=1e-4)
    (finding,) = dataset.findings
    assert (finding.code, finding.message) == ("BW143", "2 labels are shapes")


def test_key_points_are_not_a_shape(voc_folder: VocFolder) -> None:
    files = {"data.yaml": f"{DATA}kpt_shape: [2, 3]\n", "train/images/a.jpg": ""}
    files |= {"train/labels/a.txt": "0 0.5 0.5 0.25 0.5 0.1 0.1 2 0.9 0.9 1\n"}
    dataset = formats.read(lay(voc_folder, files | {"valid/images/b.jpg": ""}))
    assert dataset.boxes.tolist() == [CAT_BOX]
    assert "BW143" not in codes(dataset)


@pytest.mark.parametrize(
    "points",
    [
        "0.5 0.5 2",
        "0.5 0.5 1",
        "0.1 0.1 2 0 0 0",
        "0.5 0.5 2.000000 0 0 0.000000",
        "0.45 0.5 1 0.55 0.5 1 0 0 0",
        "0.3 0.3 2 " * 17,
        "0.5 0.4 1 0 0 0 " * 8,
        "-0.01 0.5 2 0.9 1.02 1",
        "0 0 0 " * 17,
    ],
)
def test_keypoints_are_known_by_their_visibilities(voc_folder: VocFolder, points: str) -> None:
    files = {"a.jpg": "", "a.txt": f"0 0.5 0.5 0.25 0.5 {points}\n", "classes.txt": "cat"}
    dataset = formats.read(lay(voc_folder, files))
    assert dataset.boxes.tolist() == [CAT_BOX]
    assert dataset.findings == ()


CONFIDENT = [
    "0.45 0.4 0.93 0.55 0.6 0.87 0.41 0.41 0.99 0.5 0.7 0.9",
    "0.45 0.4 0.93 0 0 0.0 0.55 0.6 0.87 0.5 0.7 0.51",
    "0.45 0.4 0.93 0.55 0.6 0.87 0.41 0.41 0.99 0.5 0.7 0.9 0.88",  # and that of the box
    "0.4 0.3 0.9312 0.6 0.32 0.8713 0.61 0.75 0.9 0.42 0.7 0.4121 " * 4 + "0.5 0.5 1",
    "0.35 0.5 0.93 0.55 0.78 0.6 " * 3,  # beside the box
]
UNCLEAR = [
    "0.45 0.4 0.93",
    "0.45 0.4 0.91 0.62 0.7 0.99",
    "0.45 0.4 0.93 0.55 0.6 0.87 0.48 0.41 0.99",
]


@pytest.mark.parametrize("points", CONFIDENT)
def test_keypoints_may_have_confidences(voc_folder: VocFolder, points: str) -> None:
    """As Ultralytics writes predictions, without a data.yaml that says so."""
    files = {"a.jpg": "", "a.txt": f"0 0.5 0.5 0.25 0.5 {points}\n", "classes.txt": "cat"}
    dataset = formats.read(lay(voc_folder, files))
    assert dataset.boxes.tolist() == [CAT_BOX]
    assert dataset.findings == ()


@pytest.mark.parametrize("points", UNCLEAR)
def test_keypoints_that_may_be_a_shape_are_named(voc_folder: VocFolder, points: str) -> None:
    files = {"a.jpg": "", "a.txt": f"0 0.5 0.5 0.25 0.5 {points}\n", "classes.txt": "cat"}
    root = lay(voc_folder, files)
    with pytest.raises(DataError, match=r"BW110.*a\.txt:1.*write kpt_shape into data\.yaml"):
        formats.read(root)
    voc_folder.text("data.yaml", "names: [cat]\nkpt_shape: [2, 3]\n")
    assert formats.read(root).boxes.tolist() == [CAT_BOX]


def test_lines_of_other_lengths_show_that_it_is_a_shape(voc_folder: VocFolder) -> None:
    files = {"a.jpg": "", "b.jpg": "", "classes.txt": "cat", "b.txt": "0 0.1 0.1 0.3 0.2 0.2 0.5"}
    for points in UNCLEAR:
        files["a.txt"] = f"0 0.5 0.5 0.25 0.5 {points}\n"
        assert codes(formats.read(lay(voc_folder, files))) == ["BW143"]


CROSSING = "0.5 0.5 0.6 0.6 0.6 0.5 0.5 0.6 0.45 0.55"  # a shape that could be a box and keypoints
PLAIN = "0.1 0.1 0.3 0.1 0.4 0.3 0.2 0.4 0.1 0.3"
CLOSED = "0.34 0.6 0.2 0.6 0.2 0.4 0.34 0.4 0.34 0.6"  # a rectangle


@pytest.mark.parametrize(
    "lines", [[CROSSING, "0.1 0.1 0.3 0.2 0.2 0.5"], [CROSSING, PLAIN], [PLAIN, PLAIN, CLOSED]]
)
def test_a_few_odd_shapes_are_no_keypoints(voc_folder: VocFolder, lines: list[str]) -> None:
    """Lines of other lengths show it, or others of the same length."""
    text = "".join(f"0 {line}\n" for line in lines)
    dataset = formats.read(lay(voc_folder, {"a.jpg": "", "a.txt": text, "classes.txt": "cat"}))
    assert codes(dataset) == ["BW143"]
    for line, box in zip(lines, dataset.boxes, strict=True):
        corners = np.array(line.split(), float).reshape(-1, 2)
        sides = np.array([*corners.min(axis=0), *corners.max(axis=0)])
        np.testing.assert_allclose(box, sides * [64, 48, 64, 48], atol=1e-2)


@pytest.mark.parametrize(
    "lines", [[CROSSING, PLAIN], [f"0.5 0.5 0.25 0.5 {CONFIDENT[0]}"], [PLAIN]]
)
def test_the_editor_has_the_boxes_that_are_read(voc_folder: VocFolder, lines: list[str]) -> None:
    text = "".join(f"0 {line}\n" for line in lines)
    root = lay(voc_folder, {"a.jpg": "", "a.txt": text, "classes.txt": "cat"})
    folder = Folder.scan(root)
    editor = Editor.of(folder, read_annotations(folder).own)
    boxes = np.reshape(editor.labeled(text.encode(), "a.txt").boxes, (-1, 4)) * [64, 48, 64, 48]
    np.testing.assert_allclose(boxes, formats.read(root).boxes, atol=1e-2)


@pytest.mark.parametrize("corners", range(4, 40))
@pytest.mark.parametrize("place", [(0.5, 0.5), (0.2, 0.2), (0.8, 0.8), (0.4, 0.5), (0.5, 0.2)])
def test_no_shape_is_taken_for_keypoints(
    voc_folder: VocFolder, corners: int, place: tuple[float, float]
) -> None:
    turns = np.linspace(0.3, 2 * np.pi + 0.3, corners, endpoint=False)
    radius = 0.1 + 0.05 * np.sin(5 * turns)
    ring = np.array(place) + radius[:, None] * np.stack([np.cos(turns), np.sin(turns)], axis=1)
    line = "0 " + " ".join(f"{value:.5f}" for value in ring.ravel().tolist())
    files = {"a.jpg": "", "classes.txt": "cat", "a.txt": f"{line}\n0 0.1 0.1 0.3 0.2 0.2 0.5\n"}
    dataset = formats.read(lay(voc_folder, files))
    assert codes(dataset) == ["BW143"]
    sides = np.array([*ring.min(axis=0), *ring.max(axis=0)]) * [64, 48, 64, 48]
    np.testing.assert_allclose(dataset.boxes[:1], [sides], atol=1e-2)


@pytest.mark.parametrize(
    "corners",
    [
        "0 0 1 0 1 1 0 1 0 0",
        "0.5 0.25 1 0 1 0.5 1 1 0.5 1",
        "0.5 0 1 0 1 0.5 1 1 0.5 1 0 1 0 0.5 0 0",
        "0.6 0.6 0.9 0.6 1 0.7 1 1 0.6 1",
        "0.6 0.6 0.7 0.5 0.8 0.6 1 0.7 0.6 1",
        "0.1 0.1 0.9 0.1 0.5 0.9 1",
        "0.1 0.1 0.9 0.1 0.5 0.9 0",
    ],
)
def test_a_shape_at_the_border_has_no_keypoints(voc_folder: VocFolder, corners: str) -> None:
    files = {"a.jpg": "", "a.txt": f"0 {corners}\n", "classes.txt": "cat"}
    assert codes(formats.read(lay(voc_folder, files))) == ["BW143"]


@pytest.mark.parametrize(
    ("text", "where", "message"),
    [
        (
            f"{CAT_LINE}\n2 0.5 0.5 0.1 0.1\n",
            ":3",
            "class 2 is not one of the 2 classes of data.yaml",
        ),
        ("-1 0.5 0.5 0.1 0.1", ":1", "'-1' is not a class number"),
        ("cat 0.5 0.5 0.1 0.1", ":1", "'cat' is not a class number"),
        ("0.5 0.5 0.5 0.1 0.1", ":1", "'0.5' is not a class number"),
        ("0 0.5 0.5 0.1", ":1", "has 3 numbers after the class, not 4"),
        ("0", ":1", "has 0 numbers"),
        ("0 0.5 wide 0.1 0.1", ":1", "'wide' is not a coordinate"),
        ("0 0,5 0,5 0,1 0,1", ":1", "'0,5' is not a coordinate"),
        ("0 nan 0.5 0.1 0.1", ":1", "'nan' is not a coordinate"),
        ("0 0.5 0.5 -0.1 0.1", ":1", "negative size, -0.1 x 0.1"),
        ("0 320 240 100 80", "", "boxes are not fractions, and no other unit is certain"),
        ("0 0.1 0.1 320 240 0.5 0.6", "", "boxes are not fractions, and no other unit is certain"),
    ],
)
def test_a_line_that_cannot_be_used_is_named(
    voc_folder: VocFolder, text: str, where: str, message: str
) -> None:
    files = {"data.yaml": DATA, "train/images/a.jpg": "", "train/labels/a.txt": text}
    root = lay(voc_folder, files | {"valid/images/b.jpg": ""})
    with pytest.raises(DataError) as caught:
        formats.read(root)
    codes = {"is not one of": "BW163", "no other unit": "BW161"}
    assert caught.value.code == next((codes[part] for part in codes if part in message), "BW110")
    assert caught.value.where == f"{root}/train/labels/a.txt{where}"
    assert message in caught.value.message
    tolerated = formats.read(root, tolerant=True)
    assert tolerated.names == ("valid/images/b.jpg",)


def test_a_label_file_that_is_no_text_is_named(voc_folder: VocFolder) -> None:
    root = lay(voc_folder, {"data.yaml": DATA, "train/images/a.jpg": "", "train/labels/a.txt": ""})
    (root / "train/labels/a.txt").write_bytes(b"0 \xff 0.5")
    with pytest.raises(DataError, match=r"BW160.*is not UTF-8 text \(byte 2 is 0xff"):
        formats.read(root)
