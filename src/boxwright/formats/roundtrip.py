"""Round-trip check: compare a written dataset, read back, with the original."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import zip_longest
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from boxwright.formats.annotations import Format, Holds
from boxwright.images.decoding import ByteRange, ImageFile, image_bytes, whole_of
from boxwright.ops.boxes import Boxes, as_boxes, upright
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


def difference(written: Dataset, names: Sequence[str], back: Dataset, form: Format) -> str:
    """The first difference between `back` and the part of `written` that `form` can store.

    Compares images byte for byte, sizes, splits, boxes, classes, flags and what is verified. An
    inverted box may be read back with its corners in order. Returns an empty text if there is no
    difference.

    Args:
        written: the dataset that was written.
        names: the names under which its images were written.
        back: the dataset that was read back.
        form: the format it was written in.
    """
    if held_classes(written, form) != held_classes(back, form):
        before, after = (", ".join(held_classes(one, form)) for one in (written, back))
        return f"the classes are {after} instead of {before}"
    kept = held(replace(written, root=Path(), names=tuple(names)), form)
    sources = dict(zip(names, map(written.image, range(len(written))), strict=True))
    if len(kept) != len(back):
        lost = sorted({*kept.names} ^ {*back.names})
        return f"it has {counted(len(back), 'image')} instead of {len(kept)}, such as {lost[0]}"
    in_files = form.image_folder(Split.UNASSIGNED) is not None
    key = _by_name if in_files else _by_content
    originals = [sources[name] for name in kept.names]
    kept_order = key(kept, originals)
    back_order = key(back, [back.image(i) for i in range(len(back))])
    for i, j in zip(kept_order, back_order, strict=True):
        if reason := _image_difference(kept, i, originals[i], back, j):
            return f"{back.names[j]}: {reason}"
    return ""


def _by_name(dataset: Dataset, _: Sequence[ImageFile]) -> list[int]:
    return sorted(range(len(dataset)), key=lambda i: dataset.names[i])


def _by_content(dataset: Dataset, originals: Sequence[ImageFile]) -> list[int]:
    """Match images by their bytes, and copies by their boxes: a record may rename an image."""

    def key(i: int) -> tuple[bytes, list[str], list[list[float]]]:
        rows = dataset.rows(i)
        names = [dataset.classes[label] for label in dataset.labels[rows]]
        digest = hashlib.sha256()
        for block in _blocks(originals[i]):
            digest.update(block)
        return digest.digest(), names, np.rint(dataset.boxes[rows]).tolist()

    return sorted(range(len(dataset)), key=key)


def _image_difference(kept: Dataset, i: int, place: ImageFile, back: Dataset, j: int) -> str:
    mine, other = kept.rows(i), back.rows(j)
    sides = kept.sizes[i]
    if not _same_bytes(place, back.image(j)):
        return "the image has different bytes"
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
