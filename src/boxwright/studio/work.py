"""The last steps, in a child: each is what the command line of that name does."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from boxwright import api
from boxwright.errors import BoxwrightError
from boxwright.inference.detector import Detector
from boxwright.training.events import Event, Note
from boxwright.training.progress import Meter, Progress

EVERY = 0.5  # seconds between two events
SHOWN = 0.05  # lowest score of a detection that the page can show

Tell = Callable[..., None]


def train(request: Mapping[str, Any], tell: Tell) -> dict[str, Any]:
    """Train, and write the report of the validation images."""
    from boxwright.report.run_report import report as write_report

    run = api.train(
        [request["folder"]],
        out=request["out"],
        budget=request["budget"],
        on_event=[
            Meter(lambda progress: tell(**progress_json(progress)), every=EVERY),
            notes(tell),
        ],
    )
    try:
        write_report(run.folder, run.dataset, split="val", classes=run.dataset.classes)
    except BoxwrightError as error:  # no failure of the training
        tell(text=f"There is no report: {error}")
    return {
        "result": str(run.folder),
        "text": f"Validation: {run.validation}." if run.validation else "Trained.",
    }


def export(request: Mapping[str, Any], tell: Tell) -> dict[str, Any]:
    """Export a run, and compare the file with it."""
    from boxwright.export.export import export

    path, comparison = export(request["run"], request["to"], say=lambda line: tell(text=line))
    return {"result": str(path), "text": f"{comparison}."}


def report(request: Mapping[str, Any], tell: Tell) -> dict[str, Any]:
    """Write the report of a run, on the test images of a folder if one is given."""
    from boxwright.report.run_report import report

    written = report(
        Path(request["run"]),
        request["data"],
        progress=lambda done, total: tell(text=f"{done} of {total} images"),
    )
    return {"result": str(written.page), "text": written.says}


def detect(request: Mapping[str, Any], tell: Tell) -> dict[str, Any]:
    """Detect objects in the bytes of an image file."""
    image = base64.b64decode(request["image"])
    found = Detector.load(request["detector"]).predict(image, threshold=SHOWN)
    width, height = found.image_size or (0, 0)
    boxes = [
        {"box": [round(float(side), 1) for side in box], "label": name, "score": float(score)}
        for name, score, box in found
    ]
    return {"width": width, "height": height, "boxes": boxes}


def notes(tell: Tell) -> Callable[[Event], None]:
    """A subscriber that passes messages on."""

    def passing(event: Event) -> None:
        if isinstance(event, Note):
            tell(text=event.text)

    return passing


def progress_json(progress: Progress) -> dict[str, Any]:
    """A training's progress; the number of steps is an estimate until the last one."""
    return {
        "step": progress.step,
        "steps": round(progress.step / progress.fraction) if progress.fraction else None,
        "loss": round(progress.loss, 4),
        "ap50": progress.ap50,
        "seconds_left": progress.seconds_left,
    }
