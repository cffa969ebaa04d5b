"""Choice of a file's golden pair: a drawn pattern in which the file detects something, or an
image of the user."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from boxwright.export.patterns import changed, drawn
from boxwright.inference.detector import Detector
from boxwright.inference.engines import network_of
from boxwright.inference.golden import Golden, RawSample
from boxwright.ops.postprocess import NmsConfig, RawDetections

SEED = 0
WANTED = 5  # detections above the threshold
TIE = 0.02  # closer scores may change order on another processor
MAX_DETECTIONS = 20  # detections to keep
VARIANTS = 4  # noisy copies with the same detections
BATCH, NEW, TRIED = 16, 64, 256  # patterns: per batch, before the best are mutated, in total
USUAL_SIDE = 300  # pixels; larger inputs get fewer patterns in the same time
PARENTS, EXCITING = 6, 8  # patterns to mutate; their detections to copy
SURPLUS = 0.15  # above the threshold; higher scores are no better

Say = Callable[[str], None]


class _Pattern(NamedTuple):
    reached: float
    image: Image.Image
    boxes: NDArray[np.float32]


def golden_pair(file: Detector, given: NDArray[np.uint8] | None, say: Say) -> Golden:
    """The golden pair of an exported file.

    By default the image is a drawn pattern with at least five detections above the file's threshold
    and none within 0.02 of it. One gray level of noise does not change the detections; swapped
    channels or another pixel range do. If none of 256 patterns qualifies, the pair checks raw
    tensors, which works with any image.

    Args:
        file: the exported detector.
        given: the user's image `(S, S, 3)` to use instead.
        say: called with the choice.
    """
    if given is not None:
        pair = _pair(file, given, None)
        say(f"golden image: {pair}")
        return pair
    pattern, tried = _search(file)
    pair = _pair(file, pattern, SEED)
    say(f"golden image: {pair}; tried {tried} patterns")
    return pair


def _pair(file: Detector, image: NDArray[np.uint8], seed: int | None) -> Golden:
    """The detections if `image` is suitable, else raw tensors and distinct weak detections."""
    (detections,) = file.engine(image[None])
    if _suits(file, image, detections):
        return Golden(image, *_best(detections, file.artifact.threshold), seed)
    network, scores = network_of(file.engine), detections[1]
    raw = RawSample.of(network, image, len(file.classes)) if network else None
    # If the list is full, thread timing decides which of equal scores are kept.
    min_score = scores[-1] + TIE if len(scores) >= NmsConfig.max_total else 0.0
    weak = Golden(image, *_best(detections, min_score), seed, raw)
    found = [weak.found_in(noisy) for noisy in file.engine(_noisy(image))]
    stays = np.logical_and.reduce(found)
    return Golden(image, weak.boxes[stays], weak.scores[stays], weak.labels[stays], seed, raw)


def _search(file: Detector) -> tuple[NDArray[np.uint8], int]:
    """The best pattern `(S, S, 3)`, and the number of patterns tried."""
    random, side = np.random.default_rng(SEED), file.artifact.preprocessing.size
    affordable = int(TRIED * min((USUAL_SIDE / side) ** 2, 1))
    best: list[_Pattern] = []
    for tried in range(BATCH, max(NEW, affordable) + 1, BATCH):
        if tried <= NEW:
            images = [drawn(random, side) for _ in range(BATCH)]
        else:
            parents = [pattern.image for pattern in best]
            exciting = [pattern.boxes[:EXCITING] for pattern in best]
            images = [changed(random, parents, exciting) for _ in range(BATCH)]
        pixels = np.stack([np.asarray(image) for image in images])
        for image, own, detections in zip(images, pixels, file.engine(pixels), strict=True):
            if _suits(file, own, detections):
                return own, tried
            reached = _reached(detections[1], file.artifact.threshold)
            best.append(_Pattern(reached, image, detections[0]))
        best = sorted(best, key=lambda pattern: pattern.reached, reverse=True)[:PARENTS]
    return np.asarray(best[0].image), tried


def _reached(scores: NDArray[np.float32], threshold: float) -> float:
    """How close scores, best first, come to five above the threshold and none near it."""
    best = np.minimum(scores[:WANTED], threshold + SURPLUS)
    return float(best.sum() - SURPLUS * (np.abs(scores - threshold) < TIE).sum())


def _suits(file: Detector, image: NDArray[np.uint8], detections: RawDetections) -> bool:
    """True if the detections in `image` are a good check: at least five are above the threshold and
    none is near it, one gray level of noise changes none, and wrong pixels change some."""
    scores, threshold = detections[1], file.artifact.threshold
    if (scores > threshold).sum() < WANTED or (np.abs(scores - threshold) < TIE).any():
        return False
    pair = Golden(image, *_best(detections, threshold))
    changes = [pair.difference(noisy) for noisy in file.engine(_noisy(image))]
    blue_first, darker = image[:, :, ::-1], image // 2 + 128  # as if pixels were scaled to [0, 1]
    faults = file.engine(np.stack([blue_first, darker]))
    return not any(changes) and all(pair.difference(fault) for fault in faults)


def _best(detections: RawDetections, min_score: float) -> RawDetections:
    """The best 20 detections of at least that score."""
    boxes, scores, labels = detections
    rows = np.flatnonzero(scores >= min_score)[:MAX_DETECTIONS]
    return boxes[rows], scores[rows], labels[rows]


def _noisy(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Four copies `(4, S, S, 3)` with one gray level of noise, like other kernels' rounding."""
    noise = np.random.default_rng(SEED).integers(-1, 2, (VARIANTS, *image.shape))
    noisy: NDArray[np.uint8] = np.clip(image + noise, 0, 255).astype(np.uint8)
    return noisy
