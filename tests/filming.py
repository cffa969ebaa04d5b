"""Small videos to read, and a camera that sends JPEGs over HTTP."""

from __future__ import annotations

import io
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from fractions import Fraction
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import av
import numpy as np
from PIL import Image

STEP = 16  # of gray between two frames, so that a frame tells its number


def gray(number: int, size: tuple[int, int] = (64, 48)) -> np.ndarray:
    """A frame of one gray with a white top left quarter."""
    pixels = np.full((size[1], size[0], 3), 8 + STEP * (number % 12), np.uint8)
    pixels[: size[1] // 2, : size[0] // 2] = 255
    return pixels


def number_of(pixels: np.ndarray) -> int:
    """The number of a frame, by the gray of its lower right quarter."""
    height, width = pixels.shape[:2]
    return round((float(pixels[height * 5 // 8 :, width * 5 // 8 :].mean()) - 8) / STEP)


def film(
    path: Path,
    count: int = 12,
    *,
    size: tuple[int, int] = (64, 48),
    rate: Fraction | int = 10,
    codec: str = "libx264",
    rotation: int = 0,
    aspect: Fraction | None = None,
    sound: str | None = None,
    times: Sequence[float] | None = None,
) -> Path:
    """Write a video of `gray` frames, with a second of sound a second if `sound` is a codec."""
    with av.open(str(path), "w") as out:
        stream: Any = out.add_stream(codec, rate=rate)
        stream.width, stream.height = size
        stream.pix_fmt = {"mjpeg": "yuvj420p", "png": "rgb24"}.get(codec, "yuv420p")
        stream.codec_context.time_base = Fraction(1, 1000)
        if aspect:
            stream.codec_context.sample_aspect_ratio = aspect
        if rotation:
            stream.set_display_rotation(rotation)
        track: Any = out.add_stream(sound, rate=48000) if sound else None
        for number in range(count):
            frame = av.VideoFrame.from_ndarray(gray(number, size), "rgb24")
            at = number / rate if times is None else times[number]
            frame.pts, frame.time_base = round(at * 1000), Fraction(1, 1000)
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
        if track:
            samples = np.zeros((1, int(48000 * count / rate)), np.float32)
            tone: Any = av.AudioFrame.from_ndarray(samples, "fltp", "mono")
            tone.rate, tone.pts = 48000, 0
            for each in av.AudioResampler(track.format, track.layout, track.rate).resample(tone):
                out.mux(track.encode(each))
            out.mux(track.encode(None))
    return path


class Camera(ThreadingHTTPServer):
    """Sends the frames of `gray` as `multipart/x-mixed-replace`, as cheap cameras do.

    Attributes:
        sizes: of the frames of each connection; the last one for all that follow.
        frames: number of frames of a connection, after which it ends.
        rate: frames a second.
        sent: number of frames sent so far.
    """

    daemon_threads = True

    def __init__(
        self, sizes: Sequence[tuple[int, int]] = ((64, 48),), frames: int = 20, rate: float = 100
    ) -> None:
        super().__init__(("127.0.0.1", 0), _Sends)
        self.sizes, self.frames, self.rate = list(sizes), frames, rate
        self.sent = self.connections = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/video"

    @contextmanager
    def on(self) -> Iterator[Camera]:
        thread = threading.Thread(target=self.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield self
        finally:
            self.shutdown()
            thread.join()
            self.server_close()


class _Sends(BaseHTTPRequestHandler):
    server: Camera

    def do_GET(self) -> None:
        camera = self.server
        size = camera.sizes[min(camera.connections, len(camera.sizes) - 1)]
        camera.connections += 1
        self.send_response(200)
        self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
        self.end_headers()
        for number in range(camera.frames):
            written = io.BytesIO()
            Image.fromarray(gray(number, size)).save(written, "JPEG")
            content = written.getvalue()
            head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(content)}\r\n\r\n"
            try:
                self.wfile.write(head.encode() + content + b"\r\n")
            except OSError:
                return
            camera.sent += 1
            time.sleep(1 / camera.rate)

    def log_message(self, *_: object) -> None:
        pass
