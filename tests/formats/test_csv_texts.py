"""Tables of boxes in text files, as keras-frcnn and the traffic signs of GTSDB have them."""

from __future__ import annotations

from pathlib import Path

import pytest

from boxwright import formats
from boxwright.errors import DataError
from boxwright.formats import FORMATS
from boxwright.formats.csv.format import MAX_TEXTS
from boxwright.formats.folder import Folder
from boxwright.formats.surroundings import MANY
from boxwright.formats.tables import first_rows
from folders import VocFolder, lay

pytestmark = pytest.mark.tiny

BOX = [16, 12, 32, 36]
HEADER = "filename,xmin,ymin,xmax,ymax,class\n"


def is_csv(root: Path) -> bool:
    return FORMATS["csv"].detect(Folder.scan(root))


LISTED = "a.jpg,16,12,32,36,cat\n"


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("annotate.txt", LISTED),  # keras-frcnn
        ("data/annotate.txt", LISTED.replace("a.jpg", "./data/a.jpg")),
        ("gt.txt", "a.jpg;16;12;32;36;cat\n"),
        ("boxes.txt", f"{HEADER}{LISTED}".replace(",", "\t")),
    ],
)
def test_a_table_of_boxes_may_be_a_text(voc_folder: VocFolder, path: str, text: str) -> None:
    root = lay(voc_folder, {"a.jpg": "", path: text})
    assert is_csv(root)
    assert formats.read(root).boxes.tolist() == [BOX]


def test_the_text_may_be_what_is_given(voc_folder: VocFolder) -> None:
    root = lay(voc_folder, {"a.jpg": "", "gt.txt": LISTED, "more.txt": LISTED})
    assert formats.read(root / "gt.txt").boxes.tolist() == [BOX]


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("a.txt", LISTED),  # labels of one image
        ("readme.txt", "image,class,xmin,xmax\n"),
        ("readme.txt", "The columns are image, xmin, ymin and so on.\n"),
        ("train.txt", "a.jpg\n"),
        ("classes.txt", "cat\ndog\n"),
    ],
)
def test_other_texts_are_no_tables(voc_folder: VocFolder, path: str, text: str) -> None:
    assert not is_csv(lay(voc_folder, {"a.jpg": "", path: text}))


@pytest.mark.parametrize(
    "text",
    [
        "a.jpg,16,12,32,36,cat\n",  # a copy
        "a.jpg,16,12,32,36,0\n",  # in other words
        f"{HEADER}a.jpg,1,2,3,4,cat\nb.jpg,1,2,3,4,cat\n",  # of a detector
    ],
)
def test_texts_beside_a_usual_table_are_only_named(voc_folder: VocFolder, text: str) -> None:
    files = {"a.jpg": "", "b.jpg": "", "boxes.csv": LISTED, "found.txt": text}
    dataset = formats.read(lay(voc_folder, files))
    assert (dataset.names, dataset.classes, dataset.boxes.tolist()) == (
        ("a.jpg",),
        ("cat",),
        [BOX],
    )
    unread = [one for one in dataset.findings if one.code == "BW155"]
    assert [(one.where, one.repair) for one in unread] == [("found.txt", "not used")]


@pytest.mark.parametrize("name", ["notes-{}.txt", "{}.txt"])
def test_every_text_is_read_if_one_is_a_table(voc_folder: VocFolder, name: str) -> None:
    count = MAX_TEXTS + 5
    texts = {name.format(i): LISTED.replace("a", str(i), 1) for i in range(count)}
    root = lay(voc_folder, {**{f"{i}.jpg": "" for i in range(count)}, **texts})
    voc_folder.image("last.jpg")
    voc_folder.text("last-notes.txt", LISTED.replace("a", "last", 1))
    dataset = formats.read(root)
    assert (len(dataset), len(dataset.boxes), dataset.findings) == (count + 1, count + 1, ())


@pytest.mark.parametrize("name", ["trainval.txt", "annotate.txt"])
def test_a_table_is_no_list_of_a_split(voc_folder: VocFolder, name: str) -> None:
    dataset = formats.read(lay(voc_folder, {"a.jpg": "", name: LISTED}))
    assert (dataset.boxes.tolist(), dataset.findings) == ([BOX], ())


def test_the_whole_of_a_long_line_is_not_read(
    voc_folder: VocFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("boxwright.formats.tables.MAX_LINE", 100)
    text = f"{LISTED}{LISTED.replace('cat', 'c' * 100)}"
    voc_folder.text("long.txt", text)
    assert first_rows(voc_folder.root / "long.txt", 2) == [LISTED.strip().split(",")]


SIGNS = "".join(f"{i:05}.ppm;16;12;32;36;11\n" for i in range(MANY))


def test_signs_whose_images_are_not_opened(voc_folder: VocFolder) -> None:
    """The data set GTSDB as it is."""
    root = lay(voc_folder, {"gt.txt": SIGNS, "00000.ppm": "P6 1 1 255"})
    with pytest.raises(DataError, match=r"its image 00000\.ppm is Netpbm, which is not opened"):
        formats.read(root)


def test_signs_whose_images_were_converted(voc_folder: VocFolder) -> None:
    root = lay(voc_folder, {"gt.txt": SIGNS, **{f"{i:05}.jpg": "" for i in range(MANY)}})
    dataset = formats.read(root)
    assert dataset.names == tuple(f"{i:05}.jpg" for i in range(MANY))
    assert (dataset.classes, dataset.boxes.tolist()) == (("11",), [BOX] * MANY)
