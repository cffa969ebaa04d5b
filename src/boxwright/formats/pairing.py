"""Match annotations to images in any folder layout."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from boxwright.formats.annotations import Labeled
from boxwright.formats.folder import Folder, folded, join, outwards, split_path, stem
from boxwright.formats.splits import folder_split
from boxwright.structures.dataset import WHOLE_FILE, Split

IMAGE_FOLDERS = frozenset({"jpegimages", "images", "image", "imgs", "img", "photos", "pictures"})
MASK_FOLDERS = frozenset({"trimaps", "masks", "segmentationclass", "segmentationobject"})
ABSOLUTE = re.compile(r"/|[A-Za-z]:")


@dataclass
class Pairing:
    """Finds images by name.

    An annotation file of one image belongs to the image with the same stem, as labeling tools save
    it, otherwise to the image that it names. A name with folders is resolved relative to the
    annotation's folder and its parents. Other names are searched beside the annotation, then in
    wider and wider folders until half of the neighboring annotations have an image, so that two
    datasets in one folder do not share images.
    """

    folder: Folder
    _known: dict[str, dict[str, str]] = field(default_factory=dict, repr=False)

    def images_of(self, annotations: Sequence[Labeled]) -> list[str | None]:
        """Path of each annotation's image below the root, or None."""
        groups: dict[tuple[str, Split], list[int]] = {}
        for i, annotation in enumerate(annotations):
            key = split_path(annotation.path)[0], annotation.split
            groups.setdefault(key, []).append(i)
        images: list[str | None] = [None] * len(annotations)
        for (parent, split), members in groups.items():
            around = outwards(parent)
            exact = [self._led_to(annotations[i], around) for i in members]
            best: list[str | None] = [None] * len(members)
            for scope in around:
                near = self._image_folders(parent, scope, split)
                found = [
                    led_to or self._find(annotations[i], near)
                    for i, led_to in zip(members, exact, strict=True)
                ]
                if found.count(None) < best.count(None):
                    best = found
                if 2 * best.count(None) <= len(members):
                    break
            for i, image in zip(members, best, strict=True):
                images[i] = image
        return images

    def leaves_folder(self, annotation: Labeled) -> bool:
        """True if the image named by the annotation would be outside of the data folder.

        A foreign absolute path is harmless if the folder has an image with its last name.
        """
        if annotation.byte_range != WHOLE_FILE:
            return False
        named = annotation.image.replace("\\", "/")
        parent, _ = split_path(annotation.path)
        if ABSOLUTE.match(named):
            last = named.rpartition("/")[2]
            return not any(self._lookup(near, last) for near in self.folder.images)
        if ".." not in named.split("/"):
            return False
        return posixpath.normpath(join(parent, named)).split("/")[0] == ".."

    def _image_folders(self, parent: str, scope: str, split: Split) -> list[str]:
        """Folders with images below `scope`, nearest to `parent` first.

        `parent` itself is first, then a folder that mirrors it, as JPEGImages/day 2 mirrors
        Annotations/day 2. Folders of another split than that of `parent` are excluded; folders of
        another split than the annotation states are last. Folders of masks are excluded, because
        masks have the names of their images.
        """
        own_split = folder_split(parent)
        masks = MASK_FOLDERS.difference(folded(parent).split("/"))
        near = [
            other
            for other in self.folder.images
            if (not scope or other == scope or other.startswith(f"{scope}/"))
            and _agree(own_split, folder_split(other))
            and masks.isdisjoint(folded(other).split("/"))
        ]

        def rank(other: str) -> tuple[bool, bool, bool, int, bool, str]:
            unfit = not _agree(split, folder_split(other))
            strange = not _mirrors(parent, other)
            return unfit, other != parent, strange, _steps(parent, other), _unusual(other), other

        return sorted(near, key=rank)

    def _led_to(self, annotation: Labeled, around: Sequence[str]) -> str | None:
        """The image in the annotation file itself, or at the path that its name states."""
        if annotation.byte_range != WHOLE_FILE:
            return join(annotation.path, annotation.image)
        parts = annotation.image.replace("\\", "/").split("/")
        if annotation.alone and _folded_stem(parts[-1]) != _own_stem(annotation):
            return None
        for start in range(len(parts) - 1):
            for base in around:
                parent = posixpath.normpath(join(base, "/".join(parts[start:-1])))
                parent = "" if parent == "." else parent
                if parent in self.folder.images and (image := self._lookup(parent, parts[-1])):
                    return join(parent, image)
        return None

    def _find(self, annotation: Labeled, near: Sequence[str]) -> str | None:
        own = stem(split_path(annotation.path)[1]) if annotation.alone else ""
        named = annotation.image.replace("\\", "/").rpartition("/")[2]
        names = (named, own) if folded(stem(named)) == folded(own) else (own, named)
        for name in names:
            for parent in near if name else ():
                if image := self._lookup(parent, name):
                    return join(parent, image)
        return None

    def _lookup(self, parent: str, name: str) -> str | None:
        """The image in `parent` with this name, with or without suffix, in any case."""
        known = self._known.get(parent)
        if known is None:
            known = self._known[parent] = {}
            names = self.folder.images[parent]
            for keys in (names, map(folded, names), map(stem, names), map(_folded_stem, names)):
                for key, image in zip(keys, names, strict=True):
                    known.setdefault(key, image)
        return known.get(name) or known.get(folded(name))


def _agree(one: Split, other: Split) -> bool:
    return Split.UNASSIGNED in {one, other} or one is other


def _own_stem(annotation: Labeled) -> str:
    return _folded_stem(split_path(annotation.path)[1])


def _folded_stem(name: str) -> str:
    return folded(stem(name))


def _steps(start: str, end: str) -> int:
    """Number of steps up and down from one folder to the other."""
    first, second = (path.split("/") if path else [] for path in (start, end))
    common = len(posixpath.commonprefix([first, second]))
    return len(first) + len(second) - 2 * common


def _mirrors(parent: str, other: str) -> bool:
    """True if two paths differ in exactly one folder name, which is not the last."""
    first, second = parent.split("/"), other.split("/")
    differing = [i for i, (a, b) in enumerate(zip(first, second, strict=False)) if a != b]
    return len(first) == len(second) and len(differing) == 1 and differing[0] < len(first) - 1


def _unusual(parent: str) -> bool:
    """True if no part of the path is a usual name of an image folder."""
    return IMAGE_FOLDERS.isdisjoint(parent.lower().split("/"))
