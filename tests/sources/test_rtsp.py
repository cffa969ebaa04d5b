"""RTSP streams of GStreamer's server: their times, sizes, stalls and disappearances.

`make test-rtsp` runs this; it takes too long for every commit.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from boxwright.sources import live
from boxwright.sources.frame import Frame
from boxwright.sources.live import Live
from boxwright.sources.opening import sources

SERVER = Path(__file__).with_name("rtsp_server.py")
PYTHON = "/usr/bin/python3"  # has GStreamer's bindings
PACKAGES = (  # of Debian and Ubuntu
    "gir1.2-gst-rtsp-server-1.0 python3-gi gstreamer1.0-plugins-base gstreamer1.0-plugins-good "
    "gstreamer1.0-plugins-ugly"
)
SIZES = ((320, 240), (640, 480), (160, 120))
DISAPPEARANCES = 20

if "BOXWRIGHT_RTSP" not in os.environ:
    pytest.skip("make test-rtsp runs them", allow_module_level=True)


@dataclass
class Camera:
    """A server that can be switched on and off at one address."""

    port: int
    process: subprocess.Popen[str] | None = field(default=None, init=False)

    @property
    def url(self) -> str:
        return f"rtsp://127.0.0.1:{self.port}/live"

    def on(self, size: tuple[int, int] = SIZES[0]) -> None:
        command = [PYTHON, str(SERVER), str(self.port), *map(str, size)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout
        said = self.process.stdout.readline()
        assert said == "ready\n", f"the server needs: sudo apt-get install {PACKAGES}"

    def off(self) -> None:
        if self.process:
            self.process.kill()
            self.process.communicate()
        self.process = None

    def signal(self, what: signal.Signals) -> None:
        assert self.process
        self.process.send_signal(what)


@pytest.fixture
def camera() -> Iterator[Camera]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    found = Camera(port)
    yield found
    found.off()


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "FIRST_WAIT", 0.05)
    monkeypatch.setattr(live, "LONGEST_WAIT", 0.2)


@contextmanager
def watched(camera: Camera, told: list[str], rtsp: str = "tcp") -> Iterator[Iterator[Frame]]:
    (source,) = sources(camera.url, rtsp=rtsp, tell=told.append)
    assert isinstance(source, Live)
    frames = iter(source)
    try:
        yield frames
    finally:
        frames.close()


def size_of(frame: Frame) -> tuple[int, int]:
    assert isinstance(frame.image, Image.Image)
    return frame.image.size


@pytest.mark.parametrize("rtsp", ["tcp", "udp"])
def test_a_stream_has_its_own_times(rtsp: str, camera: Camera) -> None:
    camera.on()
    with watched(camera, [], rtsp) as frames:
        taken = list(islice(frames, 40))
    assert {size_of(frame) for frame in taken} == {SIZES[0]}
    video = taken[0].video
    assert video is not None
    numbers = np.array([frame.number for frame in taken])
    seconds = np.array([frame.seconds for frame in taken])
    assert (np.diff(numbers) > 0).all()
    steps = np.diff(seconds) / np.diff(numbers)
    assert np.median(steps) == pytest.approx(1 / 30, abs=0.002)


def test_a_slow_reader_does_not_fall_behind(camera: Camera) -> None:
    """The stream goes on by as much as the clock. A reader of every frame would be 2.5 s behind."""
    camera.on()
    with watched(camera, []) as frames:
        next(frames)
        start = time.monotonic()
        first = next(frames).seconds or 0.0
        behind = []
        for _ in range(15):
            time.sleep(0.2)  # six frames
            frame = next(frames)
            behind.append((time.monotonic() - start) - ((frame.seconds or 0.0) - first))
    assert max(behind) < 0.5


def test_a_stream_that_disappears_comes_back_with_any_size(camera: Camera) -> None:
    told: list[str] = []
    camera.on()
    with watched(camera, told) as frames:
        numbers = []
        for turn in range(DISAPPEARANCES):
            expected = SIZES[turn % len(SIZES)]
            taken = next(frame for frame in frames if size_of(frame) == expected)
            numbers.append(taken.number or 0)
            assert taken.video is not None
            camera.off()
            time.sleep(0.1)
            camera.on(SIZES[(turn + 1) % len(SIZES)])
        last = SIZES[DISAPPEARANCES % len(SIZES)]
        assert next(frame for frame in frames if size_of(frame) == last)
    assert numbers == sorted(numbers)
    lost = int(told[-1].partition("It was lost ")[2].split()[0])
    assert lost >= DISAPPEARANCES


def test_a_stream_that_stalls_is_connected_again(
    camera: Camera, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "SECONDS", 1.0)
    told: list[str] = []
    camera.on()
    with watched(camera, told) as frames:
        next(frames)
        camera.signal(signal.SIGSTOP)
        deadline = time.monotonic() + 20
        while not any("lost" in line for line in told) and time.monotonic() < deadline:
            time.sleep(0.05)
        camera.signal(signal.SIGCONT)
        assert any("Trying again" in line for line in told)
        last = max(frame.number or 0 for frame in islice(frames, 3))
        assert (next(frames).number or 0) > last
