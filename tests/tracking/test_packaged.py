"""The package `trackers`: identities are its own, and good ones. `make test-track` runs this in an
environment of its own, because the package's OpenCV and MediaPipe's overwrite each other."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from boxwright.outputs.predicting import write_predictions
from boxwright.sources.frame import Frame, Video
from boxwright.tracking.following import Tracking
from boxwright.tracking.tracker import TRACKERS
from moving import Moment, moving_site
from nearest import finding

trackers = pytest.importorskip("trackers", reason="make test-track has an environment with it")
supervision = pytest.importorskip("supervision")

SIZE = (480, 270)
RATE, THRESHOLD = 10, 0.5
CLASSES = {
    "bytetrack": "ByteTrackTracker",
    "botsort": "BoTSORTTracker",
    "cbiou": "CBIoUTracker",
    "ocsort": "OCSORTTracker",
    "sort": "SORTTracker",
}
LIMITS = {"track_activation_threshold": THRESHOLD, "high_conf_det_threshold": THRESHOLD}
OPTIONS = {  # what each takes of these
    "bytetrack": LIMITS,
    "botsort": LIMITS,
    "cbiou": LIMITS,
    "ocsort": {"high_conf_det_threshold": THRESHOLD},
    "sort": {"track_activation_threshold": THRESHOLD},
}


@dataclass
class Site:
    """A source: the frames of a drawn site."""

    moments: Sequence[Moment]
    name: str = "site.mp4"
    is_video: bool = True
    is_live: bool = False
    total: int | None = None

    def __iter__(self) -> Any:
        video = Video(RATE, 1, None)  # type: ignore[arg-type]
        for number, moment in enumerate(self.moments):
            picture = Image.fromarray(moment.pixels)
            yield Frame(self.name, picture, number, number / RATE, video)


@pytest.fixture(scope="module")
def moments() -> list[Moment]:
    return list(moving_site(60, 8, seed=3))


def perfect(moments: Sequence[Moment], scores: Any = None) -> list[Any]:
    """What a perfect detector finds; the scores fall and rise again."""
    return [
        [
            (
                (x0 + x1) / 2,
                (y0 + y1) / 2,
                0.9 if scores is None else scores(number),
                0,
                x1 - x0,
                y1 - y0,
            )
            for x0, y0, x1, y1 in moment.boxes.tolist()
        ]
        for number, moment in enumerate(moments)
    ]


def mot(moments: Sequence[Moment], name: str, out: Path, scores: Any = None) -> list[list[float]]:
    """The rows of the MOT text."""
    detector = finding(perfect(moments, scores), SIZE)
    write_predictions(detector, [Site(moments)], out, ["mot"], tracking=Tracking.by(name))
    text = (out / "mot" / "site.txt").read_text("utf-8")
    return [[float(value) for value in line.split(",")] for line in text.splitlines()]


@pytest.mark.parametrize("scores", [None, lambda number: 0.9 - 0.7 * (number % 12 >= 9)])
@pytest.mark.parametrize("name", TRACKERS)
def test_identities_are_those_of_the_package(
    name: str, scores: Any, moments: list[Moment], tmp_path: Path
) -> None:
    theirs = getattr(trackers, CLASSES[name])(frame_rate=RATE, **OPTIONS[name])
    expected = []
    for number, moment in enumerate(moments):
        given = supervision.Detections(
            xyxy=moment.boxes,
            confidence=np.full(len(moment.boxes), scores(number) if scores else 0.9, np.float32),
            class_id=np.zeros(len(moment.boxes), int),
        )
        pixels = moment.pixels[..., ::-1].copy() if name == "botsort" else None
        found = theirs.update(given, pixels)
        for box, identity in zip(found.xyxy, found.tracker_id, strict=True):
            if identity >= 0:
                sides = (*box[:2], *(box[2:] - box[:2]))
                expected.append((number + 1, int(identity), *sides))
    rows = mot(moments, name, tmp_path, scores)
    np.testing.assert_allclose(sorted(row[:6] for row in rows), sorted(expected), atol=0.02)
    assert len({row[1] for row in rows}) >= 8


@pytest.mark.parametrize("name", TRACKERS)
def test_with_perfect_boxes_idf1_is_at_least_90(
    name: str, moments: list[Moment], tmp_path: Path
) -> None:
    from trackers.eval import evaluate_mot_sequence

    truth = tmp_path / "gt" / "site.txt"
    truth.parent.mkdir()
    truth.write_text(
        "".join(
            f"{number},{identity},{x0},{y0},{x1 - x0},{y1 - y0},1,1,1\n"
            for number, moment in enumerate(moments, 1)
            for identity, (x0, y0, x1, y1) in zip(
                moment.identities, moment.boxes.tolist(), strict=True
            )
        ),
        "utf-8",
    )
    mot(moments, name, tmp_path)
    result = evaluate_mot_sequence(truth, tmp_path / "mot" / "site.txt", metrics=["Identity"])
    assert result.Identity.IDF1 >= 0.9
    command = ["eval", "--gt", truth, "--tracker", tmp_path / "mot" / "site.txt"]
    program = Path(sys.executable).with_name("trackers")
    done = subprocess.run([program, *command], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
