"""Find the images of each split of data.yaml, from folders, images and lists of images."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from boxwright.errors import DataError
from boxwright.formats.claims import ROOT
from boxwright.formats.folder import (
    Folder,
    folded,
    join,
    parts,
    shared_end,
    split_path,
    with_slashes,
)
from boxwright.formats.splits import folder_split
from boxwright.formats.yolo.yaml_file import Description
from boxwright.io.text import read_text
from boxwright.structures.dataset import Split
from boxwright.structures.findings import Finding, counted, part_of


@dataclass(frozen=True)
class Placed:
    """The images of data.yaml files.

    Attributes:
        splits: image -> its split; UNASSIGNED if two splits are the same images.
        owners: image -> the descriptions that name it.
        lists: the image lists that were read.
        findings: problems in the data.
    """

    splits: dict[str, Split]
    owners: dict[str, list[Description]]
    lists: list[str]
    findings: list[Finding]


@dataclass
class _Finder:
    """Find the images of the entries of data.yaml files.

    An entry is resolved relative to the file's folder and to its `path`. Descriptions move between
    machines and folders, so other entries are searched by their last parts: `../train/images` and
    `C:\\images\\train\\images` are both `train/images`.
    """

    folder: Folder
    lists: list[str] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._images = {*self.folder.image_paths()}
        self._texts = set(self.folder.with_suffix(".txt"))
        self._by_name: dict[str, list[str]] = {}
        for image in sorted(self._images):
            self._by_name.setdefault(folded(split_path(image)[1]), []).append(image)

    def images_of(self, description: Description, split: Split) -> set[str]:
        """The images of a split in a description; entries without images become findings."""
        images: set[str] = set()
        for entry in description.splits.get(split, ()):
            found = self._entry(entry, description)
            if not found:
                message = f"{split.name.lower()}: '{entry}' matches no image here"
                self.findings.append(Finding("BW117", description.path, message, "skipped"))
            images |= found
        return images

    def _entry(self, entry: str, description: Description) -> set[str]:
        for place in _readings(entry, description):
            if place in self._texts:
                self.lists.append(place)
                return self._listed(place, description)
            if place in self._images:
                return {place}
            inside = f"{place}/" if place else ""
            around = self.folder.images
            parents = [one for one in around if one == place or one.startswith(inside)]
            if parents:
                return {join(parent, name) for parent in parents for name in around[parent]}
        return set()

    def _listed(self, path: str, description: Description) -> set[str]:
        """The images in a list with one path per line."""
        try:
            text = read_text(self.folder.root / path)
        except DataError as error:
            self.findings.append(Finding(error.code, path, error.message, "skipped"))
            return set()
        here, there = split_path(path)[0], split_path(description.path)[0]
        around = dict.fromkeys((here, join(there, _cleaned(description.base)), there, ""))
        lines = [line.strip() for line in text.splitlines() if line.strip()]
        found = [self._image(line, list(around)) for line in lines]
        unknown = [line for line, image in zip(lines, found, strict=True) if image is None]
        if unknown:
            message = (
                f"{part_of(len(unknown), len(lines), 'line', 'matches', 'match')} no image here "
                f"({unknown[0]})"
            )
            self.findings.append(Finding("BW117", path, message, "skipped"))
        return {image for image in found if image is not None}

    def _image(self, line: str, around: Sequence[str]) -> str | None:
        """The image at the path of the line, otherwise the one with the longest common path end."""
        named = _cleaned(line)
        for parent in around:
            place = posixpath.normpath(join(parent, named))
            if place in self._images:
                return place
        candidates = self._by_name.get(folded(split_path(named)[1]), [])
        wanted = parts(folded(named))
        likeness = [shared_end(wanted, parts(folded(image))) for image in candidates]
        best = max(likeness, default=0)
        return candidates[likeness.index(best)] if likeness.count(best) == 1 else None


def place_images(folder: Folder, described: Sequence[Description]) -> Placed:
    """Find the images of the descriptions, and their splits."""
    finder = _Finder(folder)
    members: dict[Split, set[str]] = {split: set() for split in Split}
    owners: dict[str, list[Description]] = {}
    for description in described:
        images_of = {split: finder.images_of(description, split) for split in description.splits}
        for split, images in images_of.items():
            members[split] |= images
        for image in set().union(*images_of.values()):
            owners.setdefault(image, []).append(description)
    findings = finder.findings
    train = members[Split.TRAIN]
    same = [split for split in (Split.VAL, Split.TEST) if train and members[split] == train]
    if same:
        words = " and ".join(split.name.lower() for split in (Split.TRAIN, *same))
        message = f"{words} are the same images"
        findings.append(Finding("BW118", described[0].path, message, "no split is used"))
        members[Split.UNASSIGNED] = train
        for split in (Split.TRAIN, *same):
            members[split] = set()
    splits: dict[str, Split] = {}
    twice = []
    for split in sorted(members):
        for image in sorted(members[split]):
            if splits.get(image, Split.UNASSIGNED) is not Split.UNASSIGNED:
                twice.append(image)
            splits[image] = split
    if twice:
        message = (
            f"{counted(len(twice), 'image is', 'images are')} in more than one of train, val and "
            "test"
        )
        kept = "kept in test if listed there, otherwise in val"
        findings.append(Finding("BW118", described[0].path, message, kept, tuple(twice)))
    return Placed(splits, owners, finder.lists, findings)


def _readings(entry: str, description: Description) -> Iterator[str]:
    """Yield the possible paths of an entry below the root, the most likely first."""
    here = split_path(description.path)[0]
    entry, base = _cleaned(entry), _cleaned(description.base)
    for start in (posixpath.join(base, entry), entry):
        place = posixpath.normpath(join(here, start))
        if not ROOT.match(start) and place.split("/")[0] != "..":
            yield "" if place == "." else place
    names = [part for part in entry.split("/") if part not in {"", ".", ".."} and ":" not in part]
    for dropped in range(len(names)):
        rest = names[dropped:]
        if _says_split(names[:dropped]) and not _says_split(rest):
            return  # /home/me/test/images is not the folder of all images
        for parent in dict.fromkeys((here, "")):
            yield join(parent, "/".join(rest))


def _says_split(names: Sequence[str]) -> bool:
    return folder_split("/".join(names)) is not Split.UNASSIGNED


def _cleaned(path: str) -> str:
    path = with_slashes(path.strip()).removesuffix("/")
    return re.sub(r"^(?:\./)+", "", path)
