"""boxwright.serving.cvat with the types of CVAT's SDK."""

from __future__ import annotations

from pathlib import Path

import attrs
import cvat_sdk.auto_annotation as cvat
import pytest
from cvat_sdk.models import LabeledShapeRequest
from red_server import BLUE, CLASSES, RED, detector, picture

from boxwright.inference.detector import Detector
from boxwright.serving.cvat import DetectionFunction, create


@attrs.frozen
class Context(cvat.DetectionFunctionContext):
    """What CVAT tells about a frame."""

    conf_threshold: float | None = None
    frame_name: str = "image.png"


def function(monkeypatch: pytest.MonkeyPatch, threshold: float | None = None) -> DetectionFunction:
    """What CVAT's command line makes of the parameters that it is given."""
    monkeypatch.setattr(Detector, "load", lambda path: {"red.tflite": detector()}[path])
    parameters = {} if threshold is None else {"threshold": threshold}
    made = create(detector="red.tflite", **parameters)
    assert isinstance(made.spec, cvat.DetectionFunctionSpec)
    return made


def test_the_labels_are_the_classes(monkeypatch: pytest.MonkeyPatch) -> None:
    labels = function(monkeypatch).spec.labels
    assert [(each.id, each.name, each.type) for each in labels] == [
        (number, name, "rectangle") for number, name in enumerate(CLASSES)
    ]


def test_objects_become_rectangles(monkeypatch: pytest.MonkeyPatch) -> None:
    shapes = function(monkeypatch).detect(Context(conf_threshold=0.1), picture())
    assert all(isinstance(shape, LabeledShapeRequest) for shape in shapes)
    assert [(shape.label_id, shape.frame, str(shape.type)) for shape in shapes] == [
        (0, 0, "rectangle"),
        (1, 0, "rectangle"),
    ]
    for shape, expected in zip(shapes, (RED, BLUE), strict=True):
        assert shape.points == pytest.approx(expected, abs=160 / 64)
        assert not hasattr(shape, "id")
        assert not hasattr(shape, "source")


@pytest.mark.parametrize(
    ("own", "asked", "found"),
    [(None, None, 1), (None, 0.95, 0), (0.3, None, 2), (0.3, 0.5, 1), (0.95, 0.0, 2)],
)
def test_the_threshold_is_cvats_or_else_ours(
    own: float | None, asked: float | None, found: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    shapes = function(monkeypatch, own).detect(Context(conf_threshold=asked), picture())
    assert len(shapes) == found


def test_its_name_is_the_one_in_the_how_to_page() -> None:
    page = Path(__file__).parents[2] / "docs" / "how-to" / "serve-clients.md"
    words = page.read_text(encoding="utf-8").replace("\\\n", " ").split()
    module = words[words.index("--function-module") + 1]
    assert module == DetectionFunction.__module__
    assert words[words.index("--function-parameter") + 1].startswith("detector=str:")
