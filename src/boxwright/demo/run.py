"""The demo: the complete workflow, from labeled images to an exported detector file, on images
that it draws."""

from __future__ import annotations

import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from boxwright.api import load
from boxwright.demo.controls import learn_colors
from boxwright.demo.dataset import write_dataset
from boxwright.errors import TrainingError
from boxwright.evaluation.bootstrap import constant_box
from boxwright.evaluation.coco import Evaluation, evaluate
from boxwright.evaluation.report import number
from boxwright.export.export import export
from boxwright.export.verify import Comparison
from boxwright.images.decoding import read_image
from boxwright.inference.detector import Detector
from boxwright.inference.run import Run
from boxwright.io.files import writing
from boxwright.outputs.predicting import write_predictions
from boxwright.sources.opening import sources
from boxwright.structures.dataset import Dataset
from boxwright.structures.detections import Detections
from boxwright.training.events import Note, Subscriber
from boxwright.training.loop import train
from boxwright.visualize.draw import contact_sheet, draw

INPUT_SIZE, DEPTH_MULTIPLIER = 96, 0.5
MIN_AP50, MAX_CONTROL_AP50 = 0.85, 0.3  # limits for a successful demo
ON_SHEET, COLUMNS = 12, 4


class Amount(NamedTuple):
    """Numbers of training scenes, test scenes and training steps."""

    train: int
    test: int
    steps: int


FULL, QUICK = Amount(750, 120, 1600), Amount(40, 16, 30)


@dataclass(frozen=True)
class Result:
    """The scores of the demo and the files it wrote.

    Attributes:
        trained, by_color, by_position: scores of the detector and of the two baselines on the test
            scenes.
        comparison: accuracy comparison of the exported file with the run.
        detector: the exported file.
        sheet: picture of test scenes with true boxes and detections of the exported file.
        found: folder with annotated images and detections.json.
        seconds: duration of the demo.
    """

    trained: Evaluation
    by_color: Evaluation
    by_position: Evaluation
    comparison: Comparison
    detector: Path
    sheet: Path
    found: Path
    seconds: float

    def table(self) -> RenderableType:
        """The scores as a table, and the paths of the files, for rich."""
        rows = Table(box=None, pad_edge=False, header_style="dim")
        rows.add_column("on the test scenes")
        for title in ("AP50", "95 % interval", "AP"):
            rows.add_column(title, justify="right")
        for name, evaluation in (
            ("trained detector", self.trained),
            ("baseline: the colors of hard hats", self.by_color),
            ("baseline: one constant box", self.by_position),
        ):
            low, high = evaluation.ap50_interval or (None, None)
            between = f"{number(low)} to {number(high)}"
            rows.add_row(name, number(evaluation.ap50), between, number(evaluation.ap))
        outputs = Table(box=None, pad_edge=False, show_header=False)
        outputs.add_row("look at", Text(str(self.sheet), style="bold"), "detected and true boxes")
        outputs.add_row("", Text(str(self.found), style="bold"), "images and detections.json")
        outputs.add_row("use", Text(str(self.detector), style="bold"), "runs on a phone")
        return Group(rows, "", outputs, "", f"{self.seconds:.0f} seconds in all.")

    def check(self) -> None:
        """Verify that the detector is good and clearly better than the baselines.

        Raises:
            TrainingError: BW391 the detector is too poor, BW392 a baseline is too good.
        """
        ap50 = self.trained.ap50 or 0.0
        if ap50 < MIN_AP50:
            raise TrainingError(
                "BW391",
                f"the demo's detector reached AP50 {ap50:.3f} instead of {MIN_AP50} or more.",
            )
        best = max(self.by_color.ap50 or 0.0, self.by_position.ap50 or 0.0)
        if best >= MAX_CONTROL_AP50:
            raise TrainingError(
                "BW392",
                f"a trivial baseline reached AP50 {best:.3f}, so the demo proves nothing.",
            )


def run(out: str | Path, on_event: Subscriber, *, amount: Amount = FULL, seed: int = 0) -> Result:
    """Draw a dataset, train on it from scratch, evaluate, export, predict.

    Everything is written below `out` and replaces the files of an earlier demo. `on_event` receives
    a note before each part, and the events of the training.
    """
    started = time.monotonic()
    out = Path(out)

    train_scenes, test_scenes, steps = amount
    drawn = train_scenes + test_scenes
    on_event(Note(f"Drawing {drawn} images of building sites: {out / 'data'}"))
    write_dataset(out / "data", train_scenes, test_scenes, seed)
    dataset = load(out / "data")
    test = dataset.split("test")

    on_event(Note("Training a hard hat detector from scratch"))
    if Run(out / "run").exists():
        shutil.rmtree(out / "run")
    train(
        dataset,
        out=out / "run",
        weights=None,
        steps=steps,
        input_size=INPUT_SIZE,
        depth_multiplier=DEPTH_MULTIPLIER,
        seed=seed,
        on_event=on_event,
    )

    on_event(Note(f"Evaluating the detector and two baselines on {test_scenes} test scenes"))
    detector = Detector.load(out / "run")
    paths = [test.image(i) for i in range(len(test))]
    trained = evaluate(test, list(detector.predict_many(paths, threshold=0)))
    by_color = evaluate(test, learn_colors(dataset.split("train")).predict_all(test))
    by_position = evaluate(test, constant_box(dataset.split("train"), test))

    on_event(Note("Exporting the detector and verifying the exported file"))
    exported, comparison = export(out / "run", "tflite", data=out / "data")

    on_event(Note("Detecting hard hats with the exported file"))
    chosen = _worth_looking_at(test)
    phone = Detector.load(exported)
    images = sources([test.root / test.names[i] for i in chosen])
    write_predictions(phone, images, out / "found")
    sheet = _contact_sheet(out / "scenes.png", test, chosen, phone)
    return Result(
        trained,
        by_color,
        by_position,
        comparison,
        exported,
        sheet,
        out / "found",
        time.monotonic() - started,
    )


def _worth_looking_at(test: Dataset) -> list[int]:
    """Images for the sheet, mostly with several objects, one without any."""
    counts = np.diff(test.offsets)
    many = np.flatnonzero(counts >= 2)[: ON_SHEET - 3]
    one, none = np.flatnonzero(counts == 1)[:2], np.flatnonzero(counts == 0)[:1]
    return sorted(int(i) for i in np.concatenate([many, one, none]))


def _contact_sheet(target: Path, test: Dataset, chosen: list[int], detector: Detector) -> Path:
    """Draw detections and, dashed, true boxes on the chosen images."""
    pictures, captions = [], []
    for i in chosen:
        image = read_image(test.image(i))
        found: Detections = detector.predict(image)
        truth = test.boxes[test.rows(i)]
        pictures.append(draw(image, found, truth=truth))
        captions.append(f"{len(truth)} true, {len(found)} detected")
    with writing(target) as draft:
        contact_sheet(pictures, columns=COLUMNS, captions=captions).save(draft)
    return target
