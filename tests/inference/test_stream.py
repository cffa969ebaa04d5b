"""A stream of frames: the same detections as one by one, and an error where its image is."""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import boxwright
from boxwright.errors import DataError
from boxwright.images.preprocessing import Preprocessing
from boxwright.inference.artifact import Artifact
from boxwright.inference.detector import Detector
from filming import film

pytestmark = pytest.mark.tiny


class Bright:
    """An engine whose scores are the brightness of each image."""

    def __call__(self, inputs: np.ndarray) -> list[Any]:
        box = np.array([[0, 0, 1, 1]], np.float32)
        return [(box, np.array([pixels.mean() / 255]), np.array([0])) for pixels in inputs]


@pytest.fixture
def detector() -> Detector:
    return Detector(Bright(), Artifact({}, ("light",), Preprocessing(32)))


@pytest.fixture
def images(tmp_path: Path) -> Path:
    folder = tmp_path / "images"
    folder.mkdir()
    for number in range(40):
        gray = (5 * number + 20,) * 3
        Image.new("RGB", (40 + number, 30), gray).save(folder / f"{number:02}.png")
    return folder


def test_a_stream_finds_what_predict_finds(detector: Detector, images: Path) -> None:
    found = list(detector.stream(images, threshold=0.3))
    paths = sorted(images.iterdir())
    assert [frame.name for frame, _ in found] == [str(path) for path in paths]
    one_by_one = [detector.predict(path, threshold=0.3).to_json() for path in paths]
    assert [each.to_json() for _, each in found] == one_by_one
    assert any(one_by_one)
    assert not all(one_by_one)
    streamed = boxwright.predict([images], detector, stream=True, threshold=0.3)
    assert [each.to_json() for _, each in streamed] == one_by_one


def test_a_video_is_a_stream_of_pictures(detector: Detector, tmp_path: Path) -> None:
    for number, (frame, detections) in enumerate(detector.stream(film(tmp_path / "a.mp4"))):
        assert frame.number == number
        assert isinstance(frame.image, Image.Image)
        assert detections.image_size == frame.image.size == (64, 48)
    assert number == 11


def test_an_unreadable_image_raises_where_it_is(detector: Detector, images: Path) -> None:
    (images / "20.png").write_bytes(b"no image")
    frames = detector.stream(images)
    assert len(list(islice(frames, 16))) == 16
    with pytest.raises(DataError, match="BW102"):
        list(frames)
