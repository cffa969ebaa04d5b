"""Pascal VOC annotations without a suffix, as in the data set Stanford Dogs."""

from __future__ import annotations

import pytest

from boxwright import formats
from boxwright.errors import DataError
from boxwright.formats import FORMATS
from boxwright.formats.folder import Folder
from boxwright.formats.voc.format import SAMPLED
from folders import CAT, VocFolder, codes

pytestmark = pytest.mark.tiny

DOG = ("Chihuahua", 4, 6, 30, 40)
BREEDS = ("n02085620-Chihuahua", "n02085782-Japanese_spaniel")


def stanford(folder: VocFolder, filename: str | None) -> None:
    """Dogs of two breeds, each in a folder of its own for images and for annotations."""
    for breed in BREEDS:
        for number in (7, 199):
            name = f"{breed}/{breed.partition('-')[0]}_{number}"
            folder.image(f"Images/{name}.jpg")
            own = filename and filename.replace("{}", name.partition("/")[2])
            folder.xml(f"Annotation/{name}", [DOG], filename=own)


@pytest.mark.parametrize("filename", ["%s", "{}", "{}.jpg", None])
def test_dogs_of_stanford(voc_folder: VocFolder, filename: str | None) -> None:
    stanford(voc_folder, filename)
    dataset = formats.read(voc_folder.root)
    assert dataset.names == tuple(
        f"Images/{breed}/{breed.partition('-')[0]}_{number}.jpg"
        for breed in BREEDS
        for number in (199, 7)
    )
    assert dataset.boxes.tolist() == [[*DOG[1:]]] * 4
    assert dataset.findings == ()


@pytest.mark.parametrize(
    "others",
    [
        {"LICENSE": "free", "Makefile": "all:\n", "CHECKSUM": "<sums>1</sums>"},
        {"Annotation/damaged": "<annotation><object>"},
        {f"notes/{i:03}": "hello" for i in range(SAMPLED // 2)},
    ],
)
def test_other_files_without_a_suffix(voc_folder: VocFolder, others: dict[str, str]) -> None:
    for path, text in others.items():
        voc_folder.text(path, text)
    assert FORMATS["voc"].detect(Folder.scan(voc_folder.root)) == ("Annotation/damaged" in others)
    stanford(voc_folder, "%s")
    dataset = formats.read(voc_folder.root, tolerant=True)
    assert len(dataset) == 4
    assert codes(dataset) == ["BW110"] * ("Annotation/damaged" in others)


def test_a_damaged_annotation_without_a_suffix_is_named(voc_folder: VocFolder) -> None:
    stanford(voc_folder, "%s")
    voc_folder.text(f"Annotation/{BREEDS[0]}/n02085620_7", "<annotation><object>")
    with pytest.raises(DataError, match=r"BW110.*n02085620_7:1.*not well-formed XML"):
        formats.read(voc_folder.root)


def test_one_annotation_without_a_suffix_is_given(voc_folder: VocFolder) -> None:
    voc_folder.image("a.jpg")
    voc_folder.xml("a", [CAT], filename="%s")
    assert formats.read(voc_folder.root / "a").boxes.tolist() == [[*CAT[1:]]]


@pytest.mark.parametrize("count", [1, SAMPLED, 1000])
def test_only_a_sample_of_files_is_opened(
    voc_folder: VocFolder, count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    for i in range(count):
        voc_folder.text(str(i), "hello")
    opened = []
    monkeypatch.setattr(
        "boxwright.formats.voc.format.first_tag", lambda path: opened.append(path) or ""
    )
    folder = Folder.scan(voc_folder.root)
    assert not FORMATS["voc"].detect(folder)
    assert FORMATS["voc"].read(folder).images == []
    assert len(opened) <= 2 * SAMPLED
