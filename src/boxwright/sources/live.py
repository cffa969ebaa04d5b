"""Cameras and network streams: the newest frame, however slow the network is."""

from __future__ import annotations

import re
import sys
import threading
import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from boxwright.backend import framework
from boxwright.errors import SourceError
from boxwright.sources.frame import Frame, Video
from boxwright.sources.names import CAMERA, RTSP
from boxwright.sources.video import frame_of, video_of

DEVICES = {"linux": "v4l2", "darwin": "avfoundation", "win32": "dshow"}
SECONDS = 5.0  # without a frame, after which a stream counts as lost
UNTIMED = {"mpjpeg", "mjpeg"}  # streams of JPEGs, to which FFmpeg gives times of its own
FIRST_WAIT, LONGEST_WAIT = 0.5, 30.0  # seconds between two attempts to connect again


@dataclass
class Live:
    """A source: a camera such as `camera:0`, or a stream such as `rtsp://host/path`.

    A thread decodes all frames. Whoever iterates gets the newest; those between are dropped and
    counted. A lost stream is connected again, after longer and longer waits.

    Attributes:
        address: the name of the camera, or the address, perhaps with a password.
        tell: called with each sentence for people.
        rtsp: how RTSP is transported; UDP loses packets.
        dropped: frames that nobody got.
        lost: how often the stream was lost.
    """

    address: str
    tell: Callable[[str], None]
    rtsp: str = RTSP[0]
    dropped: int = field(default=0, init=False)
    lost: int = field(default=0, init=False)

    is_video = is_live = True
    total = None

    @property
    def name(self) -> str:
        """The address without user and password."""
        return re.sub(r"(?<=://)[^/]*@", "", self.address)

    def __iter__(self) -> Generator[Frame, None, None]:
        """Raises SourceError BW533: the camera or stream cannot be opened the first time."""
        newest = _Newest()
        self.dropped = self.lost = 0
        thread = threading.Thread(target=self._decode, args=(newest,), daemon=True)
        thread.start()
        number = -1
        try:
            while True:
                taken = newest.take()
                self.dropped += taken.number - number - 1
                number = taken.number
                yield frame_of(taken.frame, self.name, number, taken.video, taken.seconds)
        finally:
            newest.close()
            thread.join(1)
            self.tell(self._summary(number + 1))

    def _summary(self, count: int) -> str:
        lost = f" It was lost {self.lost} times." if self.lost else ""
        return f"{self.name}: {self.dropped} of {count} frames were dropped.{lost}"

    def _decode(self, newest: _Newest) -> None:
        """Decode all frames until `newest` is closed; runs in a thread."""
        number, wait, start = 0, FIRST_WAIT, time.monotonic()
        while not newest.closed.is_set():
            try:
                for frame, video, is_timed in self._frames():
                    seconds = None if is_timed else time.monotonic() - start
                    newest.put(_Decoded(frame, number, video, seconds))
                    number, wait = number + 1, FIRST_WAIT
                    if newest.closed.is_set():
                        return
                reason = "it ended"
            except framework.av().error.FFmpegError as error:
                reason = error.strerror or str(error)
            except BaseException as error:  # is raised where the frames are taken
                newest.fail(error)
                return
            if not number:
                message = f"the camera or stream cannot be opened: {reason}."
                newest.fail(SourceError("BW533", message, where=self.name))
                return
            self.lost += 1
            self.tell(f"{self.name}: lost ({reason}). Trying again in {wait:g} s.")
            newest.closed.wait(wait)
            wait = min(2 * wait, LONGEST_WAIT)

    def _frames(self) -> Iterator[tuple[Any, Video, bool]]:
        """Each frame, what is known of the video, and whether it states the times of frames."""
        av = framework.av()
        address, device, options = self._address()
        with av.open(address, format=device, options=options, timeout=SECONDS) as container:
            stream = container.streams.video[0]
            stream.thread_type = "SLICE"  # threads for whole frames would delay each of them
            video: Video | None = None
            for packet in container.demux(stream):
                try:
                    frames = packet.decode()
                except av.error.InvalidDataError:  # until the next whole frame
                    continue
                for frame in frames:
                    video = video or video_of(stream, frame, None)
                    yield frame, video, container.format.name not in UNTIMED

    def _address(self) -> tuple[str, str | None, dict[str, str]]:
        """What PyAV opens: a device or address, the kind of device, and options."""
        if not self.address.startswith(CAMERA):
            options = {"fflags": "nobuffer"}
            if urlsplit(self.address).scheme in ("rtsp", "rtsps"):
                options["rtsp_transport"] = self.rtsp
            return self.address, None, options
        given = self.address.removeprefix(CAMERA) or "0"
        kind, colon, rest = given.partition(":")
        if colon:  # a kind of device of FFmpeg: `camera:lavfi:testsrc`
            return rest, kind, {}
        device = DEVICES.get(sys.platform, "v4l2")
        if device == "v4l2" and given.isdecimal():
            return f"/dev/video{given}", device, {}
        return f"video={given}" if device == "dshow" else given, device, {}


class _Decoded(NamedTuple):
    frame: Any
    number: int
    video: Video
    seconds: float | None


class _Newest:
    """A place for one decoded frame: a newer one replaces it."""

    def __init__(self) -> None:
        self.closed = threading.Event()
        self._changed = threading.Condition()
        self._frame: _Decoded | None = None
        self._error: BaseException | None = None

    def put(self, frame: _Decoded) -> None:
        with self._changed:
            self._frame = frame
            self._changed.notify()

    def fail(self, error: BaseException) -> None:
        with self._changed:
            self._error = error
            self._changed.notify()

    def take(self) -> _Decoded:
        """The newest frame that was not taken yet, when there is one. Raises what failed."""
        with self._changed:
            while (taken := self._frame) is None:
                if self._error is not None:
                    raise self._error
                self._changed.wait(0.5)  # Ctrl-C is noticed in between
            self._frame = None
            return taken

    def close(self) -> None:
        self.closed.set()
