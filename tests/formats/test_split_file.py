"""The split lock: what it says is believed first, stays readable, and fails by file and line."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from boxwright import formats
from boxwright.errors import DataError
from boxwright.formats.split_file import SPLIT_FILE, SplitFile
from boxwright.structures.dataset import Split

if TYPE_CHECKING:
    from folders import VocFolder

pytestmark = pytest.mark.tiny

HEADER = "# boxwright.split version=1 seed=0 test=0.2 val=0.0\n"


def put(folder: Path, text: str | bytes) -> None:
    (folder / SPLIT_FILE).write_bytes(text.encode() if isinstance(text, str) else text)


def test_a_lock_is_a_text_that_a_person_can_read(tmp_path: Path) -> None:
    splits = {"b c/ü.jpg": Split.TRAIN, "a.jpg": Split.TEST, "d.jpg": Split.VAL}
    path = SplitFile(splits, seed=7, test=0.15, val=0.1, groups='(clip"[0-9]+)_').write(tmp_path)
    assert path == tmp_path / SPLIT_FILE
    assert path.read_bytes().decode() == (
        '# boxwright.split version=1 seed=7 test=0.15 val=0.1 groups="(clip\\"[0-9]+)_"\n'
        "test a.jpg\n"
        "train b c/ü.jpg\n"
        "val d.jpg\n"
    )


@given(
    st.dictionaries(
        st.text(min_size=1).filter(str.strip) | st.sampled_from(["a\nb", '"q"', " x ", "\udc80"]),
        st.sampled_from([Split.TRAIN, Split.VAL, Split.TEST]),
    ),
    st.integers(0, 2**32 - 1),
    st.floats(0, 0.9),
    st.text(),
)
def test_what_is_written_reads_back_whatever_the_names_are(
    tmp_path_factory: pytest.TempPathFactory,
    splits: dict[str, Split],
    seed: int,
    test: float,
    groups: str,
) -> None:
    folder = tmp_path_factory.mktemp("lock")
    written = SplitFile(splits, seed, test, 0.0, groups)
    content = written.write(folder).read_text(encoding="utf-8")
    assert content.count("\n") == 1 + len(splits)
    back = SplitFile.read(folder)
    assert back is not None
    assert back.splits == splits
    assert (back.seed, back.groups) == (seed, groups)
    assert back.test == pytest.approx(test, abs=1e-4)


@pytest.mark.parametrize(
    "text",
    [
        HEADER.replace("\n", "\r\n") + "test a.jpg\r\n\r\ntrain b.jpg",
        "\ufeff" + HEADER + "train b.jpg\ntest a.jpg\ntest a.jpg\n",
    ],
)
def test_an_editor_may_have_touched_it(text: str, tmp_path: Path) -> None:
    put(tmp_path, text)
    split_file = SplitFile.read(tmp_path)
    assert split_file is not None
    assert split_file.splits == {"a.jpg": Split.TEST, "b.jpg": Split.TRAIN}


@pytest.mark.parametrize(
    ("text", "place", "reason"),
    [
        ("", 1, "does not begin with the header of a split file"),
        ("train a.jpg\n", 1, "does not begin with the header of a split file"),
        ("# boxwright.split version=2 something=new\n", 1, "has version 2"),
        ("# boxwright.split version=1\n", 1, "does not record how the split was made"),
        (HEADER + "train a.jpg\ntets b.jpg\n", 3, "'tets b.jpg' is not a split and an image"),
        (HEADER + "<<<<<<< HEAD\n", 2, "'<<<<<<< HEAD' is not a split and an image"),
        (HEADER + "train\n", 2, "'train' is not a split and an image"),
        (HEADER + 'train "a\n', 2, "is not a split and an image"),
        (HEADER + 'train "" \n', 2, "is not a split and an image"),
        (HEADER + "train a.jpg\n\ntest a.jpg\n", 4, "a.jpg is already in train"),
    ],
)
def test_a_broken_lock_is_named_by_line(text: str, place: int, reason: str, tmp_path: Path) -> None:
    put(tmp_path, text)
    with pytest.raises(DataError) as raised:
        SplitFile.read(tmp_path)
    assert raised.value.code == "BW146"
    assert raised.value.where == f"{tmp_path / SPLIT_FILE}:{place}"
    assert reason in raised.value.message


@pytest.mark.parametrize(
    ("content", "line"),
    [((HEADER + "train a.jpg\ntest ").encode() + b"\xff.jpg\n", 3), (b"PK\x03\x04\x00\xff", 1)],
)
def test_a_lock_that_is_not_text_is_named_by_line(
    content: bytes, line: int, tmp_path: Path
) -> None:
    put(tmp_path, content)
    with pytest.raises(DataError, match=f"is not UTF-8 text .*in line {line}") as raised:
        SplitFile.read(tmp_path)
    assert (raised.value.code, raised.value.where) == ("BW160", str(tmp_path / SPLIT_FILE))


def test_a_folder_of_that_name_is_no_lock(tmp_path: Path) -> None:
    (tmp_path / SPLIT_FILE).mkdir()
    with pytest.raises(DataError, match="BW146"):
        SplitFile.read(tmp_path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes here")
def test_a_pipe_of_that_name_is_no_lock(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / SPLIT_FILE)
    with pytest.raises(DataError, match="BW146"):
        SplitFile.read(tmp_path)


# ---- Readers honour it -------------------------------------------------------------------------


def splits_of(folder: Path) -> dict[str, str]:
    dataset = formats.read(folder)
    return {
        name: Split(mark).name for name, mark in zip(dataset.names, dataset.splits, strict=True)
    }


def test_the_lock_goes_before_lists_and_folders(voc_folder: VocFolder) -> None:
    for stem in ("train/a", "train/b", "test/c"):
        voc_folder.pair(stem)
    voc_folder.text("ImageSets/Main/train.txt", "c\n")
    voc_folder.text(SPLIT_FILE, HEADER + "test train/a.jpg\nval train/b.jpg\ntrain test/c.jpg\n")
    assert splits_of(voc_folder.root) == {
        "train/a.jpg": "TEST",
        "train/b.jpg": "VAL",
        "test/c.jpg": "TRAIN",
    }


def test_images_that_are_new_or_gone(voc_folder: VocFolder) -> None:
    for stem in ("a", "b", "new"):
        voc_folder.pair(stem)
    voc_folder.text(SPLIT_FILE, HEADER + "test a.jpg\ntrain b.jpg\ntrain gone.jpg\n")
    dataset = formats.read(voc_folder.root)
    assert dataset.splits.tolist() == [Split.TEST, Split.TRAIN, Split.UNASSIGNED]
    (finding,) = dataset.findings
    assert str(finding) == (
        "BW119 boxwright.split: 1 of 3 labeled images is not in it (new.jpg) "
        "-> not used until `boxwright split` assigns them"
    )
    assert finding.images == ("new.jpg",)


def test_names_are_found_whatever_their_case(voc_folder: VocFolder) -> None:
    voc_folder.pair("Ä/Photo")
    voc_folder.text(SPLIT_FILE, HEADER + "test A\u0308/photo.JPG\n")
    assert splits_of(voc_folder.root) == {"Ä/Photo.jpg": "TEST"}


def test_a_lock_of_other_images_marks_none(voc_folder: VocFolder) -> None:
    voc_folder.pair("a")
    voc_folder.text(SPLIT_FILE, HEADER + "test b.jpg\n")
    dataset = formats.read(voc_folder.root)
    assert dataset.splits.tolist() == [Split.UNASSIGNED]
    assert "made for other images" in dataset.findings[0].repair


def test_a_broken_lock_stops_reading_but_not_the_doctor(voc_folder: VocFolder) -> None:
    voc_folder.pair("a")
    voc_folder.text(SPLIT_FILE, "nonsense")
    with pytest.raises(DataError, match="BW146"):
        formats.read(voc_folder.root)
    dataset = formats.read(voc_folder.root, tolerant=True)
    assert [finding.code for finding in dataset.findings] == ["BW146"]
    assert dataset.splits.tolist() == [Split.UNASSIGNED]


def test_the_lock_beside_a_single_annotation_file(voc_folder: VocFolder) -> None:
    voc_folder.pair("a")
    voc_folder.pair("b")
    voc_folder.text(SPLIT_FILE, HEADER + "test a.jpg\ntrain b.jpg\n")
    assert splits_of(voc_folder.root / "a.xml") == {"a.jpg": "TEST"}
