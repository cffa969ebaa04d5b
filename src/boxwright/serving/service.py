"""The detectors of a server: who may use them, and when."""

from __future__ import annotations

import asyncio
import io
import math
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from boxwright.errors import BoxwrightError
from boxwright.images.decoding import decoded
from boxwright.inference.detector import Detector
from boxwright.inference.stream import small
from boxwright.serving.log import Log
from boxwright.serving.metrics import Metrics
from boxwright.serving.model import Loaded, Model
from boxwright.serving.refusals import Refusal
from boxwright.serving.settings import Settings
from boxwright.structures.detections import Detections
from boxwright.visualize.draw import draw_on

ServedImage: TypeAlias = bytes | NDArray[np.uint8]  # an image file, or RGB (H, W, 3)
Result = TypeVar("Result")
Work: TypeAlias = Callable[[Detector, threading.Event], Result]
QUALITY = 90  # of a drawn JPEG
RECENT = 0.1  # weight of the latest request in the mean time
JPEG, SCAN, MAX_SCANS = b"\xff\xd8", b"\xff\xda", 100  # cameras and editors write up to 14


class Service:
    """Runs the detectors for all protocols.

    A request waits in one queue for a worker, a thread that decodes its images and runs the network
    on one after another. There are no batches: see docs/experiments/0045-serving.md.

    Attributes:
        models: the detectors by name, in the order of the command line.
        settings: limits.
        metrics: what `/metrics` shows.
        log: the lines of the requests in progress.
    """

    def __init__(
        self, models: Iterable[Model], settings: Settings, metrics: Metrics, log: Log
    ) -> None:
        self.models = {model.name: model for model in models}
        self.settings, self.metrics, self.log = settings, metrics, log
        self._pool = ThreadPoolExecutor(settings.workers, "worker")
        self._free = asyncio.Semaphore(settings.workers)
        self._waiting = 0
        self._seconds = 0.0  # recent mean of a request's work
        metrics.waiting.set_function(lambda: self._waiting)

    @property
    def ready(self) -> bool:
        """True once all models are warmed up."""
        return all(model.ready for model in self.models.values())

    def model(self, name: str | None = None, version: int | None = None) -> Model:
        """The model of a name, ready or not; the only one for None.

        Raises:
            Refusal: 404 there is no such model or version, 400 None where there are several.
        """
        listed = ", ".join(self.models)
        if name is None and len(self.models) > 1:
            raise Refusal(400, f"There are several models: {listed}. Name one of them.")
        found = next(iter(self.models.values())) if name is None else self.models.get(name)
        if found is None:
            raise Refusal(404, f"There is no model {name!r}, but {listed}.")
        if version not in (None, found.version):
            raise Refusal(404, f"The model {found.name} has version {found.version} alone.")
        return found

    async def detect(
        self, name: str, images: Sequence[ServedImage], *, request_id: str
    ) -> list[Detections]:
        """All detections in each image at any score, in pixels of the oriented image.

        The images of a request enter the queue together, and one thread processes them in turn.

        Args:
            name: of a model.
            images: files of any format that `boxwright predict` opens, or RGB arrays `(H, W, 3)`.
            request_id: of the log, see `requests.request_id`.

        Returns:
            One for each image; `image_size` is its width and height.

        Raises:
            Refusal: 400 not an image, 404 no such model, 413 too many pixels, 415 an image of a
                format that is not opened, 429 the queue is full, 503 not ready, 504 timed out.
        """
        model = self.model(name)

        def work(detector: Detector, given_up: threading.Event) -> list[Detections]:
            found: list[Detections] = []
            for number, image in enumerate(images, 1):
                if given_up.is_set():
                    break
                subject = "The image" if len(images) == 1 else f"Image {number} of {len(images)}"
                found += _detect(detector, image, subject)
            return found

        found = await self._run(model.loaded, work)
        kept = [label for each in found for label in model.kept(each).labels]
        self._tell(model, request_id, len(images), found[0].classes if found else (), kept)
        return found

    async def draw(
        self,
        name: str,
        image: bytes,
        keep: Callable[[Detections], Detections],
        *,
        request_id: str,
    ) -> bytes:
        """An image with its detections drawn, at most 1600 pixels a side, as JPEG.

        Args:
            name: of a model.
            image: an image file.
            keep: selects the detections to draw; may raise `Refusal`.
            request_id: of the log.

        Raises:
            Refusal: as `detect`.
        """
        model = self.model(name)

        def work(detector: Detector, given_up: threading.Event) -> tuple[bytes, Detections]:
            options = detector.artifact.preprocessing.decode_options(detector.max_pixels)
            _check(detector, image, "The image")
            with _refusing("The image"), decoded(image, options) as whole:
                (found,) = detector.detect([detector.prepare(whole)])
                found, picture = keep(found), small(whole.picture)
                draw_on(picture, found.resized(picture.size))
                stream = io.BytesIO()
                picture.save(stream, "JPEG", quality=QUALITY)
                return stream.getvalue(), found

        drawn, found = await self._run(model.loaded, work)
        self._tell(model, request_id, 1, found.classes, list(found.labels))
        return drawn

    def close(self) -> None:
        """Begin no more work."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def _run(self, loaded: Loaded, work: Work[Result]) -> Result:
        """Have a worker do something with a detector. Raises Refusal 429 and 504."""
        if self._free.locked() and self._waiting >= self.settings.queue:
            wait = math.ceil(self._waiting * self._seconds / self.settings.workers)
            raise Refusal(429, "The queue is full.", {"Retry-After": str(max(wait, 1))})
        given_up = threading.Event()
        begun = time.monotonic()
        try:
            async with asyncio.timeout(self.settings.timeout):
                self._waiting += 1
                try:
                    await self._free.acquire()
                finally:
                    self._waiting -= 1
                self.metrics.queue_seconds.observe(time.monotonic() - begun)
                return await asyncio.wrap_future(self._begin(loaded, work, given_up))
        except TimeoutError:
            said = f"The request took more than {self.settings.timeout:g} seconds."
            raise Refusal(504, said) from None
        finally:
            given_up.set()

    def _begin(
        self, loaded: Loaded, work: Work[Result], given_up: threading.Event
    ) -> Future[Result]:
        """Start a free worker, which is free again when its work has ended, waited for or not."""
        loop = asyncio.get_running_loop()

        def ended(_: Future[Result]) -> None:
            with suppress(RuntimeError):  # the server has stopped
                loop.call_soon_threadsafe(self._free.release)

        def working() -> Result:
            begun = time.monotonic()
            with loaded.borrowed() as detector:
                result = work(detector, given_up)
            seconds = time.monotonic() - begun
            self.metrics.work_seconds.observe(seconds)
            self._seconds += RECENT * (seconds - self._seconds)
            return result

        future = self._pool.submit(working)
        future.add_done_callback(ended)
        return future

    def _tell(
        self,
        model: Model,
        request_id: str,
        images: int,
        classes: Sequence[str],
        labels: Sequence[int],
    ) -> None:
        """Count what was found and tell the log."""
        self.metrics.images.labels(model.name).observe(images)
        for label in labels:
            self.metrics.detections.labels(model.name, classes[label]).inc()
        self.log.note(request_id, model=model.name, images=images, detections=len(labels))


def _detect(detector: Detector, image: ServedImage, subject: str) -> list[Detections]:
    """All detections in one image. Raises Refusal."""
    _check(detector, image, subject)
    with _refusing(subject):
        return detector.detect([detector.prepare(image)])


def _check(detector: Detector, image: ServedImage, subject: str) -> None:
    """Refuse what would take long, and decoding does not refuse. Raises Refusal 413."""
    if isinstance(image, np.ndarray):
        height, width, _ = image.shape
        if height * width > detector.max_pixels:
            size = f"{width} x {height} pixels; the limit is {detector.max_pixels:,}"
            raise Refusal(413, f"{subject} has {size}.")
    elif image.startswith(JPEG) and (scans := image.count(SCAN)) > MAX_SCANS:
        # Each is a pass over all pixels of a progressive JPEG, and takes 60 bytes.
        raise Refusal(413, f"{subject} has {scans:,} scans; the limit is {MAX_SCANS}.")


@contextmanager
def _refusing(subject: str) -> Iterator[None]:
    """Turn errors about an image into refusals."""
    try:
        yield
    except BoxwrightError as error:
        raise Refusal.of(error, subject) from error
