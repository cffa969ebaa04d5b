"""One reader for every photo: the same oriented RGB whatever the file."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from boxwright.errors import DataError
from boxwright.images import decoding
from boxwright.images.decoding import is_image, opened, read_header, read_image
from boxwright.images.options import DecodeOptions
from boxwright.ops.boxes import as_boxes, orient

pytestmark = pytest.mark.tiny

WIDTH, HEIGHT = 40, 24
ORIENTATION = 0x0112
STORED_FOR = {  # how a camera stores an upright photo so that turning it by EXIF brings it back
    1: None,
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


def scene() -> NDArray[np.uint8]:
    """A dark photo with one red patch, off the centre in both directions."""
    pixels = np.full((HEIGHT, WIDTH, 3), 30, np.uint8)
    pixels[4:10, 6:20] = (200, 40, 40)
    return pixels


def bounds_of_patch(pixels: NDArray[np.uint8]) -> list[int]:
    rows, columns = np.nonzero(pixels[..., 0] > 115)
    return [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp", ".tif"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_images_come_upright_however_they_are_stored(
    tmp_path: Path, orientation: int, suffix: str
) -> None:
    upright = Image.fromarray(scene())
    turn = STORED_FOR[orientation]
    stored = upright if turn is None else upright.transpose(turn)
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    path = tmp_path / f"photo{suffix}"
    stored.save(path, exif=exif, **({} if suffix in {".png", ".tif"} else {"quality": 100}))

    header = read_header(path)
    assert (header.width, header.height, header.orientation) == (WIDTH, HEIGHT, orientation)
    assert header.swaps_sides == (orientation >= 5)
    image = read_image(path)
    np.testing.assert_allclose(image.astype(int), scene().astype(int), atol=90)  # webp's chroma
    assert bounds_of_patch(image) == pytest.approx([6, 4, 20, 10], abs=1)

    drawn_on_stored = as_boxes([bounds_of_patch(np.asarray(stored))])
    box = orient(drawn_on_stored, orientation, *stored.size)[0]
    assert box.tolist() == pytest.approx([6, 4, 20, 10])


@pytest.mark.parametrize(
    ("picture", "expected"),
    [
        (Image.new("L", (8, 6), 77), (77, 77, 77)),
        (Image.new("1", (8, 6), 1), (255, 255, 255)),
        (Image.new("RGB", (8, 6), (1, 2, 3)).quantize(4), (1, 2, 3)),
        (Image.new("RGBA", (8, 6), (10, 20, 30, 255)), (10, 20, 30)),
        (Image.new("RGBA", (8, 6), (10, 20, 30, 0)), (255, 255, 255)),
        (Image.new("LA", (8, 6), (10, 0)), (255, 255, 255)),
        (Image.fromarray(np.full((6, 8), 0x8000, np.uint16)), (127, 127, 127)),
        (Image.fromarray(np.full((6, 8), 200, np.uint16)), (200, 200, 200)),
    ],
    ids=["grey", "bits", "palette", "alpha", "clear", "grey-alpha", "16-bit", "8-bit-in-16"],
)
def test_every_kind_of_pixel_becomes_rgb(
    tmp_path: Path, picture: Image.Image, expected: tuple[int, int, int]
) -> None:
    picture.save(tmp_path / "photo.png")
    image = read_image(tmp_path / "photo.png")
    assert image.dtype == np.uint8
    assert image.shape == (6, 8, 3)
    assert (image == expected).all()


def test_a_palette_with_a_clear_color_lies_on_white(tmp_path: Path) -> None:
    picture = Image.new("P", (8, 6), 0)
    picture.putpalette([10, 20, 30])
    picture.save(tmp_path / "photo.gif", transparency=0)
    assert (read_image(tmp_path / "photo.gif") == 255).all()


def test_cmyk_and_gray_jpegs(tmp_path: Path) -> None:
    Image.new("CMYK", (16, 16), (0, 255, 255, 0)).save(tmp_path / "print.jpg", quality=100)
    assert read_image(tmp_path / "print.jpg")[0, 0].tolist() == pytest.approx([255, 0, 0], abs=3)
    Image.new("L", (16, 16), 90).save(tmp_path / "grey.jpg", quality=100)
    assert read_image(tmp_path / "grey.jpg", at_least=4)[0, 0].tolist() == [90, 90, 90]


@pytest.mark.parametrize("orientation", [1, 6])
def test_a_small_reading_keeps_the_sides_asked_for(tmp_path: Path, orientation: int) -> None:
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    Image.new("RGB", (800, 640)).save(tmp_path / "photo.jpg", exif=exif)
    image = read_image(tmp_path / "photo.jpg", at_least=100)
    assert image.shape[:2] == ((160, 200) if orientation == 1 else (200, 160))


@pytest.mark.parametrize("mode", ["RGB", "L"])
@pytest.mark.parametrize("gray", [False, True])
@pytest.mark.parametrize("side", [1, 60, 130, None])
@pytest.mark.parametrize(
    "options",
    [{}, {"progressive": True}, {"subsampling": 0}, {"restart_marker_blocks": 3}],
    ids=lambda options: next(iter(options), "plain"),
)
def test_a_jpeg_is_decoded_as_pillow_does_after_reading_its_header(
    mode: str,
    gray: bool,
    side: int | None,
    options: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (30, 41, 3), np.uint8)
    picture = Image.fromarray(noise).resize((411, 303), Image.Resampling.BICUBIC).convert(mode)
    file = io.BytesIO()
    picture.save(file, "JPEG", **options)
    read: list[tuple[object, ...]] = []
    for how in ("directly", "by Pillow"):
        if how == "by Pillow":
            monkeypatch.setattr(decoding, "jpeg_header", lambda content: None)
        with opened(
            file.getvalue(), DecodeOptions(), short_side=side, gray=gray and side is not None
        ) as source:
            kind = source.picture.format
            flat = source.gray(DecodeOptions()) if gray else source.decoded(DecodeOptions()).picture
        read.append((kind, *flat.size, flat.mode, flat.tobytes()))
    assert read[0] == read[1]


def truncated(content: bytes) -> bytes:
    return content[: len(content) // 2]


@pytest.mark.parametrize("suffix", [".jpg", ".png"])
def test_an_image_cut_off_is_an_error_that_names_it(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"cut{suffix}"
    noise = np.random.default_rng(0).integers(0, 256, (200, 200, 3), np.uint8)
    Image.fromarray(noise).save(path)
    path.write_bytes(truncated(path.read_bytes()))
    assert read_header(path).width == 200  # the header is whole
    with pytest.raises(DataError, match="damaged") as caught:
        read_image(path)
    assert caught.value.code == "BW102"
    assert caught.value.where == str(path)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (None, "BW101"),
        (b"", "BW102"),
        (b"not a photo", "BW102"),
        (b"\xff\xd8\xff\xe0", "BW102"),
        (b"\x89PNG\r\n\x1a\n" + b"\0" * 40, "BW102"),
    ],
    ids=["missing", "empty", "text", "start of a jpeg", "broken png"],
)
def test_what_is_no_image_is_an_error(tmp_path: Path, content: bytes | None, code: str) -> None:
    path = tmp_path / "photo.jpg"
    if content is not None:
        path.write_bytes(content)
    for read in (read_header, read_image):
        with pytest.raises(DataError) as caught:
            read(path)
        assert caught.value.code == code


@pytest.mark.parametrize(
    "exif", [b"Exif\0\0garbage", b"Exif\0\0II*\0\xff\xff\xff\xff", b"Exif\0\0"]
)
def test_broken_exif_leaves_an_image_upright(tmp_path: Path, exif: bytes) -> None:
    Image.fromarray(scene()).save(tmp_path / "photo.jpg", exif=exif)
    assert read_header(tmp_path / "photo.jpg").orientation == 1
    assert read_image(tmp_path / "photo.jpg").shape == (HEIGHT, WIDTH, 3)


def test_an_orientation_that_does_not_exist_leaves_an_image_upright(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[ORIENTATION] = 9
    Image.fromarray(scene()).save(tmp_path / "photo.jpg", exif=exif)
    assert read_header(tmp_path / "photo.jpg").orientation == 1


def test_a_header_is_read_without_the_pixels(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (300, 300, 3), np.uint8)
    Image.fromarray(noise).save(tmp_path / "photo.png")
    content = (tmp_path / "photo.png").read_bytes()
    (tmp_path / "head.png").write_bytes(content[:200])
    assert read_header(tmp_path / "head.png").height == 300


@pytest.mark.parametrize(
    ("name", "expected"),
    [("a.jpg", True), ("A.JPG", True), ("b c.Jpeg", True), ("._a.jpg", False), ("jpg", False)],
)
def test_images_are_known_by_their_names(name: str, expected: bool) -> None:
    assert is_image(name) is expected
    assert is_image(Path("folder.jpg") / name) is expected


@pytest.mark.shared
def test_every_shared_image_has_the_size_its_header_says(shared: Path) -> None:
    paths = sorted((shared / "data" / "raccoon" / "images").iterdir())[:40]
    for path in [*paths, *(shared / "images").glob("*.jpg")]:
        header = read_header(path)
        assert read_image(path).shape == (header.height, header.width, 3)
