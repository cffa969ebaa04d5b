"""The place of an image, and what an annotation says about it, in comparable parts.

All names and folders are `folded`, except where they are called raw.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from boxwright.formats.annotations import Labeled
from boxwright.formats.folder import (
    Folder,
    Parts,
    folded,
    join,
    outwards,
    parts,
    split_path,
    stem,
    with_slashes,
)
from boxwright.formats.names import Comparison
from boxwright.formats.splits import folder_split, name_split
from boxwright.images.kinds import UNOPENED, names_image, suffix_of
from boxwright.structures.dataset import WHOLE_FILE, Split

IMAGE_FOLDERS = frozenset(
    {"jpegimages", "images", "image", "imgs", "img", "image_2", "photos", "pictures"}
)
LABEL_FOLDERS = frozenset(
    {"annotations", "annotation", "ann", "labels", "label", "label_2", "xmls", "xml"}
)
MASK_FOLDERS = frozenset({"trimaps", "masks", "segmentationclass", "segmentationobject"})
ROOT = re.compile(r"^(?:[A-Za-z][A-Za-z0-9+.-]*:|/)+")  # drives, schemes and roots of paths
NO_SPLIT = frozenset({Split.UNASSIGNED})
OWN, OUTWARD, PARALLEL, SPLIT_PARALLEL, TAIL = range(5)  # ranks, surest first


class Location(NamedTuple):
    """A place relative to folders of images: two locations are the same if both fields are equal.

    Kinds: `at` a folder, in the `parallel` of a folder of annotations, the same with folders of
    splits left out (`split parallel`), and in any folder whose path ends in the `tail`.
    """

    kind: str
    parts: Parts


@dataclass(frozen=True, slots=True)
class Home:
    """A folder of images."""

    folder: str
    parts: Parts
    core: Parts
    raw: Parts
    split: Split
    is_mask: bool
    locations: frozenset[Location]

    @classmethod
    def of(cls, raw: str) -> Home:
        folder = folded(raw)
        own, inner = parts(folder), core(folder)
        locations = {
            Location("at", own),
            Location("parallel", inner),
            Location("split parallel", without_splits(inner)),
            *(Location("tail", own[start:]) for start in range(len(own) + 1)),
        }
        split = folder_split(folder)
        return cls(folder, own, inner, parts(raw), split, is_mask(folder), frozenset(locations))


class Candidate(NamedTuple):
    """An image that annotations may belong to, with its raw path below the root."""

    path: str
    name: str
    home: Home


class Claim(NamedTuple):
    """What an annotation says about the place of its image.

    Attributes:
        where: file and position, to decide between equal claims.
        folder: of the annotation; `core`, `split` and `is_mask` are those of this folder.
        said: the split that the annotation states.
        splits: those that it speaks of: this one, and those of its folder and its stated path.
        names: file names to look for: the annotation's own before the stated one.
        name: the stated file name.
        stated: the folders of the stated path; `rooted` if they start at a drive or root.
        alone: true if the file describes one image, which may have the file's stem.
        hints: folders that decide between images in equally good locations.
        raw_names: `names` and `raw` the folder, to decide between names that differ in case.
        repeated: true if several records of the file state the same path.
        anywhere: true if the name is unique in its dataset.
    """

    where: str
    folder: str
    core: Parts
    split: Split
    is_mask: bool
    said: Split
    splits: frozenset[Split]
    names: Parts
    name: str
    stated: Parts
    rooted: bool
    alone: bool
    hints: tuple[Parts, ...]
    raw_names: Parts
    raw: Parts
    repeated: bool
    anywhere: bool

    @classmethod
    def of(cls, one: Labeled) -> Claim:
        raw_folder, file = split_path(with_slashes(one.path))
        named = with_slashes(one.image)
        raw_lead, raw_name = split_path(ROOT.sub("", named))
        folder, lead, name = folded(raw_folder), folded(raw_lead), folded(raw_name)
        own = stem(file)
        names: Parts = (folded(own), name) if one.alone else (name,)
        if suffix_of(name) in UNOPENED:  # it is here only if it was converted
            names += (stem(name),)
        hint = folded(split_path(with_slashes(one.hint))[0])
        return cls(
            where=one.where,
            folder=folder,
            core=core(folder),
            split=folder_split(folder),
            is_mask=is_mask(folder),
            said=said_split(one),
            splits=frozenset(
                {said_split(one), folder_split(folder), folder_split(lead)} - NO_SPLIT
            ),
            names=tuple(dict.fromkeys(each for each in names if each)),
            name=name,
            stated=tuple(part for part in parts(lead) if part not in {"", "."}),
            rooted=ROOT.match(named) is not None,
            alone=one.alone,
            hints=(parts(hint), (*parts(folder), folded(own))),
            raw_names=(raw_name, own) if one.alone else (raw_name,),
            raw=parts(raw_lead or raw_folder),
            repeated=one.repeated,
            anywhere=one.anywhere,
        )

    @property
    def tail(self) -> Parts:
        """Folders that the path of its image should end in."""
        return self.stated[self.out :] if self.stated else self.core

    @property
    def out(self) -> int:
        """Number of stated folders up to the last `..`."""
        return max((i + 1 for i, part in enumerate(self.stated) if part == ".."), default=0)

    def strays(self, home: Home) -> bool:
        """True if a folder of images is that of another split than those it speaks of."""
        return bool(self.splits) and home.split not in self.splits | NO_SPLIT

    def hinted(self, home: Home) -> Parts:
        """The folder that its hint names, if the image is in a folder of another own name."""
        named = self.hints[0][-1:]
        known = not home.core or IMAGE_FOLDERS.union(home.parts).issuperset(named)
        return () if known else named

    def other_suffix(self, image: Candidate, names: Comparison) -> str:
        """The stated suffix if the image has the stated name, but for its suffix; else empty."""
        if not names_image(self.name) or names.match(self.name, image.name):
            return ""
        return suffix_of(self.name) if names.match(stem(self.name), stem(image.name)) else ""

    def locations(self, name: str) -> Iterator[tuple[int, Location, Parts]]:
        """Where an image of this name may be, best first: rank, place, and the ignored folders.

        A stated path with folders leads to the image; any other name is looked for around the
        annotation.
        """
        lead = "" if self.rooted else "/".join(self.stated)
        around = not self.stated or (self.alone and name == self.names[0])
        if lead:
            yield OWN, _at(join(self.folder, lead)), ()
        if around:
            yield OWN, _at(self.folder), ()
        if lead:
            for base in outwards(self.folder)[1:]:
                yield OUTWARD, _at(join(base, lead)), ()
            if inner := core(_normal(join(self.folder, lead))):
                yield PARALLEL, Location("parallel", inner), ()
        if around:
            yield PARALLEL, Location("parallel", self.core), ()
            yield SPLIT_PARALLEL, Location("split parallel", without_splits(self.core)), ()
        tail, out = self.tail, self.stated[: self.out]
        for start in range(len(tail) + 1):
            yield TAIL + start, Location("tail", tail[start:]), (*out, *tail[:start])


def candidates(folder: Folder) -> Iterator[Candidate]:
    """All images of a data folder. A backslash in a file's name counts as a separator, because in
    annotations it is one."""
    for parent, names in folder.images.items():
        home = Home.of(with_slashes(parent))
        for name in names:
            inner, last = split_path(with_slashes(name))
            place = Home.of(join(home.folder, inner)) if inner else home
            yield Candidate(join(parent, name), folded(last), place)


def said_split(one: Labeled) -> Split:
    """The split that an annotation states, or that the name of its list does."""
    return name_split(one.path) if one.split in NO_SPLIT and not one.alone else one.split


def is_apart(one: Labeled) -> bool:
    """True if the image is a file of its own, not bytes in the annotation file."""
    return one.byte_range == WHOLE_FILE


def exact_paths(folder: Folder, annotations: Sequence[Labeled]) -> list[str]:
    """The image of each annotation, if each states the path of another one; else nothing.

    No other claims are as sure as these, so that they need not be compared.
    """
    if not all(is_apart(one) and not one.alone and ":" not in one.image for one in annotations):
        return []
    stated = [join(split_path(one.path)[0], one.image) for one in annotations]
    left = set(stated)
    if len(left) < len(stated):
        return []
    for parent, files in folder.images.items():
        left.difference_update([join(parent, name) for name in files])
    return [] if left else stated


def leaves_folder(one: Labeled) -> bool:
    """True if the annotation names an image outside of the data folder."""
    named = with_slashes(one.image)
    inside = posixpath.normpath(join(split_path(one.path)[0], named)).split("/")[0] != ".."
    return is_apart(one) and (bool(ROOT.match(named)) or not inside)


@lru_cache(maxsize=1024)
def core(folder: str) -> Parts:
    """The parts of a folder that are not merely called after images or annotations."""
    usual = IMAGE_FOLDERS | LABEL_FOLDERS
    return tuple(part for part in parts(folder) if part not in usual)


def without_splits(folders: Parts) -> Parts:
    return tuple(part for part in folders if folder_split(part) is Split.UNASSIGNED)


@lru_cache(maxsize=1024)
def is_mask(folder: str) -> bool:
    return not MASK_FOLDERS.isdisjoint(parts(folder))


def is_for_labels(folder: Parts) -> bool:
    """True if a folder is called after annotations, so that images in it are only previews."""
    return bool(folder) and folder[-1] in LABEL_FOLDERS


def _at(folder: str) -> Location:
    return Location("at", parts(_normal(folder)))


def _normal(folder: str) -> str:
    """A path without `.` and `..`, as far as they can be resolved."""
    path = posixpath.normpath(folder) if folder else ""
    return "" if path == "." else path
