"""Videos in files: every frame, in order. PyAV decodes them."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from itertools import count
from pathlib import Path
from typing import Any

from PIL import Image

from boxwright.backend import framework
from boxwright.errors import SourceError
from boxwright.images.options import MAX_PIXELS
from boxwright.sources.frame import Frame, Video
from boxwright.structures.findings import counted

# The demuxers that may read a local video: others, such as those of playlists, can open further
# files and addresses.
DEMUXERS = "mov,matroska,avi,mpeg,mpegts,mpegvideo,asf,flv,ogg,mjpeg,yuv4mpegpipe,h264,hevc"
SECONDS = 10  # without data from the network, after which a video is given up
CONVERTING = 1  # threads: starting more for each frame takes longer than they save, and memory
TURNS = {  # counterclockwise degrees that PyAV states -> what makes a frame upright
    90: Image.Transpose.ROTATE_90,
    180: Image.Transpose.ROTATE_180,
    -180: Image.Transpose.ROTATE_180,
    -90: Image.Transpose.ROTATE_270,
    270: Image.Transpose.ROTATE_270,
}


@dataclass(frozen=True)
class VideoFile:
    """A source: a video in a file, or one at an address that ends in the suffix of a video.

    Attributes:
        name: the path or address.
        tell: called with each sentence for people.
        max_pixels: larger videos are refused.
    """

    name: str
    tell: Callable[[str], None]
    max_pixels: int = MAX_PIXELS

    is_video, is_live = True, False

    @property
    def total(self) -> int | None:
        """The number of frames that the file states; None if it states none, or none is read."""
        try:
            with self._opened() as container:
                return container.streams.video[0].frames or None
        except SourceError:
            return None

    def __iter__(self) -> Generator[Frame, None, None]:
        """Raises SourceError BW532: it is damaged, or has too many pixels."""
        with self._opened() as container, readable(self.name):
            stream = container.streams.video[0]
            stream.thread_type = "AUTO"
            if stream.width * stream.height > self.max_pixels:
                size = f"{stream.width} x {stream.height}"
                raise unreadable(self.name, f"its frames have {size} pixels")
            file = None if "://" in self.name else Path(self.name)
            numbers, damaged = count(), 0
            video: Video | None = None
            for packet in container.demux(stream):
                try:
                    frames = packet.decode()
                except framework.av().error.InvalidDataError:
                    damaged += 1
                    continue
                for frame in frames:
                    video = video or video_of(stream, frame, file)
                    yield frame_of(frame, self.name, next(numbers), video)
            if video is None:
                raise unreadable(self.name, "no frame can be decoded")
            if damaged:
                left_out = counted(damaged, "damaged packet was", "damaged packets were")
                self.tell(f"{self.name}: {left_out} left out.")

    @contextmanager
    def _opened(self) -> Iterator[Any]:
        limits = {} if "://" in self.name else {"format_whitelist": DEMUXERS}
        timeout = SECONDS if "://" in self.name else None
        with readable(self.name):
            container = framework.av().open(self.name, options=limits, timeout=timeout)
        with container:
            if not container.streams.video:
                raise unreadable(self.name, "it has no pictures")
            yield container


def video_of(stream: Any, frame: Any, file: Path | None) -> Video:
    """What PyAV says about a stream and its first frame."""
    aspect = stream.sample_aspect_ratio or Fraction(1)
    aspect = aspect if aspect > 0 else Fraction(1)
    turned = frame.rotation % 180 == 90
    return Video(stream.average_rate or stream.guessed_rate, 1 / aspect if turned else aspect, file)


def frame_of(
    frame: Any, name: str, number: int, video: Video, seconds: float | None = None
) -> Frame:
    """A frame of PyAV, upright and in RGB; `seconds` is its time if it does not state it."""
    rgb = frame.reformat(format="rgb24", threads=CONVERTING)
    plane = rgb.planes[0]
    size = (rgb.width, rgb.height)
    picture = Image.frombuffer("RGB", size, plane, "raw", "RGB", plane.line_size, 1)
    turn = TURNS.get(frame.rotation)
    upright = picture if turn is None else picture.transpose(turn)
    stated = seconds if seconds is not None else frame.time
    at = float(number / (video.rate or 25) if stated is None else stated)
    return Frame(name, upright, number, round(at, 6), video)


@contextmanager
def readable(name: str) -> Iterator[None]:
    """Turn errors of PyAV into SourceError BW532."""
    try:
        yield
    except framework.av().error.FFmpegError as error:
        raise unreadable(name, error.strerror or str(error)) from error


def unreadable(name: str, reason: str) -> SourceError:
    return SourceError("BW532", f"the video cannot be read: {reason}.", where=name)
