"""Detectors of other tools that end before post-processing: recognized, and run where known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from foreign import constant_onnx, on_grid
from numpy.typing import NDArray
from PIL import Image
from typer.testing import CliRunner

from boxwright.cli.main import app
from boxwright.errors import DetectorError
from boxwright.images.preprocessing import Preprocessing
from boxwright.inference.detector import Detector
from boxwright.inference.heads import Facts, recognized
from boxwright.inference.heads.raw import CANDIDATES
from boxwright.inference.heads.ssd import UNKNOWN
from boxwright.inference.inspection import inspect
from boxwright.inference.litert import RawSsd
from boxwright.inference.tflite_graph import Tensor
from boxwright.ops import box_coder
from boxwright.ops.anchors import AnchorSpec, grid_anchors

SIDE = 320
WIDE = Image.new(
    "RGB", (640, 320)
)  # letterboxed, bars of 80 pixels of the input are above and below
BOX = (160.0, 160.0, 80.0, 40.0)  # center and size in pixels of the input
IN_WIDE = [240, 120, 400, 200]  # the same in pixels of the image
STRETCHED = [240, 140, 400, 180]
NAMES = {"names": "{0: 'cat', 1: 'dog'}", "imgsz": f"[{SIDE}, {SIDE}]", "task": "detect"}


def with_box(rows: NDArray[np.float32], *scores: float) -> NDArray[np.float32]:
    """One row, in the middle of the others, has the box and these numbers behind it."""
    rows[len(rows) // 2, :4] = BOX
    rows[len(rows) // 2, 4 : 4 + len(scores)] = scores
    return rows


def eight(unit: float = 1.0, *, extra: int = 0) -> NDArray[np.float32]:
    """As of YOLO 8: the second class."""
    rows = with_box(on_grid(SIDE, 1, 6 + extra), 0.2, 0.9)
    rows[:, :4] /= unit
    return rows.T[None]


def five(unit: float = 1.0) -> NDArray[np.float32]:
    """As of YOLO 5: an objectness before the classes."""
    rows = with_box(on_grid(SIDE, 3, 7), 0.9, 0.2, 1.0)
    rows[:, :4] /= unit
    return rows[None]


def yolox() -> NDArray[np.float32]:
    """As of YOLOX: offsets from the cells, logarithms of sizes."""
    decoded = with_box(on_grid(SIDE, 1, 7), 0.9, 0.2, 1.0)
    plain = on_grid(SIDE, 1, 7)
    stride = plain[:, 2:3] / 2
    rows = decoded.copy()
    rows[:, :2] = (decoded[:, :2] - plain[:, :2]) / stride + 0.5
    rows[:, 2:4] = np.log(decoded[:, 2:4] / stride)
    return rows[None]


def finished(unit: float = 1.0) -> NDArray[np.float32]:
    """As of YOLO with suppression inside: corners, score, class; the rest is zero."""
    rows = np.zeros((300, 6), np.float32)
    rows[0] = [120, 140, 200, 180, 0.9, 1]
    rows[:, :4] /= unit
    return rows[None]


def nanodet(strides: tuple[int, ...], first: float) -> NDArray[np.float32]:
    """As of NanoDet: scores, and for each side a distribution over 8 bins."""
    cells = sum((SIDE // stride) ** 2 for stride in strides)
    rows = np.zeros((cells, 2 + 32), np.float32)
    stride, columns = strides[1], SIDE // strides[1]
    cell = (SIDE // strides[0]) ** 2 + (columns // 2) * columns + columns // 2
    near = [BOX[2] / 2 / stride + first, BOX[3] / 2 / stride + first]
    far = [BOX[2] / 2 / stride - first, BOX[3] / 2 / stride - first]
    bins = np.full((4, 8), -50.0, np.float32)
    for side, distance in enumerate([*near, *far]):
        whole, part = int(distance), distance % 1
        bins[side, whole] = np.log(1 - part)
        if part:
            bins[side, whole + 1] = np.log(part)
    rows[cell] = [0.2, 0.9, *bins.ravel()]
    return rows[None]


FOUR_STRIDES = (8, 16, 32, 64)
YOLO = [
    ("8, pixels", eight(), NAMES, "YOLO, as of version 8 and later"),
    ("8, fractions", eight(SIDE), NAMES, "YOLO, as of version 8 and later"),
    ("8, transposed", eight().transpose(0, 2, 1), NAMES, "YOLO, as of version 8 and later"),
    ("8, with keypoints", eight(extra=34), NAMES, "YOLO, as of version 8 and later"),
    ("5, pixels", five(), NAMES, "YOLO, with objectness, as of versions 5 and 7"),
    ("5, fractions", five(SIDE), NAMES, "YOLO, with objectness, as of versions 5 and 7"),
    ("finished, pixels", finished(), NAMES, "YOLO with suppression inside"),
    ("finished, fractions", finished(SIDE), NAMES, "YOLO with suppression inside"),
]


@pytest.mark.parametrize(("name", "output", "said", "family"), YOLO, ids=[each[0] for each in YOLO])
@pytest.mark.parametrize("open_shapes", [False, True])
def test_yolo_is_run(
    name: str,
    output: NDArray[np.float32],
    said: dict[str, str],
    family: str,
    open_shapes: bool,
    tmp_path: Path,
) -> None:
    outputs = {"output0": output}
    path = constant_onnx(tmp_path / "best.onnx", outputs, SIDE, said, open_shapes=open_shapes)
    detector = Detector.load(path)
    assert detector.classes == ("cat", "dog")
    (found,) = detector.predict(WIDE)
    assert found.name == "dog"
    assert found.score == pytest.approx(0.9)
    np.testing.assert_allclose(found.box, IN_WIDE, atol=0.01)
    described = inspect(path)
    assert described.head is not None
    assert (described.head.family, list(described.labels)) == (family, ["cat", "dog"])


def test_yolox_is_run_with_the_number_of_names_that_is_given(tmp_path: Path) -> None:
    path = constant_onnx(tmp_path / "yolox.onnx", {"output": yolox()}, SIDE)
    (found,) = Detector.load(path, classes=["cat", "dog"]).predict(WIDE)
    assert found.name == "dog"
    np.testing.assert_allclose(found.box, IN_WIDE, atol=0.01)


@pytest.mark.parametrize(("strides", "first"), [(FOUR_STRIDES, 0.0), ((8, 16, 32), 0.5)])
def test_nanodet_is_run(strides: tuple[int, ...], first: float, tmp_path: Path) -> None:
    path = constant_onnx(tmp_path / "nanodet.onnx", {"output": nanodet(strides, first)}, SIDE)
    (found,) = Detector.load(path, classes=["cat", "dog"]).predict(WIDE)
    assert found.name == "dog"
    np.testing.assert_allclose(found.box, STRETCHED, atol=0.01)


def ssd(anchors: NDArray[np.float32], scores: int) -> dict[str, NDArray[np.float32]]:
    """Outputs of an SSD: the last column of the scores has one object."""
    y, x, height, width = BOX[1], BOX[0], BOX[3], BOX[2]
    box = np.array([y - height / 2, x - width / 2, y + height / 2, x + width / 2]) / SIDE
    place = len(anchors) // 2
    encodings = np.zeros((1, len(anchors), 4), np.float32)
    encodings[0, place] = box_coder.encode(box.astype(np.float32), anchors[place])
    found = np.zeros((1, len(anchors), scores), np.float32)
    found[0, place, -1] = 0.9
    return {"raw_outputs/box_encodings": encodings, "raw_outputs/class_predictions": found}


def test_the_apis_raw_outputs_are_run_with_its_standard_anchors(tmp_path: Path) -> None:
    outputs = ssd(grid_anchors(AnchorSpec(), SIDE), 3)  # with a column for the background
    path = constant_onnx(tmp_path / "raw.onnx", outputs, SIDE, channels_first=False)
    (found,) = Detector.load(path, classes=["cat", "dog"]).predict(WIDE)
    assert found.name == "dog"
    np.testing.assert_allclose(found.box, STRETCHED, atol=0.1)


def test_anchors_of_the_metadata_decode() -> None:
    """As of MediaPipe Model Maker; sizes need not be logarithms, scores may be logits."""
    how = RawSsd(np.float32([[0.5, 0.5, 0.2, 0.4]]), (1, 1, 1, 1), exponential=False, sigmoid=True)
    outputs = (Tensor("a", (1, 1, 1), "float32"), Tensor("b", (1, 1, 4), "float32"))
    head = recognized(Facts(outputs, 96, ssd=how))
    assert head is not None
    assert head.detect is not None
    scores, encodings = np.float32([[[0.0]]]), np.float32([[[0.5, 0.25, 1.0, 0.5]]])
    ((boxes, found, labels),) = head.detect([scores, encodings])
    np.testing.assert_allclose(boxes, [[0.5, 0.5, 0.7, 0.7]], atol=1e-6)
    assert (found.tolist(), labels.tolist()) == ([0.5], [0])


def shapes(**outputs: tuple[int, ...]) -> Facts:
    tensors = [Tensor(name, shape, "float32") for name, shape in outputs.items()]
    return Facts(tensors, SIDE)


@pytest.mark.parametrize(
    ("facts", "family"),
    [
        (shapes(output=(1, 2125, 112)), "NanoDet-Plus"),
        (shapes(output=(1, 2100, 112)), "NanoDet"),
        (shapes(output0=(1, 84, 2100)), "YOLO, as of version 8 and later"),
        (shapes(output0=(1, 25200 // 4, 85)), "YOLO, with objectness, as of versions 5 and 7"),
        (shapes(boxes=(1, 900, 4), scores=(1, 900, 5)), UNKNOWN),
        (
            shapes(labels=(1, 300), boxes=(1, 300, 4), scores=(1, 300)),
            "DETR with decoding inside (RT-DETR, D-FINE, DEIM)",
        ),
        (
            shapes(a=(1, 40, 40, 255), b=(1, 20, 20, 255), c=(1, 10, 10, 255)),
            "feature maps of the strides 8, 16, 32, as of YOLO and others",
        ),
        (shapes(logits=(1, 1000)), None),
        (shapes(mask=(1, 320, 320, 21)), None),
    ],
)
def test_families_are_recognized(facts: Facts, family: str | None) -> None:
    head = recognized(facts)
    assert (head.family if head else None) == family


def test_what_is_recognized_but_not_run_is_said(tmp_path: Path) -> None:
    maps = {f"map {side}": np.zeros((1, 255, side, side)) for side in (40, 20, 10)}
    path = constant_onnx(tmp_path / "maps.onnx", maps, SIDE)
    with pytest.raises(DetectorError, match="feature maps of the strides 8, 16, 32") as caught:
        Detector.load(path, classes=["cat"])
    assert caught.value.code == "BW505"
    result = CliRunner().invoke(app, ["inspect", str(path)])
    assert "Boxwright does not decode it" in " ".join(result.stdout.split())


def test_names_that_do_not_fit_a_head(tmp_path: Path) -> None:
    path = constant_onnx(tmp_path / "best.onnx", {"output0": eight()}, SIDE)
    with pytest.raises(DetectorError) as caught:
        Detector.load(path, classes=["cat"])
    assert caught.value.code == "BW506"
    with pytest.raises(DetectorError) as caught:
        Detector.load(path)
    assert caught.value.code == "BW504"
    assert Detector.load(path, unnamed=True).classes == ("class 0", "class 1")


def test_a_batch_is_run_image_by_image(tmp_path: Path) -> None:
    path = constant_onnx(tmp_path / "best.onnx", {"output0": eight()}, SIDE, NAMES)
    detector = Detector.load(path)
    found = list(detector.predict_many([WIDE, WIDE.rotate(90, expand=True)]))
    assert [len(each) for each in found] == [1, 1]
    np.testing.assert_allclose(found[1].boxes[0], [80, 280, 240, 360], atol=0.01)
    network = detector.engine.network()  # type: ignore[attr-defined]
    assert network(np.zeros((2, SIDE, SIDE, 3), np.uint8))[0].shape == (2, 6, 2100)


@pytest.mark.parametrize(
    ("size", "box"), [((640, 320), IN_WIDE), ((320, 640), [120, 240, 200, 400])]
)
def test_letterboxed_boxes_come_back(size: tuple[int, int], box: list[int]) -> None:
    preprocessing = Preprocessing(SIDE, letterbox=True)
    image = Image.new("RGB", size, "black")
    image.paste("white", (*box[:2], *box[2:]))
    pixels = preprocessing.resize(image)
    rows, columns = np.nonzero(pixels[..., 0] > 200)
    inside = np.array([[rows.min(), columns.min(), rows.max() + 1, columns.max() + 1]])
    np.testing.assert_allclose(preprocessing.to_image(inside / SIDE, *size), [box], atol=2.1)
    assert pixels[0, 0].tolist() == [114, 114, 114]
    assert Preprocessing.from_json(preprocessing.to_json()) == preprocessing


def test_raw_outputs_of_ours_are_recognized_by_name() -> None:
    boxes, scores = CANDIDATES
    head = recognized(shapes(**{boxes: (1, 50, 4), scores: (1, 50, 3)}))
    assert head is not None
    assert (head.num_classes, head.mean, head.std) == (3, (0.0,), (1.0,))


@pytest.mark.shared
def test_a_published_yolo_is_named_and_run(shared: Path) -> None:
    path = shared / "field" / "training" / "13-ultralytics-metadata" / "best_int8.tflite"
    detector = Detector.load(path)
    assert detector.classes == ("drone",)
    assert detector.artifact.preprocessing == Preprocessing(640, letterbox=True)
    image = shared / "images" / "beach.jpg"
    for found in detector.predict(image if image.exists() else WIDE, threshold=0.01):
        assert found.name == "drone"
