"""Choosing a file's golden pair: a drawn pattern in which the file detects something, or an image
that the user names."""

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
TIE = 0.02  # scores that are closer may change places on another processor
MAX_DETECTIONS = 20  # detections that are kept
VARIANTS = 4  # with noise, in which detections have to stay
BATCH, NEW, TRIED = 16, 64, 256  # patterns: at once, drawn anew before the best are changed, in all
USUAL_SIDE = 300  # pixels; of larger inputs fewer patterns are tried, in the same time
PARENTS, EXCITING = 6, 8  # the best patterns are changed; their best detections are copied
SURPLUS = 0.15  # above the threshold; surer than that is no better

Say = Callable[[str], None]


class _Pattern(NamedTuple):
    reached: float
    image: Image.Image
    boxes: NDArray[np.float32]


def golden_pair(file: Detector, given: NDArray[np.uint8] | None, say: Say) -> Golden:
    """What a written file is to be checked with.

    By default it is a drawn pattern with at least five detections above the file's threshold, of
    which none is within 0.02 of it. They stay the same with one gray level of noise, and do not
    with channels in another order or pixels in another range. Where none of 256 patterns is such a
    one, the pair checks raw tensors, which every image has.

    Args:
        file: the detector, as it was written.
        given: an image of the user's `(S, S, 3)`, to take instead.
        say: told what was chosen.
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
    """Detections if `image` suits, else raw tensors and what is clear of the weak detections."""
    (detections,) = file.engine(image[None])
    if _suits(file, image, detections):
        return Golden(image, *_best(detections, file.artifact.threshold), seed)
    network, scores = network_of(file.engine), detections[1]
    raw = RawSample.of(network, image, len(file.classes)) if network else None
    # Where the list is full, which of equally good ones are left is up to the threads.
    min_score = scores[-1] + TIE if len(scores) >= NmsConfig.max_total else 0.0
    weak = Golden(image, *_best(detections, min_score), seed, raw)
    found = [weak.found_in(noisy) for noisy in file.engine(_noisy(image))]
    stays = np.logical_and.reduce(found)
    return Golden(image, weak.boxes[stays], weak.scores[stays], weak.labels[stays], seed, raw)


def _search(file: Detector) -> tuple[NDArray[np.uint8], int]:
    """The best pattern `(S, S, 3)`, and how many were tried."""
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
    """How near scores, best first, are to five above the threshold and none close to it."""
    best = np.minimum(scores[:WANTED], threshold + SURPLUS)
    return float(best.sum() - SURPLUS * (np.abs(scores - threshold) < TIE).sum())


def _suits(file: Detector, image: NDArray[np.uint8], detections: RawDetections) -> bool:
    """Whether detections in `image` can be told from others: at least five are above the threshold
    and none is close to it, a gray level of noise changes none, and wrong pixels change some."""
    scores, threshold = detections[1], file.artifact.threshold
    if (scores > threshold).sum() < WANTED or (np.abs(scores - threshold) < TIE).any():
        return False
    pair = Golden(image, *_best(detections, threshold))
    changes = [pair.difference(noisy) for noisy in file.engine(_noisy(image))]
    blue_first, darker = image[:, :, ::-1], image // 2 + 128  # pixels as in [0, 1]
    faults = file.engine(np.stack([blue_first, darker]))
    return not any(changes) and all(pair.difference(fault) for fault in faults)


def _best(detections: RawDetections, min_score: float) -> RawDetections:
    """The best twenty of at least that score."""
    boxes, scores, labels = detections
    rows = np.flatnonzero(scores >= min_score)[:MAX_DETECTIONS]
    return boxes[rows], scores[rows], labels[rows]


def _noisy(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Four copies `(4, S, S, 3)`, each with a gray level of noise: what rounding does elsewhere."""
    noise = np.random.default_rng(SEED).integers(-1, 2, (VARIANTS, *image.shape))
    noisy: NDArray[np.uint8] = np.clip(image + noise, 0, 255).astype(np.uint8)
    return noisy
