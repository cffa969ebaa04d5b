"""A server with detectors of a few lines, and a client."""

from __future__ import annotations

import io
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from boxwright.images.preprocessing import Preprocessing
from boxwright.inference.artifact import Artifact
from boxwright.inference.detector import Detector
from boxwright.ops.postprocess import RawDetections
from boxwright.serving.connections import Patience
from boxwright.serving.log import Log
from boxwright.serving.model import Loaded, Model
from boxwright.serving.server import assembled
from boxwright.serving.service import Service
from boxwright.serving.settings import Access, Settings
from boxwright.web.listening import bound
from boxwright.web.server import Server

HOST = "127.0.0.1"
SIDE = 32
CLASSES = ("cat", "dog")


@dataclass
class Fake:
    """An engine that finds a cat in the left half of every image and a dog in the right one.

    Attributes:
        go_on: it waits for this before it answers.
        seen: the number of images that it was given.
        failure: is raised.
    """

    go_on: threading.Event = field(default_factory=threading.Event)
    seen: int = 0
    failure: Exception | None = None

    def __post_init__(self) -> None:
        self.go_on.set()

    def __call__(self, inputs: NDArray[np.uint8]) -> list[RawDetections]:
        self.seen += len(inputs)
        assert self.go_on.wait(10)
        if self.failure:
            raise self.failure
        boxes = np.array([[0, 0, 1, 0.5], [0, 0.5, 1, 1]], np.float32)
        return [(boxes, np.array([0.9, 0.4], np.float32), np.array([0, 1])) for _ in inputs]

    def loaded(self, workers: int = 1, max_pixels: int = 1_000_000) -> Loaded:
        artifact = Artifact({}, CLASSES, Preprocessing(SIDE))
        return Loaded([Detector(self, artifact, max_pixels)] * workers, ".tflite")

    def model(self, name: str = "pets") -> Model:
        return Model(name, Path("none.tflite"), lambda _: self.loaded())


@dataclass
class Answer:
    """A response; names of headers are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def error(self) -> str:
        said = self.json
        assert list(said) == ["error"]
        return str(said["error"])


@dataclass
class Running:
    """A server that listens, and its log."""

    port: int
    service: Service
    server: Server
    lines: list[dict[str, Any]]

    def connected(self) -> socket.socket:
        return socket.create_connection((HOST, self.port), timeout=10)

    def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        headers: Mapping[str, str] = {},
    ) -> Answer:
        """Send a request; a body of chunks is sent without its length."""
        with closing(HTTPConnection(HOST, self.port, timeout=20)) as connection:
            connection.request(method, path, body, dict(headers))
            response = connection.getresponse()
            named = {name.lower(): value for name, value in response.getheaders()}
            return Answer(response.status, named, response.read())

    def detect(self, image: bytes, query: str = "", **headers: str) -> Answer:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.ask("POST", f"/detect{query}", image, sent)

    def logged(self, fact: str) -> list[dict[str, Any]]:
        """The lines of the log with a fact."""
        return [line for line in self.lines if fact in line]

    def metric(self, line: str) -> float:
        """The value of a metric with its labels; 0 without."""
        for each in self.ask("GET", "/metrics").body.decode().splitlines():
            name, _, value = each.rpartition(" ")
            if name == line:
                return float(value)
        return 0.0


@contextmanager
def running(
    models: Sequence[Model],
    settings: Settings | None = None,
    access: Access | None = None,
    patience: Patience | None = None,
    *,
    until_ready: bool = True,
) -> Iterator[Running]:
    """A server of models at a free port, until the block ends."""
    ready, lines = threading.Event(), list[dict[str, Any]]()
    log = Log(lambda line: lines.append(json.loads(line)))
    parts = (
        models,
        settings or Settings(workers=1),
        access or Access(frozenset({HOST})),
        ready.set,
        log,
        patience or Patience(),
    )
    service, loader, server = assembled(*parts)
    with bound(HOST, 0) as sock, closing(service):
        thread = threading.Thread(target=server.run, args=([sock],))
        thread.start()
        try:
            assert not until_ready or ready.wait(120), loader.failure
            yield Running(sock.getsockname()[1], service, server, lines)
        finally:
            server.stop()
            thread.join(20)
            assert not thread.is_alive()


def until(holds: Callable[[], Any]) -> Any:
    """What `holds` returns as soon as that is true."""
    end = time.monotonic() + 20
    while not (found := holds()):
        assert time.monotonic() < end
        time.sleep(0.005)
    return found


def picture(width: int = 64, height: int = 48, form: str = "JPEG") -> bytes:
    """An image file of noise."""
    pixels = np.random.default_rng(width).integers(0, 256, (height, width, 3), np.uint8)
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, form)
    return stream.getvalue()


def in_threads(count: int, work: Callable[[], Any]) -> tuple[list[threading.Thread], list[Any]]:
    """Start `work` in several threads; the list gets their results."""
    results: list[Any] = []
    threads = [threading.Thread(target=lambda: results.append(work())) for _ in range(count)]
    for thread in threads:
        thread.start()
    return threads, results
