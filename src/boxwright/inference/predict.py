"""`boxwright.predict`: detect in one image, in several, or in a stream of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from os import PathLike
from pathlib import Path
from typing import Literal, cast, overload

from boxwright.errors import ArgumentError
from boxwright.images.inputs import ImageLike, is_image_like
from boxwright.inference.detector import Detector
from boxwright.parallel.choice import LOCAL
from boxwright.parallel.units import Executor
from boxwright.sources.frame import Frame
from boxwright.structures.detections import Detections
from boxwright.tracking.tracker import NewTracker


@overload
def predict(  # type: ignore[overload-overlap]  # a str is an iterable of str, and one image
    source: ImageLike,
    detector: str | PathLike[str] | Detector,
    *,
    threshold: float | None = None,
    labels: Sequence[str] | None = None,
    bgr: bool = False,
) -> Detections: ...


@overload
def predict(
    source: Iterable[ImageLike],
    detector: str | PathLike[str] | Detector,
    *,
    threshold: float | None = None,
    labels: Sequence[str] | None = None,
    bgr: bool = False,
) -> list[Detections]: ...


@overload
def predict(
    source: str | Path | Sequence[str | Path],
    detector: str | PathLike[str] | Detector,
    *,
    stream: Literal[True],
    threshold: float | None = None,
    labels: Sequence[str] | None = None,
    track: str | NewTracker | None = None,
    on: str | Executor = LOCAL,
) -> Iterator[tuple[Frame, Detections]]: ...


def predict(
    source: ImageLike | Iterable[ImageLike] | str | Path | Sequence[str | Path],
    detector: str | PathLike[str] | Detector,
    *,
    stream: bool = False,
    threshold: float | None = None,
    labels: Sequence[str] | None = None,
    bgr: bool = False,
    track: str | NewTracker | None = None,
    on: str | Executor = LOCAL,
) -> Detections | list[Detections] | Iterator[tuple[Frame, Detections]]:
    """Detect objects in one image, in each of several, or in a stream of them.

        >>> detections = boxwright.predict("image.jpg", "run")
        >>> for each in boxwright.predict(["image.jpg", "other.jpg"], "run", threshold=0.3):
        ...     print(len(each))
        >>> for frame, detections in boxwright.predict("images", "run", stream=True):
        ...     print(frame.name, len(detections))
        >>> for frame, each in boxwright.predict("clip.mp4", "run", stream=True, track="sort"):
        ...     print(frame.number, each.track_ids)

    For repeated calls, load the detector once with `Detector.load(path)`, which is faster.

    Args:
        source: an image as `Detector.predict` takes it, or several: any iterable. With `stream`,
            one or several sources as `Detector.stream` takes them, such as folders.
        detector: a run, an exported file, or a loaded detector.
        stream: yield each frame with its detections as soon as it is processed.
        threshold: minimum score; None takes the detector's own, 0 returns all.
        labels: class names in id order, for a file of another tool without names.
        bgr: True if arrays are BGR, as OpenCV reads images.
        track: with `stream`: give the objects of videos identities, as `Detector.stream` does.
        on: with `stream`: `ray` or `ray=ADDRESS` processes images on a Ray cluster, as
            `Detector.stream` does.

    Raises:
        ArgumentError: BW802 `track` or `on` is given without `stream`, BW803 there is no such
            tracker or `on`; as `Detector.stream`.
        DataError: BW101 there is no such image, BW102 it is damaged; as `Detector.stream`.
        DetectorError: BW507 it is not an image; as `Detector.load`.
    """
    if track is not None and not stream:
        raise ArgumentError("BW802", "only the frames of a stream can be tracked: add stream=True.")
    if on != LOCAL and not stream:
        raise ArgumentError("BW802", "a cluster processes a stream of images: add stream=True.")
    opened = Detector.of(detector, labels)
    if stream:
        sources = cast("str | Path | Sequence[str | Path]", source)
        return opened.stream(sources, threshold=threshold, track=track, on=on)
    if isinstance(source, Iterable) and not is_image_like(source):
        images = cast("Iterable[ImageLike]", source)
        return list(opened.predict_many(images, threshold=threshold, bgr=bgr))
    return opened.predict(source, threshold=threshold, bgr=bgr)
