"""Near-duplicates: copies are found, different images are left apart, and it is fast."""

from __future__ import annotations

import io
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageEnhance

from boxwright.datasets.near_duplicates import Duplicates, duplicates, groups, image_hash
from boxwright.images.decoding import decode

Pixels = NDArray[np.uint8]


def scene(seed: int) -> Image.Image:
    """A sky, a ground and some shapes."""
    rng = np.random.default_rng(seed)
    image = Image.new("RGB", (320, 240), tuple(int(v) for v in rng.integers(120, 256, 3)))
    draw = ImageDraw.Draw(image)
    draw.rectangle(
        (0, rng.integers(80, 200), 320, 240), tuple(int(v) for v in rng.integers(0, 140, 3))
    )
    for x, y, size, *color in rng.integers(
        (0, 0, 20, 0, 0, 0), (300, 220, 90, 256, 256, 256), (7, 6)
    ):
        draw.ellipse((x, y, x + size, y + size), fill=tuple(int(v) for v in color))
    return image


def cells(seed: int) -> Image.Image:
    """A slide of stained cells: from afar all slides look alike."""
    rng = np.random.default_rng(seed)
    image = Image.new("RGB", (320, 240), (225, 220, 215))
    draw = ImageDraw.Draw(image)
    for x, y in rng.integers((-20, -20), (320, 240), (60, 2)):
        size = int(rng.integers(28, 36))
        draw.ellipse((x, y, x + size, y + size), fill=(200, 150, 150), outline=(170, 110, 120))
        draw.ellipse((x + 10, y + 10, x + size - 10, y + size - 10), fill=(220, 180, 180))
    x, y = (int(v) for v in rng.integers((100, 70), (180, 130)))
    draw.ellipse((x, y, x + 60, y + 55), fill=(110, 60, 160))
    return image


def saved_again(image: Image.Image, quality: int) -> Image.Image:
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=quality)
    return Image.open(buffer).convert("RGB")


def cropped(
    image: Image.Image, left: float, top: float, right: float, bottom: float
) -> Image.Image:
    """Without those parts of its sides."""
    width, height = image.size
    sides = (left * width, top * height, (1 - right) * width, (1 - bottom) * height)
    return image.crop(tuple(round(side) for side in sides))


def captioned(image: Image.Image) -> Image.Image:
    image = image.copy()
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 195, 320, 240), fill="white")
    draw.text((20, 200), "A CAPTION", fill="black", font_size=30)
    return image


def bordered(image: Image.Image) -> Image.Image:
    framed = Image.new("RGB", (320, 320))
    framed.paste(image, (0, 40))
    return framed


def with_something_new(image: Image.Image) -> Image.Image:
    image = image.copy()
    ImageDraw.Draw(image).ellipse((120, 90, 190, 170), fill="orange", outline="black", width=5)
    return image


COPIES = {
    "same": lambda image: image,
    "half size": lambda image: image.resize((160, 120)),
    "tiny": lambda image: image.resize((64, 48)),
    "twice the size": lambda image: image.resize((640, 480)),
    "squeezed": lambda image: image.resize((300, 300)),
    "poor jpeg": lambda image: saved_again(image, 15),
    "small and poor": lambda image: saved_again(image.resize((120, 90)), 30),
    "darker": lambda image: ImageEnhance.Brightness(image).enhance(0.7),
    "less contrast": lambda image: ImageEnhance.Contrast(image).enhance(0.5),
    "grey": lambda image: image.convert("L").convert("RGB"),
    "cropped by two pixels": lambda image: image.crop((2, 2, 318, 238)),
    "cropped all around": lambda image: cropped(image, 0.1, 0.1, 0.1, 0.1),
    "with black bars": bordered,
}
HARDER_COPIES = {  # more is lost than photos of a few plain shapes can spare
    "cropped at a side": lambda image: cropped(image, 0.25, 0, 0, 0),
    "cropped at a corner": lambda image: cropped(image, 0, 0, 0.25, 0.25),
    "cropped and poor": lambda image: saved_again(cropped(image, 0.15, 0, 0, 0.1), 30),
    "with a caption": captioned,
    "something new in it": with_something_new,
}
SHIFTS = {  # two photos of one view, each without those parts of its sides
    "to the side": ((0.2, 0, 0, 0), (0, 0, 0.2, 0)),
    "down": ((0, 0.2, 0, 0), (0, 0, 0, 0.2)),
    "both": ((0.15, 0.15, 0, 0), (0, 0, 0.15, 0.15)),
}
DIFFERENT = {
    "scenes": [scene(seed) for seed in range(60)],
    "scenes in black bars": [bordered(scene(seed)) for seed in range(60)],
    "scenes with one caption": [captioned(scene(seed)) for seed in range(60)],
    "slides": [cells(seed) for seed in range(60)],
    "turned upside down": [scene(0), scene(0).rotate(180), cells(0), cells(0).rotate(180)],
}


def hashes(images: list[Image.Image]) -> Pixels:
    return np.stack([image_hash(image.convert("L")) for image in images])


def both_found(originals: list[Image.Image], copies: list[Image.Image]) -> bool:
    expected = list(range(len(originals)))
    return groups(hashes(originals + copies)).tolist() == expected + expected


@pytest.mark.tiny
@pytest.mark.parametrize("kind", [scene, cells])
@pytest.mark.parametrize("change", COPIES)
def test_copies_are_in_one_group(change: str, kind: Callable[[int], Image.Image]) -> None:
    originals = [kind(seed) for seed in range(20)]
    assert both_found(originals, [COPIES[change](image) for image in originals])


@pytest.mark.tiny
@pytest.mark.parametrize("change", HARDER_COPIES)
def test_copies_that_lost_something_are_in_one_group(change: str) -> None:
    originals = [cells(seed) for seed in range(20)]
    assert both_found(originals, [HARDER_COPIES[change](image) for image in originals])


@pytest.mark.tiny
@pytest.mark.parametrize("shift", SHIFTS)
def test_shifted_images_are_in_one_group(shift: str) -> None:
    first, second = ([cropped(cells(i), *sides) for i in range(20)] for sides in SHIFTS[shift])
    assert both_found(first, second)


@pytest.mark.tiny
@pytest.mark.parametrize("kind", DIFFERENT)
def test_different_images_are_left_apart(kind: str) -> None:
    assert len(duplicates(hashes(DIFFERENT[kind])).pairs) == 0


@pytest.mark.tiny
def test_pairs_join_every_group_and_say_which_have_the_same_pixels() -> None:
    images = [scene(1), scene(2), scene(1), saved_again(scene(1), 50), scene(3), scene(2)]
    found = duplicates(hashes(images))
    assert found.groups.tolist() == [0, 1, 0, 0, 2, 1]
    assert len(found.pairs) == 3
    same = {tuple(pair) for pair in found.pairs[found.identical].tolist()}
    assert same == {(0, 2), (1, 5)}
    ((i, j),) = found.pairs[~found.identical].tolist()
    assert i in (0, 2)
    assert j == 3


@pytest.mark.tiny
def test_one_changed_pixel_is_not_identical() -> None:
    image = np.array(scene(1).convert("L"))
    changed = image.copy()
    changed[100, 100] ^= 1
    found = duplicates(np.stack([image_hash(Image.fromarray(each)) for each in (image, changed)]))
    assert found.pairs.tolist() == [[0, 1]]
    assert found.identical.tolist() == [False]


@pytest.mark.tiny
def test_groups_are_numbered_without_gaps_and_join_through_members() -> None:
    first, other = np.asarray(scene(1), float), np.asarray(scene(2), float)
    steps = [((1 - t) * first + t * other).astype(np.uint8) for t in np.linspace(0, 1, 12)]
    chain = hashes([Image.fromarray(image) for image in steps])
    assert groups(chain[[0, 11]]).tolist() == [0, 1]
    assert groups(chain[[11, 3, 0, 7, 9, 1, 5, 2, 4, 10, 6, 8]]).max() == 0


@pytest.mark.tiny
def test_images_that_show_nothing_are_alike() -> None:
    flat = [Image.new("RGB", (32, 32), color) for color in ("black", "black", "grey")]
    assert groups(hashes([*flat, scene(1)])).tolist() == [0, 0, 0, 1]


@pytest.mark.tiny
def test_none_and_one() -> None:
    none = duplicates(np.zeros((0, 4104), np.uint8))
    assert (none.pairs.shape, none.identical.shape, none.groups.shape) == ((0, 2), (0,), (0,))
    assert groups(hashes([scene(1)])).tolist() == [0]
    assert groups(np.zeros((1, 4104), np.uint8)).tolist() == [0]


def test_thousands_of_images_take_seconds() -> None:
    """Some of them all different, most of them from a camera that never moves."""
    rng = np.random.default_rng(0)
    different = hashes([cells(seed) for seed in range(500)])
    still = np.repeat(different[:1], 1_500, axis=0).astype(np.int64)
    still[:, 8:] += rng.integers(-3, 4, (1_500, 4096))
    still[:, :8] = rng.integers(0, 256, (1_500, 8))
    start = time.process_time()
    ids = groups(np.concatenate([different, still.clip(0, 255).astype(np.uint8)]))
    assert time.process_time() - start < 20  # of the processor; takes about four
    assert ids.max() == 499
    assert (ids[500:] == ids[0]).all()


def real(folder: Path) -> tuple[list[str], Duplicates]:
    paths = sorted(folder.glob("*.jpg"))
    found = duplicates(
        np.stack([image_hash(decode(path, short_side=128).picture.convert("L")) for path in paths])
    )
    return [path.stem for path in paths], found


@pytest.mark.tiny
@pytest.mark.shared
@pytest.mark.parametrize(
    ("folder", "pattern", "expected"),
    [
        (
            "raccoon/images",
            "raccoon-{}",
            [
                (107, 108),  # a meme made of one part of the other
                (11, 116),
                (120, 83),
                (186, 199),  # the animal moved, and the camera with it
                (21, 45),
                (50, 52, 74),
                (51, 85),  # a caption
                (65, 98),
            ],
        ),
        (
            # The same cells, the slide a little further: found by eye and by SIFT matches as well.
            "bccd/BCCD/JPEGImages",
            "BloodImage_{:05}",
            [
                (37, 38),
                *((204, 277), (206, 278), (223, 263), (226, 261), (227, 260), (229, 258)),
                *((230, 257), (231, 256), (236, 253), (237, 252), (242, 249), (243, 250)),
                *((244, 247), (382, 395), (384, 393), (386, 391)),
            ],
        ),
        ("hardhat/train/images", "{}", []),
        ("hardhat/valid/images", "{}", []),
    ],
)
def test_real_images_that_show_the_same(
    shared: Path, folder: str, pattern: str, expected: list[tuple[int, ...]]
) -> None:
    names, found = real(shared / "data" / folder)
    groups_of_names = [
        tuple(names[i] for i in np.flatnonzero(found.groups == group))
        for group in np.flatnonzero(np.bincount(found.groups) > 1)
    ]
    assert groups_of_names == [tuple(pattern.format(n) for n in group) for group in expected]


@pytest.mark.tiny
@pytest.mark.shared
def test_real_images_that_are_identical(shared: Path) -> None:
    names, found = real(shared / "data" / "raccoon" / "images")
    pairs = [(names[i], names[j]) for i, j in found.pairs[found.identical]]
    expected = [(11, 116), (120, 83), (52, 74), (65, 98)]
    assert pairs == [(f"raccoon-{a}", f"raccoon-{b}") for a, b in expected]
