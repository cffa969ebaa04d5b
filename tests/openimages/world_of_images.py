"""A small Open Images with the layout of the real one, on a server that misbehaves as told."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache

import numpy as np
from PIL import Image

from boxwright.formats.openimages.format import HEADER
from misbehaving import Server

CLASSES = {
    "/m/014j1m": "Apple",
    "/m/0cyhj_": "Orange",
    "/m/02y6n": "French fries",
    "/m/081qc": "Wine",
    "/m/09tvcd": "Wine glass",
    "/m/0xyz": "Unused",
}
HIERARCHY_FILE = "2018_04/bbox_labels_600_hierarchy.json"
# Fruit has no boxes and is not in the list; a wine glass can have wine in it, as a part.
HIERARCHY = {
    "LabelName": "/m/0bl9f",
    "Subcategory": [
        {
            "LabelName": "/m/02xwb",
            "Subcategory": [
                {"LabelName": "/m/014j1m", "Subcategory": [{"LabelName": "/m/0cyhj_"}]},
                {"LabelName": "/m/nobox"},
            ],
        },
        {
            "LabelName": "/m/09tvcd",
            "Part": [{"LabelName": "/m/081qc", "Subcategory": [{"LabelName": "/m/02y6n"}]}],
        },
    ],
}
CLICKS = [f"XClick{i}{axis}" for axis in "XY" for i in range(1, 5)]
FILES = {
    "train": "v6/oidv6-train-annotations-bbox.csv",
    "validation": "v5/validation-annotations-bbox.csv",
    "test": "v5/test-annotations-bbox.csv",
}
LABELS = "v5/{}-annotations-human-imagelabels-boxable.csv"
OLD_LABELS = "2018_04/{0}/{0}-annotations-human-imagelabels-boxable.csv"
LABEL_HEADER = ("ImageID", "Source", "LabelName", "Confidence")
IMAGE_LISTS = {
    "train": "2018_04/train/train-images-boxable-with-rotation.csv",
    "validation": "2018_04/validation/validation-images-with-rotation.csv",
    "test": "2018_04/test/test-images-with-rotation.csv",
}
IMAGE_HEADER = (
    *("ImageID", "Subset", "OriginalURL", "OriginalLandingURL", "License", "AuthorProfileURL"),
    *("Author", "Title", "OriginalSize", "OriginalMD5", "Thumbnail300KURL", "Rotation"),
)
LICENSES = (
    "https://creativecommons.org/licenses/by/2.0/",
    "https://creativecommons.org/licenses/by/4.0/",
)
AUTHORS = ("Ada, of Paris", 'Bo "the bear"', "Çelik")
WITHOUT = 8  # images of each split without boxes
DESCRIPTIONS = "v7/oidv7-class-descriptions-boxable.csv"
WIDTH, HEIGHT = 40, 30


@dataclass
class World:
    """What the server has.

    Attributes:
        rows: split -> the cells of each row, without the clicks of the training file.
        labels: split -> the cells of each row of what people looked for.
    """

    server: Server
    rows: dict[str, list[list[str]]] = field(default_factory=dict)
    labels: dict[str, list[list[str]]] = field(default_factory=dict)

    def path(self, image: str) -> str:
        """Where the server has `train/0a1b`."""
        return f"bucket/{image}.jpg"

    def images_of(self, split: str, *names: str) -> set[str]:
        """The images of a split that have a box of one of these classes."""
        return {row[0] for row in self.rows[split] if CLASSES[row[2]] in names}

    def absent_from(self, split: str, name: str) -> set[str]:
        """The images of a split in which people looked for a class and did not find it."""
        rows = (row for row in self.labels[split] if CLASSES[row[2]] == name)
        return {row[0] for row in rows if row[3] == "0"}

    def boxes_of(self, split: str, *names: str) -> list[list[str]]:
        return [row for row in self.rows[split] if CLASSES[row[2]] in names]


def rows_of(count: int, rng: np.random.Generator) -> list[list[str]]:
    """The rows of `count` images, each with one to four boxes, of all classes but the last."""
    codes = list(CLASSES)[:-1]
    rows = []
    for number in sorted(rng.integers(0, 2**63, count).tolist()):
        for _ in range(int(rng.integers(1, 5))):
            xmin, xmax, ymin, ymax = (f"{v:.6f}" for v in np.sort(rng.random(4))[[0, 2, 1, 3]])
            flags = rng.integers(-1, 2, 5).astype(str).tolist()
            source = ("freeform", "xclick", "activemil")[int(rng.integers(0, 3))]
            code = codes[int(rng.integers(0, len(codes)))]
            rows.append([f"{number:016x}", source, code, "1", xmin, xmax, ymin, ymax, *flags])
    return rows


def table(header: Iterable[str], rows: Iterable[Iterable[str]]) -> bytes:
    return "".join(f"{','.join(row)}\n" for row in [header, *rows]).encode()


def labels_of(rows: list[list[str]], rng: np.random.Generator) -> list[list[str]]:
    """What people looked for: the classes of boxes, and some that are absent; also in images
    without boxes."""
    boxed: dict[str, set[str]] = {}
    for row in rows:
        boxed.setdefault(row[0], set()).add(row[2])
    for number in rng.integers(0, 2**63, WITHOUT).tolist():
        boxed[f"{number:016x}"] = set()
    labels = []
    for image in sorted(boxed):
        for code in list(CLASSES)[:-1]:
            source = ("verification", "crowdsource-verification")[int(rng.integers(0, 2))]
            if code in boxed[image]:
                labels.append([image, source, code, "1"])
            elif rng.random() < 0.5:
                labels.append([image, source, code, "0"])
    return labels


def image_list(split: str, images: Iterable[str]) -> bytes:
    """The list of images with authors and licenses."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(IMAGE_HEADER)
    for number, image in enumerate(sorted(images)):
        author = AUTHORS[number % len(AUTHORS)]
        license_ = LICENSES[number % 5 == 0]
        profile = f"https://example.org/{number % len(AUTHORS)}"
        page = f"https://example.org/{image}"
        writer.writerow(
            [image, split, f"{page}.jpg", page, license_, profile, author, "t", 9, "x=", "", 0.0]
        )
    return file.getvalue().encode()


@cache
def jpeg(image: str) -> bytes:
    """A picture that depends on the id."""
    rng = np.random.default_rng(int(image, 16))
    pixels = rng.integers(0, 255, (HEIGHT, WIDTH, 3), np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG")
    return file.getvalue()


def make(server: Server, counts: dict[str, int]) -> World:
    world = World(server)
    rng = np.random.default_rng(0)
    for split, count in counts.items():
        world.rows[split] = rows_of(count, rng)
        wide = split == "train"
        lines = [row + [f"{v:.6f}" for v in rng.random(8)] * wide for row in world.rows[split]]
        server.files[FILES[split]] = table([*HEADER, *(CLICKS * wide)], lines)
        world.labels[split] = labels_of(world.rows[split], np.random.default_rng(len(split)))
        labels = table(LABEL_HEADER, world.labels[split])
        server.files[LABELS.format(split)] = labels
        server.files[OLD_LABELS.format(split)] = labels
        images = {row[0] for row in (*world.rows[split], *world.labels[split])}
        server.files[IMAGE_LISTS[split]] = image_list(split, images)
        for image in images:
            server.files[world.path(f"{split}/{image}")] = jpeg(image)
    server.files[HIERARCHY_FILE] = json.dumps(HIERARCHY).encode()
    server.files[DESCRIPTIONS] = table(("LabelName", "DisplayName"), CLASSES.items())
    return world
