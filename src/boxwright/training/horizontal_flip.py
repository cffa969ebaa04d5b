"""Detects classes that horizontal flips would confuse: a left glove, an arrow, a digit.

The decision uses the images, not the class names. A simple classifier is trained on the labeled
objects without flips. If it recognizes a class upright but takes it for another one when flipped,
training on flipped images would teach wrong labels.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from boxwright.errors import DataError
from boxwright.images.decoding import read_image
from boxwright.structures.dataset import Dataset

MAX_PER_CLASS, MIN_PER_CLASS = 40, 8  # number of objects
SIDE, CELLS, DIRECTIONS = 48, 6, 8
CONTEXT = 0.05  # of the side, added because boxes are seldom exact
FOLDS = 5
RIDGE = 30.0  # for standardized features
SURE = 2.6  # standard deviations
LOST = 0.25  # minimum fraction of recognized objects that a flip must confuse


class Mistaken(NamedTuple):
    """A class that is taken for another when flipped: the number of its recognized objects, and of
    those still recognized when flipped."""

    name: str
    other: str
    known: int
    flipped: int

    def __str__(self) -> str:
        return (
            f"of {self.known} recognized objects of {self.name}, only {self.flipped} are "
            f"recognized when flipped; the others look like {self.other}"
        )


def mistaken_when_flipped(dataset: Dataset, seed: int = 0) -> Mistaken | None:
    """Return the class that is confused most by flips, if the effect is significant.

    Images that cannot be read are skipped.
    """
    chosen = _sample(dataset, seed)
    if len(np.unique(dataset.labels[chosen])) < 2:
        return None
    images = dataset.image_of_box[chosen]
    with ThreadPoolExecutor() as pool:
        looked = [*pool.map(lambda image: _crops(dataset, image, chosen), np.unique(images))]
    crops = dict(pair for pairs in looked for pair in pairs)
    rows = np.array([row for row in chosen if row in crops], np.int64)
    labels = dataset.labels[rows]
    if len(np.unique(labels)) < 2:
        return None
    seen = np.stack([crops[row] for row in rows])
    upright, flipped = features(seen), features(seen[:, :, ::-1])
    as_seen, when_flipped = _classify(upright, flipped, labels, dataset.image_of_box[rows] % FOLDS)
    return _worst(dataset.classes, labels, as_seen, when_flipped)


def features(crops: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return histograms of signed gradients and mean colors per cell, after Dalal and Triggs
    2005: `(n, SIDE, SIDE, 3)` gives `(n, CELLS * CELLS * (DIRECTIONS + 3))`."""
    gray = crops.mean(axis=3)
    down, right = np.gradient(gray, axis=(1, 2))
    strength = np.hypot(down, right)
    turn = ((np.arctan2(down, right) / (2 * np.pi)) % 1.0 * DIRECTIONS).astype(np.int64)
    parts = [strength * (turn % DIRECTIONS == way) for way in range(DIRECTIONS)]
    maps = np.concatenate([np.stack(parts, axis=3), crops], axis=3)
    cell = SIDE // CELLS
    cells = maps.reshape(len(crops), CELLS, cell, CELLS, cell, -1).mean(axis=(2, 4))
    edges = cells[..., :DIRECTIONS]
    edges /= np.sqrt((edges**2).sum(axis=(1, 2, 3), keepdims=True)) + 1e-6
    flat: NDArray[np.float32] = cells.reshape(len(crops), -1)
    return flat


def _sample(dataset: Dataset, seed: int) -> NDArray[np.int64]:
    """Return rows of boxes: a sample of each class with enough objects."""
    order = np.random.default_rng(seed).permutation(len(dataset.boxes))
    sides = (dataset.boxes[:, 2:] - dataset.boxes[:, :2]).min(axis=1, initial=np.inf)
    order = order[sides[order] >= CELLS]
    groups = [order[dataset.labels[order] == label] for label in range(len(dataset.classes))]
    enough = [group[:MAX_PER_CLASS] for group in groups if len(group) >= MIN_PER_CLASS]
    return np.sort(np.concatenate(enough)) if enough else np.zeros(0, np.int64)


def _crops(
    dataset: Dataset, image: int, rows: NDArray[np.int64]
) -> list[tuple[int, NDArray[np.float32]]]:
    """Return the chosen objects of an image as small squares, `(SIDE, SIDE, 3)` in [0, 1]."""
    own = dataset.rows(int(image))
    chosen = rows[(rows >= own.start) & (rows < own.stop)]
    width, height = dataset.sizes[image]
    smallest = float((dataset.boxes[chosen, 2:] - dataset.boxes[chosen, :2]).min())
    try:
        enough = int(np.ceil(min(width, height) * SIDE / max(smallest, 1.0)))
        path = dataset.image(int(image))
        pixels = Image.fromarray(read_image(path, dataset.decoding, at_least=enough))
    except DataError:
        return []
    scale = np.array([pixels.width / width, pixels.height / height] * 2)
    found = []
    for row in chosen:
        box = dataset.boxes[row] * scale
        around = CONTEXT * (box[2:] - box[:2])
        box = np.concatenate([box[:2] - around, box[2:] + around])
        box = np.clip(box, 0, [pixels.width, pixels.height] * 2)
        crop = pixels.resize((SIDE, SIDE), Image.Resampling.BILINEAR, box=tuple(box.tolist()))
        found.append((int(row), np.asarray(crop, np.float32) / 255.0))
    return found


def _classify(
    upright: NDArray[np.float32],
    flipped: NDArray[np.float32],
    labels: NDArray[np.int32],
    folds: NDArray[np.int64],
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the predicted classes of each object, upright and flipped, by ridge regression that is
    cross-validated on the upright objects of other images."""
    mean, deviation = upright.mean(axis=0), upright.std(axis=0) + 1e-3
    upright, flipped = (upright - mean) / deviation, (flipped - mean) / deviation
    known = np.unique(labels)
    wanted = (labels[:, None] == known).astype(np.float64)
    each = wanted.sum(axis=0)
    found = np.zeros((2, len(labels)), np.int64)
    for fold in range(FOLDS):
        out = folds == fold
        weight = (wanted / each).sum(axis=1)[~out] * len(labels) / len(known)
        learnt = upright[~out]
        gram = (learnt * weight[:, None]).T @ learnt + RIDGE * np.eye(learnt.shape[1])
        target = (wanted - 1 / len(known))[~out]
        kernel = np.linalg.solve(gram, (learnt * weight[:, None]).T @ target)
        for i, seen in enumerate((upright, flipped)):
            found[i, out] = known[np.argmax(seen[out] @ kernel, axis=1)]
    return found[0], found[1]


def _worst(
    classes: tuple[str, ...],
    labels: NDArray[np.int32],
    as_seen: NDArray[np.int64],
    when_flipped: NDArray[np.int64],
) -> Mistaken | None:
    worst, largest = None, LOST
    for label in np.unique(labels):
        own = labels == label
        right, still = own & (as_seen == label), own & (when_flipped == label)
        lost, gained = int((right & ~still).sum()), int((still & ~right).sum())
        known = int(right.sum())
        # McNemar's test of paired proportions, for classes that are recognized at all.
        sure = lost - gained > SURE * np.sqrt(lost + gained)
        if known >= MIN_PER_CLASS and sure and (lost - gained) / known > largest:
            others = when_flipped[right & ~still]
            other = classes[int(np.bincount(others).argmax())]
            largest = (lost - gained) / known
            worst = Mistaken(classes[label], other, known, known - lost)
    return worst
