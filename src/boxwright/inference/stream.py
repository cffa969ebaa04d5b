"""Detect in the frames of a source, one after another, in constant memory."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from PIL import Image

from boxwright.errors import BoxwrightError, DataError
from boxwright.images.decoding import Decoded, decoded
from boxwright.images.files import ByteRange, Part
from boxwright.images.inputs import ImageLike, open_image
from boxwright.inference.detector import Detector, Input, read_ahead
from boxwright.sources.frame import Frame, Source
from boxwright.structures.detections import Detections
from boxwright.tracking.counting import Counts
from boxwright.tracking.following import Follower, Tracking

Picture = Literal["none", "small", "full"]
Failed = Callable[[Frame, BoxwrightError], None]
Measure = Callable[[Image.Image], bytes]
AT_ONCE, WHOLE_AT_ONCE = 16, 4  # images per batch, small or full; twice as many in memory
FILES = (str, Path, ByteRange, Part, bytes)  # images that are not decoded yet
MAX_SIDE = 1600  # longer side of a small picture; JPEGs are decoded to at least half of it


@dataclass(frozen=True, eq=False)
class Prediction:
    """The detections in one frame of a source.

    Attributes:
        frame: the frame.
        detections: those above the threshold.
        picture: the decoded frame, RGB, as large as it was asked for.
        counts: what was counted in the video up to this frame; None if no objects were tracked.
        measured: what `measure` gave for the picture that the network got.
    """

    frame: Frame
    detections: Detections
    picture: Image.Image | None = None
    counts: Counts | None = None
    measured: bytes = b""


@dataclass(frozen=True)
class _Loaded:
    frame: Frame
    shown: Input
    picture: Image.Image | None = None
    measured: bytes = b""


def predictions(
    detector: Detector,
    source: Source,
    pool: Executor,
    *,
    threshold: float | None = None,
    picture: Picture = "none",
    failed: Failed | None = None,
    tracking: Tracking | None = None,
    measure: Measure | None = None,
) -> Generator[Prediction, None, None]:
    """Detect in every frame of a source. Threads decode while the network processes other frames.

    Args:
        detector: the detector.
        source: the source.
        pool: its threads decode.
        threshold: lowest score to keep; None takes the detector's own.
        picture: `small` also gives each frame with at most 1600 pixels a side, for which a large
            JPEG need not be decoded at its full size; `full` gives all of its pixels.
        failed: called with each frame that cannot be read; None raises the error.
        tracking: how the objects of a video are tracked and counted; None if they are not.
        measure: called in the threads with each image of a file, decoded for the network.

    Raises:
        BoxwrightError: as `Detector.predict`, and the errors of the source.
    """

    def load(frame: Frame) -> _Loaded | tuple[Frame, DataError]:
        try:
            return _load(detector, frame, picture, measure)
        except DataError as error:
            if failed is None:
                raise
            return frame, error

    follower = Follower(tracking, detector.weakest(threshold)) if tracking else None
    with closing(_frames(source)) as frames:
        if source.is_live:  # nothing is read ahead of a frame: it would be old when its turn comes
            batches = ([load(frame)] for frame in frames)
        else:
            at_once = WHOLE_AT_ONCE if picture == "full" or source.is_video else AT_ONCE
            ahead = read_ahead(pool, load, frames, at_once)
            batches = ([each.result() for each in batch] for batch in ahead)
        for loaded in batches:
            seen = [each for each in loaded if isinstance(each, _Loaded)]
            found = iter(detector.detect([each.shown for each in seen]) if seen else [])
            for each in loaded:
                if isinstance(each, _Loaded):
                    all_found = next(found)
                    if follower and each.frame.video:
                        passing = detector.passing(all_found, threshold)
                        tracked, counts = follower.follow(each.frame, all_found, passing)
                        yield Prediction(each.frame, tracked, each.picture, counts)
                    else:
                        kept = detector.kept(all_found, threshold)
                        yield Prediction(each.frame, kept, each.picture, measured=each.measured)
                elif failed:
                    failed(*each)


def _frames(source: Source) -> Generator[Frame, None, None]:
    """The frames of a source. Those of a video come from one decoder, one after another: another
    thread decodes some ahead."""
    with closing(iter(source)) as frames:
        if source.is_live or not source.is_video:
            yield from frames
            return
        with ThreadPoolExecutor(1) as decoder:
            waiting = deque(decoder.submit(next, frames, None) for _ in range(WHOLE_AT_ONCE))
            try:
                while frame := waiting.popleft().result():
                    waiting.append(decoder.submit(next, frames, None))
                    yield frame
            finally:
                for unwanted in waiting:
                    unwanted.cancel()


def _load(detector: Detector, frame: Frame, picture: Picture, measure: Measure | None) -> _Loaded:
    """The frame, decoded once for the network and for outputs."""
    image = frame.image
    if picture == "none" and not isinstance(image, FILES):
        return _Loaded(frame, detector.prepare(image))
    with _opened(detector, image, picture) as whole:
        shown = detector.prepare(whole)
        measured = measure(whole.picture) if measure else b""
        return _Loaded(frame, shown, _kept(whole.picture, image, picture), measured)


def picture_of(detector: Detector, frame: Frame, picture: Picture) -> Image.Image | None:
    """The picture of a frame, as `predictions` gives it. Raises DataError as `Detector.predict`."""
    if picture == "none":
        return None
    with _opened(detector, frame.image, picture) as whole:
        return _kept(whole.picture, frame.image, picture)


@contextmanager
def _opened(detector: Detector, image: ImageLike, picture: Picture) -> Iterator[Decoded]:
    options = detector.artifact.preprocessing.decode_options(detector.max_pixels)
    if picture == "full" or not isinstance(image, FILES):
        yield open_image(image, options)
        return
    long_side = MAX_SIDE // 2 if picture == "small" else 0
    with decoded(image, options, short_side=detector.short_side, long_side=long_side) as whole:
        yield whole


def _kept(whole: Image.Image, image: ImageLike, picture: Picture) -> Image.Image | None:
    """What outputs get of a decoded image. That of a file is nobody else's."""
    if picture == "none":
        return None
    if picture == "full":
        return whole
    return small(whole if isinstance(image, FILES) else whole.copy())


def small(picture: Image.Image) -> Image.Image:
    """The picture itself, reduced to at most 1600 pixels a side."""
    if max(picture.size) > MAX_SIDE:
        picture.thumbnail((MAX_SIDE, MAX_SIDE), Image.Resampling.BILINEAR)
    return picture
