"""Tables of boxes in text files, as keras-frcnn and the traffic signs of GTSDB have them."""

from __future__ import annotations

from pathlib import Path

import pytest

from boxwright import formats
from boxwright.errors import DataError
from boxwright.formats import FORMATS
from boxwright.formats.folder import Folder
from boxwright.formats.surroundings import MANY
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
