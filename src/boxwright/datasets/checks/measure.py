"""Measurements of all images of a dataset: each is decoded once for all checks, on all cores."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from boxwright.datasets.checks.resume import Kept, Row
from boxwright.datasets.near_duplicates import HASHED, image_hash
from boxwright.errors import DataError
from boxwright.images.decoding import ImageFile, opened
from boxwright.images.options import DecodeOptions, DepthRange
from boxwright.images.parallel import Progress, on_all_cores
from boxwright.images.pixels import Depth, depth_of
from boxwright.images.processes import Processes
from boxwright.structures.dataset import Dataset
from boxwright.structures.findings import Finding

Result = TypeVar("Result")
Measure = Callable[[ImageFile, DecodeOptions], Result]
Batch = Callable[[Sequence[ImageFile]], list[Result | DataError]]
MANY = 4_000  # images; fewer are measured before processes have started
SMALL = 2 << 20  # pixels; threads that decode larger images hardly wait for each other
TOGETHER = 16  # images a process gets at once
ENOUGH = 128  # pixels; sides of an image that suffice for its hash
SEEN = 240  # pixels of the shorter side when measuring, about a network's input size
WINDOW = 9  # pixels of the blur filter, as in Crete's paper
LEVELS = np.arange(256.0)
MIN_LEVELS = 4.0  # gray levels of contrast below which blur cannot be measured


@dataclass(frozen=True)
class ImageSummary:
    """Measurements of one decoded image.

    Attributes:
        kind: Pillow's name of the format of its content.
        blur: 0 (perfectly sharp) to 1 (only blur).
        darkest, brightest: gray levels that 2 and 98 of 100 pixels are below.
        depth: the values of an image of more than 8 bits; None for others.
    """

    kind: str
    blur: float
    darkest: int
    brightest: int
    depth: Depth | None = None

    def to_text(self) -> str:
        """The measurements as JSON."""
        return json.dumps([self.kind, self.blur, self.darkest, self.brightest, self.depth])

    @classmethod
    def from_text(cls, text: str) -> ImageSummary:
        """Measurements that `to_text` wrote."""
        kind, blur, darkest, brightest, depth = json.loads(text)
        if depth is not None:
            depth = Depth(*depth)
            depth = depth._replace(shown=DepthRange(*depth.shown))
        return cls(kind, blur, darkest, brightest, depth)


@dataclass(frozen=True)
class ImageSummaries:
    """Measurements of all images of a dataset that can be decoded.

    Attributes:
        dataset: the images that can be decoded; the others are in its findings.
        summaries: one per image.
        hashes: `(N, HASHED)` uint8, as `duplicates` takes them.
    """

    dataset: Dataset
    summaries: Sequence[ImageSummary]
    hashes: NDArray[np.uint8]


class Measurement(NamedTuple):
    """The summary of an image, and its hash, `(HASHED,)` uint8."""

    summary: ImageSummary
    hash: NDArray[np.uint8]

    def to_row(self) -> Row:
        return self.summary.to_text(), self.hash.tobytes()

    @classmethod
    def from_row(cls, row: Row) -> Measurement:
        return cls(ImageSummary.from_text(row[0]), np.frombuffer(row[1], np.uint8))


def summarize(image: ImageFile, options: DecodeOptions) -> Measurement:
    """Decode an image, a JPEG at reduced size, and measure it.

    Raises:
        DataError: as `opened`; BW102 also if the file is cut off.
    """
    with opened(image, options, short_side=SEEN, gray=True) as source:  # still reads all of it
        kind = source.picture.format or ""
        depth = depth_of(source.picture, deep_color=source.deep_color)
        gray = source.gray(options)
        own_hash = image_hash(gray)
        scale = min(1.0, SEEN / min(gray.size))
        size = (max(1, round(gray.width * scale)), max(1, round(gray.height * scale)))
        small = gray.resize(size, Image.Resampling.BOX) if scale < 1 else gray
        shares = np.array(small.histogram()) / (small.width * small.height)
        is_flat = _contrast(shares) < MIN_LEVELS
        sharpness = 0.0 if is_flat else blur(np.asarray(small))
    darkest, brightest = np.searchsorted(shares.cumsum(), (0.02, 0.98)).tolist()
    return Measurement(ImageSummary(kind, sharpness, darkest, brightest, depth), own_hash)


def summarize_all(
    dataset: Dataset, progress: Progress | None = None, kept: Kept | None = None
) -> ImageSummaries:
    """Decode all images. Those that cannot be decoded are left out, with a finding.

    Args:
        progress: called with the number of decoded images and the total.
        kept: measurements of an interrupted check, which are not made again.
    """
    summaries: list[ImageSummary] = []
    hashes = np.empty((len(dataset), HASHED), np.uint8)
    broken: dict[int, DataError] = {}
    again = partial(_remembered, kept or Kept())
    for row, (summary, own_hash) in enumerate(_sound(dataset, summarize, progress, broken, again)):
        hashes[row] = own_hash
        summaries.append(summary)
    return ImageSummaries(_without(dataset, broken), summaries, hashes[: len(summaries)])


def hash_images(
    dataset: Dataset, progress: Progress | None = None
) -> tuple[Dataset, NDArray[np.uint8]]:
    """The images that can be decoded, and their `(N, HASHED)` hashes; the others become findings.

    `progress` is called with the number of decoded images and the total.

    Raises:
        DataError: BW102 no image can be decoded.
    """
    hashes = np.empty((len(dataset), HASHED), np.uint8)
    broken: dict[int, DataError] = {}
    for row, own_hash in enumerate(_sound(dataset, _hash, progress, broken)):
        hashes[row] = own_hash
    if broken and len(broken) == len(dataset):
        raise next(iter(broken.values()))
    return _without(dataset, broken), hashes[: len(dataset) - len(broken)]


def blur(gray: NDArray[np.uint8]) -> float:
    """Blur of a gray image `(H, W)`, 0 to 1; 0 for a tiny image.

    Blurring a sharp image removes most differences between neighboring pixels; blurring a blurred
    one removes few: Crete et al., "The blur effect: perception and estimation with a new
    no-reference perceptual blur metric", 2007. The more blurred direction counts, because motion
    blur has only one.
    """
    if min(gray.shape) <= WINDOW:
        return 0.0
    return max(_kept(gray), _kept(np.ascontiguousarray(gray.T)))


def _kept(levels: NDArray[np.uint8]) -> float:
    """The share of the differences between rows that a blur over `WINDOW` rows keeps.

    The difference of two neighboring means of `WINDOW` rows is that of the first and the last row,
    divided by `WINDOW`. Bytes take half the time of wider numbers.
    """
    after = _distances(levels[WINDOW:], levels[:-WINDOW])
    middle = levels[WINDOW // 2 : WINDOW // 2 + len(after) + 1]
    before = _distances(middle[1:], middle[:-1])
    total = _sum(before) * WINDOW
    np.minimum(before, np.full_like(before, 255 // WINDOW), out=before)  # a number takes longer
    before *= WINDOW
    return _sum(np.minimum(before, after, out=before)) / total if total else 0.0


def _sum(levels: NDArray[np.uint8]) -> int:
    """The sum of bytes; 32 bits take half the time of 64, where they suffice."""
    return int(levels.sum(dtype=np.uint32 if levels.size <= 1 << 24 else np.uint64))


def _distances(first: NDArray[np.uint8], second: NDArray[np.uint8]) -> NDArray[np.uint8]:
    larger = np.maximum(first, second)
    larger -= np.minimum(first, second)
    return larger


def _contrast(shares: NDArray[np.float64]) -> float:
    """The standard deviation of gray levels, of which each has this share of the pixels."""
    mean = float(shares @ LEVELS)
    return math.sqrt(max(float(shares @ LEVELS**2) - mean**2, 0.0))


def _hash(image: ImageFile, options: DecodeOptions) -> NDArray[np.uint8]:
    with opened(image, options, short_side=ENOUGH, gray=True) as source:
        return image_hash(source.gray(options))


def _remembered(
    kept: Kept, images: Sequence[ImageFile], measured: Batch[Measurement]
) -> list[Measurement | DataError]:
    """The measurements of images: those that are kept, and new ones, which are kept then."""
    versions = list(map(kept.version, images))  # a file that changes meanwhile is measured again
    rows = kept.get(versions)
    left = [i for i, version in enumerate(versions) if version not in rows]
    fresh = dict(zip(left, measured([images[i] for i in left]), strict=True))
    sound = {versions[i]: one.to_row() for i, one in fresh.items() if isinstance(one, Measurement)}
    kept.add(sound)
    return [
        fresh[i] if i in fresh else Measurement.from_row(rows[version])
        for i, version in enumerate(versions)
    ]


def _sound(
    dataset: Dataset,
    measure: Measure[Result],
    progress: Progress | None,
    broken: dict[int, DataError],
    through: Callable[[Sequence[ImageFile], Batch[Result]], list[Result | DataError]] | None = None,
) -> Iterator[Result]:
    """The result of `measure` for each image in turn; those that cannot be decoded are added to
    `broken` instead.

    Runs on all cores, and in processes if that is worth their start. Images that are not small are
    decoded here, where the memory of all together is bounded. All images go `through` a function,
    if given.
    """
    large = dataset.sizes.prod(axis=1, dtype=np.int64) > SMALL

    def attempt(rows: range) -> list[Result | DataError]:
        batch = partial(_attempts, measure, dataset.decoding)
        if processes and not large[rows.start : rows.stop].any():
            batch = partial(processes.run, batch)
        images = [dataset.image(i) for i in rows]
        return through(images, batch) if through else batch(images)

    with Processes() if len(dataset) >= MANY else nullcontext() as processes:
        step = TOGETHER if processes else 1
        batches = [range(i, min(i + step, len(dataset))) for i in range(0, len(dataset), step)]
        results = chain.from_iterable(on_all_cores(attempt, batches))
        for index, result in enumerate(results):
            if isinstance(result, DataError):
                broken[index] = result
            else:
                yield result
            if progress:
                progress(index + 1, len(dataset))


def _attempts(
    measure: Measure[Result], options: DecodeOptions, images: Sequence[ImageFile]
) -> list[Result | DataError]:
    """The result of `measure` for each image, or the error."""
    results: list[Result | DataError] = []
    for image in images:
        try:
            results.append(measure(image, options))
        except DataError as error:
            results.append(error)
    return results


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
