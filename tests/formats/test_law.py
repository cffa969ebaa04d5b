"""The law of reading: a box is on its own image or named; background loses nothing."""

from __future__ import annotations

import tempfile
import unicodedata
from pathlib import Path
from urllib.parse import unquote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from boxwright import formats
from boxwright.errors import DataError
from boxwright.structures.dataset import Dataset
from shots import Shot, World
from world_files import SPACE, STEM_ONLY, WRITERS, write
from worlds import mixed_worlds, worlds

EXAMPLES = 60


@pytest.mark.parametrize("form", WRITERS)
@settings(max_examples=EXAMPLES, deadline=None)
@given(data=st.data())
def test_every_label_is_on_its_own_image_or_named(form: str, data: st.DataObject) -> None:
    check_world(data.draw(worlds(form)))


@settings(max_examples=EXAMPLES, deadline=None)
@given(pair=mixed_worlds())
def test_labels_in_two_formats_are_on_their_own_images_or_named(pair: tuple[World, World]) -> None:
    check_mixed_worlds(pair)


@pytest.mark.parametrize("form", ["kitti", "yolo"])
def test_an_empty_file_alone_in_its_folder_is_that_of_the_image_beside_it(form: str) -> None:
    shots = (
        Shot("cam1", "0001.jpg", 0, "0001.jpg"),
        Shot("cam2", "0002.jpg", 1, "0002.jpg"),
        Shot("", "0001.jpg", 1, None),
    )
    check_world(World(shots, form, "", backslashes=False, apart=False))


@pytest.mark.parametrize("apart", [False, True])
def test_a_stated_folder_of_open_images_counts_below_another_folder(apart: bool) -> None:
    """The box of `x y`, whose image is gone, is not that of `cam1/x y`."""
    shots = (
        Shot("", "x y.jpg", 1, None),
        Shot("cam1", "x y.jpg", 1, "x y.jpg"),
        Shot("", "0001.jpg", 1, "0001.jpg"),
    )
    check_world(World(shots, "openimages", "", backslashes=False, apart=apart))


@pytest.mark.parametrize("apart", [False, True])
@pytest.mark.parametrize("folder", ["cam1", "cam2"])
def test_an_empty_file_is_that_of_the_image_where_it_belongs(folder: str, apart: bool) -> None:
    """Although its name is encoded: the box of another `x y.txt` is not that of this image."""
    shots = (
        Shot("cam1", "0001.jpg", 1, "0001.jpg"),
        Shot(folder, "x y.jpg", 0, "x%20y.jpg"),
        Shot("", "x y.jpg", 1, None),
    )
    check_world(World(shots, "yolo", "", backslashes=False, apart=apart))


def test_an_empty_file_alone_in_a_tree_of_labels_is_that_of_its_image() -> None:
    shots = (
        Shot("", "0001.jpg", 1, None),
        Shot("", "x y.jpg", 1, None),
        Shot("cam1", "x y.jpg", 0, "x%20y.jpg"),
    )
    check_world(World(shots, "yolo", "", backslashes=False, apart=True))


def test_a_name_that_a_tool_changed_counts_beside_the_same_name_in_a_deeper_folder() -> None:
    shots = (
        Shot("cam1", "x y.jpg", 1, "x%20y.jpg"),
        Shot("", "0001.jpg", 1, "0001.jpg"),
        Shot("day 1/cam1", "x y.jpg", None, "x y.jpg"),
    )
    for form in ("createml", "coco", "csv"):
        check_world(World(shots, form, "", backslashes=False, apart=True))


@pytest.mark.parametrize("form", ["coco", "createml", "csv"])
def test_a_stated_folder_is_not_a_deeper_one_of_that_name(form: str) -> None:
    """Its own is there, and lacks the image."""
    shots = (
        Shot("day 1/cam1", "0002.jpg", None, "0002.jpg"),
        Shot("cam1", "0002.jpg", 1, None),
        Shot("cam1", "0001.jpg", 1, "0001.jpg"),
    )
    check_world(World(shots, form, "", backslashes=False, apart=True))


def test_a_label_is_named_whose_format_has_an_empty_file_alone() -> None:
    here, gone = Shot("cam1", "0001.jpg", 0, "0001.jpg"), Shot("cam1", "0002.jpg", 1, None)
    where = {"prefix": "", "backslashes": False, "apart": False}
    other = Shot("cam1", "0002.jpg", None, None)
    pair = World((here, gone), "yolo", **where), World((here, other), "createml", **where)
    check_mixed_worlds(pair)


def check_mixed_worlds(pair: tuple[World, World]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        for world in pair:
            write(world, Path(folder))
        try:
            dataset = formats.read(folder, tolerant=True)
        except DataError:
            return
    assert broken_laws_of_both(pair, dataset) == []


def broken_laws_of_both(pair: tuple[World, World], dataset: Dataset) -> list[str]:
    """What is wrong with a dataset that was read from one of two worlds of the same images."""
    labeled = {
        shot.path: max(one.boxes or 0, other.boxes or 0)
        for shot, one, other in zip(pair[0].shots, pair[0].shots, pair[1].shots, strict=True)
    }
    owners = {pair[0].place(shot): shot.path for shot in pair[0].shots if shot.now}
    unused = {one.code for one in dataset.findings}
    problems = []
    read = set()
    for i, name in enumerate(dataset.names):
        classes = _class_names(dataset, i)
        problems += [f"{name} has a box of {own}" for own in classes if own != owners[name]]
        if not classes and labeled[owners[name]]:
            problems.append(f"{name} is background, but has {labeled[owners[name]]} boxes")
        read.add(owners[name])
    said = [_plain(f"{one.where} {one.message}") for one in dataset.findings]
    for world in pair:  # text files of numbers that belong to no image are not known to be labels
        if world.form in STEM_ONLY and not any(shot.now for shot in world.labeled()):
            labeled |= {shot.path: 0 for shot in world.labeled()}
    counted = _counted_alone(*pair) | _counted_alone(*reversed(pair))
    for shot in pair[0].shots:
        named = shot.path in counted or any(
            _plain(name) in text for text in said for name in (shot.stem, shot.name)
        )
        if labeled[shot.path] and shot.path not in read and not named and "BW155" not in unused:
            problems.append(f"the labels of {shot.path} are neither used nor named: {said}")
    return problems


def check_world(world: World) -> None:
    with tempfile.TemporaryDirectory() as folder:
        write(world, Path(folder))
        try:
            dataset = formats.read(folder, tolerant=True)
        except DataError:
            return  # nothing is read, and the error says why
    assert broken_laws(world, dataset) == []


def broken_laws(world: World, dataset: Dataset) -> list[str]:
    """What is wrong with a dataset that was read from a world."""
    now = {world.place(shot): shot for shot in world.shots if shot.now}
    said = [_plain(f"{one.where} {one.message}") for one in dataset.findings]
    codes = {one.code for one in dataset.findings}
    used = {}
    problems = []
    for i, name in enumerate(dataset.names):
        shot = now[name]
        classes = _class_names(dataset, i)
        used[shot.path] = len(classes)
        problems += [f"{name} has a box of {own}" for own in classes if own != shot.path]
        if not classes and shot.boxes:
            problems.append(f"{name} is background, but has {shot.boxes} boxes")
    for shot in world.labeled():
        if world.form in STEM_ONLY and not shot.boxes:
            continue  # an empty text file somewhere is not known to be a label
        if world.form == "openimages" and shot.now != shot.name and "BW101" in codes:
            continue  # its files name millions of images that nobody has: they are counted
        named = any(_plain(name) in text for text in said for name in (shot.stem, shot.name))
        if used.get(shot.path, -1) != shot.boxes and not named:
            problems.append(f"the label of {shot.path} is neither used nor named: {said}")
    return problems


def _counted_alone(world: World, other: World) -> set[str]:
    """The images that are not here under their names, and have boxes in files of Open Images alone,
    which name millions of such images."""
    if world.form != "openimages":
        return set()
    gone = {shot.path for shot in world.shots if shot.boxes and shot.now != shot.name}
    return gone.difference(shot.path for shot in other.labeled() if shot.boxes)


def _class_names(dataset: Dataset, image: int) -> list[str]:
    labels = dataset.labels[dataset.rows(image)]
    return [dataset.classes[label].replace(SPACE, " ") for label in labels]


def _plain(text: str) -> str:
    return unicodedata.normalize("NFC", unquote(text.replace("\\", "/")))
