"""Data folders as they come to us: images of one name, deleted, renamed, named from elsewhere.

Each box has the class name of the image that it was drawn on, so that a box on any other image
shows. What nobody can know is left out: which of two images a bare name means, and whether an
image in a folder of its own took the place of one whose folder is gone, or of one in a folder of
another computer from which no image is known here.
"""

from __future__ import annotations

import json
import unicodedata
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from io import BytesIO
from pathlib import Path
from urllib.parse import quote
from xml.sax.saxutils import escape, quoteattr

import numpy as np
from hypothesis import strategies as st
from PIL import Image

WIDTH, HEIGHT = 40, 30
FOLDERS = ("", "cam1", "cam2", "day 1/cam1", "b")
STEMS = ("0001", "0002", "x y", "h\u00fctte", "50%25")
SUFFIXES = (".jpg", ".png")
STEM_ONLY = ("yolo", "kitti", "openimages")  # an image is known by its stem, and by boxes alone
SPACE = "\u00b7"  # in place of a space, where spaces separate columns


@dataclass(frozen=True)
class Shot:
    """An image as it was labeled.

    Attributes:
        folder: its folder, `name` its file name.
        boxes: number of boxes; None if it was never labeled.
        now: its file name today; None if it was deleted.
    """

    folder: str
    name: str
    boxes: int | None
    now: str | None

    @property
    def path(self) -> str:
        return f"{self.folder}/{self.name}".lstrip("/")

    @property
    def stem(self) -> str:
        return self.path.rpartition(".")[0]

    @property
    def path_now(self) -> str:
        return f"{self.folder}/{self.now}".lstrip("/")

    def drawn(self) -> list[tuple[float, float, float, float]]:
        return [(2.0 + i, 3.0, 20.0 + i, 25.0) for i in range(self.boxes or 0)]


@dataclass(frozen=True)
class World:
    """Images, and the format and way in which their annotations name them.

    Attributes:
        shots: the images.
        form: the name of the format.
        prefix: what comes before the path of an image in its annotation.
        backslashes: true if these paths are those of Windows.
        apart: true if images and annotations of single images are in trees of their own.
    """

    shots: tuple[Shot, ...]
    form: str
    prefix: str = ""
    backslashes: bool = False
    apart: bool = False

    def stated(self, shot: Shot) -> str:
        path = self.prefix + shot.path
        return path.replace("/", "\\") if self.backslashes else path

    def place(self, shot: Shot) -> str:
        """The path of the image today."""
        return f"images/{shot.path_now}" if self.apart else shot.path_now

    def labeled(self) -> list[Shot]:
        return [shot for shot in self.shots if shot.boxes is not None]


def renamed(name: str) -> tuple[str, ...]:
    """The names that tools and systems make of a file name."""
    stem, dot, suffix = name.rpartition(".")
    forms = (quote(stem), unicodedata.normalize("NFD", stem), stem.replace(" ", "_"))
    return tuple(form + dot + suffix for form in forms)


@st.composite
def shots(draw: st.DrawFn) -> tuple[Shot, ...]:
    paths = draw(
        st.lists(
            st.tuples(st.sampled_from(FOLDERS), st.sampled_from(STEMS), st.sampled_from(SUFFIXES)),
            min_size=1,
            max_size=7,
            unique=True,
        )
    )
    made = []
    for folder, stem, suffix in paths:
        name = stem + suffix
        boxes = draw(st.sampled_from([1, 2, 1, 0, None]))
        fate = draw(st.sampled_from(["stays", "stays", "deleted", "renamed"]))
        now = None if fate == "deleted" else name
        if fate == "renamed":
            now = draw(st.sampled_from(renamed(name)))
        made.append(Shot(folder, name, boxes, now))
    return tuple(made)


PREFIXES = ("", "/home/me/set 1/", "C:/Users/me/", "../", "../../server/media/", "file:/data/")


@st.composite
def worlds(draw: st.DrawFn, form: str) -> World:
    world = World(
        draw(shots()),
        form,
        prefix=draw(st.sampled_from(PREFIXES)),
        backslashes=draw(st.booleans()),
        apart=draw(st.booleans()),
    )
    return without_the_unknowable(world)


@st.composite
def mixed_worlds(draw: st.DrawFn) -> tuple[World, World]:
    """One folder whose images are labeled in two formats, each in the first, the second or both."""
    first, second = draw(st.permutations(sorted(WRITERS)))[:2]
    world = draw(worlds(first))
    world = without_the_unknowable(replace(world, form=second))
    holders = {
        shot: draw(st.sampled_from([(first,), (second,), (first, second)])) for shot in world.shots
    }
    shots = world.shots
    while True:
        halves = [
            replace(
                world,
                form=form,
                shots=tuple(s if form in holders[s] else replace(s, boxes=None) for s in shots),
            )
            for form in (first, second)
        ]
        known = [{s.path for s in without_the_unknowable(half).shots} for half in halves]
        kept = tuple(shot for shot in shots if shot.path in known[0] & known[1])
        if kept == shots:
            return halves[0], halves[1]
        shots = kept


def without_the_unknowable(world: World) -> World:
    """Leave out what no reader can decide, see above, and files that overwrite each other."""
    kept: dict[str, Shot] = {}
    stems: set[str] = set()
    for shot in world.shots:
        where = unicodedata.normalize("NFC", shot.path_now if shot.now else f"gone/{shot.path}")
        stem = unicodedata.normalize("NFC", shot.stem)
        if where in kept or (shot.boxes is not None and stem in stems and world.form in BY_STEM):
            continue
        kept[where] = shot
        if shot.boxes is not None:
            stems.add(stem)
    shots = list(kept.values())
    if world.form in STEM_ONLY:  # they do not say which of two images of one stem they are for
        gone = {_plain(s.path) for s in shots if s.now != s.name and s.boxes is not None}
        shots = [s for s in shots if s.boxes is not None or _plain(s.path) not in gone]
    if world.form == "openimages":  # its stems say no folder, and an image without boxes no stem
        named = {_plain(s.name) for s in shots if s.boxes}
        shots = [s for s in shots if s.boxes or _plain(s.name) not in named]
    while True:
        known = [shot for shot in shots if shot.boxes is not None or not world.prefix]
        here = {shot.folder for shot in known if shot.now}
        lost = {_plain(shot.name) for shot in shots if not shot.now and shot.folder not in here}
        known = [s for s in shots if s.boxes is not None or _plain(s.name) not in lost]
        if known == shots:
            return replace(world, shots=tuple(known))
        shots = known


def _plain(name: str) -> str:
    return unicodedata.normalize("NFC", name.rpartition(".")[0]).casefold()


# ---- writing ----


@cache
def picture(suffix: str) -> bytes:
    file = BytesIO()
    pixels = np.random.default_rng(1).integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)
    Image.fromarray(pixels).save(file, {".jpg": "JPEG", ".png": "PNG"}[suffix])
    return file.getvalue()


def write(world: World, root: Path) -> None:
    for shot in world.shots:
        if shot.now:
            _put(root / world.place(shot), picture(shot.name[-4:]))
    WRITERS[world.form](world, root)


def _put(path: Path, content: bytes | str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)


def _voc(world: World, root: Path) -> None:
    for shot in world.labeled():
        objects = "".join(
            f"<object><name>{escape(shot.path)}</name><bndbox><xmin>{a}</xmin><ymin>{b}</ymin>"
            f"<xmax>{c}</xmax><ymax>{d}</ymax></bndbox></object>"
            for a, b, c, d in shot.drawn()
        )
        name = escape(shot.name)
        text = f"<annotation><filename>{name}</filename>{objects}</annotation>"
        _put(root / _label(world, shot, "annotations", ".xml"), text)


def _labelme(world: World, root: Path) -> None:
    for shot in world.labeled():
        shapes = [
            {"label": shot.path, "points": [[a, b], [c, d]], "shape_type": "rectangle"}
            for a, b, c, d in shot.drawn()
        ]
        content = {"imagePath": shot.name, "shapes": shapes, "imageData": None, "version": "5"}
        _put(root / _label(world, shot, "annotations", ".json"), json.dumps(content))


def _yolo(world: World, root: Path) -> None:
    names = [shot.path for shot in world.shots]
    for shot in world.labeled():
        lines = [
            f"{names.index(shot.path)} {(a + c) / 2 / WIDTH} {(b + d) / 2 / HEIGHT} "
            f"{(c - a) / WIDTH} {(d - b) / HEIGHT}\n"
            for a, b, c, d in shot.drawn()
        ]
        _put(root / _label(world, shot, "labels", ".txt"), "".join(lines))
    if world.labeled():
        _put(root / "classes.txt", "".join(f"{name}\n" for name in names))


def _label(world: World, shot: Shot, tree: str, suffix: str) -> str:
    return f"{tree}/{shot.stem}{suffix}" if world.apart else f"{shot.stem}{suffix}"


def _coco(world: World, root: Path) -> None:
    shots = world.labeled()
    images = [
        {"id": i, "file_name": world.stated(shot), "width": WIDTH, "height": HEIGHT}
        for i, shot in enumerate(shots)
    ]
    annotations = [
        {"id": 9 * i + j, "image_id": i, "category_id": i, "bbox": [a, b, c - a, d - b]}
        for i, shot in enumerate(shots)
        for j, (a, b, c, d) in enumerate(shot.drawn())
    ]
    categories = [{"id": i, "name": shot.path} for i, shot in enumerate(shots)]
    content = {"images": images, "annotations": annotations, "categories": categories}
    _put(root / f"{world.form}.json", json.dumps(content))


def _createml(world: World, root: Path) -> None:
    content = [
        {
            "image": world.stated(shot),
            "annotations": [
                {
                    "label": shot.path,
                    "coordinates": {
                        "x": (a + c) / 2,
                        "y": (b + d) / 2,
                        "width": c - a,
                        "height": d - b,
                    },
                }
                for a, b, c, d in shot.drawn()
            ],
        }
        for shot in world.labeled()
    ]
    _put(root / f"{world.form}.json", json.dumps(content))


def _csv(world: World, root: Path) -> None:
    rows = ["filename,class,xmin,ymin,xmax,ymax"]
    for shot in world.labeled():
        rows += [
            f"{world.stated(shot)},{shot.path},{a},{b},{c},{d}" for a, b, c, d in shot.drawn()
        ] or [f"{world.stated(shot)},,,,,"]
    _put(root / f"{world.form}.csv", "\n".join(rows) + "\n")


def _vott(world: World, root: Path) -> None:
    assets = {
        f"id{i}": {
            "asset": {
                "id": f"id{i}",
                "name": shot.name,
                "path": world.stated(shot).replace("%", "%25"),
                "state": 2,
                "type": 1,
                "size": {"width": WIDTH, "height": HEIGHT},
            },
            "regions": [
                {
                    "type": "RECTANGLE",
                    "tags": [shot.path],
                    "boundingBox": {"left": a, "top": b, "width": c - a, "height": d - b},
                }
                for a, b, c, d in shot.drawn()
            ],
        }
        for i, shot in enumerate(world.labeled())
    }
    _put(root / f"{world.form}.json", json.dumps({"assets": assets, "tags": []}))


def _labelstudio(world: World, root: Path) -> None:
    tasks = [
        {
            "data": {"image": world.stated(shot).replace("%", "%25")},
            "annotations": [
                {
                    "result": [
                        {
                            "type": "rectanglelabels",
                            "value": {
                                "x": 100 * a / WIDTH,
                                "y": 100 * b / HEIGHT,
                                "width": 100 * (c - a) / WIDTH,
                                "height": 100 * (d - b) / HEIGHT,
                                "rectanglelabels": [shot.path],
                            },
                        }
                        for a, b, c, d in shot.drawn()
                    ]
                }
            ],
        }
        for shot in world.labeled()
    ]
    _put(root / f"{world.form}.json", json.dumps(tasks))


def _cvat(world: World, root: Path) -> None:
    images = "".join(
        f"<image id='{i}' name={quoteattr(world.stated(shot))} width='{WIDTH}' height='{HEIGHT}'>"
        + "".join(
            f"<box label={quoteattr(shot.path)} xtl='{a}' ytl='{b}' xbr='{c}' ybr='{d}'/>"
            for a, b, c, d in shot.drawn()
        )
        + "</image>"
        for i, shot in enumerate(world.labeled())
    )
    text = f"<annotations><version>1.1</version>{images}</annotations>"
    _put(root / "annotations.xml", text)


def _via(world: World, root: Path) -> None:
    content = {}
    for shot in world.labeled():
        size = len(picture(shot.name[-4:]))
        regions = [
            {
                "shape_attributes": {
                    "name": "rect",
                    "x": a,
                    "y": b,
                    "width": c - a,
                    "height": d - b,
                },
                "region_attributes": {"class": shot.path},
            }
            for a, b, c, d in shot.drawn()
        ]
        name = world.stated(shot)
        content[f"{name}{size}"] = {
            "filename": name, "size": size, "regions": regions, "file_attributes": {},
        }  # fmt: skip
    _put(root / f"{world.form}.json", json.dumps(content))


def _supervisely(world: World, root: Path) -> None:
    for shot in world.labeled():
        objects = [
            {
                "classTitle": shot.path,
                "geometryType": "rectangle",
                "points": {"exterior": [[a, b], [c, d]], "interior": []},
            }
            for a, b, c, d in shot.drawn()
        ]
        content = {"size": {"width": WIDTH, "height": HEIGHT}, "tags": [], "objects": objects}
        place = f"ann/{shot.path}.json" if world.apart else f"{shot.path}.json"
        _put(root / place, json.dumps(content))


def _kitti(world: World, root: Path) -> None:
    for shot in world.labeled():
        kind = shot.path.replace(" ", SPACE)
        lines = [
            f"{kind} 0.00 0 -1.57 {a} {b} {c} {d} 1.57 1.73 4.15 1.00 1.75 13.22 1.62\n"
            for a, b, c, d in shot.drawn()
        ]
        _put(root / _label(world, shot, "labels", ".txt"), "".join(lines))


def _openimages(world: World, root: Path) -> None:
    """Images are named by their stems, with their folders only where two have the same stem. An
    image without boxes has no row."""
    stems = Counter(_plain(shot.name) for shot in world.shots)
    rows = ["ImageID,Source,LabelName,Confidence,XMin,XMax,YMin,YMax"]
    for shot in world.labeled():
        alone = stems[_plain(shot.name)] == 1
        image = shot.name.rpartition(".")[0] if alone else shot.stem
        rows += [
            f"{image},x,{shot.path},1,{a / WIDTH},{c / WIDTH},{b / HEIGHT},{d / HEIGHT}"
            for a, b, c, d in shot.drawn()
        ]
    _put(root / "train-annotations-bbox.csv", "\n".join(rows) + "\n")


Writer = Callable[[World, Path], None]
BY_STEM: dict[str, Writer] = {
    "voc": _voc,
    "labelme": _labelme,
    "yolo": _yolo,
    "kitti": _kitti,
    "openimages": _openimages,
}
BY_NAME: dict[str, Writer] = {
    "coco": _coco,
    "createml": _createml,
    "csv": _csv,
    "vott": _vott,
    "labelstudio": _labelstudio,
    "cvat": _cvat,
    "via": _via,
    "supervisely": _supervisely,
}
WRITERS: dict[str, Writer] = {**BY_STEM, **BY_NAME}
