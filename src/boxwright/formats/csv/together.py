"""The images of several CSV files, and of rows with several splits, put together.

Rows with the same path are of one image. A file name alone may be that of several, as of frames
that are numbered in each clip. It is that of one if the image is beside several files, if they
have a box in common, or if the rows of one file go on in another one. Otherwise the rows of each
split, or of each file, are those of an image in a folder that is called after it, and so are the
others of that file if there is such a folder. Files with different boxes for one object, as of two
people, are not joined.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Protocol

from boxwright.formats.annotations import Labeled
from boxwright.formats.folder import Folder, folded, join, parts, split_path, stem
from boxwright.formats.same_image import are_versions
from boxwright.formats.splits import folder_split
from boxwright.structures.dataset import Split


class ReadFile(Protocol):
    """A file that was read.

    Attributes:
        split: of all its images; UNASSIGNED if it does not say so.
        replaced: number of its boxes that the lists of splits lack.
    """

    path: str
    split: Split
    replaced: int

    @property
    def labeled(self) -> Iterable[Labeled]: ...


def put_together(folder: Folder, files: Sequence[ReadFile]) -> list[Labeled]:
    """The images of all files: those for testing, validation and training first.

    A list of all images beside those of the splits only adds the images that these lack.
    """
    groups: dict[tuple[str, str], list[Labeled]] = defaultdict(list)
    listed: dict[str, dict[str, Labeled]] = {}  # file name of an assigned image -> by path
    for file in sorted(files, key=lambda file: -file.split):
        parent = split_path(file.path)[0]
        for one in file.labeled:
            name = folded(one.image)
            last = split_path(name)[1]
            if file.split is not Split.UNASSIGNED:
                listed.setdefault(last, {})[name] = one
            elif used := _replacement(listed.get(last, {}), name, last):
                file.replaced += used.lacks(one)
                continue
            groups[parent, name].append(one)
    alone = [group[0] for group in groups.values() if len(group) == 1]
    if len(alone) == len(groups):
        return alone
    here = {*map(folded, folder.image_paths())}
    folders = {part for parent in folder.images for part in parts(parent)}
    words = {folder_split(part): part for part in sorted(folders, reverse=True)}
    images: list[Labeled] = []
    homes: dict[tuple[str, Split], str] = {}
    continued = _continued(folder, files)
    for (parent, name), group in groups.items():
        is_beside = folded(join(parent, name)) in here
        goes_on = (parent, name) in continued and len({one.path for one in group}) == 2
        is_path = "/" in name or goes_on
        by_class = _is_by_class(group, folders)
        joined = _joined(group, is_one=is_path or is_beside or by_class, by_class=by_class)
        by_file = len({one.path for one in joined}) == len(joined)
        is_one = is_path or (is_beside and by_file) or _is_by_class(joined, folders)
        if not is_one and not all(joined[0].is_copy_of(other) for other in joined[1:]):
            homes |= _tell_apart(joined, words)
        images += joined
    for one in images:
        home = homes.get((one.path, one.split), "")
        if home in folders and not one.record and "/" not in one.image:
            _move(one, home)
    return images


def _replacement(listed: Mapping[str, Labeled], name: str, last: str) -> Labeled | None:
    """The image of a list of a split that has this name, or one of them."""
    if listed and (name == last or not listed.keys().isdisjoint({name, last})):
        return listed.get(name) or listed.get(last) or next(iter(listed.values()))
    return None


def _continued(folder: Folder, files: Iterable[ReadFile]) -> set[tuple[str, str]]:
    """Folder of the files and name of images whose rows begin in one file and end in the next.

    The two share no other image, and there is a folder with all images of both.
    """
    named = {file.path: [folded(one.image) for one in file.labeled] for file in files}
    firsts: dict[tuple[str, str], list[str]] = defaultdict(list)
    for path, names in named.items():
        if len(names) > 1:
            firsts[split_path(path)[0], names[0]].append(path)
    folders = [{*map(folded, names)} for names in folder.images.values()]
    continued = set()
    for path, names in named.items():
        place = (split_path(path)[0], names[-1]) if len(names) > 1 else ("", "")
        for other in firsts.get(place, ()):
            both = {*names, *named[other]}
            is_cut = len(both) == len(names) + len(named[other]) - 1
            if is_cut and any(both <= here for here in folders):
                continued.add(place)
    return continued


def _is_by_class(group: Sequence[Labeled], folders: Collection[str]) -> bool:
    """True if each file has boxes of its own classes alone: there is one for each class.

    Files of clips, after which folders of images are called, may have such boxes too.
    """
    classes: dict[str, set[str]] = defaultdict(set)
    for one in group:
        classes[one.path].update(one.names)
    if any(stem(split_path(path)[1]) in folders for path in classes):
        return False
    together = set[str]().union(*classes.values())
    return len(classes) > 1 and sum(map(len, classes.values())) == len(together)


def _joined(group: Iterable[Labeled], *, is_one: bool, by_class: bool) -> list[Labeled]:
    """The images, with the boxes of all records of each: those of one split and unit."""
    joined: list[Labeled] = []
    for one in group:
        for known in joined:
            if known.relative != one.relative:
                continue
            # rows of one file may state several splits of a path
            in_splits = "/" in one.image and known.path == one.path
            is_same = known.split is one.split and (is_one or known.is_copy_of(one))
            may_differ = known.path == one.path or by_class
            if in_splits or (is_same and (may_differ or not are_versions(known, one))):
                known.add_missing(one)
                known.split = max(known.split, one.split)
                break
        else:
            joined.append(one)
    return joined


def _tell_apart(
    images: Sequence[Labeled], words: Mapping[Split, str]
) -> dict[tuple[str, Split], str]:
    """Add the folder to names that are equal; `words` are what folders of splits are called.

    Returns:
        The folder of the images of each file and split. If there is such a folder, it is that of
        the other rows too.
    """
    by_split = len({one.split for one in images}) == len(images)
    homes = {}
    for one in images:
        word = one.split.name.lower()
        if one.split is not Split.UNASSIGNED:
            word = words.get(one.split, word)
        home = homes[one.path, one.split] = word if by_split else stem(split_path(one.path)[1])
        _move(one, home)
    return homes


def _move(one: Labeled, home: str) -> None:
    one.record, one.image = one.image, f"{home}/{one.image}"
