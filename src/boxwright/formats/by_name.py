"""Large folders in which names alone tell which label file is whose, so that none is read first."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

from boxwright.errors import DataError
from boxwright.formats.annotations import Labeled, Labels
from boxwright.formats.claims import ROOT, core
from boxwright.formats.editors import FILE_EACH
from boxwright.formats.folder import Folder, Parts, folded, join, split_path, stem, with_slashes
from boxwright.formats.ownership import Ownership
from boxwright.formats.registry import read_annotations, without_collecting
from boxwright.formats.selection import Chosen
from boxwright.formats.splits import folder_split
from boxwright.structures.dataset import Split

SUFFIXES = (".xml", ".txt", ".json")
LARGE = 2000  # label files: fewer are read within a second
SAMPLED = 100  # label files that are read


@without_collecting()
def chosen_by_name(folder: Folder, form: str | None = None) -> Chosen | None:
    """The label files of a large folder with their images; they are not read.

    Each is beside the only image of its name, or in the folder that mirrors that of the image, and
    a sample of them is read to see that they are as they seem.

    Args:
        folder: the images and label files.
        form: the name of a format; None takes the one that the sample has.

    Returns:
        None if names alone do not tell, or the folder is small: then all files have to be read.
    """
    large = [suffix for suffix in SUFFIXES if len(folder.with_suffix(suffix)) >= LARGE]
    if len(large) != 1:
        return None
    [suffix] = large
    files, others = _pairs(folder, suffix)
    if len(files) < LARGE or len(others) > SAMPLED:
        return None
    sample = dict(list(files.items())[:: 1 + len(files) // SAMPLED])
    try:
        chosen = read_annotations(_part(folder, suffix, sample, others), form)
    except DataError:
        return None
    own = chosen.own
    splits = {one.split for one in own.paired.values()}
    by_folder = all(one.split is _split(image) for image, one in own.paired.items())
    if (
        chosen.name not in FILE_EACH
        or chosen.unused
        or own.guessed
        or [*own.broken, *own.findings, *own.labels.broken, *own.labels.findings]
        or {image: one.path for image, one in own.paired.items()} != sample
        or not (by_folder or splits == {Split.UNASSIGNED})
    ):
        return None
    paired = {
        image: Labeled(path, alone=True, split=_split(image) if by_folder else Split.UNASSIGNED)
        for image, path in files.items()
    }
    used = sorted({name for one in own.paired.values() for name in one.names})
    classes = list(dict.fromkeys([*own.labels.classes, *used]))
    labels = Labels(list(paired.values()), classes)
    return Chosen(chosen.name, Ownership(folder, labels, paired), unread=True)


def is_named_in(image: str, one: Labeled) -> bool:
    """True unless an annotation states another name than that of its image."""
    stated = split_path(ROOT.sub("", with_slashes(one.image)))[1]
    name = split_path(image)[1]
    return not stated or not {stated, stem(stated)}.isdisjoint({name, stem(name)})


def _pairs(folder: Folder, suffix: str) -> tuple[dict[str, str], list[str]]:
    """Image -> its label file, where nothing else has that name; and the other files."""
    images: dict[tuple[Parts, str], list[str]] = {}
    for parent, names in folder.images.items():
        inner = core(folded(parent))
        for name in names:
            images.setdefault((inner, stem(name)), []).append(join(parent, name))
    files: dict[str, str] = {}
    others: list[str] = []
    for path in folder.with_suffix(suffix):
        parent, name = split_path(path)
        named = images.get((core(folded(parent)), stem(name)), [])
        if len(named) == 1 and named[0] not in files:
            files[named[0]] = path
        else:
            others.append(path)
    return files, others


def _part(
    folder: Folder, suffix: str, sample: Mapping[str, str], others: Collection[str]
) -> Folder:
    """The folder with some of its images and label files, and all of its other files."""
    images: dict[str, list[str]] = {}
    for image in sorted(sample):
        parent, name = split_path(image)
        images.setdefault(parent, []).append(name)
    files = {**folder.files, suffix: sorted([*sample.values(), *others])}
    return replace(folder, images=images, files=files)


def _split(image: str) -> Split:
    return folder_split(split_path(image)[0])
