"""The demo's dataset: drawn scenes, written as Pascal VOC and read like any other dataset."""

from __future__ import annotations

import multiprocessing
import os
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image

from boxwright import formats
from boxwright.demo.scenes.drawing import draw_scene
from boxwright.io.files import writing
from boxwright.structures.dataset import Dataset, LabeledImage, Split

CLASS_NAME = "helmet"
SIZES = ((320, 240), (360, 270), (400, 300), (300, 300), (240, 320))
QUALITIES = (62, 96)  # range of JPEG qualities; the lower ones cause artifacts


def write_dataset(folder: str | Path, train: int, test: int, seed: int) -> Dataset:
    """Draw `train` + `test` scenes into `folder`; the same `seed` gives the same pixels.

    Up to four processes draw in parallel, one per core. A scene takes about 30 ms.

    Raises:
        SystemFaultError: BW902 the disk is full, BW903 the folder cannot be written.
    """
    with writing(folder) as draft:
        images_folder = draft / "JPEGImages"
        images_folder.mkdir(parents=True)
        numbers = range(train + test)
        draw = partial(_write_scene, images_folder, seed)
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(min(4, os.cpu_count() or 1), mp_context=context) as workers:
            drawn = list(workers.map(draw, numbers, chunksize=16))
        splits = [Split.TRAIN] * train + [Split.TEST] * test
        images = [
            LabeledImage(
                name=f"JPEGImages/{scene.name}",
                width=scene.width,
                height=scene.height,
                boxes=scene.boxes,
                class_names=[CLASS_NAME] * len(scene.boxes),
                split=split,
            )
            for scene, split in zip(drawn, splits, strict=True)
        ]
        formats.write(Dataset.of(draft, images, classes=[CLASS_NAME]), draft)
    return Dataset.of(folder, images, classes=[CLASS_NAME])


@dataclass(frozen=True)
class _Scene:
    """A worker's result: name, size and boxes of a written scene."""

    name: str
    width: int
    height: int
    boxes: list[list[float]]


def _write_scene(folder: Path, seed: int, number: int) -> _Scene:
    rng = np.random.default_rng([seed, number])
    width, height = SIZES[rng.integers(len(SIZES))]
    image, boxes = draw_scene(rng, width, height)
    name = f"scene_{number:04}.jpg"
    quality = int(rng.integers(*QUALITIES))
    Image.fromarray(image).save(folder / name, quality=quality)
    return _Scene(name, width, height, boxes.tolist())
