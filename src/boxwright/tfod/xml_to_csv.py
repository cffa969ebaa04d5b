"""Convert Pascal VOC xml files to one CSV list, like the second tutorial's xml_to_csv.py."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from boxwright.errors import DataError, TfodError
from boxwright.formats import FORMATS
from boxwright.formats.annotations import Labeled
from boxwright.formats.coordinates import Size
from boxwright.formats.csv.format import HEADER
from boxwright.formats.folder import Folder, split_path, stem
from boxwright.formats.pairing import pair
from boxwright.formats.tables import write_rows
from boxwright.images.decoding import read_header
from boxwright.structures.findings import counted
from boxwright.tfod.commands import Say, main
from boxwright.tfod.flags import flag


@dataclass(frozen=True, kw_only=True)
class Flags:
    """Write the boxes of a folder of Pascal VOC xml files to a CSV list, one box per row."""

    NAME = "xml_to_csv"
    EXAMPLE = "-i images/train -o annotations/train_labels.csv"

    input: Path = flag("Folder with the xml files. Subfolders are not read.", also="i")
    output: Path = flag("CSV list to write.", also="o")


def run(flags: Flags, say: Say) -> None:
    """Write the list. Images without boxes have no row.

    Raises:
        TfodError: BW705 there are no xml files.
        DataError: BW115 there is no such folder, BW141 a name cannot be written; others if an xml
            file is invalid.
    """
    folder = Folder.scan(flags.input)
    labels = FORMATS["voc"].read(folder)
    for one in labels.broken:
        raise DataError(one.code, f"{one.message}.", where=folder.root / one.where)
    images = [one for one in labels.images if "/" not in one.path]
    if not images:
        inside = sorted({split_path(one.path)[0] for one in labels.images})
        elsewhere = f", but there are some in {', '.join(inside[:5])}" if inside else ""
        raise TfodError(
            "BW705",
            f"found no Pascal VOC annotations here{elsewhere}.",
            where=flags.input,
            flag="-i",
        )
    rows = list(_rows(folder, images))
    write_rows(flags.output, [HEADER, *rows])
    say(f"{flags.output}: {counted(len(images), 'image')}, {counted(len(rows), 'box', 'boxes')}")


def _rows(folder: Folder, images: Sequence[Labeled]) -> Iterator[Sequence[object]]:
    """Yield a row for each box, with the values of the xml files."""
    for one, match in zip(images, pair(folder, images), strict=True):
        place = match.image
        width, height = _size(one, folder.root / place if place else None)
        name = place or one.image or f"{stem(one.path)}.jpg"
        for i, label in enumerate(one.names):
            sides = [_plain(side) for side in one.boxes[4 * i : 4 * i + 4]]
            yield name, width, height, label.strip(), *sides


def _size(one: Labeled, image: Path | None) -> Size:
    """Return the size in the xml file, or else that of the image."""
    if (one.size is None or min(one.size) <= 0) and image is not None:
        header = read_header(image)
        return Size(header.width, header.height)
    return one.size or Size(0, 0)


def _plain(side: float) -> float:
    return int(side) if side.is_integer() else side


if __name__ == "__main__":
    main(Flags.NAME)
