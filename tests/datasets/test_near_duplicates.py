"""Near-duplicates: copies are found, different photos are left apart, and it is fast."""

from __future__ import annotations

import io
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageEnhance

from boxwright.datasets.near_duplicates import Duplicates, duplicates, groups, photo_hash
from boxwright.images.decoding import read_photo

Pixels = NDArray[np.uint8]


def scene(seed: int) -> Image.Image:
    """A sky, a ground and some shapes."""
    rng = np.random.default_rng(seed)
    photo = Image.new("RGB", (320, 240), tuple(int(v) for v in rng.integers(120, 256, 3)))
    draw = ImageDraw.Draw(photo)
    draw.rectangle(
        (0, rng.integers(80, 200), 320, 240), tuple(int(v) for v in rng.integers(0, 140, 3))
    )
    for x, y, size, *colour in rng.integers(
        (0, 0, 20, 0, 0, 0), (300, 220, 90, 256, 256, 256), (7, 6)
    ):
        draw.ellipse((x, y, x + size, y + size), fill=tuple(int(v) for v in colour))
    return photo


def cells(seed: int) -> Image.Image:
    """A slide of stained cells: from afar all slides look alike."""
    rng = np.random.default_rng(seed)
    photo = Image.new("RGB", (320, 240), (225, 220, 215))
    draw = ImageDraw.Draw(photo)
    for x, y in rng.integers((-20, -20), (320, 240), (60, 2)):
        size = int(rng.integers(28, 36))
        draw.ellipse((x, y, x + size, y + size), fill=(200, 150, 150), outline=(170, 110, 120))
        draw.ellipse((x + 10, y + 10, x + size - 10, y + size - 10), fill=(220, 180, 180))
    x, y = (int(v) for v in rng.integers((100, 70), (180, 130)))
    draw.ellipse((x, y, x + 60, y + 55), fill=(110, 60, 160))
    return photo


def saved_again(photo: Image.Image, quality: int) -> Image.Image:
    buffer = io.BytesIO()
    photo.save(buffer, "JPEG", quality=quality)
    return Image.open(buffer).convert("RGB")


def cropped(
    photo: Image.Image, left: float, top: float, right: float, bottom: float
) -> Image.Image:
    """Without those parts of its sides."""
    width, height = photo.size
    sides = (left * width, top * height, (1 - right) * width, (1 - bottom) * height)
    return photo.crop(tuple(round(side) for side in sides))


def captioned(photo: Image.Image) -> Image.Image:
    photo = photo.copy()
    draw = ImageDraw.Draw(photo)
    draw.rectangle((0, 195, 320, 240), fill="white")
    draw.text((20, 200), "A CAPTION", fill="black", font_size=30)
    return photo


def bordered(photo: Image.Image) -> Image.Image:
    framed = Image.new("RGB", (320, 320))
    framed.paste(photo, (0, 40))
    return framed


def with_something_new(photo: Image.Image) -> Image.Image:
    photo = photo.copy()
    ImageDraw.Draw(photo).ellipse((120, 90, 190, 170), fill="orange", outline="black", width=5)
    return photo


COPIES = {
    "same": lambda photo: photo,
    "half size": lambda photo: photo.resize((160, 120)),
    "tiny": lambda photo: photo.resize((64, 48)),
    "twice the size": lambda photo: photo.resize((640, 480)),
    "squeezed": lambda photo: photo.resize((300, 300)),
    "poor jpeg": lambda photo: saved_again(photo, 15),
    "small and poor": lambda photo: saved_again(photo.resize((120, 90)), 30),
    "darker": lambda photo: ImageEnhance.Brightness(photo).enhance(0.7),
    "less contrast": lambda photo: ImageEnhance.Contrast(photo).enhance(0.5),
    "grey": lambda photo: photo.convert("L").convert("RGB"),
    "cropped by two pixels": lambda photo: photo.crop((2, 2, 318, 238)),
    "cropped all around": lambda photo: cropped(photo, 0.1, 0.1, 0.1, 0.1),
    "with black bars": bordered,
}
HARDER_COPIES = {  # more is lost than photos of a few plain shapes can spare
    "cropped at a side": lambda photo: cropped(photo, 0.25, 0, 0, 0),
    "cropped at a corner": lambda photo: cropped(photo, 0, 0, 0.25, 0.25),
    "cropped and poor": lambda photo: saved_again(cropped(photo, 0.15, 0, 0, 0.1), 30),
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


def hashes(photos: list[Image.Image]) -> Pixels:
    return np.stack([photo_hash(np.asarray(photo)) for photo in photos])


def both_found(originals: list[Image.Image], copies: list[Image.Image]) -> bool:
    expected = list(range(len(originals)))
    return groups(hashes(originals + copies)).tolist() == expected + expected


@pytest.mark.tiny
@pytest.mark.parametrize("kind", [scene, cells])
@pytest.mark.parametrize("change", COPIES)
def test_copies_are_in_one_group(change: str, kind: Callable[[int], Image.Image]) -> None:
    originals = [kind(seed) for seed in range(20)]
    assert both_found(originals, [COPIES[change](photo) for photo in originals])


@pytest.mark.tiny
@pytest.mark.parametrize("change", HARDER_COPIES)
def test_copies_that_lost_something_are_in_one_group(change: str) -> None:
    originals = [cells(seed) for seed in range(20)]
    assert both_found(originals, [HARDER_COPIES[change](photo) for photo in originals])


@pytest.mark.tiny
@pytest.mark.parametrize("shift", SHIFTS)
def test_shifted_photos_are_in_one_group(shift: str) -> None:
    first, second = ([cropped(cells(i), *sides) for i in range(20)] for sides in SHIFTS[shift])
    assert both_found(first, second)


@pytest.mark.tiny
@pytest.mark.parametrize("kind", DIFFERENT)
def test_different_photos_are_left_apart(kind: str) -> None:
    assert len(duplicates(hashes(DIFFERENT[kind])).pairs) == 0


@pytest.mark.tiny
def test_pairs_join_every_group_and_say_which_have_the_same_pixels() -> None:
    photos = [scene(1), scene(2), scene(1), saved_again(scene(1), 50), scene(3), scene(2)]
    found = duplicates(hashes(photos))
    assert found.groups.tolist() == [0, 1, 0, 0, 2, 1]
    assert len(found.pairs) == 3
    same = {tuple(pair) for pair in found.pairs[found.identical].tolist()}
    assert same == {(0, 2), (1, 5)}
    ((i, j),) = found.pairs[~found.identical].tolist()
    assert i in (0, 2)
    assert j == 3


@pytest.mark.tiny
def test_one_changed_pixel_is_not_identical() -> None:
    photo = np.array(scene(1))
    changed = photo.copy()
    changed[100, 100, 0] ^= 1
    found = duplicates(np.stack([photo_hash(photo), photo_hash(changed)]))
    assert found.pairs.tolist() == [[0, 1]]
    assert found.identical.tolist() == [False]


@pytest.mark.tiny
def test_groups_are_numbered_without_gaps_and_join_through_members() -> None:
    first, other = np.asarray(scene(1), float), np.asarray(scene(2), float)
    steps = [((1 - t) * first + t * other).astype(np.uint8) for t in np.linspace(0, 1, 12)]
    chain = np.stack([photo_hash(photo) for photo in steps])
    assert groups(chain[[0, 11]]).tolist() == [0, 1]
    assert groups(chain[[11, 3, 0, 7, 9, 1, 5, 2, 4, 10, 6, 8]]).max() == 0


@pytest.mark.tiny
def test_photos_that_show_nothing_are_alike() -> None:
    flat = [Image.new("RGB", (32, 32), colour) for colour in ("black", "black", "grey")]
    assert groups(hashes([*flat, scene(1)])).tolist() == [0, 0, 0, 1]


@pytest.mark.tiny
def test_none_and_one() -> None:
    none = duplicates(np.zeros((0, 4104), np.uint8))
    assert (none.pairs.shape, none.identical.shape, none.groups.shape) == ((0, 2), (0,), (0,))
    assert groups(hashes([scene(1)])).tolist() == [0]
    assert groups(np.zeros((1, 4104), np.uint8)).tolist() == [0]


def test_thousands_of_photos_take_seconds() -> None:
    """Some of them all different, most of them from a camera that never moves."""
    rng = np.random.default_rng(0)
    different = hashes([cells(seed) for seed in range(500)])
    still = np.repeat(different[:1], 1_500, axis=0).astype(np.int64)
    still[:, 8:] += rng.integers(-3, 4, (1_500, 4096))
    still[:, :8] = rng.integers(0, 256, (1_500, 8))
    start = time.perf_counter()
    ids = groups(np.concatenate([different, still.clip(0, 255).astype(np.uint8)]))
    assert time.perf_counter() - start < 20  # takes about four on an idle machine
    assert ids.max() == 499
    assert (ids[500:] == ids[0]).all()


def real(folder: Path) -> tuple[list[str], Duplicates]:
    paths = sorted(folder.glob("*.jpg"))
    found = duplicates(np.stack([photo_hash(read_photo(path, at_least=128)) for path in paths]))
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
def test_real_photos_that_show_the_same(
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
def test_real_photos_that_are_identical(shared: Path) -> None:
    names, found = real(shared / "data" / "raccoon" / "images")
    pairs = [(names[i], names[j]) for i, j in found.pairs[found.identical]]
    expected = [(11, 116), (120, 83), (52, 74), (65, 98)]
    assert pairs == [(f"raccoon-{a}", f"raccoon-{b}") for a, b in expected]
