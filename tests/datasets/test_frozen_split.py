"""A split that stays: added photos move no other, and what belongs together is together."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from boxwright import formats
from boxwright.datasets.convert import write_verified
from boxwright.datasets.frozen_split import split
from boxwright.datasets.load import load
from boxwright.datasets.split import place
from boxwright.errors import DataError
from boxwright.formats.split_file import SPLIT_FILE, SplitFile
from boxwright.structures.dataset import Dataset, LabeledImage, Split

if TYPE_CHECKING:
    from folders import VocFolder

pytestmark = pytest.mark.tiny

Described = tuple[int, list[str]]  # a photo's group and its classes

described = st.tuples(st.integers(0, 60), st.lists(st.sampled_from("abc"), max_size=3))


def dataset_of(images: list[Described], splits: Any = None) -> Dataset:
    made = [
        LabeledImage(f"{i:05}.jpg", 9, 9, [(1, 1, 5, 5)] * len(names), names)
        for i, (_, names) in enumerate(images)
    ]
    dataset = Dataset.of("zoo", made, "abc")
    return dataset if splits is None else replace(dataset, splits=np.array(splits, np.int8))


def groups_of(images: list[Described]) -> Any:
    return np.unique([group for group, _ in images], return_inverse=True)[1]


# ---- Placing -----------------------------------------------------------------------------------


@settings(max_examples=60, deadline=None)
@given(
    st.lists(described, min_size=40, max_size=120),
    st.lists(described, max_size=60),
    st.sampled_from([(0.2, 0.0), (0.1, 0.1), (0.3, 0.2)]),
    st.integers(0, 3),
    st.booleans(),
)
def test_adding_images_moves_none_and_tears_no_group(
    old: list[Described], new: list[Described], parts: tuple[float, float], seed: int, tear: bool
) -> None:
    test, val = parts
    groups = groups_of(old + new)
    first = place(dataset_of(old), groups_of(old), seed, test=test, val=val, tear=tear)
    unmarked = [Split.UNASSIGNED] * len(new)
    grown = dataset_of(old + new, [*first.splits, *unmarked])
    again = place(grown, groups, seed, test=test, val=val, tear=tear)

    assert (again.splits[: len(old)] == first.splits).all()
    assert (again.splits != Split.UNASSIGNED).all()
    if np.bincount(groups).max() <= 4:
        for group in range(groups.max() + 1):
            assert len(set(again.splits[groups == group])) == 1
        followers = np.isin(groups[len(old) :], groups[: len(old)]).sum()
        for mark, part in ((Split.TEST, test), (Split.VAL, val)):
            held = (again.splits == mark).sum()
            assert abs(held - part * len(again)) <= 4 + followers
    once_more = place(again, groups, seed, test=test, val=val, tear=tear)
    assert (once_more.splits == again.splits).all()


def test_every_class_gives_its_share_of_new_images_too() -> None:
    old = [(i, ["a"]) for i in range(100)]
    new = [(100 + i, ["b"]) for i in range(50)] + [(150 + i, []) for i in range(50)]
    first = place(dataset_of(old), groups_of(old), 0, val=0.1)
    grown = dataset_of(old + new, [*first.splits, *[Split.UNASSIGNED] * 100])
    splits = place(grown, groups_of(old + new), 0, val=0.1).splits
    for part in (splits[:100], splits[100:150], splits[150:]):
        assert np.bincount(part) / len(part) == pytest.approx([0.7, 0.1, 0.2], abs=0.021)


@pytest.mark.parametrize(
    ("splits", "expected"),
    [
        ([Split.TEST], Split.TEST),
        ([Split.VAL], Split.VAL),
        ([Split.TRAIN, Split.TRAIN, Split.TEST], Split.TRAIN),
        ([Split.TRAIN, Split.TEST], Split.TEST),
        ([Split.TRAIN, Split.VAL], Split.VAL),
    ],
)
def test_a_new_image_follows_most_of_its_group(splits: list[Split], expected: Split) -> None:
    images = [(0, ["a"])] * (len(splits) + 1)
    placed = place(dataset_of(images, [*splits, Split.UNASSIGNED]), groups_of(images), seed=0)
    assert placed.splits.tolist() == [*splits, expected]


@pytest.mark.parametrize(
    ("sizes", "held"),
    [([50, 30, 40], 30), ([90, 10], 10), ([100, 100], 100), ([100], 0), ([60, 20, 20], 20)],
)
def test_of_groups_that_may_not_be_torn_the_smallest_is_held_out(
    sizes: list[int], held: int
) -> None:
    images = [(group, ["a"]) for group, size in enumerate(sizes) for _ in range(size)]
    groups = groups_of(images)
    splits = place(dataset_of(images), groups, 0, test=0.2, tear=False).splits
    assert (splits == Split.TEST).sum() == held
    assert set(groups[splits == Split.TEST]).isdisjoint(groups[splits == Split.TRAIN])


# ---- With files --------------------------------------------------------------------------------


@pytest.fixture
def clips(voc_folder: VocFolder) -> VocFolder:
    """Five clips of eight frames."""
    for clip in range(5):
        for frame in range(8):
            voc_folder.pair(f"clip{clip}_frame{frame}")
    return voc_folder


def splits_in(folder: Path) -> dict[str, Split]:
    split_file = SplitFile.read(folder)
    assert split_file is not None
    return split_file.splits


def test_a_split_stays_when_images_are_added_and_removed(voc_folder: VocFolder) -> None:
    for i in range(50):
        voc_folder.pair(f"photos {i % 3}/ü {i}")
    first = split(voc_folder.root, test=0.2, val=0.1)
    before = splits_in(voc_folder.root)
    assert [len(first.dataset.split(mark)) for mark in Split if mark >= 0] == [35, 5, 10]
    assert first.placed == 50

    (voc_folder.root / "photos 0" / "ü 0.jpg").unlink()
    (voc_folder.root / "photos 0" / "ü 0.xml").unlink()
    for i in range(50, 71):
        voc_folder.pair(f"new/{i}")
    read = load(voc_folder.root)
    assert "BW119" in {finding.code for finding in read.findings}
    assert (read.splits == Split.UNASSIGNED).sum() == 21

    again = split(voc_folder.root)
    after = splits_in(voc_folder.root)
    assert {name: after[name] for name in before} == before
    assert (again.placed, again.gone) == (21, 1)
    assert (again.split_file.test, again.split_file.val) == (0.2, 0.1)
    assert [len(again.dataset.split(mark)) for mark in Split if mark >= 0] == [49, 7, 14]
    assert "BW119" not in {finding.code for finding in again.dataset.findings}
    read = load(voc_folder.root)
    assert dict(zip(read.names, read.splits, strict=True)) == {
        name: mark for name, mark in after.items() if name != "photos 0/ü 0.jpg"
    }


def test_a_new_image_that_shows_an_old_one_follows_it(voc_folder: VocFolder) -> None:
    for i in range(20):
        voc_folder.pair(f"{i}")
    split(voc_folder.root)
    before = splits_in(voc_folder.root)
    for i in range(20):
        with Image.open(voc_folder.root / f"{i}.jpg") as image:
            image.save(voc_folder.root / f"copy of {i}.png")
        voc_folder.xml(f"copy of {i}.xml", filename=f"copy of {i}.png")
    split(voc_folder.root)
    after = splits_in(voc_folder.root)
    for i in range(20):
        assert after[f"copy of {i}.png"] is before[f"{i}.jpg"]


def test_declared_groups_are_never_torn(clips: VocFolder) -> None:
    frozen = split(clips.root, groups="(clip[0-9])_")
    tests = [name for name, mark in splits_in(clips.root).items() if mark is Split.TEST]
    assert len(tests) == 8
    assert len({name[:5] for name in tests}) == 1
    assert frozen.user_groups is not None
    assert frozen.user_groups.max() == 4


def test_declared_groups_have_to_be_declared_again(clips: VocFolder) -> None:
    split(clips.root, groups="(clip[0-9])_")
    held = next(name[:5] for name, mark in splits_in(clips.root).items() if mark is Split.TEST)
    clips.pair(f"{held}_frame8")
    before = (clips.root / SPLIT_FILE).read_bytes()
    with pytest.raises(DataError) as raised:
        split(clips.root)
    assert raised.value.code == "BW198"
    assert "--groups '(clip[0-9])_'" in raised.value.remedy
    assert (clips.root / SPLIT_FILE).read_bytes() == before
    split(clips.root, groups="(clip[0-9])_")
    assert splits_in(clips.root)[f"{held}_frame8.jpg"] is Split.TEST


def test_images_that_are_all_alike_are_split_by_what_was_declared(clips: VocFolder) -> None:
    picture = (clips.root / "clip0_frame0.jpg").read_bytes()
    for path in clips.root.glob("*.jpg"):
        path.write_bytes(picture)
    plain = split(clips.root)
    assert (plain.dataset.splits == Split.TEST).sum() == 8
    grouped = split(clips.root, groups="(clip[0-9])_", anew=True)
    for frozen in (plain, grouped):
        assert [finding.code for finding in frozen.dataset.findings] == ["BW121"]
    tests = {name[:5] for name, mark in splits_in(clips.root).items() if mark is Split.TEST}
    assert len(tests) == 1


def test_what_lists_leave_open_is_placed_and_the_rest_stays(voc_folder: VocFolder) -> None:
    for i in range(20):
        voc_folder.pair(f"{i:02}")
    voc_folder.text("ImageSets/Main/train.txt", "".join(f"{i:02}\n" for i in range(9)))
    voc_folder.text("ImageSets/Main/test.txt", "09\n")
    frozen = split(voc_folder.root, test=0.2)
    assert frozen.placed == 10
    splits = splits_in(voc_folder.root)
    assert [splits[f"{i:02}.jpg"] for i in range(10)] == [Split.TRAIN] * 9 + [Split.TEST]
    assert list(splits.values()).count(Split.TEST) == 4


def test_one_group_of_all_leaves_none_for_testing_and_says_so(clips: VocFolder) -> None:
    frozen = split(clips.root, groups="(clip)")
    assert [finding.code for finding in frozen.dataset.findings] == ["BW122"]
    assert (frozen.dataset.splits == Split.TRAIN).all()


def test_a_folder_with_a_split_of_its_own_is_left_alone(voc_folder: VocFolder) -> None:
    for i in range(10):
        voc_folder.pair(f"train/{i}")
    for i in range(2):
        voc_folder.pair(f"test/{i}")
    with pytest.raises(DataError) as raised:
        split(voc_folder.root)
    assert raised.value.code == "BW196"
    assert "10 train, 2 test" in raised.value.message
    assert not (voc_folder.root / SPLIT_FILE).exists()
    anew = split(voc_folder.root, test=0.5, anew=True)
    assert (anew.dataset.splits == Split.TEST).sum() == 6
    assert (load(voc_folder.root).splits == anew.dataset.splits).all()


def test_anew_places_all_images_again(voc_folder: VocFolder) -> None:
    for i in range(30):
        voc_folder.pair(f"{i}")
    split(voc_folder.root)
    first = splits_in(voc_folder.root)
    split(voc_folder.root, seed=1)
    assert splits_in(voc_folder.root) == first
    assert split(voc_folder.root, seed=1, anew=True).split_file.seed == 1
    assert splits_in(voc_folder.root) != first


def test_the_same_seed_gives_the_same_lock(voc_folder: VocFolder) -> None:
    for i in range(30):
        voc_folder.pair(f"{i}")
    locks = []
    for _ in range(2):
        split(voc_folder.root, anew=True)
        locks.append((voc_folder.root / SPLIT_FILE).read_bytes())
    assert locks[0] == locks[1]


def test_an_image_that_cannot_be_opened_waits(voc_folder: VocFolder) -> None:
    for i in range(10):
        voc_folder.pair(f"{i}")
    image = voc_folder.root / "3.jpg"
    whole = image.read_bytes()
    image.write_bytes(whole[:300])
    frozen = split(voc_folder.root)
    assert "3.jpg" not in splits_in(voc_folder.root)
    assert [finding.code for finding in frozen.dataset.findings] == ["BW102"]
    image.write_bytes(whole)
    assert split(voc_folder.root).placed == 1


def test_images_in_records_are_split_too(voc_folder: VocFolder, tmp_path: Path) -> None:
    for i in range(10):
        voc_folder.pair(f"{i}")
    write_verified(formats.read(voc_folder.root), tmp_path / "out", "tfrecord")
    record = tmp_path / "out" / "data.record"
    assert split(record).path == tmp_path / "out" / SPLIT_FILE
    for path in (record, record.parent):
        assert (load(path).splits == Split.TEST).sum() == 2
    assert set(splits_in(tmp_path / "out")) == {f"data.record/{i}.jpg" for i in range(10)}


def test_a_single_annotation_file_has_its_lock_beside_it(voc_folder: VocFolder) -> None:
    voc_folder.pair("a")
    voc_folder.pair("b")
    for name in ("a", "b"):
        assert split(voc_folder.root / f"{name}.xml").path == voc_folder.root / SPLIT_FILE
    assert set(splits_in(voc_folder.root)) == {"a.jpg", "b.jpg"}
