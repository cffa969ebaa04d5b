"""Small data folders that tests make: a module, since each folder of tests has a conftest."""

from __future__ import annotations

import gzip
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import escape

import numpy as np
from PIL import Image

from boxwright.structures.dataset import Dataset, Split

Box = tuple[str, float, float, float, float]
MOVED = "BW154"  # an image was found by the end of its stated path
CAT: Box = ("cat", 4, 6, 30, 40)


@dataclass
class VocFolder:
    """Makes small data folders: noise photos of 64 x 48 pixels with one cat each."""

    root: Path
    made: int = 0

    def image(
        self, path: str, size: tuple[int, int] = (64, 48), *, orientation: int | None = None
    ) -> None:
        self.made += 1
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        pixels = np.random.default_rng(self.made).integers(0, 256, (6, 8, 3), np.uint8)
        exif = Image.Exif()
        if orientation is not None:
            exif[0x0112] = orientation
        Image.fromarray(pixels).resize(size, Image.Resampling.NEAREST).save(target, exif=exif)

    def xml(
        self,
        path: str,
        boxes: Sequence[Box] = (CAT,),
        *,
        filename: str | None = "",
        size: tuple[int, int] | None = (64, 48),
    ) -> None:
        """An annotation; `filename` "" is the stem with .jpg, None leaves the tag out."""
        if filename == "":
            filename = Path(path).stem + ".jpg"
        lines = ["<annotation>"]
        if filename is not None:
            lines.append(f"<filename>{escape(filename)}</filename>")
        if size is not None:
            lines.append(f"<size><width>{size[0]}</width><height>{size[1]}</height></size>")
        for name, *sides in boxes:
            tags = zip(("xmin", "ymin", "xmax", "ymax"), sides, strict=True)
            bndbox = "".join(f"<{tag}>{value}</{tag}>" for tag, value in tags)
            lines.append(f"<object><name>{escape(name)}</name><bndbox>{bndbox}</bndbox></object>")
        self.text(path, "\n".join([*lines, "</annotation>"]))

    def pair(self, stem: str, boxes: Sequence[Box] = (CAT,)) -> None:
        """A photo and its annotation beside it."""
        self.image(f"{stem}.jpg")
        self.xml(f"{stem}.xml", boxes)

    def text(self, path: str, text: str) -> None:
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")


def lay(folder: VocFolder, files: dict[str, str]) -> Path:
    """A photo for each name of one, text files for the others."""
    for path, text in files.items():
        if path.endswith(".jpg"):
            folder.image(path)
        else:
            folder.text(path, text)
    return folder.root


def codes(dataset: Dataset) -> list[str]:
    return [finding.code for finding in dataset.findings]


def marks(dataset: Dataset) -> dict[str, str]:
    """Photo -> what it is for."""
    return {
        name: Split(mark).name.lower()
        for name, mark in zip(dataset.names, dataset.splits.tolist(), strict=True)
    }


def packed_gzip(content: bytes) -> bytes:
    """Compressed bytes without the time of day, so that test ids are the same in each process."""
    return gzip.compress(content, mtime=0)
