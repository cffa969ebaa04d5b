"""boxwright.serving.cvat in the driver of CVAT's SDK, with images in place of a server."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from cvat_sdk import models
from cvat_sdk.auto_annotation import BadFunctionError, annotate_task, driver
from PIL import Image
from red_server import BLUE, RED, detector, picture

from boxwright.inference.detector import Detector
from boxwright.serving import cvat

LABELS = {"blue": 70, "red": 71}  # of a task, with their ids there


@dataclass
class Task:
    """A task on a server of CVAT: its images and labels, and what is uploaded."""

    labels: dict[str, int] = field(default_factory=lambda: LABELS)
    shapes: list[models.LabeledShapeRequest] = field(default_factory=list)

    def dataset(self, *_: object, **__: object) -> Any:
        """As `cvat_sdk.datasets.TaskDataset`."""
        images = [picture(), Image.new("RGB", (40, 30)), picture()]
        samples = [
            SimpleNamespace(
                frame_name=f"{number}.png",
                frame_index=number,
                media=SimpleNamespace(load_image=lambda image=image: image),
            )
            for number, image in enumerate(images)
        ]
        labels = [
            SimpleNamespace(name=name, id=number, type="any", attributes=[], sublabels=[])
            for name, number in self.labels.items()
        ]
        return SimpleNamespace(labels=labels, samples=samples)

    def upload(self, *_: object, patched_labeled_data_request: Any) -> None:
        self.shapes += patched_labeled_data_request.shapes


def annotated(
    task: Task, monkeypatch: pytest.MonkeyPatch, own: float | None = None, **options: Any
) -> list[models.LabeledShapeRequest]:
    """What CVAT's command line uploads, with these parameters of the function and options."""
    monkeypatch.setattr(driver, "TaskDataset", task.dataset)
    monkeypatch.setattr(Detector, "load", lambda path: {"red.tflite": detector()}[path])
    api = SimpleNamespace(partial_update_annotations=task.upload)
    logger = SimpleNamespace(info=lambda *_: None, warning=lambda *_: None)
    client: Any = SimpleNamespace(logger=logger, tasks=SimpleNamespace(api=api))
    parameters = {} if own is None else {"threshold": own}
    annotate_task(client, 7, cvat.create(detector="red.tflite", **parameters), **options)
    return task.shapes


def test_objects_become_rectangles(monkeypatch: pytest.MonkeyPatch) -> None:
    shapes = annotated(Task(), monkeypatch, conf_threshold=0.1)
    assert [(each.frame, each.label_id) for each in shapes] == [(0, 71), (0, 70), (2, 71), (2, 70)]
    for shape, expected in zip(shapes, [RED, BLUE] * 2, strict=True):
        assert shape.type.value == "rectangle"
        assert shape.points == pytest.approx(expected, abs=160 / 64)


@pytest.mark.parametrize(
    ("own", "asked", "found"),
    [(None, None, 1), (None, 0.95, 0), (0.3, None, 2), (0.3, 0.5, 1), (0.95, 0.0, 2)],
)
def test_the_threshold_is_cvats_or_else_ours(
    own: float | None, asked: float | None, found: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    shapes = annotated(Task(), monkeypatch, own, conf_threshold=asked)
    assert len(shapes) == 2 * found


def test_a_class_that_the_task_does_not_have(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(BadFunctionError, match="'blue' is not in dataset"):
        annotated(Task({"red": 1}), monkeypatch)
    shapes = annotated(
        Task({"red": 1}), monkeypatch, conf_threshold=0.1, allow_unmatched_labels=True
    )
    assert [each.label_id for each in shapes] == [1, 1]


def test_the_how_to_page_names_it() -> None:
    page = Path(__file__).parents[2] / "docs" / "how-to" / "serve-clients.md"
    words = page.read_text(encoding="utf-8").replace("\\\n", " ").split()
    assert words[words.index("--function-module") + 1] == cvat.__name__
    assert words[words.index("--function-parameter") + 1].startswith("detector=str:")
