"""The units that the coordinates of annotation files are really in.

Each format has one unit, but tools write others into its files: fractions into COCO, pixels into
YOLO, the thousandths of language models anywhere. Each file is tested as a whole, because single
boxes say little. Boxes of less than a pixel are fractions. Boxes far beyond their images are in the
unit in which all of them are inside.

A file is converted only if all its boxes agree. If they differ, or fit several units, it cannot
be used until the user states the unit.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice

import numpy as np
from numpy.typing import NDArray

from boxwright.formats.annotations import Broken, Labeled
from boxwright.formats.folder import split_path
from boxwright.formats.options import UnitChoice, Units
from boxwright.images.decoding import Header
from boxwright.structures.findings import Finding, counted

SCALES: dict[Units, float] = {"fractions": 1, "percent": 100, "thousandths": 1000}
PARTS: tuple[Units, ...] = ("percent", "thousandths")
NEAR = 1.5  # sides of the image; boxes drawn over its edge end before
FAR = 2.0  # sides of the image; boxes that end beyond are in another unit
BESIDE = 1.1  # sides of the image; as FAR, if many boxes of the file end beyond
MANY = 0.2  # of the boxes of a file
SLIPS = 0.01  # of the boxes of a file may be slips of the mouse
EDGE = 0.02  # of the image's side: boxes inside it may extend beyond by so much
FULL = 0.8  # of the image's sides are reached by some box of a file, if the unit is right
UNKNOWN = "no other unit is certain"
FEW, ENOUGH = 3, 20  # boxes in one corner of large images: suspicious, and certain

Numbers = NDArray[np.float64]


@dataclass
class _Boxes:
    """The boxes of annotation files that are judged together.

    Attributes:
        images: name -> annotation.
        numbers: the boxes in the unit of the files, `(n, 4)`, corners in order.
        sides: width and height of the image of each box in pixels, `(n, 2)`.
        nominal: the unit of the format.
    """

    images: dict[str, Labeled]
    numbers: Numbers
    sides: Numbers
    nominal: Units

    @classmethod
    def of(cls, images: dict[str, Labeled], headers: Mapping[str, Header]) -> _Boxes:
        some = next(iter(images.values()))
        if some.percent:
            numbers = np.concatenate([_numbers(one) for one in images.values()])
        else:
            flat = chain.from_iterable(one.boxes for one in images.values())
            numbers = np.fromiter(flat, np.float64).reshape(-1, 4)
        counts = [len(one.names) for one in images.values()]
        sizes = (side for image, one in images.items() for side in _sides(one, headers[image]))
        sides = np.fromiter(sizes, np.float64, 2 * len(images)).reshape(-1, 2)
        sides = np.repeat(sides, counts, axis=0)
        first, second = numbers[:, :2], numbers[:, 2:]
        ordered = np.concatenate([np.minimum(first, second), np.maximum(first, second)], axis=1)
        return cls(images, ordered, sides, _nominal(some))

    @property
    def path(self) -> str:
        """The file; the first one of several."""
        return next(iter(self.images.values())).path

    def shown(self, row: int) -> str:
        """A box and its image, as text."""
        box = ", ".join(f"{value:g}" for value in self.numbers[row])
        names = chain.from_iterable([image] * len(one.names) for image, one in self.images.items())
        return f"({box}) of {next(islice(names, row, None))}"

    def by_file(self) -> list[_Boxes]:
        """The boxes of each file."""
        members: dict[str, list[tuple[str, slice]]] = defaultdict(list)
        start = 0
        for image, one in self.images.items():
            members[one.path].append((image, slice(start, start + len(one.names))))
            start += len(one.names)
        if len(members) == 1:
            return [self]
        return [
            _Boxes(
                {image: self.images[image] for image, _ in some},
                np.concatenate([self.numbers[rows] for _, rows in some]),
                np.concatenate([self.sides[rows] for _, rows in some]),
                self.nominal,
            )
            for some in members.values()
        ]

    def joined(self, others: Iterable[_Boxes]) -> _Boxes:
        """All boxes of these and the others."""
        both = (self, *others)
        return _Boxes(
            dict(chain.from_iterable(one.images.items() for one in both)),
            np.concatenate([one.numbers for one in both]),
            np.concatenate([one.sides for one in both]),
            self.nominal,
        )

    @property
    def is_small(self) -> NDArray[np.bool_]:
        """True for boxes that may be fractions."""
        return np.asarray(np.abs(self.numbers).max(axis=1, initial=0) <= NEAR)

    @property
    def is_fraction(self) -> NDArray[np.bool_]:
        """True for boxes that can only be fractions: all of 0 and 1 may be pixels too."""
        found = self.is_small
        found[found] = (self.numbers[found] % 1 != 0).any(axis=1)
        return found

    def in_sides(self, unit: Units) -> Numbers:
        """The boxes as fractions of their image, if the file is in `unit`."""
        if unit == "pixels":
            return self.numbers / np.tile(self.sides, 2)
        return self.numbers / SCALES[unit]

    def fits(self, unit: Units) -> bool:
        """True if all boxes are inside their images and of a size that the unit allows."""
        boxes = self.in_sides(unit)
        inside = (boxes >= -EDGE) & (boxes <= 1 + EDGE)
        sizes = self.numbers[:, 2:] - self.numbers[:, :2]
        least = {"fractions": 0, "percent": 0.1}.get(unit, 1.0)
        return bool(inside.all() and ((sizes >= least) | (sizes == 0)).all())


def settle_units(
    annotations: Mapping[str, Labeled], headers: Mapping[str, Header], stated: UnitChoice | None
) -> tuple[list[Broken], list[Finding]]:
    """Convert annotations that are in another unit than that of their format, in place.

    Args:
        annotations: image -> its annotation.
        headers: image -> its header, for the images that can be read.
        stated: the unit that the user states for all files, `format` for that of their format;
            None tests each file.

    Returns:
        The files whose unit is unclear, and findings about converted ones.
    """
    if stated == "format":
        return [], []
    if stated:
        for image in headers:
            _convert(annotations[image], headers[image], stated)
        return [], []
    broken: list[Broken] = []
    converted: list[tuple[_Boxes, Units]] = []
    for batch in _batches(annotations, headers):
        for file, outcome in _judged(batch):
            if isinstance(outcome, Broken):
                broken.append(outcome)
            else:
                converted.append((file, outcome))
                for image, one in file.images.items():
                    _convert(one, headers[image], outcome)
    return broken, list(_findings(converted))


def are_fractions(images: Iterable[Labeled]) -> bool:
    """True if the boxes of a file, whose format has no unit, are fractions."""
    numbers = np.fromiter(chain.from_iterable(one.boxes for one in images), np.float64)
    return bool(0 < np.abs(numbers).max(initial=0) <= NEAR)


def id_shift(used: Collection[int], known: Collection[int]) -> int:
    """What to add to class ids that are counted from another number than their names.

    It is 0 unless the ids from the first to the last then have names: 1, 2, 3 for three names that
    are counted from 0.
    """
    if not used or not known or set(used) <= set(known):
        return 0
    shift = min(known) - min(used)
    fits = abs(shift) == 1 and max(used) + shift == max(known)
    return shift if fits and {number + shift for number in used} <= set(known) else 0


def shifted_ids(where: str, used: Collection[int], shift: int) -> Finding:
    """The finding about class ids that `id_shift` moves."""
    there = f"{min(used)} to {max(used)}"
    names = f"{min(used) + shift} to {max(used) + shift}"
    message = f"its class ids are {there}, but those of the class names are {names}"
    return Finding("BW162", where, message, f"counted from {min(used)}")


def _nominal(one: Labeled) -> Units:
    return "percent" if one.percent else "fractions" if one.relative else "pixels"


def _batches(annotations: Mapping[str, Labeled], headers: Mapping[str, Header]) -> Iterator[_Boxes]:
    """Files that are judged together: all that have one image each, and each other one alone."""
    members: dict[tuple[str, Units], dict[str, Labeled]] = defaultdict(dict)
    counts = Counter(annotations[image].path for image in headers)
    for image in headers:
        one = annotations[image]
        if one.names:
            members[one.path if counts[one.path] > 1 else "", _nominal(one)][image] = one
    for images in members.values():
        yield _Boxes.of(images, headers)


def _numbers(one: Labeled) -> Numbers:
    """The boxes as they are in the file, `(n, 4)`."""
    boxes = np.fromiter(one.boxes, np.float64, len(one.boxes)).reshape(-1, 4)
    if not one.percent:
        return boxes
    width, height = one.size if one.size and not one.relative else (1, 1)
    return boxes / [width, height, width, height] * SCALES["percent"]


def _sides(one: Labeled, header: Header) -> tuple[int, int]:
    """The sides that pixels are counted on; the longer one twice if EXIF turns the image."""
    if one.size and min(one.size) > 0:
        return one.size
    if header.swaps_sides:
        longer = max(header.width, header.height)
        return longer, longer
    return header.width, header.height


def _judged(batch: _Boxes) -> Iterator[tuple[_Boxes, Units | Broken]]:
    """Yield the files that are in another unit than they should be, and those that are unclear."""
    if batch.nominal == "fractions":
        yield from _too_large(batch)
        return
    left = []
    for file in batch.by_file() if batch.is_fraction.any() else [batch]:
        small, fraction = file.is_small, file.is_fraction
        if fraction.any() and small.all():
            yield file, "fractions"
        elif fraction.sum() > SLIPS * (~small).sum():
            yield file, _mixed(file)
        else:
            left.append(file)
    if left:
        rest = left[0].joined(left[1:]) if len(left) > 1 else left[0]
        yield from _beyond(rest) if rest.nominal == "pixels" else _too_large(rest)


def _too_large(batch: _Boxes) -> Iterator[tuple[_Boxes, Units | Broken]]:
    """Judge files of fractions or percentages by numbers that are too large for them."""
    limit = FAR * SCALES[batch.nominal]
    if np.abs(batch.numbers).max() <= limit:
        return
    odd = []
    for file in batch.by_file():
        if np.abs(file.numbers).max() <= limit:
            continue
        if batch.nominal == "fractions" and file.is_fraction.any():
            yield file, _mixed(file)
        elif not any(file.fits(unit) for unit in ("pixels", "thousandths")):
            yield file, _unclear(file, UNKNOWN)
        else:
            odd.append(file)
    if odd:
        scaled = [one for one in PARTS if one != batch.nominal]
        unit = _tightest(odd[0].joined(odd[1:]), scaled)
        for file in odd:
            yield file, unit or _unclear(file, UNKNOWN)


def _tightest(file: _Boxes, scaled: Sequence[Units]) -> Units | None:
    """Pixels, or the other unit if the boxes say so clearly; None if nothing is clear."""
    unit = next((one for one in scaled if file.fits(one)), None)
    if not file.fits("pixels"):
        return unit if unit and _reach(file, unit).min() >= FULL else None
    if unit is None or SCALES[unit] >= file.sides.max():
        return "pixels"
    return unit if _is_corner(file, unit) and len(file.numbers) >= ENOUGH else None


def _beyond(whole: _Boxes) -> Iterator[tuple[_Boxes, Units | Broken]]:
    """Judge files of pixels whose boxes leave their images, or are all in one corner of them."""
    outside = (whole.in_sides("pixels") > BESIDE).any(axis=1)
    unit: Units = "thousandths"
    if outside.mean() >= MANY and whole.fits(unit) and _reach(whole, unit).max() >= 0.5:
        clear = _reach(whole, unit).min() >= FULL
        reason = f"leave their images, as {unit} of the sides would"
    else:
        corners = (one for one in PARTS if _is_corner(whole, one))
        corner = next(corners, None)
        if corner is None:
            return
        unit, clear = corner, len(whole.numbers) >= ENOUGH
        reason = f"are all in one corner of their images, as {unit} of the sides would be"
    for file in whole.by_file():
        yield file, unit if clear else _unclear(file, reason)


def _is_corner(file: _Boxes, unit: Units) -> bool:
    """True if the boxes fill the corner of their images that this unit would put them in."""
    several = len(file.numbers) >= FEW and len(file.images) > 1
    large = bool((file.sides >= 2 * SCALES[unit]).all())
    return several and large and file.fits(unit) and bool(_reach(file, unit).min() >= FULL)


def _reach(file: _Boxes, unit: Units) -> Numbers:
    """How far boxes reach to the right and down, in sides of their images."""
    reach: Numbers = file.in_sides(unit)[:, 2:].max(axis=0)
    return reach


def _mixed(file: _Boxes) -> Broken:
    fraction = file.is_fraction
    first, other = (file.shown(int(np.argmax(some))) for some in (fraction, ~file.is_small))
    message = (
        f"fractions of the image's sides in {fraction.sum()} of its "
        f"{counted(len(fraction), 'box', 'boxes')}, such as {first}, and larger numbers in "
        f"others, such as {other}"
    )
    return Broken("BW161", file.path, message)


def _unclear(file: _Boxes, reason: str) -> Broken:
    worst = int(np.argmax((file.numbers / np.tile(file.sides, 2)).max(axis=1)))
    width, height = file.sides[worst].astype(int)
    shown = f"{file.shown(worst)} with {width} x {height} pixels"
    what = f"its boxes are not {file.nominal}, and" if reason == UNKNOWN else "its boxes"
    return Broken("BW161", file.path, f"{what} {reason}, such as {shown}")


def _convert(one: Labeled, header: Header, unit: Units) -> None:
    """Take the numbers of an annotation as of this unit."""
    if unit == _nominal(one):
        return
    numbers = _numbers(one)
    one.percent, one.relative = False, unit != "pixels"
    if one.relative:
        numbers /= SCALES[unit]
    elif one.as_stored:
        sides = (header.width, header.height)
        numbers /= np.tile(sides[::-1] if header.swaps_sides else sides, 2)
        one.relative = True
    one.boxes = numbers.ravel().tolist()


def _findings(converted: Sequence[tuple[_Boxes, Units]]) -> Iterator[Finding]:
    """One finding for each file, or for a folder with a file for each image."""
    groups: dict[tuple[str, Units, Units], list[_Boxes]] = defaultdict(list)
    for file, unit in converted:
        where = split_path(file.path)[0] if len(file.images) == 1 else file.path
        groups[where, file.nominal, unit].append(file)
    for (where, nominal, unit), files in sorted(groups.items()):
        boxes = sum(len(file.numbers) for file in files)
        images = tuple(image for file in files for image in file.images)
        of = f" in {counted(len(files), 'file')}" if len(files) > 1 else ""
        stated = counted(boxes, "box is", "boxes are")
        message = f"{stated} in {unit}{of}, where the format has {nominal}"
        place = files[0].path if len(files) == 1 else where or "."
        yield Finding("BW162", place, message, f"read as {unit}", images)
