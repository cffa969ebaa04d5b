"""Boxes that CVAT has turned, in each of its formats: the upright box around them is read."""

from __future__ import annotations

import json
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cvat_samples import image as cvat_image
from cvat_samples import images as cvat
from PIL import Image

from boxwright import formats
from boxwright.studio.store import LabelStore

pytestmark = pytest.mark.tiny

BOX = (20, 16, 44, 26)
SIDES = ("xmin", "ymin", "xmax", "ymax")


def cvat_text(rotation: object) -> dict[str, str]:
    sides = zip(("xtl", "ytl", "xbr", "ybr"), BOX, strict=True)
    attributes = " ".join(f'{key}="{value}"' for key, value in sides)
    box = f'<box label="cat" rotation="{rotation}" {attributes}/>'
    return {"annotations.xml": cvat(cvat_image("a.png", box))}


def voc_text(rotation: object) -> dict[str, str]:
    sides = "".join(f"<{tag}>{value}</{tag}>" for tag, value in zip(SIDES, BOX, strict=True))
    return {
        "a.xml": f"""<annotation><filename>a.png</filename><object>
  <name>cat</name><occluded>0</occluded><bndbox>{sides}</bndbox>
  <attributes>
    <attribute><name>color</name><value>red</value></attribute>
    <attribute><name>rotation</name><value>{rotation}</value></attribute>
  </attributes>
</object></annotation>
"""
    }


def coco_text(rotation: object, segmentation: Any = ()) -> dict[str, str]:
    xmin, ymin, xmax, ymax = BOX
    one = {
        "id": 1,
        "image_id": 1,
        "category_id": 1,
        "bbox": [xmin, ymin, xmax - xmin, ymax - ymin],
        "segmentation": segmentation,
        "attributes": {"occluded": False, "rotation": rotation},
    }
    categories, images = [{"id": 1, "name": "cat"}], [{"id": 1, "file_name": "a.png"}]
    whole = {"images": images, "categories": categories, "annotations": [one]}
    return {"instances.json": json.dumps(whole)}


WRITERS = {"cvat": cvat_text, "voc": voc_text, "coco": coco_text}


def put(root: Path, files: dict[str, str]) -> Path:
    Image.new("L", (64, 48)).save(root / "a.png")
    for name, text in files.items():
        (root / name).write_text(text, encoding="utf-8")
    return root


@pytest.mark.parametrize("form", WRITERS)
@pytest.mark.parametrize(
    ("rotation", "box"),
    [
        (90.0, (27, 9, 37, 33)),
        (270, (27, 9, 37, 33)),
        (-90, (27, 9, 37, 33)),
        ("90.0", (27, 9, 37, 33)),
        (180.0, BOX),
        (45.0, (19.98, 8.98, 44.02, 33.02)),
        (0.0, BOX),
        (0, BOX),
    ],
)
def test_the_box_around_a_turned_box_is_read(
    tmp_path: Path, form: str, rotation: object, box: tuple[float, ...]
) -> None:
    dataset = formats.read(put(tmp_path, WRITERS[form](rotation)))
    np.testing.assert_allclose(dataset.boxes, [box], atol=0.01)
    turned = [one for one in dataset.findings if one.code == "BW143"]
    assert len(turned) == int(float(str(rotation)) != 0)
    assert all("1 rotated box" in one.message for one in turned)


@pytest.mark.parametrize("form", ["voc", "coco"])
@pytest.mark.parametrize("rotation", ["left", "", None])
def test_another_attribute_of_this_name_turns_nothing(
    tmp_path: Path, form: str, rotation: object
) -> None:
    dataset = formats.read(put(tmp_path, WRITERS[form](rotation)))
    assert dataset.boxes.tolist() == [[*map(float, BOX)]]


def test_a_box_around_a_polygon_is_not_turned_again(tmp_path: Path) -> None:
    dataset = formats.read(put(tmp_path, coco_text(90.0, [[20, 16, 44, 20, 40, 26]])))
    assert dataset.boxes.tolist() == [[*map(float, BOX)]]


@pytest.mark.parametrize("form", ["voc", "coco"])
def test_a_turned_box_that_is_moved_is_upright(tmp_path: Path, form: str) -> None:
    (name,) = files = WRITERS[form](90.0)
    with closing(LabelStore.open(put(tmp_path, files))) as store:
        labels = store.read(0)
        (box,) = labels.boxes
        named = store.write(0, replace(labels, boxes=(replace(box, label="dog"),)), labels.etag)
        assert [one.box for one in named.boxes] == [box.box]
        assert "90.0" in (tmp_path / name).read_text() or form == "coco"
        moved = replace(labels, boxes=(replace(box, box=(1.0, 2.0, 20.0, 30.0)),))
        after = store.write(0, moved, named.etag)
    assert [one.box for one in after.boxes] == [(1.0, 2.0, 20.0, 30.0)]
    assert formats.read(tmp_path).boxes.tolist() == [[1, 2, 20, 30]]
