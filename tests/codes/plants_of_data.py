"""Faults of photos, annotations and data sets: BW1xx."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image, ImageFilter
from place import Place, Plant, checked, raised

from boxwright import formats
from boxwright.datasets.check import run_checks
from boxwright.datasets.evaluation_set import images_of_split
from boxwright.datasets.patch import fix
from boxwright.structures.dataset import Dataset, LabeledImage
from folders import VocFolder, packed_gzip
from planting import (
    CAT,
    HEIGHT,
    WIDTH,
    boxes,
    boxless,
    content,
    copied,
    cut_off,
    files,
    in_splits,
    many,
    named,
    orphan,
    pictures,
    put,
    scene,
    side_by_side,
    turned,
    unlisted,
)

BOMB = '<!DOCTYPE a [<!ENTITY b "c">]><annotation>&b;</annotation>'
OUTSIDE = "<annotation><filename>../../b.jpg</filename></annotation>"
ELSEWHERE = "<annotation><filename>/home/me/b.jpg</filename></annotation>"
LINE = "0 0.5 0.5 0.25 0.25\n"
NOTES = '{"categories": [{"id": 0, "name": "cat"}]}'
TWO_IMAGES = '[{"data": {"x": "a.jpg", "y": "b.jpg"}, "annotations": [{"result": []}]}]'
HEADER = "filename,width,height,class,xmin,ymin,xmax,ymax\n"
TWO_SIZES = f"{HEADER}b.jpg,64,48,cat,1,2,9,9\nb.jpg,640,480,cat,10,20,40,50\n"
ROWS = f"{HEADER}b.jpg,64,48,cat,1,2,{{}},9\n"


def no_suspects(place: Place) -> str:
    put(place.folder, "a.jpg")
    (place.root / "a.json").write_text("{}", "utf-8")
    return place.cli("label", place.root, "--suspects", place.root / "a.json")


def suspected(kind: str) -> Plant:
    """What `suspects` prints about twenty photos of a cat and a dog, of which one has a mistake."""
    cat, dog = ("cat", 20, 20, 60, 60), ("dog", 90, 20, 130, 60)
    wrong = {
        "missed": [dog],
        "class": [("dog", *cat[1:]), dog],
        "loose": [("cat", 32, 32, 72, 72), dog],
    }

    def plant(place: Place) -> str:
        rows = []
        for i in range(20):
            put(place.folder, f"{i}.jpg", *(wrong[kind] if i == 0 else (cat, dog)))
            for label, (_, left, top, right, bottom) in enumerate((cat, dog), 1):
                box = [left, top, right - left, bottom - top]
                rows.append({"image_id": i, "category_id": label, "bbox": box, "score": 0.9})
        results, page = place.root.with_name("results.json"), place.root.with_name("page.html")
        results.write_text(json.dumps(rows), "utf-8")
        return place.cli("suspects", place.root, "--detections", results, "--out", page)

    return plant


def stated(width: int, height: int) -> Callable[[VocFolder], None]:
    return lambda folder: put(folder, "a.jpg", stated=(width, height))


def yolo(label: str = LINE, **texts: str) -> Callable[[VocFolder], None]:
    def plant(folder: VocFolder) -> None:
        folder.image("images/a.jpg")
        folder.text("labels/a.txt", label)
        for name, text in texts.items():
            folder.text(name.replace("_", "."), text)

    return plant


def only(name: str, text: str) -> Callable[[VocFolder], None]:
    def plant(folder: VocFolder) -> None:
        folder.image("b.jpg")
        folder.text(name, text)

    return plant


def listed(folder: VocFolder) -> None:
    folder.image("b.jpg")
    folder.text("train.csv", ROWS.format(9))
    folder.text("all.csv", ROWS.format(12))


def in_another_order(folder: VocFolder) -> None:
    for i in range(20):
        folder.image(f"x/{i}.jpg")
        folder.text(f"x/Label/{i}.txt", "Apple 6 40 30 50\n")


def records(folder: VocFolder, name: str = "train.record") -> Path:
    for i in range(3):
        put(folder, f"voc/{i}.jpg")
    dataset = formats.read(folder.root / "voc")
    formats.write(dataset, folder.root / "all", "tfrecord")
    (written,) = (folder.root / "all").glob("*.record")
    target = folder.root / "records" / name
    target.parent.mkdir()
    return written.rename(target)


def shard(place: Place) -> str:
    records(place.folder, "train.record-00000-of-00002")
    return place.cli("check", place.root / "records")


def packed(place: Place) -> str:
    place.patch.setenv("BOXWRIGHT_CACHE", str(place.root / "cache"))
    path = records(place.folder)
    path.write_bytes(packed_gzip(path.read_bytes())[:-99])
    return place.cli("check", path.parent)


def not_text(name: str) -> Plant:
    def plant(place: Place) -> str:
        put(place.folder, "a.jpg")
        (place.root / name).write_bytes(b"\xff\xfe\x00")
        return place.cli("check", place.root)

    return plant


def not_a_table(place: Place) -> str:
    put(place.folder, "a.jpg")
    place.folder.text("train_labels.csv", f'filename\n"{"x" * 140_000}\n')
    return place.cli("check", place.root)


def of_one_camera(place: Place) -> str:
    for i in range(10):
        put(place.folder, f"{i}.jpg", image=scene(7))
    return place.cli("split", place.root)


def converted(place: Place, *words: object) -> str:
    return place.cli("convert", place.root, place.root.parent / "out", *words)


def without_a_place(place: Place) -> str:
    boxless(place.folder)
    return converted(place, "--to", "csv")


def of_one_name(place: Place) -> str:
    for folder in "xy":
        put(place.folder, f"{folder}/a.jpg")
    return place.cli("merge", place.root / "x", place.root / "y", "--out", place.root / "both")


def with_a_break(place: Place) -> object:
    place.folder.image("a.jpg")
    odd = Dataset.of(place.root, [LabeledImage("a.jpg", 64, 48, [(1, 2, 3, 4)], ["a\x01b"])])
    return formats.write(odd, place.root / "out", "voc")


def written_wrongly(place: Place) -> str:
    from boxwright.datasets import convert

    put(place.folder, "a.jpg")
    place.patch.setattr(convert, "_difference", lambda *_: "a box is gone")
    return converted(place, "--to", "coco")


def frozen(place: Place) -> str:
    put(place.folder, "a.jpg")
    place.folder.text("boxwright.split", "# boxwright.split version=1\nsideways a.jpg\n")
    return place.cli("check", place.root)


def nothing_left(place: Place) -> object:
    place.folder.image("a.jpg")
    place.folder.text("a.xml", "<annotation><object>")
    return fix(run_checks(place.root), place.root.parent / "out")


def none_readable(place: Place) -> object:
    from boxwright.training.cache import build_cache

    images = [LabeledImage("absent.jpg", 8, 8, [(0, 0, 4, 4)], ["cat"])]
    return build_cache(Dataset.of(place.root, images), side=8)


def taken(place: Place) -> str:
    put(place.folder, "a.jpg")
    return place.cli("convert", place.root, place.root, "--to", "coco")


def grouped(place: Place) -> str:
    many(10)(place.folder)
    return place.cli("split", place.root, "--groups", "clip")


def split_already(place: Place) -> str:
    in_splits(train="cat", test="cat")(place.folder)
    return place.cli("split", place.root)


def grouped_before(place: Place) -> str:
    many(10)(place.folder)
    place.cli("split", place.root, "--groups", "([0-9])")
    put(place.folder, "new.jpg")
    return place.cli("split", place.root)


BLURRED = scene(1).filter(ImageFilter.GaussianBlur(4))
NIGHT = scene(2).point(lambda level: level // 8)
NEAR = ("dog", 41, 31, 120, 90)


def in_another_format(folder: VocFolder) -> None:
    put(folder, "a.jpg")
    folder.text("b.jxl", "an image of JPEG XL")
    folder.xml("b.xml", filename="b.jxl")


def too_large(place: Place) -> str:
    put(place.folder, "a.jpg")
    put(place.folder, "b.jpg", image=scene(1, (200, 150)))
    return place.cli("check", place.root, "--max-pixels", 29_999)


def of_12_bits(folder: VocFolder) -> None:
    levels = np.asarray(scene(3).convert("L")).astype(np.uint16)
    put(folder, "a.png", image=Image.fromarray(levels * 16))


def unknown_class(place: Place) -> str:
    place.folder.pair("a")
    return place.cli("train", place.root, "--classes", "cats")


VIA = """{"a.jpg1": {"filename": "a.jpg", "size": 1, "file_attributes": {}, "regions": [
{"shape_attributes": {"name": "rect", "x": 1, "y": 2, "width": 9, "height": 9},
 "region_attributes": {"class": "cat", "color": "red"}}]}}"""
CVAT = '<annotations><image name="a.jpg"><tag label="cat"/></image></annotations>'
WITH_A_HEAD = (
    "<annotation><object><name>cat</name>"
    "<xmin>1</xmin><ymin>2</ymin><xmax>30</xmax><ymax>40</ymax>"
    "<part><name>head</name></part></object></annotation>"
)
TRACKS = '<annotations><track label="cat"></track></annotations>'


def file_beside(name: str, text: str, *images: str) -> Callable[[VocFolder], None]:
    def plant(folder: VocFolder) -> None:
        folder.text(name, text)
        for image in images:
            folder.image(image)

    return plant


PLANTS: dict[str, Plant] = {
    "BW101": checked(orphan),
    "BW102": checked(cut_off(0.7)),
    "BW103": checked(boxes(("cat", -5, 10, 20, 40))),
    "BW104": checked(turned((WIDTH, HEIGHT))),
    "BW105": checked(boxes(("cat", 50, 10, 20, 40))),
    "BW106": checked(boxes(CAT, ("cat", 9, 9, 9, 30))),
    "BW107": checked(named(cat=3, Cat=1)),
    "BW108": checked(stated(120, 120)),
    "BW109": checked(files("b.jpg")),
    "BW110": checked(files(b_xml="<annotation><object>")),
    "BW111": checked(files(b_xml=BOMB)),
    "BW112": checked(files(b_xml=OUTSIDE)),
    "BW113": checked(files(old__a_xml="<annotation></annotation>")),
    "BW114": checked(lambda folder: folder.image("a.jpg")),
    "BW115": lambda place: place.cli("check", place.root / "nowhere"),
    "BW116": checked(files(map_pbtxt="item { id: 0 name: 'cat' }")),
    "BW117": checked(files(train_txt="a\nb\n")),
    "BW118": checked(files(train_txt="a\n", test_txt="a\n")),
    "BW119": checked(unlisted),
    "BW120": not_a_table,
    "BW121": of_one_camera,
    "BW122": checked(in_splits(train="cat", val="cat")),
    "BW123": checked(content("a.jpg", "PNG")),
    "BW124": checked(boxes(CAT, ("cat", 9, 9, 11, 50))),
    "BW125": checked(boxes(("cat", 0, 0, 160, 119))),
    "BW126": checked(boxes(CAT, CAT)),
    "BW127": checked(named(raccoon=30, racoon=3)),
    "BW128": checked(named(cat=20, dog=19)),
    "BW129": checked(in_splits(train="cat", test="dog")),
    "BW130": checked(copied("a.jpg", "b.jpg")),
    "BW131": checked(copied("train/a.jpg", "test/b.jpg")),
    "BW132": checked(side_by_side(7)),
    "BW133": checked(boxes(("cat", 2, 60, 158, 68))),
    "BW134": checked(boxes(CAT, NEAR)),
    "BW135": checked(pictures(BLURRED)),
    "BW136": checked(pictures(NIGHT)),
    "BW137": checked(pictures(scene(1, (200, 99)))),
    "BW138": checked(many(2)),
    "BW139": checked(stated(0, 0)),
    "BW140": without_a_place,
    "BW141": raised(with_a_break),
    "BW142": of_one_name,
    "BW143": checked(yolo("0 0.1 0.1 0.9 0.1 0.9 0.9\n", classes_txt="cat\n")),
    "BW144": checked(in_another_order),
    "BW145": written_wrongly,
    "BW146": frozen,
    "BW147": shard,
    "BW148": checked(yolo()),
    "BW149": checked(boxless),
    "BW150": packed,
    "BW151": raised(nothing_left),
    "BW152": raised(none_readable),
    "BW153": checked(files("x/b.jpg", "y/b.jpg", b_xml="<annotation></annotation>")),
    "BW154": checked(files("b.jpg", x_xml=ELSEWHERE)),
    "BW155": checked(files("images/b.jpg", labels__b_txt=LINE)),
    "BW156": checked(only("tasks.json", TWO_IMAGES)),
    "BW157": checked(only("boxes.csv", TWO_SIZES)),
    "BW158": checked(yolo(notes_json=NOTES)),
    "BW159": checked(listed),
    "BW160": not_text("train.txt"),
    "BW161": checked(yolo("0 24 24 16 240\n", classes_txt="cat\n")),
    "BW162": checked(yolo("0 24 24 16 24\n", classes_txt="cat\n")),
    "BW163": checked(yolo("1 0.5 0.5 0.25 0.5\n3 0.5 0.5 0.1 0.1\n", classes_txt="cat\ndog\n")),
    "BW164": checked(file_beside("via.json", VIA, "a.jpg")),
    "BW165": checked(file_beside("annotations.xml", CVAT, "a.jpg")),
    "BW166": checked(file_beside("annotations.xml", TRACKS)),
    "BW167": checked(in_another_format),
    "BW168": too_large,
    "BW169": checked(of_12_bits),
    "BW187": checked(file_beside("a.xml", WITH_A_HEAD, "a.jpg")),
    "BW181": suspected("missed"),
    "BW182": suspected("class"),
    "BW183": suspected("loose"),
    "BW184": no_suspects,
    "BW191": lambda place: place.cli("predict", "m", place.root / "a.jpg", "--out", "out"),
    "BW192": lambda place: place.cli("predict", "m", place.root, "--out", "out"),
    "BW193": raised(lambda place: images_of_split(Dataset.of(place.root, []), "val")),
    "BW194": taken,
    "BW195": grouped,
    "BW196": split_already,
    "BW197": raised(lambda _: formats.named("COCO")),
    "BW198": grouped_before,
    "BW199": unknown_class,
}
