"""What was written is compared with what was meant: every kind of difference is seen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from boxwright import formats
from boxwright.formats.annotations import Holds
from boxwright.formats.roundtrip import FLAGS, difference, held
from boxwright.formats.writing import target_names
from boxwright.structures.dataset import (
    CROWD,
    DIFFICULT,
    OCCLUDED,
    TRUNCATED,
    Dataset,
    LabeledImage,
    Split,
)

pytestmark = pytest.mark.tiny


def made(root: Path, boxes: Any = ((1, 2, 30, 20), (5, 5, 9, 9))) -> Dataset:
    """Three photos, one of them empty and one large and turned by EXIF."""
    root.mkdir(parents=True, exist_ok=True)
    turned = Image.Exif()
    turned[0x0112] = 6
    Image.new("RGB", (40, 30), (1, 2, 3)).save(root / "a.png")
    Image.new("RGB", (3000, 4000), (3, 2, 1)).save(root / "b ü.jpg", exif=turned)
    Image.new("RGB", (40, 30)).save(root / "c.png")
    names, large = ["dog", "cat"][: len(boxes)], np.multiply(boxes, 100)
    images = [
        LabeledImage("a.png", 40, 30, boxes, names, [DIFFICULT, 0][: len(boxes)], Split.TRAIN),
        LabeledImage("b ü.jpg", 4000, 3000, large, names, split=Split.TEST),
        LabeledImage("c.png", 40, 30, split=Split.TRAIN),
    ]
    return Dataset.of(root, images, ["dog", "cat"])


def written(dataset: Dataset, target: Path, form: str) -> list[str]:
    names = list(target_names(dataset, target, formats.FORMATS[form]))
    formats.write(dataset, target, form)
    return names


def flipped(flags: Any, bit: int) -> Any:
    return flags ^ np.uint8(bit)


CHANGES: dict[str, tuple[Callable[[Dataset], Dataset], str]] = {
    "a box": (lambda d: replace(d, boxes=d.boxes + np.float32(0.5)), "a box has moved by 0.5"),
    "a class": (lambda d: replace(d, classes=("dog", "cow")), "the classes are dog, cow instead"),
    "order": (lambda d: replace(d, classes=("cat", "dog")), "the classes are cat, dog instead"),
    "labels": (lambda d: replace(d, labels=d.labels[::-1]), "its boxes are ['cat', 'dog']"),
    "flags": (lambda d: replace(d, flags=flipped(d.flags, DIFFICULT)), "the flags of its boxes"),
    "verified": (lambda d: replace(d, verified=~d.verified), "it is now marked as verified"),
    "splits": (lambda d: replace(d, splits=1 - d.splits), "its split is val instead of train"),
    "a photo": (lambda d: d.select([0, 1]), "it has 2 images instead of 3, such as"),
    "a size": (lambda d: replace(d, sizes=d.sizes + 1), "the image is 41 x 31 instead of"),
}


@pytest.mark.parametrize(("change", "said"), CHANGES.values(), ids=CHANGES)
def test_every_change_is_seen(
    change: Callable[[Dataset], Dataset], said: str, tmp_path: Path
) -> None:
    dataset = made(tmp_path / "photos")
    names = written(dataset, tmp_path / "out", "voc")
    back = formats.read(tmp_path / "out")
    voc = formats.FORMATS["voc"]
    assert difference(dataset, names, back, voc) == ""
    assert said in difference(dataset, names, change(back), voc)


def test_other_bytes_are_seen(tmp_path: Path) -> None:
    dataset = made(tmp_path / "photos")
    names = written(dataset, tmp_path / "out", "voc")
    image = tmp_path / "out" / names[0]
    with image.open("r+b") as file:
        file.seek(-1, 2)
        file.write(b"!")
    back = formats.read(tmp_path / "out")
    assert difference(dataset, names, back, formats.FORMATS["voc"]) == (
        f"{names[0]}: the image has different bytes"
    )


@pytest.mark.parametrize("form", formats.FORMATS)
@pytest.mark.parametrize(
    "boxes",
    [
        pytest.param([(30, 20, 1, 2)], id="backwards"),
        pytest.param([(5, 5, 5, 9)], id="without width"),
        pytest.param([(5, 5, 5, 5)], id="a point"),
        pytest.param([(50, 50, 60, 60)], id="outside"),
        pytest.param([(-5, -3, 45, 33)], id="reaching beyond"),
        pytest.param([(1 / 3, 2 / 3, 10 / 3, 20 / 3)], id="fractions"),
    ],
)
def test_odd_boxes_survive_in_every_format(form: str, boxes: Any, tmp_path: Path) -> None:
    dataset = made(tmp_path / "photos", boxes)
    names = written(dataset, tmp_path / "out", form)
    back = formats.read(tmp_path / "out")
    assert difference(dataset, names, back, formats.FORMATS[form]) == ""


@pytest.mark.parametrize("form", formats.FORMATS)
def test_copies_of_an_image_are_not_confused(form: str, tmp_path: Path) -> None:
    images = []
    for i in range(6):
        name = f"{'xyz'[i % 3]}/a{i // 3}.png"
        (tmp_path / "photos" / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (40, 30)).save(tmp_path / "photos" / name)
        images.append(LabeledImage(name, 40, 30, [(1, 2, 30 - i, 20)], ["cat"]))
    dataset = Dataset.of(tmp_path / "photos", images)
    names = written(dataset, tmp_path / "out", form)
    back = formats.read(tmp_path / "out")
    assert difference(dataset, names, back, formats.FORMATS[form]) == ""
    moved = replace(back, boxes=back.boxes + np.float32(1))
    assert "a box has moved" in difference(dataset, names, moved, formats.FORMATS[form])


@pytest.mark.parametrize("form", formats.FORMATS.values(), ids=formats.FORMATS)
def test_what_a_format_has_no_place_for_is_not_missed(form: Any, tmp_path: Path) -> None:
    dataset = made(tmp_path)
    bits = DIFFICULT | TRUNCATED | CROWD | OCCLUDED
    every = replace(dataset, flags=np.full(4, bits, np.uint8), verified=~dataset.verified)
    kept = held(every, form)
    for kind, bit in FLAGS.items():
        assert bool((kept.flags & bit).any()) == (kind in form.HOLDS)
    assert bool(kept.verified.any()) == (Holds.VERIFIED in form.HOLDS)
    assert (len(kept) == 3) == (Holds.EMPTY_IMAGES in form.HOLDS)
    assert (kept.splits >= 0).all() == (Holds.SPLITS in form.HOLDS)
