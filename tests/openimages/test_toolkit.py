"""`boxwright tfod main.py`: the same images, folders and lines as the OIDv4 ToolKit makes."""

from __future__ import annotations

import http.client
import json
import threading
from itertools import product
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pytest
from PIL import Image
from world_of_images import (
    CLASSES,
    HEIGHT,
    LABEL_HEADER,
    WIDTH,
    World,
    rows_of,
    table,
)

from boxwright import downloads, formats
from boxwright.errors import BoxwrightError
from boxwright.formats.openimages.format import HEADER
from boxwright.openimages.index import Index, indexed
from boxwright.openimages.kinds import FLAGS
from boxwright.openimages.toolkit import class_folders, write_labels
from boxwright.tfod.commands import named, run_line
from misbehaving import Server, files_in, status

NAMES = {"/m/014j1m": "Apple", "/m/0cyhj_": "Orange"}
BOXES = "2018_04/{0}/{0}-annotations-bbox.csv"
ALL_CLASSES = "2018_04/class-descriptions.csv"
HUMAN = "2018_04/{0}/{0}-annotations-human-imagelabels.csv"
MACHINE = "2018_04/{0}/{0}-annotations-machine-imagelabels.csv"


@pytest.fixture
def oid(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory, and a server with the lists of V4."""
    place = tmp_path / "work"
    place.mkdir()
    monkeypatch.chdir(place)
    files = world.server.files
    bare = "".join(f"{code},{name}\n" for code, name in CLASSES.items()).encode()
    files["2018_04/class-descriptions-boxable.csv"] = files[ALL_CLASSES] = bare
    for split, rows in world.rows.items():
        files[BOXES.format(split)] = table(HEADER, rows)
        files[HUMAN.format(split)] = files[MACHINE.format(split)] = table(
            LABEL_HEADER, world.labels[split]
        )
    return place / "OID"


def toolkit(line: str) -> None:
    run_line(["main.py", *line.split()])


def images_in(folder: Path) -> set[str]:
    return {path.stem for path in folder.glob("*.jpg")}


def lines_of(world: World, split: str, *names: str) -> dict[str, list[str]]:
    """The lines of each image's file, class by class, as the ToolKit computes them."""
    lines: dict[str, list[str]] = {}
    for name in names:
        for row in world.boxes_of(split, name):
            left, right, top, bottom = (float(cell) for cell in row[4:8])
            box = (left * WIDTH, top * HEIGHT, right * WIDTH, bottom * HEIGHT)
            lines.setdefault(row[0], []).append(" ".join([name, *map(str, box)]))
    return lines


def lines_in(folder: Path) -> dict[str, list[str]]:
    return {
        path.stem: path.read_text("utf-8").splitlines() for path in (folder / "Label").iterdir()
    }


def test_the_line_of_the_tutorial(
    world: World, oid: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    toolkit("downloader --classes Apple Orange --type_csv validation")
    place = oid / "Dataset" / "validation"
    assert {path.name for path in place.iterdir()} == {"Apple", "Orange"}
    for name in ("Apple", "Orange"):
        assert images_in(place / name) == world.images_of("validation", name)
        assert lines_in(place / name) == lines_of(world, "validation", name)
    assert "OID/Dataset/validation/Apple: " in capsys.readouterr().out.replace("\\", "/")
    both = world.images_of("validation", "Apple") & world.images_of("validation", "Orange")
    assert both
    for image in both:
        assert world.server.paths.count(world.path(f"validation/{image}")) == 1
    assert set(formats.read(oid / "Dataset").classes) == {"Apple", "Orange"}


@pytest.mark.parametrize(
    ("line", "split", "name", "classes"),
    [
        ("--multiclasses 1", "test", "Wine glass_Apple", ("Wine glass", "Apple")),
        ("--additional_label_classes Orange", "test", "Apple", ("Apple", "Orange")),
        ("--noLabels", "test", "Apple", ()),
    ],
)
def test_flags_change_the_folders(
    world: World, oid: Path, line: str, split: str, name: str, classes: tuple[str, ...]
) -> None:
    toolkit(f"downloader --classes Wine_glass Apple --type_csv {split} --n_threads 4 -y {line}")
    place = oid / "Dataset" / split / name
    together = "multiclasses" in line
    chosen = world.images_of(split, *(classes if together else ("Apple",)))
    assert images_in(place) == chosen
    found = lines_in(place) if classes else {}
    expected = lines_of(world, split, *classes)
    assert found == {image: expected[image] for image in chosen if classes}
    assert (place / "Label").exists() == bool(classes)


def test_all_splits_a_file_of_classes_and_another_folder(world: World, oid: Path) -> None:
    Path("mine.txt").write_text("Apple\nWine glass\n", "utf-8")
    toolkit("downloader --classes mine.txt --type_csv all --limit 3 --Dataset mine")
    few = {path.relative_to(oid).as_posix(): images_in(path) for path in oid.glob("mine/*/*")}
    assert few.keys() == {
        f"mine/{split}/{name}" for split in world.rows for name in ("Apple", "Wine glass")
    }
    for place, images in few.items():
        _, split, name = place.split("/")
        assert images <= world.images_of(split, name)
        assert len(images) == min(3, len(world.images_of(split, name)))
    toolkit("downloader --classes mine.txt --type_csv all --limit 5 --Dataset mine")
    assert all(images <= images_in(oid / place) for place, images in few.items())


def test_labels_of_a_second_run_are_not_appended(world: World, oid: Path) -> None:
    line = "downloader --classes Apple --type_csv test"
    toolkit(line)
    before = {name: (oid / name).read_bytes() for name in files_in(oid)}
    asked = len(world.server.paths)
    toolkit(line)
    assert {name: (oid / name).read_bytes() for name in files_in(oid)} == before
    assert len(world.server.paths) == asked


def test_a_large_download_is_confirmed(
    world: World, oid: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """The tests have no terminal in which it could ask."""
    monkeypatch.setattr(downloads, "ASKS_ABOVE", 500_000)
    line = "downloader --classes Apple --type_csv test"
    with pytest.raises(BoxwrightError, match=r"images are about \d+ GB: confirm with --yes"):
        toolkit(line)
    assert not oid.exists()
    toolkit(f"{line} -y")
    count = len(world.images_of("test", "Apple"))
    assert f"{count} of {count} images, 0.0 MB, " in capfd.readouterr().err
    toolkit(line)  # nothing is missing


@pytest.mark.parametrize("sub", ["h", "m"])
def test_images_with_a_label(
    world: World, oid: Path, sub: str, capsys: pytest.CaptureFixture[str]
) -> None:
    toolkit(f"downloader_ill --classes Apple --type_csv test --sub {sub}")
    place = oid / "Dataset_nl" / "test" / "Apple"
    rows = [row for row in world.labels["test"] if CLASSES[row[2]] == "Apple"]
    assert images_in(place) == {row[0] for row in rows}
    assert not (place / "Label").exists()
    absent = len(world.absent_from("test", "Apple"))
    assert f"{absent} of them verified not to show it" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["main.py", "oidv4"])
def test_the_visualizer_shows_what_was_downloaded(world: World, oid: Path, name: str) -> None:
    """Its page is tested in tests/studio/test_viewer.py."""
    toolkit("downloader --classes Apple Orange --type_csv test")
    before = files_in(oid)
    seen: list[dict[str, object]] = []

    def look(address: str) -> None:
        at = urlsplit(address)
        browser = http.client.HTTPConnection(at.netloc, timeout=10)
        browser.request("GET", f"/?{at.query}")
        answer = browser.getresponse()
        answer.read()
        headers = {"Cookie": answer.getheader("set-cookie", "").partition(";")[0]}
        for path in ("/api/folder", "/api/rows"):
            browser.request("GET", path, headers=headers)
            seen.append(json.loads(browser.getresponse().read()))
        browser.request("POST", "/api/quit", headers={**headers, "X-Boxwright": "1"})
        assert browser.getresponse().status == 204
        browser.close()

    def say(text: str) -> None:
        said.append(text)
        if "http://" in text:
            threading.Thread(target=look, args=(text.strip(),)).start()

    said: list[str] = []
    named(name).run(named(name).Flags(command="visualizer"), say)
    folder, listed = seen
    assert folder["read_only"] is True
    assert folder["classes"] == ["Apple", "Orange"]
    rows = {Path(row["name"]).stem: row["boxes"] for row in listed["rows"]}
    images = world.images_of("test", "Apple", "Orange")
    own = [row[0] for row in world.boxes_of("test", "Apple", "Orange")]
    assert rows == {image: own.count(image) for image in images}
    assert "q (quit)" in said[-1]
    assert files_in(oid) == before


def test_images_that_do_not_come_are_listed(world: World, oid: Path) -> None:
    image = min(world.images_of("test", "Apple"))
    world.server.behaviors_of[world.path(f"test/{image}")] = [status(404)] * 9
    elsewhere = ["../../../x", *world.boxes_of("test", "Apple")[0][1:]]
    world.server.files[BOXES.format("test")] += f"{','.join(elsewhere)}\n".encode()
    with pytest.raises(BoxwrightError, match=r"2 images could not be downloaded.*404") as caught:
        toolkit("downloader --classes Apple --type_csv test")
    assert caught.value.code == "BW178"
    first, second = (oid / "Dataset/failed.txt").read_text("utf-8").splitlines()
    assert first.startswith(f"test/{image} # the server answers 404")
    assert second == "test/../../../x # this is not a split and an ImageID"
    place = oid / "Dataset/test/Apple"
    assert images_in(place) == lines_in(place).keys()
    assert images_in(place) == world.images_of("test", "Apple") - {image}


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("downloader --type_csv test", "BW703"),
        ("downloader --classes Apple", "BW703"),
        ("downloader --classes --type_csv test", "BW704"),
        ("downloader --classes Apple --type_csv val", "BW704"),
        ("downloader --classes Apple --type_csv test --limit 0", "BW704"),
        ("downloader --classes Aple --type_csv test", "BW803"),
        ("downloader --classes Unused --type_csv test", "BW178"),
        ("downloader_ill --classes Apple --type_csv test", "BW703"),
        ("downloader_ill --classes Apple --type_csv test --sub h --image_IsInside 1", "BW704"),
        ("download --classes Apple --type_csv test", "BW704"),
        ("visualizer", "BW115"),
    ],
)
def test_what_does_not_work_is_coded(world: World, oid: Path, line: str, code: str) -> None:
    with pytest.raises(BoxwrightError) as caught:
        toolkit(line)
    assert caught.value.code == code
    assert not oid.exists()


def test_names_of_classes_do_not_lead_out_of_the_folder(world: World, oid: Path) -> None:
    names = dict(CLASSES) | {"/m/014j1m": "../../Apple"}
    bare = "".join(f"{code},{name}\n" for code, name in names.items()).encode()
    world.server.files["2018_04/class-descriptions-boxable.csv"] = bare
    toolkit("downloader --classes /m/014j1m --type_csv test")
    assert {path.name for path in oid.parent.iterdir()} == {"OID"}
    assert {path.name for path in (oid / "Dataset/test").iterdir()} == {"__.._Apple"}


# ---- Every combination of attributes, on 2,000 images --------------------------------------------


@pytest.fixture(scope="module")
def rows() -> list[list[str]]:
    return rows_of(2000, np.random.default_rng(1))


@pytest.fixture
def index(rows: list[list[str]], server: Server, tmp_path: Path) -> Index:
    server.files["boxes.csv"] = table(HEADER, rows)
    return indexed(f"{server.url}/boxes.csv", tmp_path / "index", ["127.0.0.1"])


LeftOut = dict[tuple[str, int], set[str]]


@pytest.fixture(scope="module")
def left_out(rows: list[list[str]]) -> LeftOut:
    """The images that the ToolKit leaves out for a flag and its value: those of each box, of
    whatever class, with another value."""
    return {
        (name, value): {row[0] for row in rows if int(row[HEADER.index(name)]) != value}
        for name in FLAGS
        for value in (0, 1)
    }


def kept_by_the_rule(rows: list[list[str]], left_out: LeftOut, where: dict[str, int]) -> set[str]:
    return {row[0] for row in rows}.difference(*(left_out[one] for one in where.items()))


def test_every_combination_of_attributes_chooses_the_same_images(
    rows: list[list[str]], left_out: LeftOut, index: Index
) -> None:
    of_class = {code: {row[0] for row in rows if row[2] == code} for code in NAMES}
    some = 0
    for values in product((None, 0, 1), repeat=len(FLAGS)):
        where = {name: v for name, v in zip(FLAGS, values, strict=True) if v is not None}
        kept = kept_by_the_rule(rows, left_out, where)
        for folder in class_folders("train", index, NAMES, where=where):
            assert {image.id for image in folder.images} == of_class[folder.codes[0]] & kept
            some += bool(folder.images)
    assert some > 300


@pytest.mark.parametrize("flags", [(), ("IsOccluded",), ("IsInside", "IsGroupOf")])
def test_the_lines_are_the_same(
    rows: list[list[str]],
    left_out: LeftOut,
    index: Index,
    tmp_path: Path,
    flags: tuple[str, ...],
) -> None:
    """Of the first images that fit."""
    where = dict.fromkeys(flags, 0)
    (folder,) = class_folders("train", index, NAMES, together=True, where=where, limit=20)
    place = tmp_path / "train" / "Apple_Orange"
    place.mkdir(parents=True)
    Image.new("RGB", (1024, 683)).save(place / "first.jpg")
    for image in folder.images:
        (place / f"{image.id}.jpg").hardlink_to(place / "first.jpg")
    write_labels(folder, tmp_path, index, NAMES)
    chosen = {image.id for image in folder.images}
    assert chosen <= kept_by_the_rule(rows, left_out, where)
    expected: dict[str, list[str]] = {}
    for code, name in NAMES.items():
        for image, _, _, _, left, right, top, bottom in (r[:8] for r in rows if r[2] == code):
            sides = (float(left) * 1024, float(top) * 683, float(right) * 1024, float(bottom) * 683)
            line = " ".join([name, *map(str, sides)])
            if image in chosen:
                expected.setdefault(image, []).append(line)
    assert lines_in(place) == expected
