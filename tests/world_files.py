"""The files of drawn data folders: images, and annotations in each format that names them.

Each box has the class name of the image that it was drawn on, so that a box on any other image
shows.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from functools import cache
from io import BytesIO
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

import numpy as np
from PIL import Image

from shots import Shot, World, plain

WIDTH, HEIGHT = 40, 30
STEM_ONLY = ("yolo", "kitti", "openimages")  # they name stems, and no image that has no boxes
SPACE = "\u00b7"  # in place of a space, where spaces separate columns


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
    stems = Counter(plain(shot.name) for shot in world.shots)
    rows = ["ImageID,Source,LabelName,Confidence,XMin,XMax,YMin,YMax"]
    for shot in world.labeled():
        alone = stems[plain(shot.name)] == 1
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
