"""Folders with labels in each format that can be edited, as tools write them: with more than boxes.

Three images of 64 x 48 pixels: `a 1.jpg` has a cat and a dog, `bä.jpg` a dog, `c.jpg` nothing yet.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import NamedTuple

from PIL import Image

A, B, C = "a 1.jpg", "bä.jpg", "c.jpg"
CAT, DOG = (4.0, 6.0, 30.0, 40.0), (8.0, 12.0, 40.0, 36.0)


class Sample(NamedTuple):
    """Text files of a folder, and what an edit of `a 1.jpg` must leave in them."""

    files: dict[str, str]
    kept: tuple[str, ...]


def _voc(name: str, objects: str) -> str:
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\r\n<!-- made by hand -->\r\n<annotation>\r\n'
        f"\t<filename>{name}</filename>\r\n\t<path>C:\\x\\{name}</path>\r\n"
        "\t<source><database>Unknown > x</database></source>\r\n"
        "\t<size><width>64</width><height>48</height><depth>3</depth></size>\r\n"
        f"{objects}\t<!-- the end --><owner/>\r\n</annotation>\r\n"
    )


def _object(name: str, box: tuple[float, ...], more: str = "") -> str:
    tags = zip(("xmin", "ymin", "xmax", "ymax"), box, strict=True)
    sides = "".join(f"<{tag}>{value:.0f}</{tag}>" for tag, value in tags)
    lines = ["\t<object>", f"\t\t<name>{name}</name>{more}", f"\t\t<bndbox>{sides}</bndbox>"]
    return "\r\n".join([*lines, "\t</object>", ""])


def _shape(label: str, box: tuple[float, ...], **more: object) -> dict[str, object]:
    xmin, ymin, xmax, ymax = box
    points = [[xmin, ymin], [xmax, ymax]]
    return {"label": label, "points": points, "shape_type": "rectangle", "flags": {}, **more}


def _labelme(name: str, shapes: list[dict[str, object]]) -> str:
    more = {"imagePath": name, "imageHeight": 48, "imageWidth": 64, "imageData": None}
    return json.dumps({"version": "4", "mine": 1, "shapes": shapes, **more}, indent=2)


def _xywh(box: tuple[float, ...]) -> list[float]:
    return [box[0], box[1], box[2] - box[0], box[3] - box[1]]


def _center(box: tuple[float, ...]) -> dict[str, float]:
    x, y, width, height = _xywh(box)
    return {"x": x + width / 2, "y": y + height / 2, "width": width, "height": height}


def _region(box: tuple[float, ...], label: str, **more: str) -> dict[str, object]:
    sides = dict(zip(("x", "y", "width", "height"), _xywh(box), strict=True))
    attributes = {"class": label, **more}
    return {"shape_attributes": {"name": "rect", **sides}, "region_attributes": attributes}


def _result(key: str, box: tuple[float, ...], label: str) -> dict[str, object]:
    x, y, width, height = _xywh(box)
    value = {"x": x / 0.64, "y": y / 0.48, "width": width / 0.64, "height": height / 0.48}
    return {
        "id": key,
        "type": "rectanglelabels",
        "from_name": "tag",
        "to_name": "picture",
        "original_width": 64,
        "original_height": 48,
        "value": {**value, "rotation": 0, "rectanglelabels": [label]},
    }


COCO = {
    "info": {"year": 2026},
    "categories": [{"id": 3, "name": "cat", "color": "red"}, {"id": 7, "name": "dog"}],
    "images": [
        {"id": 10, "file_name": A, "width": 64, "height": 48, "license": 4},
        {"id": 11, "file_name": B, "width": 64, "height": 48},
    ],
    "annotations": [
        {"id": 1, "image_id": 10, "category_id": 3, "bbox": _xywh(CAT), "attributes": {"pose": 2}},
        {"id": 2, "image_id": 11, "category_id": 7, "bbox": _xywh(DOG), "track": "t"},
        {"id": 5, "image_id": 10, "category_id": 7, "bbox": _xywh(DOG)},
    ],
}
CREATEML = [
    {
        "image": A,
        "annotations": [
            {"label": "cat", "coordinates": _center(CAT), "pose": 2},
            {"label": "dog", "coordinates": _center(DOG)},
        ],
        "mine": 1,
    },
    {"image": B, "annotations": [{"label": "dog", "coordinates": _center(DOG)}]},
]
VIA = {
    "_via_settings": {"ui": {"mine": 1}},
    "_via_img_metadata": {
        f"{A}12": {
            "filename": A,
            "size": 12,
            "regions": [_region(CAT, "cat", pose="2"), _region(DOG, "dog")],
            "file_attributes": {"weather": "rain"},
        },
        f"{B}34": {
            "filename": B,
            "size": 34,
            "regions": [_region(DOG, "dog")],
            "file_attributes": {},
        },
    },
    "_via_attributes": {
        "region": {"class": {"type": "dropdown", "options": {"cat": "", "dog": ""}}},
        "file": {"weather": {"type": "text"}},
    },
    "_via_image_id_list": [f"{A}12", f"{B}34"],
}
LABELSTUDIO = [
    {
        "id": 8,
        "data": {"image": "/data/local-files/?d=a%201.jpg", "weather": "rain"},
        "annotations": [
            {"result": [], "was_cancelled": True},
            {
                "completed_by": 7,
                "result": [
                    {**_result("r1", CAT, "cat"), "meta": {"pose": 2}},
                    {"id": "r1", "type": "textarea", "value": {"text": ["shy"]}},
                    _result("r2", DOG, "dog"),
                ],
            },
        ],
        "predictions": [{"model_version": "old"}],
    },
    {
        "id": 9,
        "data": {"image": "/data/local-files/?d=b%C3%A4.jpg"},
        "annotations": [{"result": [_result("r1", DOG, "dog")]}],
    },
]
SAMPLES: dict[str, Sample] = {
    "voc": Sample(
        {
            "a 1.xml": _voc(A, _object("cat", CAT, "<pose>Left</pose>") + _object("dog", DOG)),
            "bä.xml": _voc(B, _object("dog", DOG)),
        },
        ("<!-- made by hand -->", "Unknown > x", "<pose>Left</pose>", "<owner/>", "C:\\x\\"),
    ),
    "yolo": Sample(
        {
            "data.yaml": "# mine\nnc: 2\nnames: [cat, dog]  # two\nroboflow: {version: 3}\n",
            "a 1.txt": "0 0.265625 0.4791666667 0.40625 0.7083333333 0.9\r\n\r\n"
            "1 0.375 0.5 0.5 0.5\r\n",
            "bä.txt": "1 0.375 0.5 0.5 0.5",
        },
        (" 0.9\r\n\r\n",),
    ),
    "labelme": Sample(
        {
            "a 1.json": _labelme(A, [_shape("cat", CAT, pose=2), _shape("dog", DOG)]),
            "bä.json": _labelme(B, [_shape("dog", DOG)]),
        },
        ('"mine": 1', '"pose": 2', '"version": "4"'),
    ),
    "coco": Sample(
        {"labels.json": json.dumps(COCO)},
        ('"year": 2026', '"color": "red"', '"license": 4', '"pose": 2', '"track": "t"'),
    ),
    "via": Sample(
        {"via_project.json": json.dumps(VIA)},
        ('"mine": 1', '"pose": "2"', '"weather": "rain"', '"type": "text"'),
    ),
    "labelstudio": Sample(
        {"tasks.json": json.dumps(LABELSTUDIO, indent=2)},
        ('"completed_by": 7', '"pose": 2', '"shy"', '"weather": "rain"', '"old"'),
    ),
    "createml": Sample({"labels.json": json.dumps(CREATEML, indent=1)}, ('"pose": 2', '"mine": 1')),
    "csv": Sample(
        {
            "labels.csv": "filename,width,height,class,xmin,ymin,xmax,ymax,note\n"
            f'{A},64,48,cat,4,6,30,40,"a, b"\n{B},64,48,dog,8,12,40,36,"x"\n'
            f"{A},64,48,dog,8,12,40,36,\n"
        },
        ('"a, b"', '"x"'),
    ),
}


def put_sample(root: Path, form: str, *, orientation: int = 1) -> Path:
    """Write the images and labels of a format into a folder."""
    for name in (A, B, C):
        exif = Image.Exif()
        exif[0x0112] = orientation
        size = (64, 48) if orientation < 5 else (48, 64)
        Image.new("RGB", size, "gray").save(root / name, exif=exif)
    for name, text in SAMPLES[form].files.items():
        (root / name).write_bytes(text.encode())
    return root
