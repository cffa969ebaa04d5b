"""Checks of the pixels: damage, blur, bad exposure, and a hash to find duplicates.

Every image is decoded once for all checks, at most one per core at a time.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from boxwright.datasets.checks.depth import narrow_depth
from boxwright.datasets.checks.locations import image_finding
from boxwright.datasets.near_duplicates import DIGEST, SIDE, image_hash
from boxwright.errors import DataError
from boxwright.images.decoding import ImageFile, decoded, opened
from boxwright.images.kinds import SUFFIXES_OF
from boxwright.images.options import DecodeOptions
from boxwright.images.pixels import Depth, depth_of
from boxwright.structures.dataset import WHOLE_FILE, Dataset
from boxwright.structures.findings import Finding

Progress = Callable[[int, int], None]
Result = TypeVar("Result")
Measure = Callable[[ImageFile, DecodeOptions], Result]
BLOCK = 256  # images handed to the pool at once
ENOUGH = 128  # pixels; sides of an image that suffice for its hash
SEEN = 256  # pixels of the shorter side when measuring, about a network's input size
WINDOW = 9  # pixels of the blur filter, as in Crete's paper
BLURRED = 0.7  # sharp images have 0.2 to 0.6; a pixel smeared over 3 of its neighbors 0.75
MIN_LEVELS = 4.0  # gray levels of contrast below which blur cannot be measured
DARK, BRIGHT = 48, 224  # gray levels of 255 that 98 of 100 pixels are below, or above
HASHED = DIGEST + SIDE * SIDE  # bytes
TINY = 100  # pixels of the shorter side


@dataclass(frozen=True)
class ImageSummary:
    """Measurements of one decoded image.

    Attributes:
        kind: Pillow's name of the format of its content.
        blur: 0 (perfectly sharp) to 1 (only blur).
        darkest, brightest: gray levels that 2 and 98 of 100 pixels are below.
        hash: `(4104,)` uint8, from `image_hash`.
        depth: the values of an image of more than 8 bits; None for others.
    """

    kind: str
    blur: float
    darkest: int
    brightest: int
    hash: NDArray[np.uint8]
    depth: Depth | None = None


@dataclass(frozen=True)
class ImageSummaries:
    """Measurements of all images of a dataset that can be decoded.

    Attributes:
        dataset: the images that can be decoded; the others are in its findings.
        summaries: one per image.
    """

    dataset: Dataset
    summaries: Sequence[ImageSummary]

    @property
    def hashes(self) -> NDArray[np.uint8]:
        """`(N, 4104)` uint8, as `duplicates` takes them."""
        hashes = [summary.hash for summary in self.summaries]
        return np.stack(hashes) if hashes else np.zeros((0, HASHED), np.uint8)


def summarize(image: ImageFile, options: DecodeOptions) -> ImageSummary:
    """Decode an image, a JPEG at reduced size, and measure it.

    Raises:
        DataError: as `opened`; BW102 also if the file is cut off.
    """
    with opened(image, options, short_side=SEEN) as source:  # still reads all of the file
        kind = source.picture.format or ""
        depth = depth_of(source.picture, deep_color=source.deep_color)
        whole = source.decoded(options)
        gray = whole.picture.convert("L")
        scale = min(1.0, SEEN / min(gray.size))
        small = gray.resize(
            (max(1, round(gray.width * scale)), max(1, round(gray.height * scale))),
            Image.Resampling.BOX,
        )
        own_hash = image_hash(whole.into_pixels())
    below = np.cumsum(small.histogram()) / (small.width * small.height)
    darkest, brightest = np.searchsorted(below, (0.02, 0.98)).tolist()
    sharpness = blur(np.asarray(small, np.float32))
    return ImageSummary(kind, sharpness, darkest, brightest, own_hash, depth)


def summarize_all(dataset: Dataset, progress: Progress | None = None) -> ImageSummaries:
    """Decode all images. Those that cannot be decoded are left out, with a finding.

    `progress` is called with the number of decoded images and the total.
    """
    summaries, broken = _each(dataset, summarize, progress)
    return ImageSummaries(_without(dataset, broken), list(summaries.values()))


def hash_images(
    dataset: Dataset, progress: Progress | None = None
) -> tuple[Dataset, NDArray[np.uint8]]:
    """The images that can be decoded, and their `(N, 4104)` hashes; the others become findings.

    `progress` is called with the number of decoded images and the total.

    Raises:
        DataError: BW102 no image can be decoded.
    """
    hashes, broken = _each(dataset, _hash, progress)
    if not hashes:
        raise next(iter(broken.values()))
    return _without(dataset, broken), np.stack(list(hashes.values()))


def blur(gray: NDArray[np.float32]) -> float:
    """Blur of a gray image `(H, W)`, 0 to 1; 0 for an image without contrast.

    Blurring a sharp image removes most differences between neighboring pixels; blurring a blurred
    one removes few: Crete et al., "The blur effect: perception and estimation with a new
    no-reference perceptual blur metric", 2007. The more blurred direction counts, because motion
    blur has only one.
    """
    if min(gray.shape) <= WINDOW or gray.std() < MIN_LEVELS:
        return 0.0
    worst = 0.0
    for levels in (gray, np.ascontiguousarray(gray.T)):
        sums = np.cumsum(levels, axis=0)
        blurred = (sums[WINDOW:] - sums[:-WINDOW]) / WINDOW
        inner = levels[WINDOW // 2 + 1 : WINDOW // 2 + 1 + len(blurred)]
        before = np.abs(np.diff(inner, axis=0))
        after = np.abs(np.diff(blurred, axis=0))
        lost = np.maximum(before - after, 0).sum()
        if total := float(before.sum()):
            worst = max(worst, 1 - float(lost) / total)
    return worst


def misnamed(seen: ImageSummaries) -> list[Finding]:
    """Images whose suffix does not match the format of their content (BW123)."""
    dataset = seen.dataset
    wrong = {}
    for name, byte_range, summary in zip(
        dataset.names, dataset.byte_ranges, seen.summaries, strict=True
    ):
        suffix = Path(name).suffix.lower()
        if byte_range[1] == WHOLE_FILE[1] and suffix not in SUFFIXES_OF.get(summary.kind, {suffix}):
            wrong[name] = f"{summary.kind} content in a {suffix} file"
    if not wrong:
        return []
    said = next(iter(wrong.values()))
    if len(wrong) > 1:
        said = f"{len(wrong)} of {len(dataset)} images, such as {said}"
    return image_finding("BW123", list(wrong), said)


def blurred(seen: ImageSummaries) -> list[Finding]:
    """Images that are blurred even at a network's input size (BW135)."""
    return _counted(
        seen,
        "BW135",
        {i: summary.blur for i, summary in enumerate(seen.summaries) if summary.blur > BLURRED},
        "blurred: {most:.2f} on a scale from 0 to 1; sharp images have at most {limit}",
        limit=BLURRED,
    )


def badly_exposed(seen: ImageSummaries) -> list[Finding]:
    """Images that are nearly black or nearly white (BW136), not by their depth (BW169)."""
    by_depth = narrow_depth(seen) is not None
    others = {i: each for i, each in enumerate(seen.summaries) if not (by_depth and each.depth)}
    dark = {i: -summary.brightest for i, summary in others.items() if summary.brightest < DARK}
    bright = {i: summary.darkest for i, summary in others.items() if summary.darkest > BRIGHT}
    what = "nearly {color}: 98 % of the pixels are {side} gray level {most:.0f} of 255"
    return [
        *_counted(seen, "BW136", dark, what, color="black", side="below"),
        *_counted(seen, "BW136", bright, what, color="white", side="above"),
    ]


def tiny(dataset: Dataset) -> list[Finding]:
    """Images of fewer than `TINY` pixels (BW137)."""
    small = np.flatnonzero(dataset.sizes.min(axis=1) < TINY) if len(dataset) else np.zeros(0, int)
    if not len(small):
        return []
    names = [dataset.names[i] for i in small]
    width, height = dataset.sizes[small[dataset.sizes[small].min(axis=1).argmin()]]
    if len(small) == 1:
        return image_finding("BW137", names, f"is only {width} x {height} pixels")
    message = f"{len(small)} of {len(dataset)} images are below {TINY} pixels; the smallest is"
    return image_finding("BW137", names, f"{message} {width} x {height}")


def _counted(
    seen: ImageSummaries, code: str, found: Mapping[int, float], what: str, **words: object
) -> list[Finding]:
    """One finding for all images found, worst first, with the value of the worst."""
    if not found:
        return []
    worst = sorted(found, key=lambda i: -found[i])
    said = what.format(most=abs(found[worst[0]]), **words)
    if len(worst) == 1:
        message = f"is {said}"
    else:
        message = f"{len(worst)} of {len(seen.summaries)} images are {said} (the worst)"
    return image_finding(code, [seen.dataset.names[i] for i in worst], message)


def _hash(image: ImageFile, options: DecodeOptions) -> NDArray[np.uint8]:
    with decoded(image, options, short_side=ENOUGH) as whole:
        return image_hash(whole.into_pixels())


def _each(
    dataset: Dataset, measure: Measure[Result], progress: Progress | None
) -> tuple[dict[int, Result], dict[int, DataError]]:
    """The results of `measure` by image, and its errors by image; runs on all cores."""
    seen: dict[int, Result] = {}
    broken: dict[int, DataError] = {}

    def attempt(index: int) -> Result | DataError:
        try:
            return measure(dataset.image(index), dataset.decoding)
        except DataError as error:
            return error

    # Threads share one list of warning filters: each would undo the changes of the others.
    with warnings.catch_warnings(), ThreadPoolExecutor(os.cpu_count()) as pool:
        warnings.simplefilter("ignore")
        for start in range(0, len(dataset), BLOCK):
            indices = range(start, min(start + BLOCK, len(dataset)))
            for index, result in zip(indices, pool.map(attempt, indices), strict=True):
                if isinstance(result, DataError):
                    broken[index] = result
                else:
                    seen[index] = result
                if progress:
                    progress(index + 1, len(dataset))
    return seen, broken


def _without(dataset: Dataset, broken: Mapping[int, DataError]) -> Dataset:
    """The dataset without the broken images, with a finding for each of them."""
    if not broken:
        return dataset
    findings = list(dataset.findings)
    for index, error in broken.items():
        name = dataset.names[index]
        findings.append(Finding(error.code, name, error.message, "left out", (name,)))
    whole = [index for index in range(len(dataset)) if index not in broken]
    return replace(dataset.select(whole), findings=tuple(findings))
