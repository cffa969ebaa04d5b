"""Conversion of resized images to the inputs of networks that other tools wrote."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Pixels:
    """Converts an image `(S, S, 3)` uint8 to an input `(1, S, S, 3)`, or `(1, 3, S, S)`.

    Attributes:
        dtype: the input's; a float input is scaled, uint8 are the pixels, and int8 the pixels less
            128, which has the same real values.
        mean, std: the scaling `(pixel - mean) / std`, one value or one per channel of the input.
        bgr: True if blue is the first channel.
        channels_first: True for `(1, 3, S, S)`.
    """

    dtype: str
    mean: tuple[float, ...]
    std: tuple[float, ...]
    bgr: bool = False
    channels_first: bool = False

    def __call__(self, image: NDArray[np.uint8]) -> NDArray[Any]:
        pixels: NDArray[Any] = image[..., ::-1] if self.bgr else image
        if self.dtype == "int8":
            pixels = (pixels.astype(np.int16) - 128).astype(np.int8)
        elif self.dtype != "uint8":
            mean, std = np.array(self.mean, np.float32), np.array(self.std, np.float32)
            pixels = ((pixels - mean) / std).astype(self.dtype)
        if self.channels_first:
            pixels = pixels.transpose(2, 0, 1)
        return np.ascontiguousarray(pixels[None])
