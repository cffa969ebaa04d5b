"""An image is the same whatever form it comes in."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from boxwright.errors import DataError
from boxwright.images.inputs import is_image_like, open_image

pytestmark = pytest.mark.tiny

RGB = np.array([[[250, 10, 20], [0, 200, 40]], [[1, 2, 3], [90, 80, 70]]], np.uint8).repeat(4, 0)
HALF = np.dstack([RGB, np.full(RGB.shape[:2], 128, np.uint8)])
GRAY = np.arange(48, dtype=np.uint8).reshape(6, 8)


@pytest.fixture
def png(tmp_path: Path) -> Path:
    Image.fromarray(RGB).save(tmp_path / "image.png")
    return tmp_path / "image.png"


def with_file(read: Callable[[Any], Any]) -> Callable[[Path], Any]:
    def opened(path: Path) -> Any:
        with path.open("rb") as file:
            return read(file)

    return opened


@pytest.mark.parametrize(
    "form",
    [
        lambda path: path,
        str,
        lambda path: path.read_bytes(),
        lambda path: bytearray(path.read_bytes()),
        lambda path: memoryview(path.read_bytes()),
        lambda path: io.BytesIO(path.read_bytes()),
        lambda path: Image.open(io.BytesIO(path.read_bytes())),
        lambda path: RGB,
        lambda path: RGB[:, ::-1][:, ::-1],
    ],
    ids=["Path", "str", "bytes", "bytearray", "memoryview", "BytesIO", "Pillow", "array", "view"],
)
def test_every_form_gives_the_same_pixels(form: Callable[[Path], Any], png: Path) -> None:
    opened = open_image(form(png))
    np.testing.assert_array_equal(opened.pixels, RGB)
    assert (opened.width, opened.height) == (RGB.shape[1], RGB.shape[0])


def test_an_open_file_is_read_from_where_it_stands(png: Path, tmp_path: Path) -> None:
    (tmp_path / "stream").write_bytes(b"header" + png.read_bytes())
    with (tmp_path / "stream").open("rb") as file:
        file.seek(6)
        np.testing.assert_array_equal(open_image(file).pixels, RGB)


@pytest.mark.parametrize(
    ("pixels", "bgr", "expected"),
    [
        (GRAY, False, np.dstack([GRAY] * 3)),
        (GRAY, True, np.dstack([GRAY] * 3)),
        (GRAY[..., None], False, np.dstack([GRAY] * 3)),
        (RGB[..., ::-1], True, RGB),
        (np.dstack([RGB, np.full(RGB.shape[:2], 255, np.uint8)]), False, RGB),
        (np.dstack([RGB, np.zeros(RGB.shape[:2], np.uint8)]), False, np.full_like(RGB, 255)),
        (HALF[..., [2, 1, 0, 3]], True, open_image(HALF).pixels),
    ],
    ids=["gray", "gray-bgr", "gray-channel", "bgr", "opaque", "transparent", "bgra"],
)
def test_arrays_of_one_three_or_four_channels(pixels: Any, bgr: bool, expected: Any) -> None:
    np.testing.assert_array_equal(open_image(pixels, bgr=bgr).pixels, expected)


def test_transparency_is_the_same_in_an_array_as_in_a_file(tmp_path: Path) -> None:
    Image.fromarray(HALF).save(tmp_path / "half.png")
    np.testing.assert_array_equal(open_image(HALF).pixels, open_image(tmp_path / "half.png").pixels)


def test_the_order_of_colors_of_a_file_is_its_own(png: Path) -> None:
    np.testing.assert_array_equal(open_image(png, bgr=True).pixels, RGB)


@pytest.mark.parametrize(
    ("form", "says"),
    [
        (lambda content: content, "bytes"),
        (io.BytesIO, "bytes"),
        (lambda content: Image.open(io.BytesIO(content)), "Pillow image"),
    ],
    ids=["bytes", "file", "Pillow"],
)
def test_a_cut_off_image_is_a_coded_error(form: Any, says: str, tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    written = io.BytesIO()
    Image.fromarray(noise).save(written, "JPEG")
    with pytest.raises(DataError) as caught:
        open_image(form(written.getvalue()[:2000]))
    assert caught.value.code == "BW102"
    assert says in str(caught.value.where)


@pytest.mark.parametrize(
    ("source", "one"),
    [
        ("image.jpg", True),
        (Path("image.jpg"), True),
        (b"", True),
        (io.BytesIO(), True),
        (RGB, True),
        (GRAY, True),
        (Image.new("RGB", (1, 1)), True),
        (np.zeros((2, 4, 4, 3), np.uint8), False),
        (["image.jpg"], False),
        (iter(()), False),
    ],
)
def test_one_image_or_several(source: Any, one: bool) -> None:
    assert is_image_like(source) is one
