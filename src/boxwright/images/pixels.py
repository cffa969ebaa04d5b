"""Conversion of stored pixels to RGB, in strips, so that memory stays below 12 bytes a pixel."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from boxwright.images.options import DepthRange

STRIP = 1 << 20  # pixels converted at once
SAMPLED = 1 << 20  # pixels that suffice for percentiles
BULK = (0.1, 99.9)  # percentiles
WHITE = (255, 255, 255, 255)
OF_8_BITS, OF_16_BITS = DepthRange(0, 255), DepthRange(0, 65535)


class Depth(NamedTuple):
    """The values of an image of more than 8 bits, as stored.

    Attributes:
        low, high: the least and the greatest value.
        bulk_low, bulk_high: 99.8 % of the pixels are in between.
        shown: the values that become 0 and 255.
        floats: the values are not whole numbers.
        colors: it has colors, of which only the upper 8 bits are known.
    """

    low: float
    high: float
    bulk_low: float
    bulk_high: float
    shown: DepthRange
    floats: bool
    colors: bool = False


def is_deep(picture: Image.Image) -> bool:
    """True for gray of more than 8 bits: whole numbers (modes I;16 and I) or floats (F)."""
    return picture.mode.startswith("I") or picture.mode == "F"


def is_deep_color(picture: Image.Image) -> bool:
    """True for colors of 16 bits, before the pixels are decoded: Pillow reads the upper 8."""
    if is_deep(picture) or not (tiles := getattr(picture, "tile", ())):
        return False
    kind = tiles[0][3]  # the name of the raw pixels, alone or with other arguments
    raw = kind[0] if isinstance(kind, tuple) and kind else kind
    return isinstance(raw, str) and ";16" in raw


def depth_of(picture: Image.Image, *, deep_color: bool = False) -> Depth | None:
    """The values of an image of more than 8 bits; None for others, and without any number."""
    if deep_color:
        picture.load()
        below = np.flatnonzero(np.array(picture.convert("RGB").histogram()).reshape(3, -1).sum(0))
        low, high = 256.0 * below[0], 256.0 * below[-1] + 255
        return Depth(low, high, low, high, OF_16_BITS, floats=False, colors=True)
    if not is_deep(picture):
        return None
    step = 1 + picture.width * picture.height // SAMPLED
    edges: list[float] = []
    sample: list[NDArray[np.float64]] = []
    for part in map(_finite, _values(picture)):
        if part.size:
            edges += [float(part.min()), float(part.max())]
            sample.append(part[::step].copy())
    if not edges:
        return None
    low, high = min(edges), max(edges)
    bulk_low, bulk_high = np.percentile(np.concatenate(sample), BULK).tolist()
    return Depth(low, high, bulk_low, bulk_high, _usual_range(high), floats=picture.mode == "F")


def flat_rgb(
    picture: Image.Image, depth_range: DepthRange | None = None, *, deep_color: bool = False
) -> Image.Image:
    """RGB as stored, not oriented; the same picture, loaded, if it is that already."""
    if is_deep(picture):
        return Image.fromarray(_gray(picture, depth_range)).convert("RGB")
    if picture.mode in {"RGBA", "LA", "PA"} or "transparency" in picture.info:
        flat = _on_white(picture)
    elif picture.mode == "RGB":
        picture.load()
        flat = picture
    else:
        flat = picture.convert("RGB")
    return flat.point(3 * _levels(depth_range)) if deep_color and depth_range else flat


def rgb_array(picture: Image.Image) -> NDArray[np.uint8]:
    """The pixels of an RGB picture, `(H, W, 3)`; `np.asarray` needs three times their memory."""
    if picture.width * picture.height <= STRIP:
        return np.asarray(picture)
    pixels = np.empty((picture.height, picture.width, 3), np.uint8)
    for box in strips(picture):
        pixels[box[1] : box[3]] = np.asarray(picture.crop(box))
    return pixels


def _gray(picture: Image.Image, depth_range: DepthRange | None) -> NDArray[np.uint8]:
    """`(H, W)` gray levels of a deep image; what is no number is black."""
    if depth_range is None:
        tops = [part.max(initial=0) for part in map(_finite, _values(picture))]
        depth_range = _usual_range(max(tops, default=0))
    gray = np.empty((picture.height, picture.width), np.uint8)
    row = 0
    for part in _values(picture):
        gray[row : row + len(part)] = _scaled(part, depth_range)
        row += len(part)
    return gray


def _scaled(values: NDArray[np.float64], depth_range: DepthRange) -> NDArray[np.uint8]:
    low, high = depth_range
    levels = np.nan_to_num(np.clip((values - low) * 255 / (high - low), 0, 255))
    return np.asarray(levels, np.uint8)


def _levels(depth_range: DepthRange) -> list[int]:
    """The new level of each of the upper 8 of 16 bits."""
    levels: list[int] = _scaled(np.arange(256, dtype=np.float64) * 257, depth_range).tolist()
    return levels


def _usual_range(high: float) -> DepthRange:
    return OF_16_BITS if high > OF_8_BITS.high else OF_8_BITS


def _on_white(picture: Image.Image) -> Image.Image:
    """A picture with transparency, on white paper."""
    flat = Image.new("RGB", picture.size)
    for box in strips(picture):
        part = picture.crop(box).convert("RGBA")
        paper = Image.new("RGBA", part.size, WHITE)
        flat.paste(Image.alpha_composite(paper, part).convert("RGB"), box)
    return flat


def _values(picture: Image.Image) -> Iterator[NDArray[np.float64]]:
    """The stored values, in strips `(h, W)` from top to bottom."""
    for box in strips(picture):
        yield np.asarray(picture.crop(box)).astype(np.float64)


def _finite(values: NDArray[np.generic]) -> NDArray[np.float64]:
    numbers = np.asarray(values, np.float64)
    return numbers[np.isfinite(numbers)]


def strips(picture: Image.Image) -> Iterator[tuple[int, int, int, int]]:
    """Boxes from edge to edge, from top to bottom, of about `STRIP` pixels each."""
    rows = max(1, STRIP // max(picture.width, 1))
    for top in range(0, picture.height, rows):
        yield 0, top, picture.width, min(top + rows, picture.height)
