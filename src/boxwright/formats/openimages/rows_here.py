"""The rows of an official file that are about images in a folder."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from boxwright.formats.annotations import Broken


@dataclass
class OfficialFile:
    """Reads one official file, which has the rows of millions of other images.

    Attributes:
        root, path: the file, and its path below the root.
        header: the names of its columns.
        here: the possible names of the images in the folder.
        elsewhere: the number of rows about other images.
        broken: what cannot be read.
    """

    root: Path
    path: str
    header: Sequence[str]
    here: set[bytes]
    elsewhere: int = 0
    broken: list[Broken] = field(default_factory=list)

    def rows(self) -> Iterator[tuple[int, str, list[str]]]:
        """Yield line, ImageID and cells of the rows of images in the folder.

        The millions of other rows are not parsed.
        """
        here, place = self.here, self.header.index("ImageID")
        try:
            with (self.root / self.path).open("rb") as file:
                for line, raw in enumerate(islice(file, 1, None), start=2):
                    cells = raw.split(b",", place + 1)
                    name = cells[place] if len(cells) > place else b""
                    quoted = name.startswith(b'"')
                    if name not in here and not quoted:
                        self.elsewhere += bool(raw.strip())
                        continue
                    row = _cells(raw)
                    if quoted:
                        name = row[place].encode() if len(row) > place else b""
                    if name in here:
                        yield line, name.decode("utf-8", "surrogateescape"), row
                    else:
                        self.elsewhere += 1
        except OSError as error:
            reason = f"cannot be read ({error.strerror or error})"
            self.broken.append(Broken("BW110", self.path, reason))


def _cells(raw: bytes) -> list[str]:
    """The cells of a line; empty if it is damaged."""
    try:
        return next(csv.reader([raw.decode("utf-8")]), [])
    except (UnicodeDecodeError, csv.Error):
        return []
