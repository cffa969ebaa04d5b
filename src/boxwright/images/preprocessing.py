"""Preprocessing of images to network input; stored in every run and detector file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from boxwright.images.decoding import decoded
from boxwright.images.files import ImageFile
from boxwright.images.options import MAX_PIXELS, DecodeOptions, DepthRange
from boxwright.ops.boxes import Boxes, clip, pixel_xyxy

STRETCH, LETTERBOX = "stretch", "letterbox"
GRAY = (114, 114, 114)  # of the bars
ENOUGH = 2  # times the input size: decoding at this size gives the same input


def read_square(
    image: ImageFile, side: int, options: DecodeOptions | None = None
) -> NDArray[np.uint8]:
    """Read an image as `(side, side, 3)` uint8; raises as `decoded`.

    Used by training, validation and inference: a large JPEG is decoded at a fraction of its size,
    at least `ENOUGH` times `side`.
    """
    with decoded(image, options or DecodeOptions(), short_side=ENOUGH * side) as whole:
        return squared(whole.picture, side)


def squared(image: Image.Image | NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """Stretch RGB, `(H, W, 3)` uint8 if an array, to `(side, side, 3)` uint8."""
    picture = Image.fromarray(image) if isinstance(image, np.ndarray) else image
    if picture.size != (side, side):
        picture = picture.resize((side, side), Image.Resampling.BILINEAR)
    return np.asarray(picture)


def boxed(image: Image.Image, side: int) -> NDArray[np.uint8]:
    """Resize RGB to fit into `(side, side, 3)` uint8, centered between gray bars, as YOLO does."""
    width, height, left, top = _place(image.width, image.height, side)
    canvas = Image.new("RGB", (side, side), GRAY)
    canvas.paste(image.resize((width, height), Image.Resampling.BILINEAR), (left, top))
    return np.asarray(canvas)


def _place(width: int, height: int, side: int) -> tuple[int, int, int, int]:
    """Width, height, left and top of an image in a square with bars."""
    factor = side / max(width, height)
    inner = max(round(width * factor), 1), max(round(height * factor), 1)
    return *inner, (side - inner[0]) // 2, (side - inner[1]) // 2


@dataclass(frozen=True)
class Preprocessing:
    """Stretch to a square of `size` pixels, then `pixel * scale + offset`.

    The resize is Pillow's bilinear with antialiasing, outside of the network, so that it is the
    same on every machine and in every runtime. The scaling is part of the network's graph, so
    every detector file takes uint8 pixels.

    Attributes:
        size: side of the network's square input, pixels.
        scale, offset: map pixels to the network's input range; the default gives [-1, 1).
        depth_range: the values that become pixels 0 and 255 in images of more than 8 bits.
        letterbox: True to keep the aspect ratio instead, between gray bars; only for detectors of
            other tools.
    """

    size: int = 300
    scale: float = 1 / 128
    offset: float = -1.0
    depth_range: DepthRange | None = None
    letterbox: bool = False

    def decode_options(self, max_pixels: int = MAX_PIXELS) -> DecodeOptions:
        """How the images of this network are decoded."""
        return DecodeOptions(max_pixels, self.depth_range)

    def resize(self, image: Image.Image | NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Resize RGB, `(H, W, 3)` uint8 if an array, to `(size, size, 3)` uint8."""
        if not self.letterbox:
            return squared(image, self.size)
        picture = Image.fromarray(image) if isinstance(image, np.ndarray) else image
        return boxed(picture, self.size)

    def to_image(self, boxes: NDArray[np.float32], width: int, height: int) -> Boxes:
        """Convert normalized `(n, 4)` yxyx boxes to xyxy pixels, clipped to the image."""
        if self.letterbox:
            inner_width, inner_height, left, top = _place(width, height, self.size)
            corner = np.array((top, left) * 2, np.float32)
            boxes = (boxes * self.size - corner) / np.array((inner_height, inner_width) * 2)
            boxes = boxes.astype(np.float32)
        return clip(pixel_xyxy(boxes, width, height), width, height)

    def to_json(self) -> dict[str, Any]:
        depth = {"depth_range": list(self.depth_range)} if self.depth_range else {}
        return {
            "resize": LETTERBOX if self.letterbox else STRETCH,
            "size": self.size,
            "scale": self.scale,
            "offset": self.offset,
            **depth,
        }

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Preprocessing:
        stated = value.get("depth_range")
        depth = None if stated is None else DepthRange.of(stated)
        scaling = float(value["scale"]), float(value["offset"])
        letterbox = value.get("resize") == LETTERBOX
        return cls(int(value["size"]), *scaling, depth, letterbox)
