"""Drawn patterns: synthetic images of shapes and textures that a detector may react to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

MARGINS = (0.1, 0.3, 0.6)  # around a copied box, as fractions of its longer side
SMALLEST, LARGEST = 0.06, 0.6  # a shape's size, as a fraction of the image's side
LEAST_PIXELS = 8  # smallest side of a copied region


def drawn(random: np.random.Generator, side: int) -> Image.Image:
    """A new pattern of `side` pixels: 3 to 19 shapes on noise or on a color."""
    image = _noise(random, side, 24) if random.random() < 0.7 else _plain(random, side)
    _add_shapes(random, image, int(random.integers(3, 20)))
    return image


def changed(
    random: np.random.Generator,
    patterns: Sequence[Image.Image],
    boxes: Sequence[NDArray[np.float32]],
) -> Image.Image:
    """One of `patterns` with additional shapes, or with copies of detected regions of a pattern.

    Args:
        random: random number generator.
        patterns: all of one size.
        boxes: for each pattern its best detections, normalized yxyx `(n, 4)`.
    """
    image = patterns[int(random.integers(len(patterns)))].copy()
    source = int(random.integers(len(patterns)))
    if random.random() < 0.45 or not len(boxes[source]):
        _add_shapes(random, image, int(random.integers(1, 6)))
        return image
    for _ in range(int(random.integers(1, 4))):
        box = boxes[source][int(random.integers(len(boxes[source])))]
        _copy(random, patterns[source], box, image)
    return image


def _copy(
    random: np.random.Generator,
    source: Image.Image,
    box: NDArray[np.float32],
    image: Image.Image,
) -> None:
    """Copy a box and its surroundings to another position, possibly flipped or resized."""
    side = image.width
    margin = float(random.choice(MARGINS)) * float(np.max(box[2:] - box[:2]))
    top, left, bottom, right = (
        int(edge * side) for edge in np.clip(box + margin * np.array([-1, -1, 1, 1]), 0, 1)
    )
    if min(bottom - top, right - left) < LEAST_PIXELS:
        return
    piece = source.crop((left, top, right, bottom))
    if random.random() < 0.3:
        piece = piece.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    if random.random() < 0.4:
        scale = float(np.exp(random.uniform(-0.9, 0.3)))
        width, height = (max(LEAST_PIXELS, int(edge * scale)) for edge in piece.size)
        piece = piece.resize((width, height))
    x, y = (
        int(random.integers(-edge // 4, max(side - 3 * edge // 4, 1 - edge // 4)))
        for edge in piece.size
    )
    image.paste(piece, (x, y))


def _add_shapes(random: np.random.Generator, image: Image.Image, count: int) -> None:
    for _ in range(count):
        image.paste(_filling(random, image.width), (0, 0), _mask(random, image.width))


def _mask(random: np.random.Generator, side: int) -> Image.Image:
    """A random shape at a random position, white on black; some have soft edges."""
    mask = Image.new("L", (side, side))
    size = side * np.exp(random.uniform(np.log(SMALLEST), np.log(LARGEST)))
    stretch = np.exp(random.uniform(-0.7, 0.7)) ** 0.5
    half = np.array([size * stretch, size / stretch]) / 2
    center = random.uniform(0, side, 2)
    _SHAPES[int(random.integers(len(_SHAPES)))](random, ImageDraw.Draw(mask), center, half)
    if random.random() < 0.4:
        mask = mask.filter(ImageFilter.GaussianBlur(float(random.uniform(0.5, 0.02 * side))))
    return mask


def _box(center: NDArray[Any], half: NDArray[Any]) -> list[float]:
    return [*(center - half).tolist(), *(center + half).tolist()]


def _ellipse(random: np.random.Generator, canvas: Any, center: Any, half: Any) -> None:
    canvas.ellipse(_box(center, half), fill=255)


def _rectangle(random: np.random.Generator, canvas: Any, center: Any, half: Any) -> None:
    canvas.rectangle(_box(center, half), fill=255)


def _ring(random: np.random.Generator, canvas: Any, center: Any, half: Any) -> None:
    width = max(1, int(half.min() * random.uniform(0.1, 0.6)))
    canvas.ellipse(_box(center, half), outline=255, width=width)


def _polygon(random: np.random.Generator, canvas: Any, center: Any, half: Any) -> None:
    corners = int(random.integers(3, 9))
    angles = np.sort(random.uniform(0, 2 * np.pi, corners))
    directions = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    reaches = random.uniform(0.5, 1, corners)[:, None]
    canvas.polygon((center + half * directions * reaches).reshape(-1).tolist(), fill=255)


def _sector(random: np.random.Generator, canvas: Any, center: Any, half: Any) -> None:
    start, end = np.sort(random.uniform(0, 360, 2)).tolist()
    canvas.pieslice(_box(center, half), start, end, fill=255)


_SHAPES: Sequence[Callable[[np.random.Generator, Any, Any, Any], None]] = (
    _ellipse,
    _rectangle,
    _polygon,
    _ring,
    _sector,
)


def _filling(random: np.random.Generator, side: int) -> Image.Image:
    """A color, noise, or a gradient between two colors."""
    kind = int(random.integers(3))
    if kind == 0:
        return _plain(random, side)
    if kind == 1:
        return _noise(random, side, 40)
    ramp = Image.linear_gradient("L").rotate(float(random.uniform(0, 360))).resize((side, side))
    return Image.composite(_plain(random, side), _plain(random, side), ramp)


def _plain(random: np.random.Generator, side: int) -> Image.Image:
    red, green, blue = random.integers(0, 256, 3).tolist()
    return Image.new("RGB", (side, side), (red, green, blue))


def _noise(random: np.random.Generator, side: int, finest: int) -> Image.Image:
    """Smooth noise with 2 to `finest` cells a side."""
    cells = int(random.integers(2, finest))
    coarse = random.integers(0, 256, (cells, cells, 3), np.uint8)
    return Image.fromarray(coarse).resize((side, side), Image.Resampling.BICUBIC)
