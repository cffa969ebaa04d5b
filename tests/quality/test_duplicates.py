"""Near-duplicates: copies are found, different photos are left apart, and it is fast."""

from __future__ import annotations

import io
import time
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageEnhance

from boxwright.data.images import read_photo
from boxwright.quality.duplicates import groups, photo_hash

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


def saved_again(photo: Image.Image, quality: int) -> Image.Image:
    buffer = io.BytesIO()
    photo.save(buffer, "JPEG", quality=quality)
    return Image.open(buffer).convert("RGB")


COPIES = {
    "same": lambda photo: photo,
    "half size": lambda photo: photo.resize((160, 120)),
    "tiny": lambda photo: photo.resize((64, 48)),
    "twice the size": lambda photo: photo.resize((640, 480)),
    "poor jpeg": lambda photo: saved_again(photo, 15),
    "small and poor": lambda photo: saved_again(photo.resize((120, 90)), 30),
    "darker": lambda photo: ImageEnhance.Brightness(photo).enhance(0.7),
    "grey": lambda photo: photo.convert("L").convert("RGB"),
    "cropped by two pixels": lambda photo: photo.crop((2, 2, 318, 238)),
}


def hashes(photos: list[Image.Image]) -> Pixels:
    return np.stack([photo_hash(np.asarray(photo)) for photo in photos])


@pytest.mark.tiny
@pytest.mark.parametrize("change", COPIES)
def test_copies_are_in_one_group(change: str) -> None:
    originals = [scene(seed) for seed in range(20)]
    copies = [COPIES[change](photo) for photo in originals]
    ids = groups(hashes(originals + copies))
    assert ids.tolist() == [*range(20), *range(20)]


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
    assert groups(np.zeros((0, 256), np.uint8)).shape == (0,)
    assert groups(np.zeros((1, 256), np.uint8)).tolist() == [0]


def test_ten_thousand_photos_take_seconds() -> None:
    """Half of them all different, half of them from a camera that never moves."""
    rng = np.random.default_rng(0)
    many = rng.integers(0, 256, (10_000, 256), np.uint8)
    noise = rng.integers(-3, 4, (5_000, 256))
    many[5_000:] = np.clip(many[0] + noise, 0, 255)
    start = time.perf_counter()
    ids = groups(many)
    assert time.perf_counter() - start < 20  # takes about one on an idle machine
    assert ids.max() == 4_999
    assert (ids[5_000:] == ids[0]).all()


@pytest.mark.tiny
@pytest.mark.shared
@pytest.mark.parametrize(
    ("folder", "pattern", "expected"),
    [
        (
            "raccoon/images",
            "raccoon-{}.jpg",
            [(11, 116), (120, 83), (21, 45), (50, 52, 74), (51, 85), (65, 98)],
        ),
        ("bccd/BCCD/JPEGImages", "BloodImage_{:05}.jpg", [(37, 38)]),
    ],
)
def test_real_photos_that_show_the_same(
    shared: Path, folder: str, pattern: str, expected: list[tuple[int, ...]]
) -> None:
    """Pairs that show the same, 51 and 85 but for a caption; the other groups correlate above
    0.99."""
    paths = sorted((shared / "data" / folder).glob("*.jpg"))
    ids = groups(np.stack([photo_hash(read_photo(path, at_least=64)) for path in paths]))
    found = [
        tuple(paths[i].name for i in np.flatnonzero(ids == group))
        for group in np.flatnonzero(np.bincount(ids) > 1)
    ]
    assert found == [tuple(pattern.format(number) for number in group) for group in expected]
