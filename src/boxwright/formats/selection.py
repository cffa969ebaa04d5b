"""Which format of a folder is read, where its files are of several."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from boxwright.errors import DataError
from boxwright.formats.annotations import Format, Labeled
from boxwright.formats.folder import Folder, folded, split_path, stem, with_slashes
from boxwright.formats.ownership import Ownership
from boxwright.formats.same_image import says_more
from boxwright.formats.unread import unread
from boxwright.structures.dataset import WHOLE_FILE
from boxwright.structures.findings import Finding, counted


class Chosen(NamedTuple):
    """The annotations of the format that is read.

    Attributes:
        name: of the format.
        own: its annotations with their images, and findings about annotations in other formats.
        unused: number of annotations in other formats that `own` may lack.
        unread: the annotations have the paths of label files that nobody has read yet.
    """

    name: str
    own: Ownership
    unused: int = 0
    unread: bool = False


def choose(folder: Folder, found: Mapping[str, Format]) -> Chosen:
    """Read the format with the most images here; the first one of `found` if several have as many.

    A damaged file counts as one with an image, so that it is reported and not passed over.

    Raises:
        DataError: as the reader of the first format if none can be read.
    """
    read: dict[str, Ownership] = {}
    errors: list[DataError] = []
    for name, form in found.items():
        try:
            read[name] = Ownership(folder, form.read(folder))
        except DataError as error:
            errors.append(error)
    if not read:
        raise errors[0]
    best = max(read, key=lambda name: len(read[name].paired) + len(_broken_files(read[name])))
    own, unused = read.pop(best), 0
    files = _files(own)
    for other in read.values():
        own.give_up(other)
    for name, other in read.items():
        more = [one for one in _lacking(own, other) if one.path not in files]
        if more:
            unused += len(more)
            own.labels.findings.append(_unused(found[name].TITLE, name, more))
            _withhold(own, other, more)
    return Chosen(best, own, unused + name_unread(own, read.values()))


def name_unread(own: Ownership, others: Iterable[Ownership] = ()) -> int:
    """Add findings about files in formats that are not read; returns their number."""
    if not (own.labels.images or own.labels.broken):
        return 0  # an error names them
    known = {finding.where for one in (own, *others) for finding in one.labels.findings}
    used = known.union(*map(_files, (own, *others)))
    found = list(unread(own.folder, used, own.labels.assumed.keys() - own.paired.keys()))
    own.labels.findings += found
    return len(found)


def _files(own: Ownership) -> set[str]:
    return {one.path for one in own.labels.images} | _broken_files(own)


def _broken_files(own: Ownership) -> set[str]:
    return {re.split(r":\d+$|, ", one.where)[0] for one in own.labels.broken}


def _lacking(own: Ownership, other: Ownership) -> list[Labeled]:
    """The annotations of `other` that `own` may lack.

    It has those whose image it has with the same boxes. An image in a file of `other` is that of
    the same name here, and a guessed one is the same only if its boxes have the same classes.
    Annotations without an image are equal if they have the same name and classes.
    """
    homes = {id(one): image for image, one in other.paired.items()}
    paired = {id(one) for one in own.paired.values()}
    homeless: dict[str, Counter[str]] = defaultdict(Counter)
    for one in own.labels.images:
        if id(one) not in paired:
            homeless[_stem(one)] |= Counter(one.names)
    same_classes = not _classes(own).isdisjoint(_classes(other))
    stems = {(_stem(one), *sorted(one.names)) for one in own.paired.values()}

    def lacks(one: Labeled) -> bool:
        image = homes.get(id(one))
        if image is None:
            return _stem(one) not in homeless or not Counter(one.names) <= homeless[_stem(one)]
        if one.byte_range != WHOLE_FILE:
            return (_stem(one), *sorted(one.names)) not in stems
        if image not in own.paired:
            return True
        known, strict = own.paired[image], image in other.guessed
        if strict and sorted(known.names) != sorted(one.names):
            return True
        return says_more(known, one, same_classes=same_classes)

    return [one for one in other.labels.images if lacks(one)]


def _withhold(own: Ownership, other: Ownership, more: list[Labeled]) -> None:
    """Leave out the images without boxes that have some in the other format."""
    homes = {id(one): image for image, one in other.paired.items()}
    empty = {image for image, one in own.paired.items() if not one.names}
    by_stem: dict[str, list[str]] = defaultdict(list)
    for image in sorted(empty):
        by_stem[_stem(own.paired[image])].append(image)
    for one in more:
        is_file = one.byte_range == WHOLE_FILE
        images = [homes.get(id(one), "")] if is_file else by_stem[_stem(one)]
        for image in empty.intersection(images) if one.names else ():
            own.withhold(image, one)
            empty.remove(image)


def _classes(own: Ownership) -> set[str]:
    return {folded(name) for one in own.labels.images for name in one.names}


def _stem(one: Labeled) -> str:
    return folded(stem(split_path(with_slashes(one.image or one.path))[1]))


def _unused(title: str, name: str, more: list[Labeled]) -> Finding:
    files = list(dict.fromkeys(one.path for one in more))
    boxes = sum(len(one.names) for one in more)
    message = (
        f"{title} has {counted(len(more), 'more annotation')} with "
        f"{counted(boxes, 'box', 'boxes')}, in "
        f"{'this file' if len(files) == 1 else f'{len(files)} files'}; --format {name} reads them"
    )
    return Finding("BW155", files[0], message, "not used")
