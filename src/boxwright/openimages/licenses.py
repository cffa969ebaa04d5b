"""The licenses and authors of downloaded images."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from boxwright.errors import DataError
from boxwright.formats.tables import rows
from boxwright.openimages.sources import SPLITS, image_list_name
from boxwright.openimages.writing import images_here

UNKNOWN = "unknown"


@dataclass(frozen=True)
class ImageLicenses:
    """What the lists of images in a folder say about those that are there.

    Attributes:
        counts: license -> the number of its images, the most frequent first.
        authors: the number of authors.
        lists: the names of the lists.
    """

    counts: dict[str, int]
    authors: int
    lists: tuple[str, ...]


def image_licenses(folder: Path) -> ImageLicenses | None:
    """The licenses of the images in a folder of a download; None if it has no list of them."""
    counts: Counter[str] = Counter()
    authors: set[tuple[str, str]] = set()
    lists = []
    for split in SPLITS:
        path = folder / image_list_name(split)
        known: dict[str, tuple[str, str, str]] = {}
        try:
            table = rows(path)
            _, header = next(table, (0, []))
            for _, row in table:
                cells = dict(zip(header, row, strict=False))
                known[cells.get("ImageID", "")] = (
                    cells.get("License") or UNKNOWN,
                    cells.get("Author", ""),
                    cells.get("AuthorProfileURL", ""),
                )
        except (DataError, OSError):
            continue
        lists.append(path.name)
        for image in images_here(folder, split).tolist():
            license_, *author = known.get(f"{image:016x}", (UNKNOWN, "", ""))
            counts[license_] += 1
            authors.add((author[0], author[1]))
    if not lists:
        return None
    return ImageLicenses(dict(counts.most_common()), len(authors - {("", "")}), tuple(lists))
