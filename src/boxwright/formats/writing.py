"""Write a dataset: copy the images, write the annotations, report lost data."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from os.path import isabs
from pathlib import Path

import numpy as np

from boxwright.errors import DataError
from boxwright.formats.annotations import Format, Holds
from boxwright.formats.claims import IMAGE_FOLDERS
from boxwright.formats.folder import folded, join, split_path, stem
from boxwright.formats.roundtrip import FLAGS, without_objects
from boxwright.formats.splits import WORDS
from boxwright.images.decoding import ImageFile, image_bytes
from boxwright.io.files import writing
from boxwright.structures.dataset import WHOLE_FILE, Dataset, Split
from boxwright.structures.findings import Finding, counted

USUAL = IMAGE_FOLDERS | frozenset(WORDS)  # folder names without information about the images


def write(
    dataset: Dataset, target: str | Path, form: Format, *, link: bool = False
) -> tuple[list[str], list[Finding]]:
    """Write a dataset in a format; image files are copied unchanged.

    Images below `target` stay in place. The others are copied, or hard-linked with `link` if the
    file system can.

    Returns:
        The names of the images below `target`; findings about data that the format cannot store
        (BW140) and renamed images (BW142).

    Raises:
        DataError: BW101 an image no longer exists, BW141 the format cannot store a name.
        SystemFaultError: BW902 the disk is full, BW903 the place cannot be written.
    """
    target = Path(target)
    names = list(target_names(dataset, target, form))
    for i, name in enumerate(names):
        if form.image_folder(Split.UNASSIGNED) is not None and dataset.image(i) != target / name:
            _bring(dataset, i, target / name, link=link)
    form.write(dataset, names, target)
    return names, list(_lost(dataset, names, form))


def target_names(dataset: Dataset, target: Path, form: Format) -> Iterator[str]:
    """The path of each image below `target`; paths and stems are unique."""
    below, root = (f"{path.absolute().as_posix()}/" for path in (target, dataset.root))
    taken: set[str] = set()
    for i, name in enumerate(dataset.names):
        here = name if isabs(name) else root + name  # noqa: PTH117 - a Path costs as much as the rest
        whole = bool(dataset.byte_ranges[i, 1] == WHOLE_FILE[1])
        if whole and here.startswith(below):
            place = here.removeprefix(below)
        else:
            folder = form.image_folder(Split(int(dataset.splits[i]))) or ""
            place = _free(join(folder, _short(name, whole=whole)), taken, form)
        taken.add(_key(place, form))
        yield place


def _short(name: str, *, whole: bool) -> str:
    """An image's name without the folders of splits and formats, such as `train/images`, and
    without backslashes, which separate folders on Windows and in the paths of many formats."""
    parent, last = split_path(name.replace("\\", "_"))
    if not whole or isabs(name):  # noqa: PTH117
        return last
    parts = [part for part in parent.split("/") if part and folded(part) not in USUAL]
    return "/".join([*parts, last])


def _free(place: str, taken: set[str], form: Format) -> str:
    parent, last = split_path(place)
    suffix = last[len(stem(last)) :]
    candidate, count = place, 1
    while _key(candidate, form) in taken:
        count += 1
        candidate = join(parent, f"{stem(last)}-{count}{suffix}")
    return candidate


def _key(place: str, form: Format) -> str:
    parent, last = split_path(place)
    return folded(join(parent, stem(last) if form.BY_STEM else last))


def _bring(dataset: Dataset, index: int, place: Path, *, link: bool) -> None:
    source = dataset.image(index)
    with writing(place) as draft, still_there(source):
        if not isinstance(source, Path):
            draft.write_bytes(image_bytes(source))
        elif not (link and _linked(source, draft)):
            shutil.copyfile(source, draft)


@contextmanager
def still_there(image: ImageFile) -> Iterator[None]:
    """Raise a coded error if an image was deleted after the dataset was read.

    Raises:
        DataError: BW101 the image no longer exists.
    """
    try:
        yield
    except FileNotFoundError as error:
        raise DataError("BW101", "the image no longer exists.", where=str(image)) from error


def _linked(source: Path, draft: Path) -> bool:
    try:
        os.link(source, draft)
    except OSError:  # another disk, or a file system without links
        return False
    return True


def _lost(dataset: Dataset, names: list[str], form: Format) -> Iterator[Finding]:
    """Findings about data that `form` cannot store."""
    flags = dataset.flags
    used = np.bincount(dataset.labels, minlength=len(dataset.classes)) > 0
    in_order = tuple(name for name, one in zip(dataset.classes, used, strict=True) if one)
    counts = {
        **{
            kind: (int((flags & bit > 0).sum()), f"{(kind.name or '').lower()} flags")
            for kind, bit in FLAGS.items()
        },
        Holds.IGNORED_REGIONS: (len(dataset.ignored), "ignored regions"),
        Holds.VERIFIED: (int(dataset.verified.sum()), "images marked as verified"),
        Holds.SPLITS: (
            int((dataset.splits != Split.UNASSIGNED).sum()),
            "splits",
        ),
        Holds.VERIFIED_CLASSES: (
            0 if dataset.verified_classes is None else int((~dataset.verified_classes).sum()),
            "that a class is unknown in an image, not absent",
        ),
        Holds.EMPTY_IMAGES: (int(without_objects(dataset, form).sum()), "images without objects"),
        Holds.UNUSED_CLASSES: (int((~used).sum()), "classes without boxes"),
        Holds.CLASS_ORDER: (
            len(used) * (in_order != tuple(sorted(in_order))),
            "the order of the classes",
        ),
        Holds.FRACTIONS: (
            int((dataset.boxes != np.rint(dataset.boxes)).any(axis=1).sum()),
            "fractional pixels",
        ),
    }
    for kind, (count, what) in counts.items():
        if count and kind not in form.HOLDS:
            yield Finding("BW140", form.TITLE, f"cannot store {what} ({count})")
    if form.image_folder(Split.UNASSIGNED) is None:
        return
    pairs = zip(dataset.names, names, strict=True)
    renamed = [(old, new) for old, new in pairs if split_path(old)[1] != split_path(new)[1]]
    if renamed:
        old, new = renamed[0]
        message = f"{counted(len(renamed), 'image')} got a new name, such as {new} for {old}"
        yield Finding("BW142", form.TITLE, message)
