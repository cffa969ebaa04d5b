"""Are these images like the training images?"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from boxwright.datasets.stats import sides_in_square
from boxwright.diagnosis.case import Case
from boxwright.diagnosis.reading import Reading, failed, not_checked, passed
from boxwright.images.preprocessing import read_square
from boxwright.parallel.cores import on_all_cores
from boxwright.structures.dataset import Dataset

SIDE, GRID = 96, 4  # pixels, and cells of the coarse picture
NEIGHBORS = 3
MAX_UNLIKE = 0.85  # chance that a new image is farther from the training images than one of them
MIN_PART = 0.7  # of the training images' AP50
MIN_IMAGES = 5
DENSE = 300  # training images that new ones are compared with


class Property(NamedTuple):
    """A property of images, and its median in both sets."""

    name: str
    training: float
    here: float


def read(case: Case) -> Reading:
    """Compare distances to the nearest training images, by color, contrast, sharpness, and a coarse
    picture; if they are larger, see whether the detector is worse, too."""
    if case.training is None:
        return not_checked(case.unknown)
    if case.learned is None or min(len(case.rows), len(case.training)) < MIN_IMAGES:
        return not_checked(f"fewer than {MIN_IMAGES} images, or the network cannot be run")
    own = case.learned
    known, new = _described(case.training), _described(case.images)
    unlike = _farther(known, new)
    why = "of other images of the same kind half are farther; less than that is luck"
    said = (
        f"{unlike:.0%} chance that one of these images is farther from the training images than "
        f"they are from each other; AP50 {case.agreement.ap50:.2f} here, {own.ap50:.2f} there"
    )
    if unlike < MAX_UNLIKE or case.agreement.ap50 >= MIN_PART * own.ap50:
        return passed(said, unlike, MAX_UNLIKE, why)
    different = _different(known, new)
    return failed(
        f"these images are unlike the training images: {different.name}",
        f"{said}. The largest difference is {different.name}: {different.here:.2f} here, "
        f"{different.training:.2f} there",
        unlike,
        MAX_UNLIKE,
        why=why,
        remedy="Add images like these to the training images, label them and train again: from "
        "the same cameras, places, lights and distances.",
    )


NAMES = (
    "brightness",
    "red",
    "green",
    "blue",
    "contrast",
    "fine detail",
    "coarse detail",
    "size of the objects",
)


def _described(images: Dataset) -> NDArray[np.float64]:
    """`(N, F)`: the properties in NAMES, then a coarse picture, of at most DENSE images."""
    rows = np.unique(np.linspace(0, len(images) - 1, min(len(images), DENSE)).astype(np.int64))
    some = images.select(rows)
    seen = on_all_cores(
        lambda i: _properties(read_square(some.image(i), SIDE, some.decoding)), range(len(some))
    )
    described = np.array([*seen])
    sides = np.sqrt(sides_in_square(some).prod(axis=1))
    for i in range(len(some)):
        own = sides[some.rows(i)]
        described[i, len(NAMES) - 1] = np.median(own) if len(own) else np.nan
    return described


def _properties(pixels: NDArray[np.uint8]) -> NDArray[np.float64]:
    levels = pixels.astype(np.float64) / 255
    gray = levels.mean(axis=2)
    contrast = gray.std()
    step = SIDE // GRID
    coarse = gray.reshape(GRID, step, GRID, step).mean(axis=(1, 3))
    half = gray.reshape(SIDE // 4, 4, SIDE // 4, 4).mean(axis=(1, 3))
    colors = levels.mean(axis=(0, 1)) - gray.mean()
    numbers = [gray.mean(), *colors, contrast, _detail(gray), _detail(half), np.nan]
    return np.array([*numbers, *(coarse - gray.mean()).ravel()])


def _detail(gray: NDArray[np.float64]) -> float:
    """The mean difference of neighboring pixels."""
    return float(np.abs(np.diff(gray, axis=0)).mean() + np.abs(np.diff(gray, axis=1)).mean())


def _farther(known: NDArray[np.float64], new: NDArray[np.float64]) -> float:
    """The chance that a new image is farther from its nearest training images than a training image
    is from its own. Distances are in deviations of the training images."""
    center, spread = np.nanmean(known, axis=0), np.nanstd(known, axis=0) + 1e-3
    weight = np.ones(known.shape[1])
    weight[len(NAMES) :] = 1 / GRID  # the cells of a picture together count as much as four numbers
    first, second = (np.nan_to_num((each - center) / spread) * weight for each in (known, new))
    among = np.linalg.norm(first[:, None] - first, axis=2)
    np.fill_diagonal(among, np.inf)
    k = min(NEIGHBORS, len(known) - 1) - 1
    own = np.sort(among, axis=1)[:, k]
    theirs = np.sort(np.linalg.norm(second[:, None] - first, axis=2), axis=1)[:, k]
    return _chance(own, theirs)


def _chance(first: NDArray[np.float64], second: NDArray[np.float64]) -> float:
    """The chance that one of the second numbers exceeds one of the first; ties count half."""
    above = (second[:, None] > first).mean()
    return float(above + (second[:, None] == first).mean() / 2)


def _different(known: NDArray[np.float64], new: NDArray[np.float64]) -> Property:
    """The property that differs most."""
    chances = []
    for column in range(len(NAMES)):
        first, second = known[:, column], new[:, column]
        chances.append(abs(_chance(first[~np.isnan(first)], second[~np.isnan(second)]) - 0.5))
    best = int(np.nanargmax(chances))
    return Property(
        NAMES[best], float(np.nanmedian(known[:, best])), float(np.nanmedian(new[:, best]))
    )
