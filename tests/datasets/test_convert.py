"""From one format to another: into a folder of its own, whole or absent."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from boxwright import formats
from boxwright.datasets.convert import check_free, convert, write_verified
from boxwright.errors import DataError, SystemFaultError
from boxwright.formats.split_file import SPLIT_FILE
from boxwright.structures.dataset import Dataset, Split

if TYPE_CHECKING:
    from folders import VocFolder

pytestmark = pytest.mark.tiny


@pytest.fixture
def images(voc_folder: VocFolder) -> Path:
    for stem in ("a", "some where/ü b", "some where/c"):
        voc_folder.pair(stem, [("cat", 4, 6, 30, 40), ("dog", 1.5, 2, 9, 9)])
    lock = "test a.jpg\ntrain some where/ü b.jpg\ntrain some where/c.jpg\n"
    voc_folder.text(SPLIT_FILE, "# boxwright.split version=1 seed=0 test=0.2 val=0.0\n" + lock)
    return voc_folder.root


@pytest.mark.parametrize("to", formats.FORMATS)
@pytest.mark.parametrize("link", [False, True])
def test_through_every_format_and_back(to: str, link: bool, images: Path, tmp_path: Path) -> None:
    there = convert(images, tmp_path / "there", to, link=link)
    assert (there.source, there.target, there.path) == ("voc", to, tmp_path / "there")
    back = convert(tmp_path / "there", tmp_path / "back", "voc", link=link)
    assert back.source == to
    before, after = formats.read(images), formats.read(tmp_path / "back")
    assert len(after) == len(before)
    assert after.classes == before.classes
    np.testing.assert_allclose(
        sorted(after.boxes.tolist()), sorted(before.boxes.tolist()), rtol=0, atol=1e-4
    )
    assert sorted(after.splits) == [Split.TRAIN, Split.TRAIN, Split.TEST]
    assert not list(tmp_path.glob(".boxwright-*"))


def test_links_share_the_images(images: Path, tmp_path: Path) -> None:
    convert(images, tmp_path / "linked", "coco", link=True)
    linked = formats.read(tmp_path / "linked")
    for i in range(len(linked)):
        assert Path(str(linked.image(i))).stat().st_nlink == 2


def test_one_annotation_file(images: Path, tmp_path: Path) -> None:
    done = convert(images / "a.xml", tmp_path / "out", "coco")
    assert len(done.dataset) == 1


def test_what_is_lost_is_said(images: Path, tmp_path: Path) -> None:
    (images / "some where" / "c.xml").write_text(
        "<annotation><filename>c.jpg</filename></annotation>", encoding="utf-8"
    )
    done = convert(images, tmp_path / "out", "csv")
    assert [finding.code for finding in done.lost] == ["BW140"]
    assert "images without objects (1)" in done.lost[0].message


def test_a_folder_in_use_is_not_written_to(images: Path, tmp_path: Path) -> None:
    taken = tmp_path / "taken"
    taken.mkdir()
    (taken / "notes.txt").write_text("mine", encoding="utf-8")
    file = tmp_path / "file"
    file.touch()
    for out in (taken, file, images, images / "converted", images / ".." / "data" / "x"):
        with pytest.raises(DataError, match="BW194"):
            convert(images, out, "coco")
    assert [path.name for path in taken.iterdir()] == ["notes.txt"]


def test_a_name_that_the_system_does_not_have_is_said(images: Path, tmp_path: Path) -> None:
    with pytest.raises(SystemFaultError, match="BW903"):
        convert(images, tmp_path / ("x" * 300), "coco")


def test_an_empty_folder_will_do_and_so_will_one_beside_a_file(images: Path) -> None:
    empty = images.parent / "empty"
    empty.mkdir()
    check_free(empty, [images])
    check_free(images / "beside", [images / "a.xml"])


@pytest.mark.parametrize(
    ("to", "remedy"), [("COCO", "'coco'"), ("yolov8", "'yolo'"), ("?", "Choose among: voc, coco,")]
)
def test_an_unknown_format_gives_the_nearest(
    to: str, remedy: str, images: Path, tmp_path: Path
) -> None:
    with pytest.raises(DataError, match="BW197") as raised:
        convert(images, tmp_path / "out", to)
    assert remedy in raised.value.remedy


VOC = formats.FORMATS["voc"]


def moved(dataset: Dataset, names: Any, target: Path) -> None:
    VOC.write(replace(dataset, boxes=dataset.boxes + np.float32(1)), names, target)


def nothing(dataset: Dataset, names: Any, target: Path) -> None:
    pass


@pytest.mark.parametrize(
    ("write", "reason"),
    [(moved, "a box has moved by 1.0000 pixels"), (nothing, "it cannot be read")],
)
def test_what_does_not_read_back_the_same_is_not_left_there(
    write: Any, reason: str, images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = formats.read(images)
    faulty = type("Faulty", (), {**vars(VOC), "write": staticmethod(write)})
    monkeypatch.setitem(formats.FORMATS, "voc", faulty)
    with pytest.raises(DataError, match="BW145") as raised:
        write_verified(dataset, tmp_path / "out", "voc")
    assert reason in raised.value.message
    assert [path.name for path in tmp_path.iterdir()] == ["data"]


def test_a_name_that_the_format_cannot_hold_leaves_nothing(images: Path, tmp_path: Path) -> None:
    dataset = replace(formats.read(images), classes=("c\x00t", "dog"))
    with pytest.raises(DataError, match="BW141"):
        write_verified(dataset, tmp_path / "out", "voc")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("to", sorted(formats.FORMATS.keys() - {"csv", "kitti", "openimages"}))
def test_blanks_around_a_class_are_kept(to: str, images: Path, tmp_path: Path) -> None:
    dataset = replace(formats.read(images), classes=(" cat", "dog"))
    write_verified(dataset, tmp_path / "out", to)
    assert formats.read(tmp_path / "out").classes == (" cat", "dog")


@pytest.mark.parametrize("to", ["csv", "kitti", "openimages"])
def test_blanks_around_a_class_are_refused_by_tables(to: str, images: Path, tmp_path: Path) -> None:
    dataset = replace(formats.read(images), classes=(" cat", "dog"))
    with pytest.raises(DataError, match="BW141"):
        write_verified(dataset, tmp_path / "out", to)


@pytest.mark.skipif(os.name == "nt", reason="another way of being read-only")
def test_ctrl_c_leaves_nothing(
    images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(formats.FORMATS["coco"], "write", interrupted)
    with pytest.raises(KeyboardInterrupt):
        convert(images, tmp_path / "out", "coco")
    assert [path.name for path in tmp_path.iterdir()] == ["data"]
