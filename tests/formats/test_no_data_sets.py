"""Folders that are not data sets, and paths that are no folders, are told in a sentence."""

from __future__ import annotations

import pytest

from boxwright import formats
from boxwright.errors import DataError
from folders import VocFolder

pytestmark = pytest.mark.tiny


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ([], "the folder contains no images"),
        (["a.jpg", "b.JPG"], "2 images here, and no annotations in any known format"),
        (["notes.txt"], "no images here, and no annotations in any known format"),
        (["a.jpg", "pom.xml"], "1 image here, and no annotations in any known format"),
    ],
)
def test_a_folder_without_labeled_images_says_what_was_looked_for(
    voc_folder: VocFolder, files: list[str], message: str
) -> None:
    for name in files:
        if name.endswith(".xml"):
            voc_folder.text(name, "<project/>")
        elif name.endswith(".txt"):
            voc_folder.text(name, "hello")
        else:
            voc_folder.image(name)
    with pytest.raises(DataError, match=message) as caught:
        formats.read(voc_folder.root)
    assert caught.value.code == "BW114"
    assert "Pascal VOC" in caught.value.remedy


@pytest.mark.parametrize("form", formats.FORMATS)
@pytest.mark.parametrize("tolerant", [False, True])
def test_a_folder_without_anything_of_a_given_format(
    voc_folder: VocFolder, form: str, tolerant: bool
) -> None:
    voc_folder.image("a.jpg")
    with pytest.raises(DataError) as caught:
        formats.read(voc_folder.root, form, tolerant=tolerant)
    assert caught.value.code == "BW114"


def test_a_path_that_is_not_there_names_the_closest_one(voc_folder: VocFolder) -> None:
    voc_folder.pair("raccoons/a")
    with pytest.raises(DataError) as caught:
        formats.read(voc_folder.root / "racoons" / "images")
    assert caught.value.code == "BW115"
    assert caught.value.where == str(voc_folder.root / "racoons" / "images")
    assert f"Did you mean {voc_folder.root / 'raccoons'}?" in caught.value.remedy


def test_a_path_like_nothing_names_the_nearest_folder(
    voc_folder: VocFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(voc_folder.root)
    with pytest.raises(DataError, match="The nearest existing folder") as caught:
        formats.read("quite/different")
    assert caught.value.where == str(voc_folder.root / "quite" / "different")


def test_a_folder_that_may_not_be_read_is_named(
    voc_folder: VocFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: str) -> None:
        raise PermissionError(13, "Permission denied", path)

    monkeypatch.setattr("os.scandir", refuse)
    with pytest.raises(DataError, match="Permission denied") as caught:
        formats.read(voc_folder.root)
    assert str(voc_folder.root) in str(caught.value.where)


def test_an_image_is_not_a_folder(voc_folder: VocFolder) -> None:
    voc_folder.pair("a")
    with pytest.raises(DataError, match="is an image, not a folder"):
        formats.read(voc_folder.root / "a.jpg")


def test_one_annotation_file_stands_for_its_image_alone(voc_folder: VocFolder) -> None:
    voc_folder.pair("a")
    voc_folder.pair("b")
    assert formats.read(voc_folder.root / "b.xml").names == ("b.jpg",)
