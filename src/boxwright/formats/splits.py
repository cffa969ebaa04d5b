"""Find the split of each image in a data folder.

The sources are, in this order, the split file, the annotations, ImageSets lists, CSV lists, and
train/ and test/ folders. The first source that assigns any image is used; the others are ignored.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from boxwright.formats.folder import (
    Folder,
    folded,
    parts,
    shared_start,
    split_path,
    stem,
    with_slashes,
)
from boxwright.formats.split_file import SPLIT_FILE, SplitFile
from boxwright.formats.tables import rows
from boxwright.io.text import read_text
from boxwright.structures.dataset import Split
from boxwright.structures.findings import Finding, part_of

WORDS = {
    "train": Split.TRAIN,
    "training": Split.TRAIN,
    "val": Split.VAL,
    "valid": Split.VAL,
    "validate": Split.VAL,
    "validation": Split.VAL,
    "test": Split.TEST,
    "testing": Split.TEST,
}
EITHER = "trainval"  # VOC's list of all images outside the test set
OTHER_TASKS = ("segmentation", "layout", "action")  # VOC's lists, with incomplete boxes
IMAGE_COLUMN = "filename"  # in the tutorials' CSV lists
SHOWN = 3  # names listed in a finding
UNTIL_SPLIT = "not used until `boxwright split` assigns them"
MADE_FOR = "the split file was made for other images; run `boxwright split` for these"


@dataclass(frozen=True)
class ImageList:
    """A file that lists the images of one split.

    Attributes:
        path: the list, relative to the root.
        split: their split.
        whole: True if the list covers both training and validation images.
        lines: its lines, one image each, with VOC's trailing numbers.
        numbered: True if every line ends in VOC's 1, 0 or -1.
    """

    path: str
    split: Split
    lines: list[str] = field(repr=False)
    whole: bool = False
    numbered: bool = False


@lru_cache(maxsize=1024)
def folder_split(parent: str) -> Split:
    """The split in a folder's path; the outermost name counts."""
    for part in folded(parent).split("/"):
        if (word := re.sub(r"[0-9]+$", "", part)) in WORDS:
            return WORDS[word]
    return Split.UNASSIGNED


def name_split(path: str) -> Split:
    """The split in the name of a file such as `train_labels.csv`."""
    words = re.split(r"[^a-z]+", split_path(path)[1].lower())
    splits = {WORDS[word] for word in words if word in WORDS}
    return splits.pop() if len(splits) == 1 else Split.UNASSIGNED


def file_split(path: str) -> Split:
    """The split in the name of a file, otherwise in its folder's name."""
    named = name_split(path)
    return folder_split(split_path(path)[0]) if named is Split.UNASSIGNED else named


def listed_images(path: Path) -> list[str]:
    """The images in a CSV list, without repeats, in order; none without an image column.

    Raises:
        DataError: BW120, BW160 the file is not CSV text.
    """
    table = rows(path)
    _, header = next(table, (0, []))
    columns = [name.lower() for name in header]
    if IMAGE_COLUMN not in columns:
        return []
    place = columns.index(IMAGE_COLUMN)
    return list(dict.fromkeys(row[place] for _, row in table if len(row) > place))


def find_splits(
    folder: Folder, images: Sequence[str], stated: Sequence[Split]
) -> tuple[list[Split], list[Finding]]:
    """Return the split of each of `images`, and findings about the lists.

    Args:
        folder: the folder with the lists.
        images: paths below the root.
        stated: the split in the annotation of each image.

    Raises:
        DataError: BW120, BW160 a list cannot be read, BW146 the split file cannot be used.
    """
    if not images:
        return [], []
    if split_file := SplitFile.read(folder.root):
        frozen = split_file.split_of(images)
        new = _without_split(images, frozen)
        repair = UNTIL_SPLIT if len(new) < len(images) else MADE_FOR
        return frozen, [_unassigned(SPLIT_FILE, new, images, "it", repair)] if new else []
    if any(split is not Split.UNASSIGNED for split in stated):
        new = _without_split(images, stated)
        odd = _unassigned("the annotations", new, images, "a split")
        return list(stated), [odd] if new else []
    findings: list[Finding] = []
    for lists in (_image_sets(folder), _csv_lists(folder)):
        if lists and (splits := _splits_from_lists(lists, _Index(images), findings)):
            unlisted = [image for i, image in enumerate(images) if i not in splits]
            if unlisted:
                where = ", ".join(sorted({one.path for one in lists}))
                findings.append(_unassigned(where, unlisted, images))
            return [splits.get(i, Split.UNASSIGNED) for i in range(len(images))], findings
    by_folder = _splits_from_folders(images)
    unassigned = _without_split(images, by_folder)
    if 0 < len(unassigned) < len(images):
        findings.append(_unassigned("the train, val and test folders", unassigned, images))
    return by_folder, findings


def _without_split(images: Sequence[str], splits: Sequence[Split]) -> list[str]:
    pairs = zip(images, splits, strict=True)
    return [image for image, split in pairs if split is Split.UNASSIGNED]


def _splits_from_folders(images: Sequence[str]) -> list[Split]:
    parents = [split_path(image)[0] for image in images]
    splits = {parent: folder_split(parent) for parent in set(parents)}
    return [splits[parent] for parent in parents]


def _splits_from_lists(
    lists: Sequence[ImageList], index: _Index, findings: list[Finding]
) -> dict[int, Split]:
    """Image index -> split. In case of conflict, test overrides val and val overrides train."""
    splits: dict[int, Split] = {}
    twice = set()
    for one in sorted(lists, key=lambda one: one.whole):
        unknown = []
        for line in one.lines:
            found = index.find(line, one)
            if not found:
                unknown.append(line.strip())
            for image in found:
                before = splits.setdefault(image, one.split)
                if before is not one.split and not (one.whole and before is Split.VAL):
                    twice.add(image)
                    splits[image] = max(before, one.split)
        if unknown:
            message = part_of(len(unknown), len(one.lines), "line", "names", "name")
            findings.append(
                Finding(
                    "BW117", one.path, f"{message} no labeled image ({_some(unknown)})", "skipped"
                )
            )
    for image in sorted(twice):
        kept = f"kept in {splits[image].name.lower()} only"
        findings.append(Finding("BW118", index.images[image], "is in several lists", kept))
    return splits


def _unassigned(
    where: str,
    unassigned: Sequence[str],
    images: Sequence[str],
    lists: str = "any of them",
    repair: str = "not used",
) -> Finding:
    message = (
        f"{part_of(len(unassigned), len(images), 'labeled image', 'is', 'are')} not in {lists}"
    )
    return Finding("BW119", where, f"{message} ({_some(unassigned)})", repair, tuple(unassigned))


def _image_sets(folder: Folder) -> list[ImageList]:
    """Lists such as ImageSets/Main/train.txt; otherwise VoTT's, such as `helmet_train.txt`."""
    plain, by_class = [], []
    paths = folder.with_suffix(".txt")
    if any(_is_below_image_sets(path, "main") for path in paths):
        paths = [path for path in paths if not _is_below_image_sets(path, *OTHER_TASKS)]
    for path in paths:
        parent, name = split_path(path)
        word = stem(name).lower()
        in_image_sets = "imagesets" in parent.lower().split("/")
        label, _, last = word.rpartition("_")
        if word in WORDS or word == EITHER:
            plain.append((path, word, False))
        elif in_image_sets and label and (last in WORDS or last == EITHER):
            by_class.append((path, last, True))
    return [
        ImageList(
            path,
            split=WORDS.get(word, Split.TRAIN),
            lines=[line for line in read_text(folder.root / path).splitlines() if line.strip()],
            whole=word == EITHER,
            numbered=numbered,
        )
        for path, word, numbered in plain or by_class
    ]


def _is_below_image_sets(path: str, *names: str) -> bool:
    return split_path(path)[0].lower().endswith(tuple(f"imagesets/{name}" for name in names))


def _csv_lists(folder: Folder) -> list[ImageList]:
    """Lists such as train_labels.csv and test_labels.csv."""
    lists = []
    for path in folder.with_suffix(".csv"):
        if (split := name_split(path)) is not Split.UNASSIGNED:
            lists.append(ImageList(path, split, listed_images(folder.root / path)))
    return lists


class _Index:
    """Find images by path or name, with or without suffix, in any case."""

    def __init__(self, images: Sequence[str]) -> None:
        self.images = images
        self._by_name: dict[str, list[int]] = {}
        for i, image in enumerate(images):
            name = folded(image)
            last = split_path(name)[1]
            for key in {name, stem(name), last, stem(last)}:
                self._by_name.setdefault(key, []).append(i)

    def find(self, line: str, source: ImageList) -> list[int]:
        """The images named in a line of a list; several if equally near images have that name."""
        for name in _readings(line, numbered=source.numbered):
            name = folded(with_slashes(name))
            found = self._by_name.get(name) or self._by_name.get(split_path(name)[1])
            if found:
                return found if len(found) == 1 else self._nearest(found, source)
        return []

    def _nearest(self, found: list[int], source: ImageList) -> list[int]:
        def shared(image: int) -> int:
            return shared_start(parts(source.path), parts(self.images[image]))

        splits = {i: folder_split(split_path(self.images[i])[0]) for i in found}
        fitting = [i for i in found if splits[i] in {Split.UNASSIGNED, source.split}] or found
        longest_path = max(map(shared, fitting))
        return [i for i in fitting if shared(i) == longest_path]


def _readings(line: str, *, numbered: bool) -> Iterator[str]:
    """The possible names in a line: `image 1` is one name, or a name and VOC's number."""
    whole = line.strip()
    shorter = [whole]
    while match := re.fullmatch(r"(.*\S)\s+[-+]?[0-9]+", shorter[-1]):
        shorter.append(match.group(1))
    if numbered and len(shorter) > 1:
        yield shorter.pop(1)
    yield from shorter


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more
