"""Compare tiles with whole images: on large sites made of labeled images, and on the images.

    python benchmarks/tiles.py detector.tflite ../shared/data/hardhat

A site is a grid of images, each in its own size, so that its objects are as large in pixels as in
the images. A detector whose tiles are as large as these images should find in the site what it
finds in them. On the images themselves, forced tiles of about a half in each direction may cost
little.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image

from boxwright.datasets.load import load
from boxwright.evaluation.coco import evaluate
from boxwright.evaluation.comparison import paired_loss
from boxwright.images.decoding import read_image
from boxwright.inference import tiling
from boxwright.inference.detector import Detector
from boxwright.inference.tiling import Tiling
from boxwright.structures.dataset import Dataset, LabeledImage

WIDTH, HEIGHT = 4000, 3000
MAX_BOXES = 60  # on a site, before its last image: COCO's metrics count 100 detections


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("model", type=Path)
    parser.add_argument("data", type=Path)
    parser.add_argument("--split", default="val")
    parser.add_argument("--sides", type=int, nargs="+", default=[400, 500, 640])
    given = parser.parse_args()
    detector = Detector.load(given.model)
    images = load(given.data).split(given.split)
    with tempfile.TemporaryDirectory() as folder:
        on_sites(detector, images, Path(folder), given.sides)
    on_images(detector, images)


def on_sites(detector: Detector, images: Dataset, folder: Path, sides: list[int]) -> None:
    whole = evaluate(images, list(detector.detections_in(images)), resamples=0)
    sites = grid(images, folder)
    print(f"{len(sites)} sites of {WIDTH} x {HEIGHT} pixels, of {len(images)} images")
    print(f"{'':<24}{'AP50':>8}{'AP':>8}{'CPU s':>9}{'merging':>9}")
    print(f"{'the images':<24}{whole.ap50:>8.3f}{whole.ap:>8.3f}")
    for side in (None, *sides):
        tiled = replace(detector, tiling=Tiling(side, side) if side else None)
        merging = timed_merging()
        start = time.process_time()
        found = list(tiled.detections_in(sites))
        seconds = time.process_time() - start
        result = evaluate(sites, found, resamples=0)
        name = f"sites, tiles of {side}" if side else "sites"
        share = merging[0] / seconds
        print(f"{name:<24}{result.ap50:>8.3f}{result.ap:>8.3f}{seconds:>9.1f}{share:>9.1%}")


def timed_merging() -> list[float]:
    """Count the seconds of all merging from now on."""
    spent, merge = [0.0], tiling.merge

    def timed(*arguments: np.ndarray) -> np.ndarray:
        start = time.process_time()
        kept = merge(*arguments)
        spent[0] += time.process_time() - start
        return kept

    tiling.merge = timed  # type: ignore[assignment]
    return spent


def grid(images: Dataset, folder: Path) -> Dataset:
    """Sites with the images in rows, each in its own size."""
    pixels = np.full((HEIGHT, WIDTH, 3), 114, np.uint8)
    boxes: list[list[float]] = []
    names: list[str] = []
    sites: list[LabeledImage] = []
    left = top = row = 0

    def finish() -> None:
        name = f"site-{len(sites)}.png"
        Image.fromarray(pixels).save(folder / name)
        sites.append(LabeledImage(name, WIDTH, HEIGHT, list(boxes), list(names)))
        boxes.clear(), names.clear()
        pixels[:] = 114

    for i in range(len(images)):
        picture = read_image(images.image(i))
        height, width = picture.shape[:2]
        if left + width > WIDTH:
            left, top, row = 0, top + row, 0
        if top + height > HEIGHT or len(boxes) > MAX_BOXES:
            finish()
            left = top = row = 0
        pixels[top : top + height, left : left + width] = picture
        for box, label in zip(
            images.boxes[images.rows(i)], images.labels[images.rows(i)], strict=True
        ):
            boxes.append((box + np.array([left, top, left, top])).tolist())
            names.append(images.classes[label])
        left, row = left + width, max(row, height)
    finish()
    return Dataset.of(folder, sites, images.classes)


def on_images(detector: Detector, images: Dataset) -> None:
    before = list(detector.detections_in(images))
    width, height = np.median(images.sizes, axis=0) * 0.55
    tiled = replace(detector, tiling=Tiling(round(height), round(width), 0.1))
    after = list(tiled.detections_in(images))
    loss = paired_loss(images, before, after)
    print(f"forced tiles of {width:.0f} x {height:.0f} on {len(images)} images: {loss}")


if __name__ == "__main__":
    main()
