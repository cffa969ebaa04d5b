"""Small photos with something to learn in them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from boxwright.structures.dataset import Dataset, LabeledImage, Split

RED = (230, 40, 40)


@dataclass
class Squares:
    """Makes data sets of 96 x 80 photos, each with one red square on a dull ground."""

    root: Path
    made: int = 0

    def image(self, split: Split = Split.TRAIN, *, drawn: bool = True) -> LabeledImage:
        """The next photo; `drawn=False` leaves its file away."""
        rng = np.random.default_rng(self.made)
        side, name = int(rng.integers(24, 48)), f"{split.name.lower()}{self.made}.png"
        x, y = int(rng.integers(0, 96 - side)), int(rng.integers(0, 80 - side))
        ground = rng.integers(60, 120, (10, 12, 3), np.uint8)  # no two photos look alike
        picture = Image.fromarray(ground).resize((96, 80), Image.Resampling.NEAREST)
        picture.paste(RED, (x, y, x + side, y + side))
        if drawn:
            self.root.mkdir(parents=True, exist_ok=True)
            picture.save(self.root / name)
        self.made += 1
        return LabeledImage(name, 96, 80, [(x, y, x + side, y + side)], ["square"], split=split)

    def dataset(self, train: int, val: int = 0, test: int = 0) -> Dataset:
        """Photos for training and validation, and test photos whose files do not exist."""
        images = [self.image() for _ in range(train)]
        images += [self.image(Split.VAL) for _ in range(val)]
        images += [self.image(Split.TEST, drawn=False) for _ in range(test)]
        return Dataset.of(self.root, images)
