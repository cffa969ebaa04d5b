"""`boxwright split`: what it prints."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner, Result

from boxwright.cli.main import app
from boxwright.formats.split_file import SPLIT_FILE

if TYPE_CHECKING:
    from folders import VocFolder

pytestmark = pytest.mark.tiny


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, ["split", *(str(argument) for argument in arguments)])


@pytest.fixture
def images(voc_folder: VocFolder) -> Path:
    """Twenty photos of a cat; every second has a [dog] too, every fifth is a copy of the first."""
    for i in range(20):
        dog = [("[dog]", 1, 1, 9, 9)] * (i % 2)
        voc_folder.pair(f"{i:02}", [("cat", 4, 6, 30, 40), *dog])
    for i in (5, 10, 15):
        (voc_folder.root / f"{i:02}.jpg").write_bytes((voc_folder.root / "00.jpg").read_bytes())
    return voc_folder.root


def test_it_prints_images_and_boxes_of_each_class_in_each_set(images: Path) -> None:
    result = run(images, "--val", "0.2")
    assert result.exit_code == 0, result.output
    rows = {line.split()[0]: line.split()[1:] for line in result.stdout.splitlines() if line}
    assert " ".join(rows["train:"]) == "images boxes val: images boxes test: images boxes"
    assert [int(each) for each in rows["all"][::2]] == [12, 4, 4]
    assert sum(map(int, rows["all"][1::2])) == 30
    assert sum(map(int, rows["[dog]"][::2])) == sum(map(int, rows["[dog]"][1::2])) == 10
    assert "Kept together: 4 images in 1 group of near-duplicates." in result.stdout
    assert f"{images / SPLIT_FILE} records the split." in result.stdout
    assert f"boxwright train {images}" in result.stdout


def test_run_again_it_says_what_stayed(images: Path, voc_folder: VocFolder) -> None:
    run(images)
    voc_folder.pair("new")
    (images / "07.jpg").unlink()
    (images / "07.xml").unlink()
    said = run(images).stdout
    assert "1 image was assigned, 19 keep their split." in said
    assert "1 image of the split file no longer exists and was skipped." in said


def test_what_was_placed_before_is_not_said_to_be_kept_together(images: Path) -> None:
    run(images)
    said = run(images, "--test", "0.5", "--groups", "^(.)").stdout
    assert "Kept together: 4 images in 1 group of near-duplicates." in said
    assert "In several splits: 20 images in 2 groups given by --groups." in said
    assert "All images keep their split. To assign them again, add --anew." in said


def test_json_is_all_of_standard_output(images: Path) -> None:
    answer = json.loads(run(images, "--groups", "^(.)", "--seed", "3", "--json").stdout)
    assert answer["path"] == str(images / SPLIT_FILE)
    assert (answer["seed"], answer["test"], answer["val"]) == (3, 0.2, 0.0)
    assert answer["groups"] == "^(.)"
    assert sum(answer["images"].values()) == answer["placed"] == 20
    assert sum(one["boxes"] for one in answer["classes"]["cat"].values()) == 20
    assert answer["gone"] == 0


@pytest.mark.parametrize(
    ("options", "code"),
    [
        (["--groups", "clip"], "BW195"),
        (["--groups", "(clip)"], "BW195"),
    ],
)
def test_failures_are_coded(options: list[str], code: str, images: Path) -> None:
    result = run(images, *options)
    assert result.exit_code == 1
    assert result.stderr.startswith(code)
    assert not (images / SPLIT_FILE).exists()


@pytest.mark.parametrize(
    "options",
    [["--test", "1"], ["--test", "-0.1"], ["--test", "0.5", "--val", "0.5"], ["--seed", "-1"]],
)
def test_what_leaves_nothing_to_train_on_is_a_usage_error(options: list[str], images: Path) -> None:
    assert run(images, *options).exit_code == 2


@pytest.mark.shared
def test_two_hundred_real_images(shared: Path, tmp_path: Path) -> None:
    import shutil

    copy = tmp_path / "raccoon"
    shutil.copytree(shared / "data" / "raccoon", copy)
    answer = json.loads(run(copy, "--anew", "--json").stdout)
    assert answer["images"] == {"train": 160, "val": 0, "test": 40}
