"""`boxwright convert` and `boxwright merge`: what they print, and how they fail."""

from __future__ import annotations

import json
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, get_args

import pytest
from typer.testing import CliRunner, Result

from boxwright import formats
from boxwright.cli.main import app
from boxwright.console import NOT_UNDERSTOOD
from boxwright.export.targets import TARGETS, Quantized
from boxwright.structures.dataset import Split

if TYPE_CHECKING:
    from folders import VocFolder

pytestmark = pytest.mark.tiny


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture
def images(voc_folder: VocFolder) -> Path:
    """Six photos in train/ and test/, one of them empty, and annotations without photo."""
    for i in range(4):
        voc_folder.pair(f"train/{i}")
    voc_folder.pair("test/[t]")
    voc_folder.image("test/empty.jpg")
    voc_folder.xml("test/empty.xml", [])
    for i in range(5):
        voc_folder.xml(f"train/lost{i}.xml")
    return voc_folder.root


@pytest.mark.parametrize(
    ("verb", "names"),
    [
        ("convert", formats.FORMATS),
        ("merge", formats.FORMATS),
        ("export", TARGETS),
        ("export", get_args(Quantized)),
        ("evaluate", [split.name.lower() for split in reversed(Split) if split >= 0] + ["all"]),
    ],
)
def test_choices_on_the_command_line_are_those_of_the_library(
    verb: str, names: Collection[str]
) -> None:
    assert f"<{'|'.join(names)}>" in run(verb, "--help").stdout


def test_a_name_that_cannot_be_chosen_is_refused_with_those_that_can() -> None:
    answer = run("convert", "in", "out", "--to", "dots")
    assert answer.exit_code == NOT_UNDERSTOOD
    assert "'dots' is not one of 'voc', 'coco'" in answer.stderr


def test_convert_says_what_was_read_what_was_odd_and_what_was_lost(
    images: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out [1]"
    result = run("convert", images, out, "--to", "csv")
    assert result.exit_code == 0, result.output
    assert result.stdout.splitlines() == [
        f"{images}: Pascal VOC, 6 images, 5 boxes of 1 class (cat): 4 train, 2 test",
        f"{out} has the same data as CSV, verified by reading it back. Next:",
        f"  boxwright train '{out}'",
    ]
    said = result.stderr.splitlines()
    assert [line[:5] for line in said] == ["BW101"] * 4 + ["`boxw", "BW140"]
    assert said[3] == "BW101 ... and 2 more. An image is missing."
    assert said[4] == f"`boxwright check {images}` shows all."
    assert "cannot store images without objects (1)" in said[5]
    assert len(formats.read(out, "csv")) == 5


def test_convert_json_is_all_of_standard_output(images: Path, tmp_path: Path) -> None:
    answer = json.loads(run("convert", images, tmp_path / "o", "--to", "coco", "--json").stdout)
    assert {key: answer[key] for key in ("path", "from", "to", "images", "boxes", "classes")} == {
        "path": str(tmp_path / "o"),
        "from": "voc",
        "to": "coco",
        "images": 6,
        "boxes": 5,
        "classes": ["cat"],
    }
    assert [finding["code"] for finding in answer["findings"]] == ["BW101"] * 5
    assert answer["lost"] == []


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["nowhere", "out", "--to", "coco"], "BW115"),
        (["data", "data", "--to", "coco"], "BW194"),
        (["data", "data/coco", "--to", "coco"], "BW194"),
        (["data", "out", "--to", "coco", "--from", "yolo"], "BW114"),
    ],
)
def test_convert_fails_by_a_code(
    arguments: list[str], code: str, images: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(images.parent)
    result = run("convert", *arguments)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith(code)
    assert not Path("out").exists()


@pytest.mark.parametrize(
    "arguments",
    [
        ["convert", "data", "out"],
        ["convert", "data", "out", "--to", "onyx"],
        ["merge", "data", "--out", "out"],
        ["merge", "data", "data"],
    ],
)
def test_a_misunderstood_command_is_a_usage_error(
    arguments: list[str], images: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(images.parent)
    assert run(*arguments).exit_code == 2


@pytest.fixture
def more(images: Path, tmp_path: Path) -> Path:
    """The same photos in another format, and two more without a mark."""
    path = tmp_path / "more"
    formats.write(formats.read(images), path, "yolo")
    (path / "images" / "new.jpg").write_bytes((images / "train" / "0.jpg").read_bytes() + b"\0")
    (path / "labels").mkdir(exist_ok=True)
    (path / "labels" / "new.txt").write_text("0 0.5 0.5 0.1 0.1\n", encoding="utf-8")
    return path


def test_merge_says_what_was_read_and_what_became_of_it(
    images: Path, more: Path, tmp_path: Path
) -> None:
    result = run("merge", images, more, "--out", tmp_path / "out", "--to", "coco")
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert lines[0].startswith(f"{images}: Pascal VOC, 6 images, 5 boxes of 1 class (cat)")
    assert lines[1].startswith(f"{more}: YOLO, 7 images, 6 boxes of 1 class (cat)")
    assert lines[2] == "6 images are in several datasets and were kept once."
    assert lines[3].startswith(f"{tmp_path / 'out'}: COCO, 7 images, 6 boxes of 1 class (cat)")
    assert lines[3].endswith("1 unassigned, verified by reading it back. Next:")
    assert lines[4] == f"  boxwright split {tmp_path / 'out'}"
    assert run("split", tmp_path / "out").exit_code == 0
    assert run("merge", images, more, "--out", tmp_path / "out").exit_code == 1


def test_merge_json(images: Path, more: Path, tmp_path: Path) -> None:
    answer = json.loads(run("merge", images, more, "--out", tmp_path / "o", "--json").stdout)
    assert (answer["to"], answer["images"], answer["duplicates"]) == ("voc", 7, 6)
    assert [source["from"] for source in answer["sources"]] == ["voc", "yolo"]
    assert answer["classes"] == ["cat"]
