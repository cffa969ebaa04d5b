"""Default images for timing detectors."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

COUNT, SIZE = 4, (1280, 960)


def draw_samples(folder: Path) -> list[Path]:
    """Draw a few JPEGs of colored ellipses on noise, always the same ones."""
    rng = np.random.default_rng(0)
    paths = []
    for number in range(COUNT):
        coarse = rng.integers(40, 216, (SIZE[1] // 40, SIZE[0] // 40, 3), np.uint8)
        picture = Image.fromarray(coarse).resize(SIZE, Image.Resampling.BICUBIC)
        pen = ImageDraw.Draw(picture)
        for _ in range(6):
            left, top = rng.uniform(0, 0.8, 2) * SIZE
            width, height = rng.uniform(60, 400, 2)
            color = tuple(rng.integers(0, 256, 3).tolist())
            pen.ellipse((left, top, left + width, top + height), fill=color)
        paths.append(folder / f"sample-{number}.jpg")
        picture.save(paths[-1], quality=90)
    return paths
