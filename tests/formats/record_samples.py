"""Annotations of images as each format writes them: a record is an image and a class, or None."""

from __future__ import annotations

import json
from typing import Any

BOXES = {"one": [4, 6, 12, 16], "two": [18, 3, 26, 9], "three": [30, 30, 40, 40]}
WIDTH, HEIGHT = 64, 48
Record = tuple[str, str | None]


def wide(box: list[int]) -> list[int]:
    return [box[0], box[1], box[2] - box[0], box[3] - box[1]]


def coco(*records: Record, size: tuple[int, int] = (WIDTH, HEIGHT), **more: Any) -> str:
    images = [
        {"id": i, "file_name": name, "width": size[0], "height": size[1], **more}
        for i, (name, _) in enumerate(records)
    ]
    names = list(BOXES)
    annotations = [
        {"id": i, "image_id": i, "category_id": names.index(label), "bbox": wide(BOXES[label])}
        for i, (_, label) in enumerate(records)
        if label
    ]
    categories = [{"id": i, "name": name} for i, name in enumerate(names)]
    return json.dumps({"images": images, "annotations": annotations, "categories": categories})


def createml(*records: Record) -> str:
    def entry(name: str, label: str | None) -> dict[str, Any]:
        if not label:
            return {"image": name, "annotations": []}
        x, y, width, height = wide(BOXES[label])
        place = {"x": x + width / 2, "y": y + height / 2, "width": width, "height": height}
        return {"image": name, "annotations": [{"label": label, "coordinates": place}]}

    return json.dumps([entry(*record) for record in records])


def labelstudio(*records: Record) -> str:
    def task(name: str, label: str | None) -> dict[str, Any]:
        if not label:
            return {"data": {"image": name}, "annotations": [{"result": []}]}
        x, y, width, height = wide(BOXES[label])
        percent = {"x": x / 0.64, "y": y / 0.48, "width": width / 0.64, "height": height / 0.48}
        value = {**percent, "rectanglelabels": [label]}
        return {"data": {"image": name}, "annotations": [{"result": [{"value": value}]}]}

    return json.dumps([task(*record) for record in records])


def csv(*records: Record, sizes: Any = ()) -> str:
    rows = [
        ",".join(
            map(str, (name, *(sizes[i] if sizes else (WIDTH, HEIGHT)), label, *BOXES[label or ""]))
        )
        for i, (name, label) in enumerate(records)
    ]
    return "\n".join(["filename,width,height,class,xmin,ymin,xmax,ymax", *rows, ""])


def vott(*records: Record, path: str = "file:/home/me/") -> str:
    assets = {name: vott_asset(name, label, path) for name, label in records}
    return json.dumps({"name": "x", "tags": [], "assets": assets})


def vott_asset(name: str, label: str | None, path: str = "file:/home/me/") -> Any:
    asset = {"id": name, "name": name, "path": path + name, "state": 2, "type": 1}
    if not label:
        return {"asset": asset, "regions": []}
    keys = dict(zip(("left", "top", "width", "height"), wide(BOXES[label]), strict=True))
    region = {"type": "RECTANGLE", "tags": [label], "boundingBox": keys}
    return {"asset": asset, "regions": [region]}


def via(*records: Record) -> str:
    def regions(label: str | None) -> list[Any]:
        if not label:
            return []
        keys = zip(("x", "y", "width", "height"), wide(BOXES[label]), strict=True)
        shape = {"name": "rect", **dict(keys)}
        return [{"shape_attributes": shape, "region_attributes": {"type": label}}]

    return json.dumps(
        {
            f"{name}1": {
                "filename": name,
                "size": 1,
                "file_attributes": {},
                "regions": regions(label),
            }
            for name, label in records
        }
    )


def cvat(*records: Record) -> str:
    def image(i: int, name: str, label: str | None) -> str:
        sides = zip(("xtl", "ytl", "xbr", "ybr"), BOXES.get(label or "", ()), strict=False)
        given = " ".join(f'{side}="{value}"' for side, value in sides)
        box = f'<box label="{label}" occluded="0" {given}/>' if label else ""
        return f'<image id="{i}" name="{name}" width="{WIDTH}" height="{HEIGHT}">{box}</image>'

    images = "".join(image(i, *record) for i, record in enumerate(records))
    return f"<annotations><version>1.1</version>{images}</annotations>"


def openimages(*records: Record) -> str:
    header = "ImageID,Source,LabelName,Confidence,XMin,XMax,YMin,YMax,IsOccluded,IsTruncated,"
    rows = [header + "IsGroupOf,IsDepiction,IsInside"]
    for name, label in records:
        a, b, c, d = BOXES[label or ""]
        sides = (a / WIDTH, c / WIDTH, b / HEIGHT, d / HEIGHT)
        rows.append(f"{name.rpartition('.')[0]},x,{label},1,{','.join(map(str, sides))},0,0,0,0,0")
    return "\n".join([*rows, ""])


# ---- a file for each image ----


def voc(name: str, label: str | None) -> str:
    sides = zip(("xmin", "ymin", "xmax", "ymax"), BOXES.get(label or "", ()), strict=False)
    box = "".join(f"<{side}>{value}</{side}>" for side, value in sides)
    one = f"<object><name>{label}</name><bndbox>{box}</bndbox></object>" if label else ""
    size = f"<size><width>{WIDTH}</width><height>{HEIGHT}</height></size>"
    return f"<annotation><filename>{name}</filename>{size}{one}</annotation>"


def labelme(name: str, label: str | None) -> str:
    shapes = []
    if label:
        a, b, c, d = BOXES[label]
        shapes = [{"label": label, "points": [[a, b], [c, d]], "shape_type": "rectangle"}]
    return json.dumps({"imagePath": name, "shapes": shapes, "imageData": None, "version": "5"})


def yolo(label: str | None) -> str:
    if not label:
        return ""
    x, y, width, height = wide(BOXES[label])
    place = (x + width / 2) / WIDTH, (y + height / 2) / HEIGHT, width / WIDTH, height / HEIGHT
    return f"{list(BOXES).index(label)} {' '.join(map(str, place))}\n"
