"""What the children do: the functions of the command line."""

from __future__ import annotations

import base64
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from boxwright import api
from boxwright.errors import DataError
from boxwright.export import export as exporting
from boxwright.inference.detector import Detector
from boxwright.report import run_report
from boxwright.structures.detections import Detections
from boxwright.studio import work
from boxwright.training.events import Note, Step

REQUEST = {"folder": "images", "budget": "2m", "out": "run"}


@pytest.fixture
def told() -> list[dict[str, Any]]:
    return []


def step(number: int) -> Step:
    loss, snapshot = SimpleNamespace(total=2.0), SimpleNamespace()
    return Step(number, number / 10, loss, 1e-3, 9.0, 1.0, 5.0, snapshot)  # type: ignore[arg-type]


def trains(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Stand in for a training; return what it is asked for."""
    asked: dict[str, Any] = {}

    def train(data: object, *, on_event: Any, **options: object) -> object:
        asked.update(options, data=data)
        for event in (Note("160 images"), step(1), step(10)):
            for subscriber in on_event:
                subscriber(event)
        dataset = SimpleNamespace(classes=("cat",))
        return SimpleNamespace(folder=Path("run"), dataset=dataset, validation="AP 0.5")

    monkeypatch.setattr(api, "train", train)
    return asked


def test_a_training_tells_its_curves(
    told: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, reported = trains(monkeypatch), []
    monkeypatch.setattr(run_report, "report", lambda *args, **options: reported.append(args[0]))
    result = work.train(REQUEST, lambda **about: told.append(about))
    assert asked == {"data": ["images"], "out": "run", "budget": "2m"}
    assert reported == [Path("run")]
    assert result == {"result": "run", "text": "Validation: AP 0.5."}
    first = {"step": 1, "steps": 10, "loss": 2.0, "ap50": None, "seconds_left": 5.0}
    assert told[0] == {"text": "160 images"}
    assert told[1] == first
    assert told[2]["step"] == 10


def test_a_report_that_fails_is_no_failure_of_the_training(
    told: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    trains(monkeypatch)

    def fails(*args: object, **options: object) -> None:
        raise DataError("BW193", "the split val is empty.", choices="train")

    monkeypatch.setattr(run_report, "report", fails)
    assert work.train(REQUEST, lambda **about: told.append(about))["result"] == "run"
    assert "BW193" in told[-1]["text"]


def test_an_export_and_a_report_say_where_they_are(
    told: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def export(run: str, to: str, *, say: Any) -> tuple[Path, str]:
        say("converting")
        return Path(run) / to, "AP equal"

    def report(run: Path, data: list[str], *, progress: Any) -> object:
        progress(1, 2)
        return SimpleNamespace(page=run / "report.html", says="Finds nine of ten.")

    monkeypatch.setattr(exporting, "export", export)
    monkeypatch.setattr(run_report, "report", report)
    tell = lambda **about: told.append(about)  # noqa: E731
    exported = work.export({"run": "run", "to": "tflite"}, tell)
    assert exported == {"result": str(Path("run/tflite")), "text": "AP equal."}
    written = work.report({"run": "run", "data": []}, tell)
    assert written == {"result": str(Path("run/report.html")), "text": "Finds nine of ten."}
    assert told == [{"text": "converting"}, {"text": "1 of 2 images"}]


def test_an_image_is_detected_in(monkeypatch: pytest.MonkeyPatch) -> None:
    class Finds:
        def predict(self, image: bytes, *, threshold: float) -> Detections:
            assert (image, threshold) == (b"an image", work.SHOWN)
            return Detections([(1, 2, 3.25, 4)], [0.5], [0], ("cat",), (64, 48))

    monkeypatch.setattr(Detector, "load", lambda path: Finds())
    image = base64.b64encode(b"an image").decode()
    found = work.detect({"detector": "run", "image": image}, print)
    box = {"box": [1, 2, 3.2, 4], "label": "cat", "score": 0.5}
    assert found == {"width": 64, "height": 48, "boxes": [box]}
