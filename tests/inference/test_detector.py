"""A detector shown photos: a real COCO file on real photos, and everything that is no detector."""

from __future__ import annotations

import io
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from boxwright.errors import BoxwrightError, DataError, DetectorError
from boxwright.images.decoding import read_image
from boxwright.images.preprocessing import Preprocessing
from boxwright.inference.artifact import Artifact
from boxwright.inference.detector import Detector
from boxwright.ops.boxes import iou

COCO = "ssd_mobilenet_v1_coco_quant.tflite"
NAMES = tuple({0: "person", 17: "dog", 37: "kite"}.get(i, f"class {i}") for i in range(90))


@pytest.fixture(scope="module")
def coco(shared: Path) -> Detector:
    return Detector.load(shared / "weights" / COCO, classes=NAMES)


@pytest.mark.shared
def test_two_dogs_where_they_are(coco: Detector, shared: Path) -> None:
    found = coco.predict(shared / "images" / "image1.jpg")  # 1024 x 636 pixels
    dogs = found.boxes[[each.name == "dog" for each in found]]
    by_eye = np.array([[27, 28, 306, 545], [408, 66, 990, 602]], np.float32)
    assert len(dogs) == 2
    assert (iou(by_eye, dogs).max(axis=1) > 0.65).all()
    assert found.scores.min() >= 0.5


@pytest.mark.shared
def test_people_and_kites_at_the_beach(coco: Detector, shared: Path) -> None:
    found = coco(shared / "images" / "image2.jpg")  # 1352 x 900 pixels
    names = [each.name for each in found]
    assert {"person", "kite"} == set(names)
    kites = found.boxes[[name == "kite" for name in names]]
    biggest = np.array([[598, 78, 664, 150]], np.float32)
    assert iou(biggest, kites).max() > 0.65


@pytest.mark.shared
def test_a_path_an_array_and_a_picture_are_the_same_image(coco: Detector, shared: Path) -> None:
    path = shared / "images" / "image1.jpg"
    with Image.open(path) as picture:
        shown = [str(path), path, read_image(path), picture]
        found = [coco.predict(image) for image in shown]
    assert len(found[0]) >= 2
    for other in found[1:]:
        np.testing.assert_array_equal(other.boxes, found[0].boxes)
        np.testing.assert_array_equal(other.scores, found[0].scores)


@pytest.mark.shared
def test_it_runs_where_there_is_no_tensorflow(shared: Path) -> None:
    code = (
        "import sys\n"
        "for name in ('tensorflow', 'keras', 'jax', 'pycocotools'): sys.modules[name] = None\n"
        "from boxwright.inference.detector import Detector\n"
        "weights, photo = sys.argv[1:]\n"
        "detector = Detector.load(weights, classes=[str(i) for i in range(90)])\n"
        "print([name for name, _, _ in detector.predict(photo)][:2])\n"
    )
    arguments = [str(shared / "weights" / COCO), str(shared / "images" / "image1.jpg")]
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "['17', '17']\n", "")


@pytest.mark.shared
@pytest.mark.parametrize(
    ("name", "options", "code"),
    [
        (COCO, {}, "BW504"),
        (COCO, {"classes": []}, "BW504"),
        (COCO, {"classes": ["person", "dog"]}, "BW506"),
        ("mobilenet_v1_0.25_128_quant.tflite", {"classes": ["a"]}, "BW505"),
        ("mobilenet_v1_1.0_224_quant_embedding_extractor.tflite", {"classes": ["a"]}, "BW505"),
        ("tm_mobilenet_v2_035_224.h5", {}, "BW501"),
        ("README.md", {}, "BW501"),
    ],
)
def test_a_file_that_is_no_detector(
    name: str, options: dict[str, Any], code: str, shared: Path
) -> None:
    with pytest.raises(DetectorError) as caught:
        Detector.load(shared / "weights" / name, **options)
    assert caught.value.code == code
    assert name in str(caught.value)


@pytest.mark.shared
def test_what_to_do_about_missing_names(shared: Path) -> None:
    with pytest.raises(DetectorError, match=r"no class names.*classes=\["):
        Detector.load(shared / "weights" / COCO)


@pytest.mark.shared
def test_outputs_are_found_in_whatever_order_the_file_lists_them(shared: Path) -> None:
    weights = shared / "weights" / "fpnlite320_plate_int8.tflite"  # scores, boxes, count, classes
    detector = Detector.load(weights, classes=["unused", "plate"])
    found = detector.predict(shared / "images" / "image1.jpg", threshold=0)
    assert len(found)
    assert ((found.scores >= 0) & (found.scores <= 1)).all()
    assert (np.diff(found.scores) <= 0).all()
    assert found.boxes.max() > 100  # in pixels of the photo


@pytest.mark.shared
def test_a_copy_anywhere_and_cut_off(shared: Path, tmp_path: Path) -> None:
    folder = tmp_path / "mes modèles 模型"
    folder.mkdir()
    copy = shutil.copy(shared / "weights" / COCO, folder / "détecteur")  # needs no suffix
    image = shutil.copy(shared / "images" / "image1.jpg", folder / "chien n°1.jpg")
    assert len(Detector.load(copy, classes=NAMES).predict(image)) >= 2
    content = copy.read_bytes()
    copy.write_bytes(content[: len(content) // 2])
    with pytest.raises(DetectorError) as caught:
        Detector.load(copy, classes=NAMES)
    assert caught.value.code == "BW502"


class Echo:
    """An engine that reports what it was shown: one box, its score the mean of the pixels."""

    def __init__(self) -> None:
        self.batches: list[int] = []

    def __call__(self, inputs: NDArray[np.uint8]) -> list[Any]:
        assert inputs.dtype == np.uint8
        assert inputs.shape[1:] == (32, 32, 3)
        self.batches.append(len(inputs))
        box = np.array([[0.25, 0.5, 0.75, 1.0]], np.float32)
        means = inputs.mean(axis=(1, 2, 3)) / 255
        return [(box, np.array([mean], np.float32), np.array([1])) for mean in means]


@pytest.fixture
def echo() -> Detector:
    return Detector(Echo(), Artifact({}, ("a", "b"), Preprocessing(32)))


def gray(value: int, width: int = 200, height: int = 100) -> NDArray[np.uint8]:
    return np.full((height, width, 3), value, np.uint8)


@pytest.mark.tiny
def test_boxes_are_pixels_of_the_image(echo: Detector) -> None:
    ((name, score, box),) = echo.predict(gray(255, width=200, height=80))
    assert (name, score, box) == ("b", 1.0, (100.0, 20.0, 200.0, 60.0))


@pytest.mark.tiny
def test_a_picture_is_turned_upright(echo: Detector, tmp_path: Path) -> None:
    sideways = Image.new("RGB", (200, 80), "white")
    exif = Image.Exif()
    exif[0x0112] = 6  # a camera held sideways
    sideways.save(tmp_path / "sideways.jpg", exif=exif)
    with Image.open(tmp_path / "sideways.jpg") as picture:
        for image in (picture, tmp_path / "sideways.jpg"):
            ((_, _, box),) = echo.predict(image)
            assert box == (40.0, 50.0, 80.0, 150.0)  # of 80 x 200 pixels


@pytest.mark.tiny
def test_thresholds(echo: Detector) -> None:
    assert len(echo.predict(gray(120))) == 0  # 0.47, and the detector's own threshold is 0.5
    assert len(echo.predict(gray(135))) == 1
    assert len(echo.predict(gray(120), threshold=0.4)) == 1
    assert len(echo.predict(gray(0), threshold=0)) == 1


@pytest.mark.tiny
@pytest.mark.parametrize(
    ("threshold", "counts"), [(None, [0, 1]), (0.4, [1, 1]), (0.6, [0, 0]), (0, [1, 1])]
)
def test_one_and_many_apply_the_same_threshold(
    threshold: float | None, counts: list[int], echo: Detector
) -> None:
    images = [gray(120), gray(135)]  # 0.47 and 0.53; the detector's own threshold is 0.5
    many = echo.predict_many(images, threshold=threshold)
    assert [len(each) for each in many] == counts
    assert [len(echo.predict(image, threshold=threshold)) for image in images] == counts


@pytest.mark.tiny
def test_detections_know_the_size_of_their_image(echo: Detector, tmp_path: Path) -> None:
    Image.new("RGB", (640, 480)).save(tmp_path / "large.jpg")  # decoded at a fraction of that
    assert echo.predict(tmp_path / "large.jpg", threshold=0).image_size == (640, 480)
    assert echo.predict(gray(255, width=200, height=80)).image_size == (200, 80)


@pytest.mark.tiny
@pytest.mark.parametrize("count", [0, 1, 4, 5, 23])
def test_many_images_come_back_in_order(count: int, echo: Detector) -> None:
    values = [(7 * i) % 256 for i in range(count)]
    found = list(echo.predict_many((gray(value) for value in values), threshold=0, batch_size=4))
    assert [round(255 * float(each.scores[0])) for each in found] == values
    engine: Any = echo.engine
    assert engine.batches == [4] * (count // 4) + [count % 4] * (count % 4 > 0)


@pytest.mark.tiny
def test_images_are_read_only_a_little_ahead(echo: Detector) -> None:
    taken = []

    def images() -> Iterator[NDArray[np.uint8]]:
        for i in range(1000):
            taken.append(i)
            yield gray(i % 256)

    next(echo.predict_many(images(), batch_size=4))
    assert len(taken) <= 8


@pytest.mark.tiny
def test_a_damaged_image_among_many_is_named(echo: Detector, tmp_path: Path) -> None:
    (tmp_path / "bad.jpg").write_bytes(b"\xff\xd8 not a photo")
    before = threading.active_count()
    found = echo.predict_many([gray(1), tmp_path / "bad.jpg"], threshold=0, batch_size=1)
    assert len(next(found)) == 1
    with pytest.raises(DataError, match=r"bad\.jpg"):
        next(found)
    assert threading.active_count() == before


@pytest.mark.tiny
@pytest.mark.parametrize(
    ("image", "says"),
    [
        (np.zeros(10, np.uint8), r"uint8 \(10,\)"),
        (np.zeros((10, 10, 3), np.float32), "float32"),
        (np.zeros((10, 10, 3), np.uint16), "uint16"),
        (np.zeros((10, 10), np.bool_), "bool"),
        (np.zeros((0, 10, 3), np.uint8), r"empty array \(0, 10, 3\)"),
        (np.zeros((10, 0), np.uint8), r"empty array \(10, 0\)"),
        (np.zeros((10, 10, 2), np.uint8), r"\(10, 10, 2\)"),
        (np.zeros((2, 10, 10, 3), np.uint8), r"\(2, 10, 10, 3\)"),
        (Image.new("RGB", (0, 4)), "0 x 4 pixels"),
        (io.StringIO("text"), "opened as text"),
        (None, "NoneType"),
        (["a.jpg"], "list"),
    ],
)
def test_what_is_not_an_image(image: Any, says: str, echo: Detector) -> None:
    looks = (lambda: echo.predict(image), lambda: list(echo.predict_many([image])))
    for look in looks:
        with pytest.raises(DetectorError, match=says) as caught:
            look()
        assert caught.value.code == "BW507"


@pytest.mark.tiny
@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda path: None, "no such file"),
        (lambda path: path.mkdir(), "without a detector"),
        (lambda path: (path.mkdir(), (path / "a.JPG").touch()), "folder of images"),
        (lambda path: path.write_text("hello", encoding="utf-8"), "not a detector file"),
        (lambda path: path.touch(), "not a detector file"),
    ],
)
def test_where_there_is_no_detector(make: Any, says: str, tmp_path: Path) -> None:
    path = tmp_path / "detector"
    make(path)
    with pytest.raises(DetectorError, match=says) as caught:
        Detector.load(path)
    assert (caught.value.code, caught.value.where) == ("BW501", str(path))


@pytest.mark.tiny
def test_an_image_is_not_a_detector(tmp_path: Path) -> None:
    Image.new("RGB", (5, 5)).save(tmp_path / "photo.png")
    with pytest.raises(DetectorError, match="is an image"):
        Detector.load(tmp_path / "photo.png")


@pytest.mark.tiny
@pytest.mark.parametrize(
    ("text", "code"),
    [("", "BW502"), ("{}", "BW502"), ('{"format": "boxwright-detector", "version": 9}', "BW503")],
)
def test_a_damaged_or_newer_run(text: str, code: str, tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text(text, encoding="utf-8")
    with pytest.raises(BoxwrightError) as caught:
        Detector.load(tmp_path)
    assert caught.value.code == code
