"""Cameras and streams: the newest frame, and a stream that was lost comes back."""

from __future__ import annotations

import time
from collections.abc import Iterator
from fractions import Fraction
from itertools import islice

import numpy as np
import pytest
from PIL import Image

from boxwright.errors import SourceError
from boxwright.sources import live
from boxwright.sources.frame import Frame, Video
from boxwright.sources.live import Live
from boxwright.sources.names import is_live, is_video
from boxwright.sources.opening import sources
from filming import Camera, number_of

DEVICE = "camera:lavfi:testsrc=size=64x48:rate=200,realtime"


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "FIRST_WAIT", 0.01)


def opened(name: str, told: list[str] | None = None) -> Live:
    (source,) = sources(name, tell=(told if told is not None else []).append)
    assert isinstance(source, Live)
    return source


@pytest.mark.parametrize(
    ("name", "streams"),
    [
        ("camera:0", True),
        ("rtsp://host/live", True),
        ("http://host/video.mjpg?user=1", True),
        ("https://host/clip.mp4?key=1", False),
        ("clip.mp4", False),
        ("clip.mjpg", False),
    ],
)
def test_names_tell_streams_from_files(name: str, streams: bool) -> None:
    assert is_live(name) == streams
    assert is_video(name) != streams


def test_a_slow_reader_gets_the_newest_frame() -> None:
    told: list[str] = []
    source = opened(DEVICE, told)
    frames: Iterator[Frame] = iter(source)
    taken = []
    for frame in islice(frames, 5):
        taken.append(frame)
        time.sleep(0.05)  # ten frames
    frames.close()  # type: ignore[attr-defined]
    numbers = [frame.number or 0 for frame in taken]
    seconds = [frame.seconds or 0.0 for frame in taken]
    assert np.diff(numbers).min() > 3, "frames between were dropped"
    assert seconds == pytest.approx([number / 200 for number in numbers]), "its own times"
    assert source.dropped == numbers[-1] + 1 - len(numbers)
    assert told == [f"{DEVICE}: {source.dropped} of {numbers[-1] + 1} frames were dropped."]


def test_a_camera_that_disappears_comes_back_with_any_size() -> None:
    camera = Camera(sizes=[(64, 48), (32, 24), (64, 48)], frames=6)
    told: list[str] = []
    sizes, numbers = [], []
    with camera.on():
        for frame in opened(camera.url, told):
            assert isinstance(frame.image, Image.Image)
            sizes.append(frame.image.size)
            numbers.append(number_of(np.asarray(frame.image)))
            if camera.connections > 4:
                break
    assert set(sizes) == {(64, 48), (32, 24)}
    assert set(numbers) <= set(range(6))
    assert [line for line in told if "Trying again in 0.01 s" in line]
    assert "It was lost 4 times." in told[-1]


def test_of_all_decoded_frames_the_newest_is_taken() -> None:
    newest = live._Newest()
    for number in range(5):
        newest.put(live._Decoded(None, number, Video(None, Fraction(1), None), None))
    assert newest.take().number == 4


def test_frames_without_times_get_those_of_the_clock() -> None:
    camera = Camera(frames=200)
    with camera.on():
        start = time.monotonic()
        for frame in islice(opened(camera.url), 4):
            assert 0 < (frame.seconds or 0) <= time.monotonic() - start
            time.sleep(0.05)
        assert (frame.seconds or 0) > 0.15
        assert camera.sent - (frame.number or 0) < 15, "and are not from a queue"


def test_waits_between_attempts_grow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "FIRST_WAIT", 0.01)
    monkeypatch.setattr(live, "LONGEST_WAIT", 0.04)
    camera = Camera(frames=3)
    told: list[str] = []
    with camera.on():
        frames = iter(opened(camera.url, told))
        next(frames)
    deadline = time.monotonic() + 10
    while len(told) < 5 and time.monotonic() < deadline:
        time.sleep(0.01)
    frames.close()  # type: ignore[attr-defined]
    waits = [line.split()[-2] for line in told if "Trying again" in line]
    assert waits[-4:] == ["0.01", "0.02", "0.04", "0.04"] or waits[:4] == [
        *("0.01", "0.02", "0.04", "0.04")
    ]


@pytest.mark.parametrize(
    "name", ["http://127.0.0.1:9/none", "camera:/dev/no-such-camera", "camera:lavfi:nonsense"]
)
def test_what_was_never_there_is_an_error(name: str) -> None:
    with pytest.raises(SourceError) as raised:
        next(iter(opened(name)))
    assert (raised.value.code, raised.value.where) == ("BW533", name)


def test_passwords_are_in_no_name() -> None:
    source = opened("rtsp://user:secret@10.0.0.9/live")
    assert source.name == "rtsp://10.0.0.9/live"
