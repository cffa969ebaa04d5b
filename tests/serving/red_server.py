"""A server with a detector that finds red and blue rectangles, and what a client needs."""

from __future__ import annotations

import http.client
import io
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from boxwright.images.preprocessing import Preprocessing
from boxwright.inference.artifact import Artifact
from boxwright.inference.detector import Detector
from boxwright.ops.postprocess import RawDetections
from boxwright.serving.app import application
from boxwright.serving.log import Log
from boxwright.serving.metrics import Metrics
from boxwright.serving.model import Loaded, Model
from boxwright.serving.service import Service
from boxwright.serving.settings import Access, Settings
from boxwright.web.listening import bound
from boxwright.web.server import Server

HOST = "127.0.0.1"
SIDE, ROWS = 64, 5
CLASSES = ("red", "blue")
SCORES = (0.9, 0.4)  # the second one is below the detector's threshold
SIZE = WIDTH, HEIGHT = 160, 96
RED, BLUE = (20, 12, 60, 48), (100, 36, 140, 84)  # xyxy


def picture() -> Image.Image:
    """An image with a red rectangle and a blue one."""
    image = Image.new("RGB", SIZE, (90, 90, 90))
    image.paste((230, 30, 30), RED)
    image.paste((30, 30, 230), BLUE)
    return image


def pixels() -> NDArray[np.uint8]:
    return np.asarray(picture())


def png() -> bytes:
    stream = io.BytesIO()
    picture().save(stream, "PNG")
    return stream.getvalue()


class Colors:
    """An engine: the box around all red pixels, and the one around all blue ones."""

    def __call__(self, inputs: NDArray[np.uint8]) -> list[RawDetections]:
        return [_found(each.astype(np.int16)) for each in inputs]


def _found(image: NDArray[np.int16]) -> RawDetections:
    boxes, labels = [], []
    for label, channel in enumerate((0, 2)):
        others = np.delete(image, channel, axis=2).max(axis=2)
        rows, columns = np.nonzero(image[..., channel] - others > 70)
        if len(rows):
            boxes.append([rows.min(), columns.min(), rows.max() + 1, columns.max() + 1])
            labels.append(label)
    scores = [SCORES[label] for label in labels]
    return (
        np.array(boxes, np.float32).reshape(-1, 4) / SIDE,
        np.array(scores, np.float32),
        np.array(labels, np.int64),
    )


def model(name: str = "colors", *, ready: bool = True) -> Model:
    """The detector under a name."""
    artifact = Artifact({"name": "colors"}, CLASSES, Preprocessing(SIDE), max_detections=ROWS)
    detector = Detector(Colors(), artifact)
    served = Model(name, Path(f"{name}.tflite"), lambda path: Loaded([detector] * 2, ".tflite", None))
    if ready:
        served.load()
    return served


def service(*models: Model, **settings: Any) -> Service:
    return Service(models or [model()], Settings(**settings), Metrics(), Log())


@dataclass
class Answer:
    """A response."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Client:
    """A client of the server at a port of this computer."""

    port: int

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"

    def ask(
        self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """The answer to a request; a body that is not bytes is sent as JSON."""
        content = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        with closing(http.client.HTTPConnection(HOST, self.port, timeout=30)) as connection:
            connection.request(method, path, content, dict(headers or {}))
            got = connection.getresponse()
            return Answer(got.status, {k.lower(): v for k, v in got.getheaders()}, got.read())

    def get(self, path: str) -> Answer:
        return self.ask("GET", path)

    def post(self, path: str, body: Any, **headers: str) -> Answer:
        return self.ask(
            "POST", path, body, {name.replace("_", "-"): value for name, value in headers.items()}
        )


@contextmanager
def serving(*models: Model, token: str | None = None, **settings: Any) -> Iterator[Client]:
    """A server of these models, by default of the one that finds colors."""
    begun = threading.Event()
    with bound(HOST, 0) as sock, closing(service(*models, **settings)) as running:
        app = application(running, Access(frozenset({HOST, "localhost"}), token))
        server = Server(app, ready=begun.set)
        thread = threading.Thread(target=server.run, args=([sock],))
        thread.start()
        try:
            assert begun.wait(30)
            yield Client(sock.getsockname()[1])
        finally:
            server.stop()
            thread.join()
