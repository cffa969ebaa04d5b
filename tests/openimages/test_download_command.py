"""`boxwright download openimages`: what is chosen, fetched and written."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from downloading import boxes_in, get, images_in, run
from typer.testing import CliRunner
from world_of_images import (
    CLASSES,
    DESCRIPTIONS,
    FILES,
    HIERARCHY_FILE,
    World,
    table,
)

from boxwright import downloads, formats, load
from boxwright.cli.main import app
from boxwright.formats.openimages.format import HEADER
from boxwright.structures.dataset import CROWD, OCCLUDED, TRUNCATED
from misbehaving import Behaviour, cut, files_in, hang, hang_up, ignore_range, short, slow, status


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "fruit"


@pytest.mark.parametrize(
    ("arguments", "classes"),
    [
        pytest.param(["--classes", "Apple"], ["Apple"], id="a name"),
        pytest.param(["--classes", "Apple", "orange"], ["Apple", "Orange"], id="several"),
        pytest.param(["--classes", "Apple,Orange"], ["Apple", "Orange"], id="with a comma"),
        pytest.param(["--classes", "french_FRIES"], ["French fries"], id="underscore, any case"),
        pytest.param(["French fries"], ["French fries"], id="without --classes"),
        pytest.param(["--classes", "/m/081qc"], ["Wine"], id="a code"),
        pytest.param(["--classes", "Wine"], ["Wine"], id="the start of another name"),
        pytest.param(["--classes", "FILE"], ["Wine glass", "Orange"], id="a file"),
    ],
)
def test_images_of_the_classes_come_with_their_boxes(
    world: World, out: Path, tmp_path: Path, arguments: list[str], classes: list[str]
) -> None:
    listed = tmp_path / "names.txt"
    listed.write_text("# glasses\nWine_glass\n\norange\n", encoding="utf-8")
    arguments = [str(listed) if word == "FILE" else word for word in arguments]
    get(out, *arguments, "--split", "validation")
    assert images_in(out, "validation") == world.images_of("validation", *classes)
    assert boxes_in(out, "validation") == world.boxes_of("validation", *classes)


def test_all_splits_can_be_read_and_trained_on(world: World, out: Path) -> None:
    result = get(out, "Apple", "Orange", "--split", "all")
    assert f"Next:\n  boxwright train {out}" in result.output
    dataset = load(out)
    assert not [each for each in dataset.findings if each.code == "BW101"]
    assert dataset.classes == ("Apple", "Orange")
    for split, name in (("train", "train"), ("val", "validation"), ("test", "test")):
        part = dataset.split(split)
        assert {Path(one).stem for one in part.names} == world.images_of(name, "Apple", "Orange")
    rows = {
        (Path(dataset.names[i]).stem, *np.round(box / [40, 30, 40, 30], 4).tolist()): int(flag)
        for i, box, flag in zip(dataset.image_of_box, dataset.boxes, dataset.flags, strict=True)
    }
    for split in world.rows:
        for row in world.boxes_of(split, "Apple", "Orange"):
            xmin, xmax, ymin, ymax = (round(float(cell), 4) for cell in row[4:8])
            near = [
                flag
                for key, flag in rows.items()
                if key[0] == row[0] and np.allclose(key[1:], (xmin, ymin, xmax, ymax), atol=2e-4)
            ]
            bits = zip(row[8:11], (OCCLUDED, TRUNCATED, CROWD), strict=True)
            assert near == [sum(bit for cell, bit in bits if cell == "1")]


def test_another_format_is_written_beside_it(world: World, out: Path) -> None:
    words = ("Apple", "Orange", "--split", "test", "--to", "coco")
    result = get(out, *words)
    beside = out.with_name("fruit-coco")
    assert f"boxwright train {beside}" in result.output
    assert "unknown in an image" in result.output, "what COCO cannot store"
    one, other = load(out), load(beside)
    assert sorted(map(tuple, one.boxes.tolist())) == sorted(map(tuple, other.boxes.tolist()))
    assert len(one) == len(other)
    assert formats.detect(beside) == "coco"
    asked = len(world.server.paths)
    again = run(*words, "--out", out)
    assert (again.exit_code, len(world.server.paths)) == (1, asked)
    assert "BW194" in again.output


def test_validation_images_alone_are_split_before_training(world: World, out: Path) -> None:
    result = get(out, "Apple", "Orange", "--split", "validation")
    assert f"Next:\n  boxwright split {out} --anew\n  boxwright train {out}" in result.output
    split = CliRunner().invoke(app, ["split", str(out), "--anew"])
    assert split.exit_code == 0, split.output
    assert len(load(out).split("train")) > 0


def test_an_unknown_class_names_the_nearest(world: World, out: Path) -> None:
    result = run("--classes", "Aple", "--out", out)
    assert result.exit_code == 2
    assert "no class 'Aple'" in result.output
    assert "Choose among: Apple, " in result.output
    assert not out.exists()


def test_a_larger_limit_keeps_the_images_of_a_smaller_one(world: World, tmp_path: Path) -> None:
    few, more, again, other = (tmp_path / name for name in ("few", "more", "again", "other"))
    get(few, "Apple", "--limit", 5)
    get(more, "Apple", "--limit", 12)
    get(again, "Apple", "--limit", 5)
    get(other, "Apple", "--limit", 5, "--seed", 1)
    assert len(images_in(few, "train")) == 5
    assert len(images_in(more, "train")) == 12
    assert images_in(few, "train") < images_in(more, "train")
    assert images_in(few, "train") == images_in(again, "train") != images_in(other, "train")


def test_each_class_gets_as_many_images(world: World, out: Path) -> None:
    get(out, "Apple", "Orange", "Wine", "--per-class", 4)
    for name in ("Apple", "Orange", "Wine"):
        assert len(images_in(out, "train") & world.images_of("train", name)) >= 4
    assert len(images_in(out, "train")) <= 12


def test_a_folder_is_extended(world: World, out: Path) -> None:
    get(out, "Apple", "--limit", 3)
    before = images_in(out, "train")
    asked = len(world.server.paths)
    get(out, "Orange", "--split", "validation", "--limit", 2)
    assert images_in(out, "train") == before
    new = images_in(out, "validation")
    assert len(new) == 2
    assert sum("bucket" in path for path in world.server.paths[asked:]) == 2
    both = world.boxes_of("train", "Apple", "Orange")
    assert boxes_in(out, "train") == [row for row in both if row[0] in before]
    assert {row[0] for row in boxes_in(out, "validation")} == new


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Apple", ["Apple", "Orange"]),  # which this hierarchy has below it
        ("Orange", ["Orange"]),
        ("Wine glass", ["Wine glass"]),  # wine is its part
        ("Wine", ["Wine", "French fries"]),
    ],
)
def test_children_are_the_classes_below(
    world: World, out: Path, name: str, expected: list[str]
) -> None:
    get(out, name, "--with-children", "--split", "test")
    assert boxes_in(out, "test") == world.boxes_of("test", *expected)


def test_the_chosen_images_are_printed_in_the_official_form(
    world: World, out: Path, tmp_path: Path
) -> None:
    listed = run("Apple", "--split", "all", "--limit", 3, "--only-list").stdout
    assert not [path for path in world.server.paths if "bucket" in path]
    (tmp_path / "list.txt").write_text(listed, "utf-8")
    get(out, "--images", tmp_path / "list.txt")
    fetched = {f"{split}/{image}" for split in world.rows for image in images_in(out, split)}
    assert sorted(listed.split()) == sorted(fetched)
    assert len(fetched) == 9


@pytest.mark.parametrize("path", ["v7/oidv7-class-descriptions-boxable.csv", HIERARCHY_FILE])
@pytest.mark.parametrize("content", [b"", b"[1]", b'{"a": 1}', b"[" * 100_000])
def test_other_lists_are_refused(world: World, out: Path, path: str, content: bytes) -> None:
    world.server.files[path], good = content, world.server.files[path]
    result = run("Apple", "--with-children", "--out", out)
    assert result.exit_code == 1
    assert f"BW177 {world.server.url}/{path}: the list cannot be used: " in result.output
    world.server.files[path] = good
    get(out, "Apple", "--with-children", "--limit", 1)


def test_images_can_be_listed(world: World, out: Path, tmp_path: Path) -> None:
    some = sorted(world.images_of("test", "Wine"))[:2]
    listed = tmp_path / "images.txt"
    lines = "".join(f"test/{image.upper()} # a comment\n" for image in some)
    listed.write_text(lines, "utf-8")
    get(out, "--images", listed)
    listed.write_text(f"../../x\n{lines}test/1 \n", "utf-8")
    result = run("--images", listed, "--out", out)
    assert (result.exit_code, "2 of 4 images" in result.output) == (1, True)
    assert (out / "failed.txt").read_text("utf-8") == (
        "../../x # this is not a split and an ImageID\n"
        "test/1 # this is not a split and an ImageID\n"
    )
    assert images_in(out, "test") == set(some)
    assert boxes_in(out, "test") == [row for row in world.rows["test"] if row[0] in some]


@pytest.mark.parametrize("splits", [("validation",), ("train", "validation", "test")])
def test_classes_are_counted_before_anything_is_fetched(
    world: World, splits: tuple[str, ...]
) -> None:
    one = ["--split", *splits] if len(splits) == 1 else []
    result = run("--list-classes", "wine", *one, "--json")
    assert json.loads(result.stdout) == [
        {
            "name": name,
            "code": code,
            **{
                split: {
                    "images": len(world.images_of(split, name)),
                    "boxes": len(world.boxes_of(split, name)),
                }
                for split in splits
            },
        }
        for code, name in CLASSES.items()
        if "Wine" in name
    ]
    assert not [path for path in world.server.paths if "bucket" in path]
    assert "French fries" in run("--list-classes").output
    assert run("--list-classes", "Zeppelin").exit_code == 2


LISTS = {
    "v4": ("2018_04/class-descriptions-boxable.csv", "2018_04/train/train-annotations-bbox.csv"),
    "v5": ("v5/class-descriptions-boxable.csv", "2018_04/train/train-annotations-bbox.csv"),
    "v6": ("v5/class-descriptions-boxable.csv", FILES["train"]),
    "v7": (DESCRIPTIONS, FILES["train"]),
}


@pytest.mark.parametrize("version", LISTS)
def test_each_version_has_its_lists(world: World, out: Path, version: str) -> None:
    descriptions, boxes = LISTS[version]
    files = world.server.files
    wide, described = files.pop(FILES["train"]), files.pop(DESCRIPTIONS)
    bare = described.partition(b"\n")[2]
    files[descriptions] = described if version == "v7" else bare
    files[boxes] = table(HEADER, world.rows["train"]) if "2018" in boxes else wide
    get(out, "Apple", "--version", version)
    assert world.server.paths[:2] == [descriptions, boxes]
    assert boxes_in(out, "train") == world.boxes_of("train", "Apple")


FAULTS: dict[str, list[Behaviour]] = {
    "503, and a time to wait": [status(503, Retry_After="0"), status(429)],
    "cut": [cut(100), cut(7)],
    "hangs up": [hang_up],
    "falls silent": [hang],
    "a byte at a time": [slow],
    "half, as if it were whole": [short],
    "ignores the range": [cut(300), ignore_range],
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_of_the_server_changes_nothing(world: World, tmp_path: Path, fault: str) -> None:
    get(tmp_path / "calm", "Apple", "--split", "validation")
    some = sorted(world.images_of("validation", "Apple"))[:3]
    for image in some:
        world.server.behaviors_of[world.path(f"validation/{image}")] = list(FAULTS[fault])
    get(tmp_path / "stormy", "Apple", "--split", "validation")
    calm, stormy = tmp_path / "calm", tmp_path / "stormy"
    assert files_in(calm) == files_in(stormy)
    assert all((calm / f).read_bytes() == (stormy / f).read_bytes() for f in files_in(calm))
    assert not any(world.server.behaviors_of.values())


def test_what_fails_is_listed_with_its_reason_and_can_be_tried_again(
    world: World, tmp_path: Path
) -> None:
    calm, stormy = tmp_path / "calm", tmp_path / "stormy"
    get(calm, "Apple")
    elsewhere = f"http://localhost:{world.server.server_port}/x"
    faults = {
        "404": status(404),
        "403": status(403),
        "another host, localhost": status(302, Location=elsewhere),
        "is not an image": status(200, b"no picture"),
        "web page": status(200, b"<html>", Content_Type="text/html"),
        "503": status(503),
    }
    some = dict(zip(sorted(world.images_of("train", "Apple")), faults.items(), strict=False))
    for image, (_, fault) in some.items():
        world.server.behaviors_of[world.path(f"train/{image}")] = [fault] * 9
    result = run("Apple", "--out", stormy)
    assert result.exit_code == 1
    assert f"BW178 {stormy / 'failed.txt'}: 6 of " in result.output
    lines = (stormy / "failed.txt").read_text("utf-8").splitlines()
    reasons = dict(line.split(" # ") for line in lines)
    assert reasons.keys() == {f"train/{image}" for image in some}
    for image, (reason, _) in some.items():
        assert reason in reasons[f"train/{image}"]
    assert images_in(stormy, "train") == images_in(calm, "train") - some.keys()
    assert {row[0] for row in boxes_in(stormy, "train")} == images_in(stormy, "train")
    world.server.behaviors_of.clear()
    get(stormy, "--images", stormy / "failed.txt")
    assert files_in(calm) == files_in(stormy)
    assert all((calm / f).read_bytes() == (stormy / f).read_bytes() for f in files_in(calm))


HOSTILE = ("../../../../etc/x", "0000000000/../../", "c:0000", "000000000000000g", "'$(x)'%00.jpg")


def test_names_that_lead_elsewhere_are_not_asked_for_and_listed(
    world: World, out: Path, tmp_path: Path
) -> None:
    get(tmp_path / "calm", "Apple", "--split", "validation")
    path, apple = FILES["validation"], world.boxes_of("validation", "Apple")[0]
    hostile = [[name, *apple[1:]] for name in HOSTILE]
    orange = [HOSTILE[0], *world.boxes_of("validation", "Orange")[0][1:]]
    world.server.files[path] += table(hostile[0], [*hostile[1:], [*orange]])
    result = CliRunner().invoke(
        app,
        ["download", "openimages", "Apple", "--split", "validation", "--out", str(out)],
        env={"BOXWRIGHT_CACHE": str(tmp_path / "other cache")},
    )
    assert result.exit_code == 1
    assert f"{len(HOSTILE) + 1} rows of the boxes of validation cannot be used" in result.output
    lines = (out / "failed.txt").read_text("utf-8").splitlines()
    assert lines == [f"validation/{name} # this is not a split and an ImageID" for name in HOSTILE]
    for name in files_in(tmp_path / "calm"):
        assert (out / name).read_bytes() == (tmp_path / "calm" / name).read_bytes()
    assert files_in(out) == {*files_in(tmp_path / "calm"), "failed.txt"}
    assert {each.name for each in tmp_path.iterdir()} == {"cache", "calm", "fruit", "other cache"}
    assert boxes_in(out, "validation") == world.boxes_of("validation", "Apple")
    asked = {path for path in world.server.paths if "bucket" in path}
    assert asked == {
        world.path(f"validation/{image}") for image in world.images_of("validation", "Apple")
    }


def test_a_large_download_is_confirmed(
    world: World, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(downloads, "ASKS_ABOVE", 500_000)
    result = run("Apple", "--split", "test", "--out", out)
    assert result.exit_code == 2
    assert "--yes" in result.output
    assert not out.exists()
    terminal = SimpleNamespace(stdin=SimpleNamespace(isatty=lambda: True))
    with monkeypatch.context() as patch:
        patch.setattr(downloads, "sys", terminal)
        words = ["download", "openimages", "Apple", "--split", "test", "--out", str(out)]
        assert CliRunner().invoke(app, words, input="n\n").exit_code == 1
        assert not out.exists()
        said = CliRunner().invoke(app, words, input="y\n")
        assert (said.exit_code, len(images_in(out, "test")) > 0) == (0, True)
        assert "images are about" in said.output
    get(out, "Apple", "--split", "test")  # nothing is missing
    get(out, "Orange", "--split", "test", "--yes")


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["Unused"], 1, "no image of train has a box of Unused"),
        ([], 2, "classes are missing"),
        (["--images", "list.txt"], 2, "'../../x' is not a split and an ImageID"),
        (["Apple", "--split", "val"], 2, "'val' is not one of"),
    ],
)
def test_what_cannot_be_done_is_said(
    world: World,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    code: int,
    said: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "list.txt").write_text("../../x\ntrain/1\n", "utf-8")
    result = run(*arguments, "--out", "out")
    assert result.exit_code == code
    assert said in result.output
    assert not (tmp_path / "out").exists()


def test_a_folder_of_something_else_is_not_touched(world: World, out: Path) -> None:
    out.mkdir()
    (out / "mine.txt").touch()
    result = run("Apple", "--out", out)
    assert (result.exit_code, files_in(out)) == (1, {"mine.txt"})
    assert "BW194" in result.output
