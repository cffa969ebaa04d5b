"""The golden pair: what a detector's file found when it was written, it has to find again."""

from __future__ import annotations

import base64
import io
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from boxwright.errors import DetectorError
from boxwright.images.preprocessing import Preprocessing
from boxwright.inference.artifact import Artifact
from boxwright.inference.detector import Detector
from boxwright.inference.golden import Golden, Network, RawSample

pytestmark = pytest.mark.tiny
IMAGE = np.random.default_rng(0).integers(0, 256, (16, 16, 3), np.uint8)
BOX, NEAR, FAR = [0.1, 0.1, 0.5, 0.5], [0.1, 0.1, 0.5, 0.52], [0.1, 0.5, 0.5, 0.9]


def golden(*found: tuple[list[float], float, int]) -> Golden:
    boxes, scores, labels = zip(*found, strict=True)
    return Golden(IMAGE, np.array(boxes, np.float32), np.array(scores), np.array(labels))


def found(*rows: tuple[list[float], float, int]) -> Any:
    given = golden(*rows)
    return given.boxes, given.scores, given.labels


@pytest.mark.parametrize(
    ("now", "same"),
    [
        ((BOX, 0.9, 1), True),
        ((NEAR, 0.85, 1), True),
        ((FAR, 0.9, 1), False),
        ((BOX, 0.7, 1), False),
        ((BOX, 0.9, 0), False),
    ],
)
def test_what_is_the_same_detection(now: Any, same: bool) -> None:
    assert golden((BOX, 0.9, 1)).found_in(found(now)).tolist() == [same]


def test_it_survives_json() -> None:
    artifact = Artifact({}, ("a", "b"), Preprocessing(16), golden=golden((BOX, 0.9, 1)))
    read = Artifact.from_text(json.dumps(artifact.to_json())).golden
    assert read is not None
    np.testing.assert_array_equal(read.image, IMAGE)
    np.testing.assert_allclose(read.boxes, [BOX], atol=1e-4)
    assert (read.scores.tolist(), read.labels.tolist()) == ([pytest.approx(0.9)], [1])


@pytest.mark.parametrize(
    "change",
    [
        {"image": "no base 64"},
        {"image": ""},
        {"boxes": [[0, 0, 1]]},
        {"boxes": "far"},
        {"labels": [10**30]},
        {"scores": [[0.9, 0.8]]},
        {"scores": []},
        {"labels": [7]},
        {"labels": None},
        {"raw": {"boxes": "AAA="}},
        {"raw": "none"},
        {"seed": "seven"},
    ],
)
def test_a_damaged_pair_is_refused(change: dict[str, Any]) -> None:
    artifact = Artifact({}, ("a", "b"), Preprocessing(16), golden=golden((BOX, 0.9, 1)))
    text = artifact.to_json()
    text["golden"] |= change
    with pytest.raises(DetectorError) as caught:
        Artifact.from_json(text)
    assert caught.value.code == "BW502"


class Fake:
    """An engine that always finds the same."""

    def __init__(self, *rows: tuple[list[float], float, int]) -> None:
        self.rows = rows

    def __call__(self, inputs: Any) -> Any:
        return [found(*self.rows)] * len(inputs)


def test_another_machine_that_finds_something_else_is_told() -> None:
    expected = golden((BOX, 0.9, 1), (FAR, 0.6, 0))
    artifact = Artifact({}, ("a", "b"), Preprocessing(16), golden=expected)
    Detector(Fake((BOX, 0.9, 1), (FAR, 0.6, 0)), artifact).check_golden(Path("d.tflite"))
    Detector(Fake((BOX, 0.1, 1)), replace(artifact, golden=None)).check_golden(Path("d.tflite"))
    with pytest.raises(DetectorError, match="1 of the 2 expected") as caught:
        Detector(Fake((BOX, 0.9, 1)), artifact).check_golden(Path("d.tflite"))
    assert caught.value.code == "BW508"


def test_objects_that_were_not_there_count_too() -> None:
    """Swapped outputs find everything with the score 1."""
    artifact = Artifact({}, ("a", "b"), Preprocessing(16), golden=golden((BOX, 0.9, 1)))
    Detector(Fake((BOX, 0.9, 1), (FAR, 0.95, 0)), artifact).check_golden(Path("d.tflite"))
    with pytest.raises(DetectorError, match="1 unexpected"):
        Detector(Fake((BOX, 0.9, 1), (FAR, 1.01, 0)), artifact).check_golden(Path("d.tflite"))


def test_a_large_golden_image_is_not_decoded() -> None:
    content = io.BytesIO()
    Image.new("1", (9000, 9000)).save(content, "PNG")
    artifact = Artifact({}, ("a", "b"), Preprocessing(16), golden=golden((BOX, 0.9, 1)))
    text = artifact.to_json()
    text["golden"]["image"] = base64.b64encode(content.getvalue()).decode()
    with pytest.raises(DetectorError, match="9000") as caught:
        Artifact.from_json(text)
    assert caught.value.code == "BW502"


def raw(boxes: list[float], scores: list[float]) -> RawSample:
    return RawSample(np.array(boxes, np.float32), np.array(scores, np.float32))


@pytest.mark.parametrize(
    ("now", "distance"),
    [
        (raw([0, 2, 4], [0.1, 0.9]), 0.0),
        (raw([0, 2, 4.4], [0.1, 0.9]), 0.141),
        (raw([0, 2, 4], [0.5, 0.9]), 0.707),
        (raw([0, 2], [0.1, 0.9]), np.inf),
        (raw([0, 2, np.nan], [0.1, 0.9]), np.inf),
    ],
)
def test_how_far_raw_tensors_are(now: RawSample, distance: float) -> None:
    assert raw([0, 2, 4], [0.1, 0.9]).distance(now) == pytest.approx(distance, abs=1e-3)


def network(scores: float) -> Network:
    """Ten boxes, and of three columns of scores the last two are the detector's classes."""
    ramp = np.linspace(0, 1, 10)
    columns = np.stack([ramp * 0, ramp, scores * ramp[::-1]], axis=-1)
    return lambda inputs: [np.tile(ramp[:, None], 4)[None], columns[None]]


@pytest.mark.parametrize(
    ("now", "says"),
    [
        (network(0.5), None),
        (network(0.52), None),
        (network(0.1), "raw tensors differ by"),
        (network(np.nan), "raw tensors differ by inf %"),
        (None, "cannot be read"),
    ],
)
def test_raw_tensors_are_compared_where_there_are_some(
    now: Network | None, says: str | None
) -> None:
    sample = RawSample.of(network(0.5), IMAGE, 2)
    pair = replace(golden((BOX, 0.3, 1)), seed=0, raw=sample)
    artifact = Artifact({}, ("a", "b"), Preprocessing(16), golden=pair)
    read = Artifact.from_text(artifact.to_text()).golden
    assert read is not None
    assert str(read) == (
        "pattern drawn from seed 0; it checks raw tensors (60 numbers) and weak detections (1)"
    )
    said = read.difference(found((BOX, 0.3, 1)), now, 2)
    assert said is None if says is None else says in str(said)


def test_an_earlier_pair_has_a_photo() -> None:
    text = golden((BOX, 0.9, 1)).to_json()
    text["photo"] = text.pop("image")
    del text["seed"]
    read = Golden.from_json(text)
    np.testing.assert_array_equal(read.image, IMAGE)
    assert str(read) == "your own image, stored in the file; it checks detections (1)"
