"""Measurements of all images of a dataset: each is decoded once for all checks, on all cores."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from boxwright.datasets.near_duplicates import HASHED, image_hash
from boxwright.errors import BoxwrightError, DataError
from boxwright.images.decoding import opened
from boxwright.images.files import ImageFile, path_of, version
from boxwright.images.options import DecodeOptions, DepthRange
from boxwright.images.pixels import Depth, depth_of
from boxwright.parallel.choice import here
from boxwright.parallel.cores import Cores, Progress
from boxwright.parallel.kept import name_of
from boxwright.parallel.units import Crew
from boxwright.structures.dataset import Dataset
from boxwright.structures.findings import Finding

MANY = 4_000  # images; fewer are measured before processes have started
SMALL = 2 << 20  # pixels; threads that decode larger images hardly wait for each other
FEW = 16  # images; a smaller share would cost more than it evens out
ENOUGH = 128  # pixels of the shorter side when only a hash is wanted
SEEN = 240  # pixels of the shorter side when measuring, about a network's input size
COARSE = 80  # pixels of the shorter side that suffice for gray levels and a hash
WINDOW = 9  # pixels of the blur filter, as in Crete's paper
LINES = 48  # rows and columns that suffice for blur: it changes by 0.015 at most
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

    @classmethod
    def of(cls, values: Sequence[Any]) -> ImageSummary:
        """A summary from its values, which JSON may have held."""
        kind, blurred, darkest, brightest, depth = values
        if depth is not None:
            depth = Depth(*depth)
            depth = depth._replace(shown=DepthRange(*depth.shown))
        return cls(kind, blurred, darkest, brightest, depth)


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
    """The summary of an image, if it was asked for, and its hash, `(HASHED,)` uint8."""

    summary: ImageSummary | None
    hash: NDArray[np.uint8]


Measure = Callable[[ImageFile, DecodeOptions], Measurement]
Measured = Measurement | BoxwrightError
Known = dict[str, Measurement]  # by the version of the image


def summarize(image: ImageFile, options: DecodeOptions) -> Measurement:
    """Decode an image, a JPEG at reduced size, and measure it.

    Raises:
        DataError: as `opened`; BW102 also if the file is cut off.
    """
    with opened(image, options, short_side=SEEN, gray=True) as source:  # still reads all of it
        kind = source.picture.format or ""
        depth = depth_of(source.picture, deep_color=source.deep_color)
        gray = source.gray(options)
        scale = min(1.0, SEEN / min(gray.size))
        size = (max(1, round(gray.width * scale)), max(1, round(gray.height * scale)))
        small = gray.resize(size, Image.Resampling.BOX) if scale < 1 else gray
        smaller = small.reduce(max(1, min(size) // COARSE))
        own_hash = image_hash(smaller)
        shares = np.array(smaller.histogram()) / (smaller.width * smaller.height)
        is_flat = _contrast(shares) < MIN_LEVELS
        sharpness = 0.0 if is_flat else blur(np.asarray(small))
    darkest, brightest = np.searchsorted(shares.cumsum(), (0.02, 0.98)).tolist()
    return Measurement(ImageSummary(kind, sharpness, darkest, brightest, depth), own_hash)


def hash_only(image: ImageFile, options: DecodeOptions) -> Measurement:
    """Decode an image, a JPEG at reduced size, and hash it. Raises DataError as `opened`."""
    with opened(image, options, short_side=ENOUGH, gray=True) as source:
        return Measurement(None, image_hash(source.gray(options)))


def summarize_all(dataset: Dataset, crew: Crew, known: Known | None = None) -> ImageSummaries:
    """Decode all images. Those that cannot be decoded are left out, with a finding.

    `known` are measurements of some of them; those that are used are removed.
    """
    summaries: list[ImageSummary] = []
    hashes = np.empty((len(dataset), HASHED), np.uint8)
    broken: dict[int, BoxwrightError] = {}
    for i, one in enumerate(_measured(dataset, summarize, crew, known)):
        if isinstance(one, BoxwrightError):
            broken[i] = one
        elif one.summary:
            hashes[len(summaries)] = one.hash
            summaries.append(one.summary)
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
    broken: dict[int, BoxwrightError] = {}
    for i, one in enumerate(_measured(dataset, hash_only, Crew(here(), progress=progress))):
        if isinstance(one, BoxwrightError):
            broken[i] = one
        else:
            hashes[i - len(broken)] = one.hash
    if broken and len(broken) == len(dataset):
        raise next(iter(broken.values()))
    return _without(dataset, broken), hashes[: len(dataset) - len(broken)]


def blur(gray: NDArray[np.uint8]) -> float:
    """Blur of a gray image `(H, W)`, 0 to 1; 0 for a tiny image.

    Blurring a sharp image removes most differences between neighboring pixels; blurring a blurred
    one removes few: Crete et al., "The blur effect: perception and estimation with a new
    no-reference perceptual blur metric", 2007. The more blurred direction counts, because motion
    blur has only one. Rows are measured along some of the rows, columns along some of the columns.
    """
    if min(gray.shape) <= WINDOW:
        return 0.0
    every = max(1, min(gray.shape) // LINES)
    rows, columns = (np.ascontiguousarray(some) for some in (gray[::every], gray[:, ::every]))
    width, narrow = rows.shape[1], columns.shape[1]
    return max(_kept(rows.reshape(-1), 1, width), _kept(columns.reshape(-1), narrow, narrow))


def _kept(levels: NDArray[np.uint8], step: int, width: int) -> float:
    """The share of the differences between neighbors that a blur over `WINDOW` pixels keeps.

    Neighbors are `step` levels apart: 1 along a row, the image's `width` along a column. The
    difference of two neighboring means of `WINDOW` pixels is that of the first and the last pixel,
    divided by `WINDOW`. Bytes take half the time of wider numbers.
    """
    after = _distances(levels[WINDOW * step :], levels[: -WINDOW * step])
    middle = levels[WINDOW // 2 * step :][: len(after) + step]
    before = _distances(middle[step:], middle[:-step])
    if step < width:  # the last windows of a row end in the next one
        for column in range(width - WINDOW, width):
            before[column::width] = 0
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


@dataclass(frozen=True)
class _Part:
    """The images of a unit, and how to measure them.

    Attributes:
        images: their files.
        known: the measurements of those that were measured before, by their number.
        large: `(n,)`, True for images that are decoded where the memory of all together is bounded.
        apart: small images are measured in child processes.
        measure, options: how.
    """

    images: Sequence[ImageFile]
    known: Mapping[int, Measurement]
    large: NDArray[np.bool_]
    apart: bool
    measure: Measure
    options: DecodeOptions

    def name(self) -> str:
        return name_of(self.measure.__name__, self.options, *map(version, self.images))

    def paths(self) -> list[Path]:
        return [path_of(self.images[0]), path_of(self.images[-1])]

    def __str__(self) -> str:
        return f"{self.images[0]} to {self.images[-1]}"


def _measured(
    dataset: Dataset, measure: Measure, crew: Crew, known: Known | None = None
) -> Iterator[Measured]:
    """The result of `measure` for each image in turn, or the error of one that has none."""
    large = dataset.sizes.prod(axis=1, dtype=np.int64) > SMALL
    apart = len(dataset) >= MANY

    def part_of(rows: range) -> _Part:
        images = [dataset.image(i) for i in rows]
        done = {
            i: one
            for i, image in enumerate(images)
            if known and (one := known.pop(version(image), None))
        }
        return _Part(images, done, large[rows.start : rows.stop], apart, measure, dataset.decoding)

    for rows, outcome in crew.run(part_of, len(dataset), measure_part):
        if isinstance(outcome, bytes):
            yield from _read(outcome)
        else:
            yield from [outcome.error] * len(rows)


def measure_part(part: _Part, cores: Cores) -> bytes:
    """Measure the images of a unit, see `Work`. The result is a line of JSON, with the summary or
    the error of each image, and the hashes of the images without an error."""

    def attempt(rows: NDArray[np.intp]) -> list[Measured]:
        images = [part.images[i] for i in rows]
        if part.apart and not part.large[rows].any():
            return cores.apart(_attempts, part.measure, part.options, images)
        return _attempts(part.measure, part.options, images)

    measured = dict[int, Measured](part.known)
    if measured:
        cores.done(len(measured))
    shares = _shares(part, cores)
    for rows, results in zip(shares, cores.map(attempt, shares), strict=True):
        measured |= zip(rows.tolist(), results, strict=True)
        cores.done(len(rows))
    said: list[Any] = []
    hashes = []
    for _, one in sorted(measured.items()):
        if isinstance(one, BoxwrightError):
            said.append({"error": one.to_json()})
        else:
            said.append(one.summary and [*vars(one.summary).values()])
            hashes.append(one.hash.tobytes())
    return json.dumps(said).encode("ascii") + b"\n" + b"".join(hashes)


def _shares(part: _Part, cores: Cores) -> list[NDArray[np.intp]]:
    """How the images of a unit are divided that are not known: each large one alone, and of the
    small ones as many as a child process gets at once. All cores together get half of those that
    are left in equal shares: large shares cost less, and after small ones the cores end together.
    """
    left = np.setdiff1d(np.arange(len(part.images)), [*part.known])
    small, large = left[~part.large[left]], left[part.large[left]]
    number = cores.number or os.cpu_count() or 1
    shares = list[NDArray[np.intp]]()
    while len(small):
        size = max(FEW, -(-len(small) // (2 * number))) if part.apart else 1
        shares += (small[i * size : (i + 1) * size] for i in range(number))
        small = small[number * size :]
    return [share for share in (*shares, *large.reshape(-1, 1)) if len(share)]


def _attempts(
    measure: Measure, options: DecodeOptions, images: Sequence[ImageFile]
) -> list[Measured]:
    """The result of `measure` for each image, or the error."""
    results: list[Measured] = []
    for image in images:
        try:
            results.append(measure(image, options))
        except DataError as error:
            results.append(error)
    return results


def _read(result: bytes) -> Iterator[Measured]:
    """The measurements that `measure_part` wrote."""
    said, _, content = result.partition(b"\n")
    hashes = iter(np.frombuffer(content, np.uint8).reshape(-1, HASHED))
    for one in json.loads(said):
        if isinstance(one, dict):
            yield DataError.of_json(one["error"])
        else:
            yield Measurement(one and ImageSummary.of(one), next(hashes))


def _without(dataset: Dataset, broken: Mapping[int, BoxwrightError]) -> Dataset:
    """The dataset without the broken images, with a finding for each of them."""
    if not broken:
        return dataset
    findings = list(dataset.findings)
    for index, error in broken.items():
        name = dataset.names[index]
        findings.append(Finding(error.code, name, error.message, "left out", (name,)))
    whole = [index for index in range(len(dataset)) if index not in broken]
    return replace(dataset.select(whole), findings=tuple(findings))
