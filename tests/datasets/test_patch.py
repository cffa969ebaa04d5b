"""The repaired copy: what it changes, what it says about it, what it leaves alone."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from boxwright import formats
from boxwright.datasets import patch
from boxwright.datasets.check import run_checks
from boxwright.datasets.patch import CHANGES, fix, patch_text
from boxwright.datasets.repair import repair
from boxwright.errors import DataError
from boxwright.structures.dataset import Dataset, LabeledImage
from folders import CAT, Box, VocFolder

pytestmark = pytest.mark.tiny

OUTSIDE: Box = ("cat", -5, 6, 30, 99)
POINT: Box = ("cat", 9, 9, 9, 9)
BACKWARDS: Box = ("cat", 60, 40, 35, 2)
CAPITAL: Box = ("Cat", 1, 2, 20, 30)


@pytest.fixture
def faulty(voc_folder: VocFolder) -> Path:
    """A folder with one of everything that can be repaired, and of some that cannot."""
    voc_folder.pair("train/a", [CAT, OUTSIDE, POINT, BACKWARDS, CAPITAL, BACKWARDS])
    voc_folder.pair("train/b")
    voc_folder.pair("train/cut")
    voc_folder.pair("test/c", [CAT, ("dog", *CAT[1:])])
    voc_folder.image("test/turned.jpg", orientation=6)
    voc_folder.xml("test/turned.xml")
    voc_folder.xml("test/gone.xml")
    voc_folder.text("test/broken.xml", "<annotation><object>")
    cut = voc_folder.root / "train" / "cut.jpg"
    cut.write_bytes(cut.read_bytes()[:-200])
    return voc_folder.root


def by_name(dataset: Dataset) -> dict[str, tuple[int, list[list[float]], list[str]]]:
    """Photo -> its split, boxes and class names."""
    return {
        Path(name).name: (
            int(dataset.splits[i]),
            dataset.boxes[dataset.rows(i)].tolist(),
            [dataset.classes[label] for label in dataset.labels[dataset.rows(i)]],
        )
        for i, name in enumerate(dataset.names)
    }


def contents(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_a_copy_needs_no_repair_and_the_original_stays(faulty: Path, tmp_path: Path) -> None:
    before = contents(faulty)
    report = run_checks(faulty)
    fixed = fix(report, tmp_path / "fixed")
    assert contents(faulty) == before
    again = run_checks(tmp_path / "fixed")
    repaired = {finding.code for finding in fixed.changes}
    assert repaired == {
        *("BW101", "BW102", "BW103", "BW104", "BW105", "BW106", "BW107", "BW110", "BW126")
    }
    assert repaired.isdisjoint(finding.code for finding in again.findings)
    assert by_name(again.dataset) == by_name(report.repaired)


def test_images_are_copied_byte_for_byte(faulty: Path, tmp_path: Path) -> None:
    fix(run_checks(faulty), tmp_path / "fixed")
    for name in ("train/a.jpg", "test/turned.jpg"):
        copy = tmp_path / "fixed" / "JPEGImages" / Path(name).name
        assert copy.read_bytes() == (faulty / name).read_bytes()


def test_every_change_is_one_line(faulty: Path, tmp_path: Path) -> None:
    report = run_checks(faulty)
    fix(report, tmp_path / "fixed")
    lines = (tmp_path / "fixed" / CHANGES).read_text(encoding="utf-8").splitlines()
    assert lines[0] == f"# Repaired in {faulty}: 10"
    done, left = lines[1 : lines.index("")], lines[lines.index("") + 2 :]
    assert len(done) == 10
    for line in (
        "BW103 train/a.jpg, box 2: the cat box (-5, 6, 30, 99) extends beyond the image "
        "(64 x 48) -> clipped to (0, 6, 30, 48)",
        "BW105 train/a.jpg, box 4: the cat box (60, 40, 35, 2) has its corners swapped (64 x 48) "
        "-> swapped back to (35, 2, 60, 40)",
        "BW106 train/a.jpg, box 3: the cat box (9, 9, 9, 9) has no area (64 x 48) -> dropped",
        "BW107 class 'Cat': this spelling of 'cat' has 1 box -> renamed to 'cat'",
    ):
        assert line in done
    assert [line[:5] for line in left] == ["BW128", "BW129", "BW134", "BW137"]


def test_what_needs_no_repair_gets_a_copy_without_changes(
    voc_folder: VocFolder, tmp_path: Path
) -> None:
    voc_folder.pair("a")
    fixed = fix(run_checks(voc_folder.root), tmp_path / "fixed")
    assert fixed.changes == ()
    assert formats.read(tmp_path / "fixed").boxes.tolist() == [list(CAT[1:])]


@pytest.mark.parametrize("name", formats.FORMATS)
def test_a_copy_is_in_the_format_of_the_original(name: str, tmp_path: Path) -> None:
    root = tmp_path / "made"
    images = []
    for i in range(3):
        (tmp_path / "photos").mkdir(exist_ok=True)
        Image.new("RGB", (64, 48), (50 * i, 9, 9)).save(tmp_path / "photos" / f"{i}.png")
        doubled = [(4, 6, 30, 40), (4, 6, 30, 40), (-9, 2, 40, 20)]
        images.append(LabeledImage(f"{i}.png", 64, 48, doubled, ["cat"] * 3))
    faulty = Dataset.of(tmp_path / "photos", images)
    formats.write(faulty, root, name)
    report = run_checks(root)
    assert report.form == name
    fixed = fix(report, tmp_path / "fixed")
    assert {finding.code for finding in fixed.changes} >= {"BW126"}
    back = formats.read(tmp_path / "fixed", name)
    assert len(back.boxes) == 6
    assert repair(back).findings == back.findings
    assert run_checks(tmp_path / "fixed").form == name


@pytest.mark.parametrize("place", ["data/fixed", "data", "full", "file"])
def test_only_a_free_place_outside_of_the_data_is_written(
    voc_folder: VocFolder, tmp_path: Path, place: str
) -> None:
    voc_folder.pair("a")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").write_text("mine", encoding="utf-8")
    (tmp_path / "file").write_text("mine", encoding="utf-8")
    before = contents(tmp_path)
    with pytest.raises(DataError, match="BW194"):
        fix(run_checks(voc_folder.root), tmp_path / place)
    assert contents(tmp_path) == before


def test_an_empty_folder_is_a_free_place(voc_folder: VocFolder, tmp_path: Path) -> None:
    voc_folder.pair("a")
    (tmp_path / "empty").mkdir()
    fix(run_checks(voc_folder.root), tmp_path / "empty")
    assert (tmp_path / "empty" / CHANGES).is_file()


def test_a_copy_that_does_not_read_back_repaired_is_not_left_there(
    faulty: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unrepaired(repaired: Dataset, target: Path, form: str, *, link: bool) -> list[object]:
        formats.write(report.dataset, target, form, link=link)
        return []

    report = run_checks(faulty)
    monkeypatch.setattr(patch, "write_verified", unrepaired)
    with pytest.raises(DataError, match=r"BW145.*still needs a repair"):
        fix(report, tmp_path / "fixed")
    assert not (tmp_path / "fixed").exists()


def test_the_patch_is_there_without_a_copy(faulty: Path) -> None:
    assert patch_text(run_checks(faulty)).count("\n") == 1 + 10 + 2 + 4


def test_where_nothing_is_left_there_is_no_copy(voc_folder: VocFolder, tmp_path: Path) -> None:
    voc_folder.image("a.jpg")
    voc_folder.text("a.xml", "<annotation><object>")
    with pytest.raises(DataError, match="BW151"):
        fix(run_checks(voc_folder.root), tmp_path / "out")
    assert not (tmp_path / "out").exists()
