"""The unit of boxes is recognized in every format, or asked for; class ids may count from 1."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from coco_samples import annotation, coco, image

from boxwright import formats
from boxwright.errors import DataError
from boxwright.formats import FORMATS, ReadOptions
from boxwright.formats.folder import Folder
from boxwright.formats.options import UNITS, Units
from boxwright.formats.units import id_shift
from boxwright.structures.dataset import Dataset, LabeledImage
from folders import VocFolder, codes, lay

pytestmark = pytest.mark.tiny

SIZES = ((300, 200), (400, 300))
DECLARED: dict[str, Units] = {
    **dict.fromkeys(("openimages", "tfrecord", "yolo"), "fractions"),
    "labelstudio": "percent",
}
SCALES = {"fractions": 1, "percent": 100, "thousandths": 1000}
FRACTIONS = [(0.1, 0.2, 0.4, 0.6), (0.3, 0.1, 0.9, 0.95), (0.55, 0.5, 0.85, 0.75)]
WRONG = [(form, unit) for form in FORMATS for unit in UNITS if unit != DECLARED.get(form, "pixels")]


def sides(unit: Units, size: tuple[int, int]) -> np.ndarray:
    """What the whole image is in a unit, xyxy."""
    return np.array(size * 2 if unit == "pixels" else [SCALES[unit]] * 4, np.float64)


def written(root: Path, form: str, units: list[Units], boxes: int = 3) -> list[list[float]]:
    """Write a photo for each unit, with boxes in it; returns the boxes in pixels.

    A writer converts from pixels to the unit of its format, so it gets numbers that become those of
    the other unit.
    """
    images, truth = [], []
    folder = VocFolder(root / "photos")
    for i, unit in enumerate(units):
        size = SIZES[i % 2]
        folder.image(f"{i}.jpg", size)
        own = sides(DECLARED.get(form, "pixels"), size)
        drawn = np.array(FRACTIONS[:boxes])
        numbers = drawn * sides(unit, size) / own * [*size, *size]
        truth += (drawn * [*size, *size]).tolist()
        images.append(LabeledImage(f"{i}.jpg", *size, numbers.tolist(), ["cat"] * boxes))
    formats.write(Dataset.of(folder.root, images), root / "data", form)
    return truth


def stated(dataset: Dataset) -> list[str]:
    return sorted({code for code in codes(dataset) if code != "BW154"})


@pytest.mark.parametrize(("form", "unit"), WRONG)
def test_a_file_in_another_unit_is_converted_with_a_note(
    tmp_path: Path, form: str, unit: Units
) -> None:
    truth = written(tmp_path, form, [unit] * 10)
    dataset = formats.read(tmp_path / "data")
    np.testing.assert_allclose(dataset.boxes, truth, atol=0.01)
    assert stated(dataset) == ["BW162"]
    (finding,) = (one for one in dataset.findings if one.code == "BW162")
    assert finding.message.startswith("30 boxes are in " + unit)
    assert finding.repair == f"read as {unit}"
    assert len(finding.images) == 10


@pytest.mark.parametrize("form", FORMATS)
def test_the_unit_of_the_format_needs_no_note(tmp_path: Path, form: str) -> None:
    truth = written(tmp_path, form, [DECLARED.get(form, "pixels")] * 10)
    dataset = formats.read(tmp_path / "data")
    np.testing.assert_allclose(dataset.boxes, truth, atol=0.01)
    assert stated(dataset) == []


@pytest.mark.parametrize(("form", "unit"), WRONG)
def test_the_user_states_the_unit(tmp_path: Path, form: str, unit: Units) -> None:
    truth = written(tmp_path, form, [unit], boxes=1)
    dataset = formats.read(tmp_path / "data", ReadOptions(units=unit))
    np.testing.assert_allclose(dataset.boxes, truth, atol=0.01)
    assert stated(dataset) == []


@pytest.mark.parametrize(("form", "unit"), WRONG)
def test_a_few_boxes_are_converted_or_asked_about_but_never_in_a_wrong_place(
    tmp_path: Path, form: str, unit: Units
) -> None:
    truth = written(tmp_path, form, [unit] * 2)
    dataset = formats.read(tmp_path / "data", tolerant=True)
    assert stated(dataset) in (["BW161"], ["BW162"])
    if stated(dataset) == ["BW161"]:
        with pytest.raises(DataError, match="State the unit with `--units pixels`"):
            formats.read(tmp_path / "data")
        truth = []
    np.testing.assert_allclose(dataset.boxes, np.reshape(truth, (-1, 4)), atol=0.01)


@pytest.mark.parametrize(
    ("form", "unit"),
    [(form, "pixels" if DECLARED.get(form) == "fractions" else "fractions") for form in FORMATS],
)
def test_one_file_in_two_units_is_refused(tmp_path: Path, form: str, unit: Units) -> None:
    truth = written(tmp_path, form, [unit, DECLARED.get(form, "pixels")] * 5)
    files = {one.path for one in FORMATS[form].read(Folder.scan(tmp_path / "data")).images}
    if len(files) == 1:
        with pytest.raises(DataError, match=r"BW161.*sides in 15 of its 30 boxes, such as"):
            formats.read(tmp_path / "data")
        assert len(formats.read(tmp_path / "data", tolerant=True).boxes) == 0
    else:  # each file is of one unit
        np.testing.assert_allclose(formats.read(tmp_path / "data").boxes, truth, atol=0.01)


def as_coco(*bboxes: list[float], size: tuple[int, int] = (300, 200)) -> str:
    width, height = size
    photos = [image(i, f"{i}.jpg", width=width, height=height) for i in range(len(bboxes))]
    return coco(photos, [annotation(i, bbox=bbox) for i, bbox in enumerate(bboxes)])


AZURE = [0.13333, 0.3, 0.26667, 0.5], [0.6, 0.15, 0.26667, 0.3]
CASES: dict[str, tuple[list[list[float]], str]] = {
    "Azure's fractions": ([*AZURE], "BW162"),
    "one box of fractions": ([AZURE[0]], "BW162"),
    "fractions over the edge": ([AZURE[0], [-0.02, 0.5, 1.05, 0.51]], "BW162"),
    "the whole image as fractions": ([AZURE[0], [0, 0, 1, 1]], "BW162"),
    "a box of one pixel": ([[0, 0, 1, 1], [40, 60, 80, 100]], ""),
    "only a box of one pixel": ([[0, 0, 1, 1]], ""),
    "one slip of many": ([[0.25, 0.25, 0.5, 0.5], *[[40, 60, 80, 100]] * 100], ""),
    "as many of both": ([AZURE[0], [40, 60, 80, 100]], "BW161"),
    "pixels": ([[40, 60, 80, 100], [180, 30, 80, 60]], ""),
    "thousandths": ([[133, 300, 267, 500], [600, 150, 267, 300]], "BW162"),
    "thousandths of a small part": ([[133, 300, 267, 300]], "BW161"),
    "boxes of a larger image": ([[1200, 900, 400, 300], [40, 60, 80, 100]], ""),
    "one of many beyond the edge": ([[280, 150, 80, 20], *[[40, 60, 80, 100]] * 9], ""),
}


@pytest.mark.parametrize("case", CASES)
def test_what_tools_write_into_coco(voc_folder: VocFolder, case: str) -> None:
    bboxes, code = CASES[case]
    for i in range(len(bboxes)):
        voc_folder.image(f"{i}.jpg", (300, 200))
    voc_folder.text("labels.json", as_coco(*bboxes))
    dataset = formats.read(voc_folder.root, tolerant=True)
    assert stated(dataset) == ([code] if code else [])
    assert len(dataset) == (0 if code == "BW161" else len(bboxes))


def test_each_file_is_judged_by_itself(voc_folder: VocFolder) -> None:
    voc_folder.pair("a")
    voc_folder.image("b.jpg")
    voc_folder.xml("b.xml", [("cat", 0.25, 0.25, 0.5, 0.75)])
    voc_folder.image("c.jpg")
    voc_folder.xml("c.xml", [("cat", 0.25, 0.25, 0.5, 0.75), ("cat", 4, 6, 30, 40)])
    dataset = formats.read(voc_folder.root, tolerant=True)
    assert dataset.boxes.tolist() == [[4, 6, 30, 40], [16, 12, 32, 36]]
    assert [(one.code, one.where) for one in dataset.findings] == [
        ("BW161", "c.xml"),
        ("BW162", "b.xml"),
    ]


@pytest.mark.parametrize(
    ("line", "box"),
    [
        ("0 24 24 16 24", [16, 12, 32, 36]),
        ("0 5.5 0.5 0.1 0.1", None),
        ("0 24 24 16 24\n0 0.5 0.5 0.25 0.5", None),
        ("0 24 24 16 240", None),
    ],
)
def test_pixels_in_a_label_file(voc_folder: VocFolder, line: str, box: list[float] | None) -> None:
    files = {"classes.txt": "cat\n", "a.jpg": "", "b.jpg": "", "a.txt": line}
    root = lay(voc_folder, files | {"b.txt": "0 0.5 0.5 0.25 0.5\n"})
    dataset = formats.read(root, tolerant=True)
    assert dataset.boxes.tolist() == [box, [24, 12, 40, 36]][box is None :]
    assert stated(dataset) == ["BW162" if box else "BW161"]


def test_images_of_exif_keep_their_orientation(voc_folder: VocFolder) -> None:
    voc_folder.image("a.jpg", (64, 48), orientation=6)
    voc_folder.text(
        "a.json", coco([image(1, "a.jpg")], [annotation(1, bbox=[0.25, 0.25, 0.5, 0.5])])
    )
    dataset = formats.read(voc_folder.root)
    assert dataset.sizes.tolist() == [[48, 64]]
    assert dataset.boxes.tolist() == [[12, 16, 36, 48]]


# ---- class ids ----


@pytest.mark.parametrize(
    ("used", "known", "shift"),
    [
        ({1, 2, 3}, {0, 1, 2}, -1),
        ({1}, {0}, -1),
        ({1, 3}, {0, 1, 2}, -1),
        ({0, 1}, {1, 2}, 1),
        ({0, 1, 2, 3}, {0, 1, 2}, 0),
        ({3}, {0, 1, 2}, 0),
        ({2, 3}, {0, 1, 2}, 0),
        ({1, 2}, {0, 1, 2}, 0),
        ({1, 2, 3}, set(), 0),
        (set(), {0}, 0),
        ({1, 3}, {0, 1}, 0),
    ],
)
def test_ids_that_count_from_another_number(used: set[int], known: set[int], shift: int) -> None:
    assert id_shift(used, known) == shift


@pytest.mark.parametrize(
    ("ids", "names"),
    [("12", "classes.txt"), ("12", "data.yaml"), ("12", "obj.names"), ("01", "from 1.yaml")],
)
def test_label_files_that_count_from_another_number(
    voc_folder: VocFolder, ids: str, names: str
) -> None:
    texts = {
        "classes.txt": "cat\ndog\n",
        "obj.names": "cat\ndog\n",
        "data.yaml": "names: [cat, dog]\nnc: 2\n",
        "from 1.yaml": "names: {1: cat, 2: dog}\nnc: 2\n",
    }
    files = {"a.jpg": "", "b.jpg": "", names: texts[names]}
    for name, number in zip("ab", ids, strict=True):
        files[f"{name}.txt"] = f"{number} 0.5 0.5 0.25 0.5\n"
    dataset = formats.read(lay(voc_folder, files))
    assert [dataset.classes[label] for label in dataset.labels] == ["cat", "dog"]
    assert stated(dataset) == ["BW162"]


def test_coco_that_counts_from_0_where_its_categories_count_from_1(voc_folder: VocFolder) -> None:
    lay(voc_folder, {"a.jpg": "", "b.jpg": ""})
    boxes = [annotation(1, 0), annotation(2, 1)]
    voc_folder.text("a.json", coco([image(1, "a.jpg"), image(2, "b.jpg")], boxes))
    dataset = formats.read(voc_folder.root)
    assert [dataset.classes[label] for label in dataset.labels] == ["cat", "dog"]
    assert dataset.classes == ("cat", "dog")
    assert stated(dataset) == ["BW162"]


def test_ids_without_a_name_are_refused(voc_folder: VocFolder) -> None:
    files = {"classes.txt": "cat\ndog\n", "a.jpg": "", "a.txt": "2 0.5 0.5 0.25 0.5\n"}
    with pytest.raises(DataError, match="class 2 is not one of the 2 classes") as e:
        formats.read(lay(voc_folder, files))
    assert e.value.code == "BW163"


def test_a_broken_list_of_annotations_is_named(voc_folder: VocFolder) -> None:
    content = json.loads(coco([image(1, "a.jpg")], [annotation(1)]))
    lay(voc_folder, {"a.jpg": "", "a.json": json.dumps({**content, "annotations": {"a": 1}})})
    with pytest.raises(DataError, match="BW110"):
        formats.read(voc_folder.root)


def test_the_unit_of_the_format_can_be_insisted_on(tmp_path: Path) -> None:
    """A box within the first pixel is one of pixels then, as a copy is read back."""
    VocFolder(tmp_path).pair("a", [("cat", 0, 0, 1, 0.5)])
    assert codes(formats.read(tmp_path)) == ["BW162"]
    dataset = formats.read(tmp_path, ReadOptions(units="format"))
    assert (dataset.boxes.tolist(), codes(dataset)) == ([[0, 0, 1, 0.5]], [])
