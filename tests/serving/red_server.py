"""A server with a detector that finds red and blue rectangles, and a client that sends JSON."""

from __future__ import annotations

import io
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from detecting import HOST, Answer, Running, running
from numpy.typing import NDArray
from PIL import Image

from boxwright.images.preprocessing import Preprocessing
from boxwright.inference.artifact import Artifact
from boxwright.inference.detector import Detector
from boxwright.ops.postprocess import RawDetections
from boxwright.serving.model import Loaded, Model
from boxwright.serving.settings import Access, Settings

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


def detector() -> Detector:
    artifact = Artifact({"name": "colors"}, CLASSES, Preprocessing(SIDE), max_detections=ROWS)
    return Detector(Colors(), artifact)


def model(name: str = "colors") -> Model:
    """The detector under a name."""
    loaded = Loaded([detector()] * 2, ".tflite")
    return Model(name, Path("none.tflite"), lambda path: loaded)


@dataclass
class Client:
    """A client of a server."""

    server: Running

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.server.port}"

    def ask(
        self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None
    ) -> Answer:
        """The answer to a request; a body that is not bytes is sent as JSON."""
        content = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        return self.server.ask(method, path, content, headers or {})

    def get(self, path: str) -> Answer:
        return self.ask("GET", path)

    def post(self, path: str, body: Any) -> Answer:
        return self.ask("POST", path, body)


@contextmanager
def serving(*models: Model, token: str | None = None, **settings: Any) -> Iterator[Client]:
    """A server of these models, by default of the one that finds colors."""
    access = Access(frozenset({HOST}), token)
    with running(models or [model()], Settings(**settings), access) as server:
        yield Client(server)


@contextmanager
def loading() -> Iterator[Client]:
    """A server whose model is being loaded until the block ends."""
    over, ready = threading.Event(), model()

    def load(path: Path) -> Loaded:
        assert over.wait(20)
        ready.load()
        return ready.loaded

    models = [Model("colors", Path("none.tflite"), load)]
    with running(models, access=Access(frozenset({HOST})), until_ready=False) as server:
        try:
            yield Client(server)
        finally:
            over.set()
