"""Round-trip check: compare a written dataset, read back, with the original."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from boxwright.formats.annotations import Format, Holds
from boxwright.images.files import ByteRange, ImageFile, image_bytes, path_of, version, whole_of
from boxwright.ops.boxes import Boxes, as_boxes, upright
from boxwright.parallel.choice import here
from boxwright.parallel.cores import Cores
from boxwright.parallel.kept import name_of
from boxwright.parallel.units import Crew
from boxwright.structures.dataset import (
    CROWD,
    DIFFICULT,
    OCCLUDED,
    TRUNCATED,
    Dataset,
    Split,
)
from boxwright.structures.findings import counted

FLAGS = {
    Holds.DIFFICULT: DIFFICULT,
    Holds.TRUNCATED: TRUNCATED,
    Holds.CROWD: CROWD,
    Holds.OCCLUDED: OCCLUDED,
}
SAME = 1e-4  # pixels that a coordinate may have moved
SAME_FRACTION = 2e-6  # of the image's longer side; formats write fractions with six decimals
CHUNK = 1 << 20  # bytes
DIGEST = 32  # bytes
OTHER_BYTES, SAME_BYTES = range(2)


def held(dataset: Dataset, form: Format) -> Dataset:
    """The part of a dataset that a format can store, apart from the classes."""
    keep = sum(bit for kind, bit in FLAGS.items() if kind in form.HOLDS)
    dataset = replace(dataset, flags=dataset.flags & np.uint8(keep))
    if Holds.IGNORED_REGIONS not in form.HOLDS:
        nowhere = np.zeros(0, np.int64)
        dataset = replace(dataset, ignored=as_boxes(()), image_of_ignored=nowhere)
    if Holds.VERIFIED not in form.HOLDS:
        dataset = replace(dataset, verified=np.zeros_like(dataset.verified))
    if Holds.VERIFIED_CLASSES not in form.HOLDS:
        dataset = replace(dataset, verified_classes=None)
    if Holds.SPLITS not in form.HOLDS:
        dataset = replace(dataset, splits=np.full_like(dataset.splits, Split.UNASSIGNED))
    if Holds.EMPTY_IMAGES not in form.HOLDS:
        dataset = dataset.select(~without_objects(dataset, form))
    if Holds.FRACTIONS not in form.HOLDS:
        rounded, regions = np.rint(dataset.boxes), np.rint(dataset.ignored)
        dataset = replace(dataset, boxes=rounded, ignored=regions)
    return dataset


def without_objects(dataset: Dataset, form: Format) -> NDArray[np.bool_]:
    """`(N,)`: True for images about which a format can store nothing unless it has `EMPTY_IMAGES`:
    those without boxes, and without a class that someone looked for."""
    empty: NDArray[np.bool_] = np.diff(dataset.offsets) == 0
    if dataset.verified_classes is not None and Holds.VERIFIED_CLASSES in form.HOLDS:
        empty &= ~dataset.verified_classes.any(axis=1)
    return empty


def held_classes(dataset: Dataset, form: Format) -> list[str]:
    """The classes that a format can store, in alphabetical order if it has no class order."""
    used = np.bincount(dataset.labels, minlength=len(dataset.classes)) > 0
    everything = Holds.UNUSED_CLASSES in form.HOLDS
    classes = [name for i, name in enumerate(dataset.classes) if everything or used[i]]
    return classes if Holds.CLASS_ORDER in form.HOLDS else sorted(classes)


def difference(
    written: Dataset,
    names: Sequence[str],
    back: Dataset,
    form: Format,
    crew: Crew | None = None,
) -> str:
    """The first difference between `back` and the part of `written` that `form` can store.

    Compares images byte for byte, sizes, splits, boxes, classes, flags and what is verified. An
    inverted box may be read back with its corners in order. Returns an empty text if there is no
    difference.

    Args:
        written: the dataset that was written.
        names: the names under which its images were written.
        back: the dataset that was read back.
        form: the format it was written in.
        crew: reads the images; by default the cores of this machine.
    """
    if held_classes(written, form) != held_classes(back, form):
        before, after = (", ".join(held_classes(one, form)) for one in (written, back))
        return f"the classes are {after} instead of {before}"
    kept = held(replace(written, root=Path(), names=tuple(names)), form)
    sources = dict(zip(names, map(written.image, range(len(written))), strict=True))
    if len(kept) != len(back):
        lost = sorted({*kept.names} ^ {*back.names})
        return f"it has {counted(len(back), 'image')} instead of {len(kept)}, such as {lost[0]}"
    originals = [sources[name] for name in kept.names]
    again = [back.image(i) for i in range(len(back))]
    crew = crew or Crew(here())
    if form.image_folder(Split.UNASSIGNED) is not None:
        kept_order, back_order = _by_name(kept), _by_name(back)
        pairs = zip(kept_order, back_order, strict=True)
        same = _compared([(originals[i], again[j]) for i, j in pairs], crew)
    else:
        digests, others = (_digests(images, crew) for images in (originals, again))
        kept_order, back_order = _by_content(kept, digests), _by_content(back, others)
        pairs = zip(kept_order, back_order, strict=True)
        same = [digests[i] == others[j] for i, j in pairs]
    for i, j, is_same in zip(kept_order, back_order, same, strict=True):
        if not is_same:
            return f"{back.names[j]}: the image has different bytes"
        if reason := _image_difference(kept, i, back, j):
            return f"{back.names[j]}: {reason}"
    return ""


def _by_name(dataset: Dataset) -> list[int]:
    return sorted(range(len(dataset)), key=lambda i: dataset.names[i])


def _by_content(dataset: Dataset, digests: Sequence[bytes]) -> list[int]:
    """Match images by their bytes, and equal ones by their boxes: a record may rename an image."""

    def key(i: int) -> tuple[bytes, list[str], list[list[float]]]:
        rows = dataset.rows(i)
        names = [dataset.classes[label] for label in dataset.labels[rows]]
        return digests[i], names, np.rint(dataset.boxes[rows]).tolist()

    return sorted(range(len(dataset)), key=key)


@dataclass(frozen=True)
class _Part:
    """The images of a unit, beside their copies if they are compared."""

    images: Sequence[tuple[ImageFile, ...]]

    def name(self) -> str:
        return name_of("bytes", *(version(each) for one in self.images for each in one))

    def paths(self) -> list[Path]:
        return [path_of(each) for each in (*self.images[0], *self.images[-1])]

    def __str__(self) -> str:
        return f"{self.images[0][0]} to {self.images[-1][0]}"


def _compared(pairs: Sequence[tuple[ImageFile, ImageFile]], crew: Crew) -> list[bool]:
    """For each pair of images, True if they have the same bytes."""
    done = crew.complete(
        lambda rows: _Part(pairs[rows.start : rows.stop]), len(pairs), compare_part
    )
    return [byte == SAME_BYTES for result in done for byte in result]


def _digests(images: Sequence[ImageFile], crew: Crew) -> list[bytes]:
    """SHA-256 of each image."""
    ones = [(image,) for image in images]
    done = crew.complete(lambda rows: _Part(ones[rows.start : rows.stop]), len(ones), digest_part)
    content = b"".join(done)
    return [content[start : start + DIGEST] for start in range(0, len(content), DIGEST)]


def compare_part(part: _Part, cores: Cores) -> bytes:
    """Compare the bytes of images and their copies, see `Work`: a byte for each pair."""
    results = []
    for is_same in cores.map(lambda pair: _same_bytes(*pair), part.images):
        results.append(SAME_BYTES if is_same else OTHER_BYTES)
        cores.done(1)
    return bytes(results)


def digest_part(part: _Part, cores: Cores) -> bytes:
    """The digests of images, one after another, see `Work`."""

    def digest(one: tuple[ImageFile, ...]) -> bytes:
        found = hashlib.sha256()
        for block in _blocks(one[0]):
            found.update(block)
        return found.digest()

    results = []
    for each in cores.map(digest, part.images):
        results.append(each)
        cores.done(1)
    return b"".join(results)


def _image_difference(kept: Dataset, i: int, back: Dataset, j: int) -> str:
    mine, other = kept.rows(i), back.rows(j)
    sides = kept.sizes[i]
    if (sides != back.sizes[j]).any():
        return f"the image is {back.sizes[j][0]} x {back.sizes[j][1]} instead of {sides}"
    if kept.splits[i] != back.splits[j]:
        before, after = (Split(split).name.lower() for split in (kept.splits[i], back.splits[j]))
        return f"its split is {after} instead of {before}"
    before_names = [kept.classes[label] for label in kept.labels[mine]]
    after_names = [back.classes[label] for label in back.labels[other]]
    if before_names != after_names:
        return f"its boxes are {after_names} instead of {before_names}"
    boxes = kept.boxes[mine]
    moved = min(_moved(one, back.boxes[other]) for one in (boxes, upright(boxes)))
    if moved > max(SAME, SAME_FRACTION * sides.max()):
        return f"a box has moved by {moved:.4f} pixels"
    if (kept.flags[mine] != back.flags[other]).any():
        return "the flags of its boxes have changed"
    regions, others = kept.ignored_in(i), back.ignored_in(j)
    if len(regions) != len(others) or _moved(regions, others) > SAME:
        return f"it has {len(others)} ignored regions instead of {len(regions)}, or others"
    if kept.verified[i] != back.verified[j]:
        return f"it is {'no longer' if kept.verified[i] else 'now'} marked as verified"
    if _looked_for(kept, i, back) != _looked_for(back, j, kept):
        return "other classes were looked for in it"
    return ""


def _looked_for(dataset: Dataset, index: int, other: Dataset) -> set[str]:
    """The verified classes of an image, of those that the other dataset has too."""
    both = {*dataset.classes} & {*other.classes}
    if dataset.verified_classes is None:
        return both
    row = dataset.verified_classes[index]
    return {name for name, is_so in zip(dataset.classes, row, strict=True) if is_so} & both


def _moved(boxes: Boxes, back: Boxes) -> float:
    return float(np.abs(boxes - back).max(initial=0))


def _same_bytes(one: ImageFile, other: ImageFile) -> bool:
    one, other = whole_of(one), whole_of(other)
    if not isinstance(one, ByteRange) and not isinstance(other, ByteRange):
        one, other = Path(one), Path(other)
        if one.samefile(other):
            return True
        if one.stat().st_size != other.stat().st_size:
            return False
    return all(a == b for a, b in zip_longest(_blocks(one), _blocks(other)))


def _blocks(image: ImageFile) -> Iterator[bytes]:
    image = whole_of(image)
    if isinstance(image, ByteRange):
        yield image_bytes(image)
        return
    with Path(image).open("rb") as file:
        while block := file.read(CHUNK):
            yield block
