"""Write a dataset: copy the images, write the annotations, report lost data."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from os.path import isabs
from pathlib import Path

import numpy as np

from boxwright.errors import DataError
from boxwright.formats.annotations import Format, Holds
from boxwright.formats.claims import IMAGE_FOLDERS
from boxwright.formats.folder import folded, join, split_path, stem
from boxwright.formats.roundtrip import FLAGS, without_objects
from boxwright.formats.splits import WORDS
from boxwright.images.files import ImageFile, image_bytes, path_of, version
from boxwright.io.faults import translating_os_errors
from boxwright.io.files import writing
from boxwright.parallel.choice import here
from boxwright.parallel.cores import Cores
from boxwright.parallel.kept import name_of
from boxwright.parallel.units import Crew
from boxwright.structures.dataset import WHOLE_FILE, Dataset, Split
from boxwright.structures.findings import Finding, counted

USUAL = IMAGE_FOLDERS | frozenset(WORDS)  # folder names without information about the images


def write(
    dataset: Dataset,
    target: str | Path,
    form: Format,
    *,
    link: bool = False,
    crew: Crew | None = None,
) -> tuple[list[str], list[Finding]]:
    """Write a dataset in a format; image files are copied unchanged.

    Images below `target` stay in place. The others are copied, or hard-linked with `link` if the
    file system can. `crew` does the work with images; by default the cores of this machine.

    Returns:
        The names of the images below `target`; findings about data that the format cannot store
        (BW140) and renamed images (BW142).

    Raises:
        DataError: BW101 an image no longer exists, BW141 the format cannot store a name.
        SystemFaultError: BW902 the disk is full, BW903 the place cannot be written.
    """
    target, crew = Path(target), crew or Crew(here())
    names = list(target_names(dataset, target, form))
    if form.image_folder(Split.UNASSIGNED) is None:
        form.write_images(dataset, names, target, crew)
    else:
        _copy(dataset, names, target, crew, link=link)
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


@dataclass(frozen=True)
class _Part:
    """The images of a unit, and where they are copied to, below a folder."""

    images: Sequence[ImageFile]
    targets: Sequence[Path]
    folder: Path
    link: bool

    def name(self) -> str:
        return name_of("copy", self.link, *self.targets, *map(version, self.images))

    def paths(self) -> list[Path]:
        return [path_of(self.images[0]), path_of(self.images[-1]), self.folder]

    def __str__(self) -> str:
        return f"{self.images[0]} to {self.images[-1]}"


def _copy(dataset: Dataset, names: Sequence[str], target: Path, crew: Crew, *, link: bool) -> None:
    """Copy images below `target`, except those that are in place."""
    todo = [i for i, name in enumerate(names) if dataset.image(i) != target / name]
    with translating_os_errors(target):
        target.mkdir(parents=True, exist_ok=True)  # other machines are asked if they see it

    def part_of(rows: range) -> _Part:
        chosen = todo[rows.start : rows.stop]
        targets = [target / names[i] for i in chosen]
        return _Part([dataset.image(i) for i in chosen], targets, target, link)

    for _ in crew.complete(part_of, len(todo), copy_part):
        pass


def copy_part(part: _Part, cores: Cores) -> bytes:
    """Copy the images of a unit, see `Work`."""
    pairs = list(zip(part.images, part.targets, strict=True))
    for _ in cores.map(lambda pair: _bring(*pair, link=part.link), pairs):
        cores.done(1)
    return b"copied"


def _bring(source: ImageFile, place: Path, *, link: bool) -> None:
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
