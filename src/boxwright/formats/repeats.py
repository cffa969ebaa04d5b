"""Combine records of one file that state the same image."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from boxwright.formats.annotations import Broken, Labeled, Labels
from boxwright.formats.folder import with_slashes
from boxwright.structures.findings import Finding, counted


def add_once(labels: Labels, path: str, records: Iterable[Labeled]) -> None:
    """Add the records of a file to the labels, with the boxes of all that state the same image.

    Records that give only a file name may mean different images of this name: frames of several
    clips, for example. They do if they state different sizes. They are marked as `repeated` unless
    they have a box in common, which shows that they are copies.

    Args:
        labels: gets the images, a finding, and an unusable part for each contradiction.
        path: the file, below the root.
        records: its records, each with its own boxes.
    """
    first: dict[tuple[str, str], Labeled] = {}
    unclear: set[tuple[str, str]] = set()
    count = 0
    for one in records:
        key = one.image, one.hint
        known = first.setdefault(key, one)
        if known is one:
            continue
        count += 1
        if sizes_differ(known, one):
            message = f"'{one.image}' is {one.size} pixels, but {known.size} in {known.where}"
            labels.broken.append(Broken("BW157", one.where, message))
            unclear.add(key)
        is_bare = "/" not in with_slashes(one.image)
        known.repeated |= is_bare and not one.hint and not known.shares_a_box(one)
        known.verified &= one.verified
        known.append(one)
    names = Counter(name for name, _ in first)
    for (name, hint), one in first.items():
        one.repeated |= names[name] > 1 and not hint
    labels.images += [one for key, one in first.items() if key not in unclear]
    if count and not unclear:
        message = f"{counted(count, 'record repeats', 'records repeat')} an image"
        labels.findings.append(Finding("BW113", path, message, "boxes combined"))


def sizes_differ(one: Labeled, other: Labeled) -> bool:
    """True if both records state a valid size of the image, and not the same one."""
    sizes = {record.size for record in (one, other) if record.size and min(record.size) > 0}
    return len(sizes) > 1
