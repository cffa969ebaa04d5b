"""VoTT: the JSON export, the tool's own files, and those of its first version."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from json_samples import VOTT_1, VOTT_ASSET, VOTT_EXPORT

from boxwright import formats
from boxwright.errors import DataError
from boxwright.structures.dataset import Dataset, LabeledImage, Split
from folders import MOVED, VocFolder, codes

pytestmark = pytest.mark.tiny

BOX = {"left": 4, "top": 6, "width": 26, "height": 34}


def region(*tags: Any, **more: Any) -> dict[str, Any]:
    return {"id": "x", "type": "RECTANGLE", "tags": list(tags), "boundingBox": BOX, **more}


def asset(name: str, *regions: Any, state: Any = 2, **more: Any) -> dict[str, Any]:
    described = {
        "id": name,
        "name": name,
        "path": f"file:/home/me/{name}",
        "size": {"width": 64, "height": 48},
        "state": state,
        "type": 1,
        **more,
    }
    return {"asset": described, "regions": list(regions), "version": "2.2.0"}


def export(*assets: Any, tags: Any = ("dog", "cat"), **more: Any) -> str:
    content = {
        "name": "Pets",
        "tags": [{"name": tag, "color": "#5db300"} for tag in tags],
        "version": "2.2.0",
        "assets": {f"id{i}": one for i, one in enumerate(assets)},
    }
    return json.dumps({**content, **more})


def read(voc_folder: VocFolder, text: str) -> Dataset:
    voc_folder.image("a.jpg")
    voc_folder.text("vott-json-export/Pets-export.json", text)
    return formats.read(voc_folder.root)


def test_an_export_beside_its_images(voc_folder: VocFolder) -> None:
    voc_folder.image("vott-json-export/a.jpg")
    voc_folder.text("vott-json-export/Pets-export.json", VOTT_EXPORT)
    dataset = formats.read(voc_folder.root)
    assert dataset.names == ("vott-json-export/a.jpg",)
    assert dataset.classes == ("dog", "cat")  # VoTT's order; dog has no box
    assert dataset.boxes.tolist() == [[4, 6, 30, 40]]
    assert codes(dataset) == [MOVED]


def test_the_tools_own_file_is_newer_than_an_export(voc_folder: VocFolder) -> None:
    voc_folder.text("d653dc7ce9fd74b6c76b1ec6a10fe49a-asset.json", VOTT_ASSET.replace("26", "20"))
    voc_folder.text(
        "z/d653dc7ce9fd74b6c76b1ec6a10fe49b-asset.json",
        VOTT_ASSET.replace("9a", "9b").replace("a.jpg", "b.jpg"),
    )
    voc_folder.image("b.jpg")
    dataset = read(voc_folder, VOTT_EXPORT)
    assert dict(zip(dataset.names, dataset.boxes[:, 2].tolist(), strict=True)) == {
        "a.jpg": 24,
        "b.jpg": 30,
    }
    assert codes(dataset) == ["BW159", MOVED, MOVED]


@pytest.mark.parametrize(
    ("one", "labeled"),
    [
        (asset("a.jpg", state=0), False),  # not visited
        (asset("a.jpg", state=1), True),  # visited, and nothing was there
        (asset("a.jpg", region("cat"), state=2), True),
        (asset("a.jpg", region("cat"), state=0), True),
        (asset("a.jpg", state=None), True),
        (asset("film.mp4", state=1, type=2), False),
    ],
)
def test_an_image_that_was_visited_is_labeled(
    voc_folder: VocFolder, one: Any, labeled: bool
) -> None:
    voc_folder.image("b.jpg")
    dataset = read(voc_folder, export(one, asset("b.jpg", region("dog"))))
    assert ("a.jpg" in dataset.names) is labeled
    assert codes(dataset) == ([MOVED] if labeled else [MOVED, "BW109"])


@pytest.mark.parametrize(
    ("one", "box", "found"),
    [
        (region("cat"), [4, 6, 30, 40], []),
        (region("cat", type="SQUARE"), [4, 6, 30, 40], []),
        (region("cat", type="POLYGON"), [4, 6, 30, 40], ["BW143"]),
        (
            region("cat", boundingBox=None, points=[{"x": 30, "y": 6}, {"x": 4, "y": 40}]),
            [4, 6, 30, 40],
            [],
        ),
        (region("cat", boundingBox={**BOX, "left": 4.25}), [4.25, 6, 30.25, 40], []),
    ],
)
def test_regions(voc_folder: VocFolder, one: Any, box: list[float], found: list[str]) -> None:
    dataset = read(voc_folder, export(asset("a.jpg", one)))
    assert (dataset.boxes.tolist(), codes(dataset)) == ([box], [*found, MOVED])


def test_several_tags_are_a_box_each(voc_folder: VocFolder) -> None:
    dataset = read(voc_folder, export(asset("a.jpg", region("cat", "dog", "pet"))))
    assert [dataset.classes[i] for i in dataset.labels] == ["cat", "dog", "pet"]
    assert dataset.classes == ("dog", "cat", "pet")


@pytest.mark.parametrize(
    ("name", "path", "image"),
    [
        ("a.jpg", "file:C%3A%5CUsers%5Cme%5Cpets%5Ca.jpg", "pets/a.jpg"),
        ("a.jpg", "file:/home/me/pets/a.jpg", "pets/a.jpg"),
        ("a%20b.jpg", "file:/home/me/a%2520b.jpg", "a%20b.jpg"),  # a name is no URL
        ("a%20b.jpg", "file:/home/me/a%20b.jpg", "a b.jpg"),  # but some were taken from one
        ("100%.jpg", "file:/home/me/100%25.jpg", "100%.jpg"),
        ("a.jpg", "https://store.blob.core.windows.net/pets/a.jpg", "pets/a.jpg"),
        ("a.jpg", None, "a.jpg"),
        (None, "file:/home/me/pets/a.jpg", "pets/a.jpg"),
        ("film.mp4#t=1.5", "file:/home/me/film.mp4#t=1.5", "film.mp4#t=1.5.jpg"),
    ],
)
def test_a_name_finds_its_image(
    voc_folder: VocFolder, name: str | None, path: str | None, image: str
) -> None:
    voc_folder.image(image)
    one = asset("x", region("cat"))
    one["asset"] |= {"name": name, "path": path}
    voc_folder.text("export.json", export(one))
    assert formats.read(voc_folder.root).names == (image,)


def test_images_of_one_name_are_told_apart_by_their_path(voc_folder: VocFolder) -> None:
    assets = []
    for i, folder in enumerate(("one", "two")):
        voc_folder.image(f"{folder}/a.jpg")
        box = {**BOX, "left": i}
        path = f"file:/home/me/{folder}/a.jpg"
        assets.append(asset("a.jpg", region("cat", boundingBox=box), id=folder, path=path))
    voc_folder.text("export.json", export(*assets))
    dataset = formats.read(voc_folder.root)
    assert dict(zip(dataset.names, dataset.boxes[:, 0].tolist(), strict=True)) == {
        "one/a.jpg": 0,
        "two/a.jpg": 1,
    }


# ---- version 1 ----


def test_version_1_drew_on_the_image_as_it_was_shown(voc_folder: VocFolder) -> None:
    dataset = read(voc_folder, VOTT_1)
    assert dataset.boxes.tolist() == [[4, 6, 30, 40]]
    assert dataset.classes == ("dog", "cat")
    assert codes(dataset) == ["BW108"]


def test_version_1_lists_frames_that_were_visited(voc_folder: VocFolder) -> None:
    voc_folder.image("b.jpg")
    voc_folder.image("c.jpg")
    content = json.loads(VOTT_1)
    content["frames"] |= {"b.jpg": [], "c.jpg": []}
    content["visitedFrames"] = ["a.jpg", "b.jpg"]
    assert read(voc_folder, json.dumps(content)).names == ("a.jpg", "b.jpg")


# ---- damage ----


@pytest.mark.parametrize(
    ("text", "where", "message"),
    [
        (export(asset("a.jpg", region())), "assets.id0.regions[0]", "no class name"),
        (export(asset("a.jpg", region(" "))), "assets.id0.regions[0]", "no class name"),
        (export(asset("a.jpg", region(None))), "assets.id0.regions[0]", "no class name"),
        (
            export(asset("a.jpg", region("cat"), region("cat", boundingBox={"left": 1}))),
            "assets.id0.regions[1].boundingBox",
            "top is missing",
        ),
        (
            export(asset("a.jpg", region("cat", boundingBox=[1, 2, 3, 4]))),
            "assets.id0.regions[0].boundingBox",
            "is a list, not an object",
        ),
        (
            export(asset("a.jpg", region("cat", boundingBox=None))),
            "assets.id0.regions[0].points",
            "is missing",
        ),
        (export(asset("a.jpg", "cat")), "assets.id0.regions[0]", "is 'cat', not an object"),
        (export(asset("", path="")), "assets.id0", "names no image"),
        (export(asset("a.jpg"), "x"), "assets.id1", "has no asset"),
        (export(asset("a.jpg"), tags=["", "cat"]), "tags[0]", "no class name"),
        (VOTT_ASSET.replace('"left": 4, ', ""), "regions[0].boundingBox", "left is missing"),
        (
            VOTT_1.replace('"x1":8', '"x1":null', 1),
            "frames.a.jpg.regions[0].points[0]",
            "x is miss",
        ),
        (VOTT_1.replace('"cat"],', "],"), "frames.a.jpg.regions[0]", "no class name"),
    ],
)
def test_what_cannot_be_used_is_named_with_its_place(
    voc_folder: VocFolder, text: str, where: str, message: str
) -> None:
    voc_folder.image("a.jpg")
    voc_folder.text("a.json", text)
    with pytest.raises(DataError, match=message) as caught:
        formats.read(voc_folder.root)
    assert caught.value.code == "BW110"
    assert caught.value.where == str(voc_folder.root / f"a.json, {where}")


def test_no_image_outside_of_the_folder(voc_folder: VocFolder) -> None:
    with pytest.raises(DataError, match="is outside of") as caught:
        read(voc_folder, export(asset("gone.jpg", path="x/../../../../gone.jpg")))
    assert caught.value.code == "BW112"


# ---- writing ----


def test_written_as_vott_exports_it(voc_folder: VocFolder, tmp_path: Path) -> None:
    images = []
    for i, boxes in enumerate(([(1.5, 2, 20.3, 40)], [])):
        voc_folder.image(f"{i}.jpg")
        names = ["dog"] * len(boxes)
        images.append(LabeledImage(f"{i}.jpg", 64, 48, boxes, names, split=Split.TRAIN))
    dataset = Dataset.of(voc_folder.root, images, ["dog", "cat"])
    formats.write(dataset, tmp_path / "out", "vott")
    text = (tmp_path / "out/train/boxwright-export.json").read_text(encoding="utf-8")
    content = json.loads(text)
    assert [tag["name"] for tag in content["tags"]] == ["dog", "cat"]
    tagged, visited = content["assets"].values()
    assert tagged["asset"]["name"] == "0.jpg"
    assert tagged["asset"]["size"] == {"width": 64, "height": 48}
    assert (tagged["asset"]["state"], visited["asset"]["state"]) == (2, 1)
    box = {"left": 1.5, "top": 2, "width": 18.8, "height": 38}
    assert tagged["regions"][0]["boundingBox"] == box
    assert tagged["regions"][0]["tags"] == ["dog"]
