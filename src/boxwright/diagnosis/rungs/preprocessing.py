"""Is preprocessing the same in training and in use?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress

import numpy as np
from numpy.typing import NDArray

from boxwright.diagnosis.agreement import Gain, gain_with_names
from boxwright.diagnosis.case import Case
from boxwright.diagnosis.reading import Reading, failed, not_checked, passed
from boxwright.diagnosis.variants import SWAPPED, Variant, detect, shown_range, variants
from boxwright.errors import DetectorError, TrainingError
from boxwright.images.preprocessing import Preprocessing, read_square
from boxwright.inference.artifact import Artifact
from boxwright.inference.inspection import inspect
from boxwright.parallel.cores import on_all_cores
from boxwright.structures.dataset import Dataset
from boxwright.structures.detections import Detections

IMAGES = 24  # for each of a dozen variants
MIN_GAIN, MIN_PART, MIN_AP50 = 0.06, 0.1, 0.25
UNLIKE, LIKE = 0.3, 0.15  # distance of a chance from a half: of other colors, and of the same
SIDE, MANY = 48, 150  # pixels, images
ROUNDED = 0.01  # of scale and offset, in files of other programs
REMEDY = (
    "Give images and settings as in training: RGB, upright, and the scaling that "
    "`boxwright inspect` shows. Images of OpenCV need `bgr=True`. If run.json or the file was "
    "changed, train or export again."
)


def read(case: Case) -> Reading:
    """Compare what is recorded, then try variants of the input: the right one is that of the
    training."""
    if found := _recorded(case):
        return found
    if not len(case.rows):
        return not_checked("no labeled images were given")
    if case.failure:
        return not_checked(f"the network cannot be run: {case.failure.message}")
    here = _some(case.images, case.found)
    # Dark images gain by another range, too. The wrong one also harms training images.
    learned = _some(*case.trained) if case.trained else here
    tried = {}
    for variant in variants(case.detector):
        images, found_now = learned if variant.scaling else here
        after = detect(case.detector, images, variant)
        tried[variant] = gain_with_names(images, found_now, after)
    best = max(tried, key=lambda variant: tried[variant].size)
    return (
        _helps(best, tried[best])
        or _colors(case)
        or passed(
            f"none of {len(tried)} other preprocessings is better: the best changes AP by "
            f"{tried[best].size:+.3f} on {len(here[0])} images",
            max(tried[best].size, 0.0),
            MIN_GAIN,
            "a network loses AP by any preprocessing that it was not trained with",
        )
    )


def _some(images: Dataset, found: Sequence[Detections]) -> tuple[Dataset, list[Detections]]:
    """At most IMAGES of some images, and the detections in them."""
    rows = np.unique(np.linspace(0, len(images) - 1, IMAGES).astype(np.int64))
    return images.select(rows), [found[i] for i in rows]


def _helps(variant: Variant, gained: Gain) -> Reading | None:
    after = gained.after
    clear = gained.low is not None and gained.low > 0
    if after.ap50 < MIN_AP50 or gained.size < max(MIN_GAIN, MIN_PART * after.ap) or not clear:
        return None
    return failed(
        variant.cause,
        f"detections agree with the labels (AP50 {after.ap50:.2f}, {gained.before.ap50:.2f} as it "
        f"is) once that is undone: {variant.cause}",
        gained.size,
        MIN_GAIN,
        why="a network loses AP by any preprocessing that it was not trained with",
        remedy=REMEDY,
    )


def _colors(case: Case) -> Reading | None:
    """Images whose red and blue are those of the training images only if they are swapped; a
    network that was trained with other colors, too, may find objects all the same."""
    if case.training is None or not len(case.training):
        return None
    known, here = (_warmth(images) for images in (case.training, case.images))
    own, swapped = abs(_chance(known, here) - 0.5), abs(_chance(known, -here) - 0.5)
    if own < UNLIKE or swapped > LIKE:
        return None
    return failed(
        SWAPPED,
        f"red exceeds blue by {np.median(here):.0f} of 255 levels in these images and by "
        f"{np.median(known):.0f} in the training images, which is so if channels are swapped",
        own,
        UNLIKE,
        why="the difference is alike in images of one kind: the chance that it is larger is a half",
        remedy=REMEDY,
    )


def _warmth(images: Dataset) -> NDArray[np.float64]:
    """The mean of red minus blue in each image, of at most MANY."""
    rows = np.unique(np.linspace(0, len(images) - 1, min(len(images), MANY)).astype(np.int64))

    def of(row: int) -> float:
        red, _, blue = read_square(images.image(row), SIDE, images.decoding).mean(axis=(0, 1))
        return float(red - blue)

    return np.array([*on_all_cores(of, rows.tolist())])


def _chance(first: NDArray[np.float64], second: NDArray[np.float64]) -> float:
    """The chance that one of the second numbers exceeds one of the first."""
    return float((second[:, None] > first).mean())


def _recorded(case: Case) -> Reading | None:
    """A contradiction in what the run or file says itself."""
    artifact = case.detector.artifact
    size, said = artifact.preprocessing.size, artifact.model.get("input_size")
    recipe = artifact.provenance.get("recipe")
    trained = recipe.get("input_size") if isinstance(recipe, dict) else None
    for name, other in (("its network takes", said), ("it was trained with", trained)):
        if isinstance(other, int) and other != size:
            return failed(
                "wrong input size",
                f"images are resized to {size} pixels, but {name} {other}",
                size,
                other,
                why="a network is used with the input size of its training",
                remedy=f"Set the size in run.json to {other}, or export the run again.",
            )
    if found := _scaled(case):
        return found
    with suppress(DetectorError):
        if mismatch := inspect(case.path).mismatch:
            return failed(
                "calibrated for another range of pixels",
                mismatch,
                1.0,
                0.0,
                why="the range differs by more than a twentieth",
                remedy="Export the run again with `boxwright export RUN --quantize int8`.",
            )
    return None


def _scaled(case: Case) -> Reading | None:
    """Pixels that are scaled in another way than for the training, by the checkpoint or the
    pretrained file."""
    own = case.detector.artifact.preprocessing
    for name, other in _of_training(case):
        difference = max(abs(own.scale / other.scale - 1), abs(own.offset - other.offset))
        if difference > ROUNDED:
            return failed(
                f"pixels are scaled to {shown_range(own)}, and in training to {shown_range(other)}",
                f"pixels are scaled to {shown_range(own)}; by {name}, the training scaled them to "
                f"{shown_range(other)}",
                difference,
                ROUNDED,
                why="a network is used with the range of its training",
                remedy=f"Set the scale in run.json to {other.scale:.9g} and the offset to "
                f"{other.offset:g}, or train again.",
            )
    return None


def _of_training(case: Case) -> Iterator[tuple[str, Preprocessing]]:
    """The preprocessing of a run's training, as far as other files know it."""
    if case.run is None or case.recipe is None:
        return
    from boxwright.diagnosis.starts import StartOfRun
    from boxwright.models.registry import family
    from boxwright.training.checkpoint import Checkpoint

    with suppress(TrainingError):
        if said := Checkpoint.load(case.run.checkpoint).artifact:
            yield "the checkpoint", Artifact.from_json(said).preprocessing
    start = StartOfRun(case.run, case.recipe)
    if start.weights is not None:
        kind = family(case.recipe.model)
        yield str(start.title), kind.read_pretrained(start.weights).preprocessing
