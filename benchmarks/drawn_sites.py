"""Tiles on drawn sites of 4,000 x 3,000 pixels with helmets of 16 pixels.

    python benchmarks/drawn_sites.py --steps 400

A detector is trained on drawn images of 320 x 320 pixels with such helmets. It should find on the
large sites, in tiles, what it finds in the same places cut out in its own size; and of helmets in
rows with gaps of 4 pixels as many as without tiles.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

import boxwright
from boxwright.demo.scenes.backdrops import backdrop
from boxwright.demo.scenes.people import hard_hat, person
from boxwright.demo.scenes.quadrics import Light, Part, moved, render, to_pixels, turn
from boxwright.evaluation.coco import evaluate
from boxwright.inference.detector import Detector
from boxwright.inference.tiling import Tiling
from boxwright.ops.boxes import as_boxes, iou
from boxwright.structures.dataset import Dataset, LabeledImage, Split

WIDTH, HEIGHT = 4000, 3000
CELL = 320  # pixels of a training image, and of a place that is cut out
RADIUS = 7.0  # pixels of a helmet's shell, whose box is then about 16 wide
GAP = 4  # pixels between the boxes of a row
OVERSAMPLING = 3
MARGIN = 24  # pixels between a helmet and the edge of its cell
HELMETS = 80  # on a site: COCO's metrics count 100 detections
Box = tuple[int, int, int, int]


class Site:
    """An image on which helmets and people are drawn."""

    def __init__(self, rng: np.random.Generator, width: int, height: int) -> None:
        behind = backdrop(rng, width // 4, height // 4)
        large = Image.fromarray(behind.picture).resize((width, height), Image.Resampling.BICUBIC)
        grain = rng.normal(0, 4, (height, width, 1)).astype(np.float32)
        self.pixels = np.clip(np.asarray(large) + grain, 0, 255).astype(np.uint8)
        self.light: Light = behind.light
        self.boxes: list[Box] = []
        self.rng = rng

    def lay(self, parts: list[Part], x: float, y: float, radius: float = RADIUS) -> Box | None:
        """Draw parts of object space at a place; the box of what is a helmet of them."""
        reach = int(11 * radius)
        left, top = int(x) - reach, int(y) - reach
        side = 2 * reach * OVERSAMPLING
        center = ((x - left) * OVERSAMPLING, (y - top) * OVERSAMPLING)
        there = moved(parts, to_pixels(*center, radius * OVERSAMPLING))
        u, v, colors, mask, target = render(there, self.light, side, side)
        layer = np.zeros((side, side, 4), np.uint8)
        window = np.s_[v : v + mask.shape[0], u : u + mask.shape[1]]
        layer[window][..., :3], layer[window][..., 3] = colors, 255 * mask
        small = Image.fromarray(layer).resize((2 * reach, 2 * reach), Image.Resampling.BOX)
        whole = Image.fromarray(self.pixels)
        whole.paste(small.convert("RGB"), (left, top), small.getchannel("A"))
        self.pixels = np.asarray(whole)
        rows, columns = np.nonzero(target)
        if not len(rows):
            return None
        low = (left + (u + columns.min()) // OVERSAMPLING, top + (v + rows.min()) // OVERSAMPLING)
        high = (
            left - (-(u + columns.max() + 1) // OVERSAMPLING),
            top - (-(v + rows.max() + 1) // OVERSAMPLING),
        )
        return int(low[0]), int(low[1]), int(high[0]), int(high[1])

    def add(self, x: float, y: float) -> None:
        """A helmet at a place: on a person, or alone."""
        rng = self.rng
        pose = turn(rng.uniform(-np.pi, np.pi), rng.uniform(0, 0.3), rng.normal(0, 0.1))
        parts = person(rng, in_hard_hat=True) if rng.random() < 0.5 else hard_hat(rng)
        if box := self.lay(moved(parts, pose), x, y):
            self.boxes.append(box)

    def add_other(self, x: float, y: float) -> None:
        """A person without a helmet."""
        pose = turn(self.rng.uniform(-np.pi, np.pi))
        self.lay(moved(person(self.rng, in_hard_hat=False), pose), x, y)

    def add_row(self, x: float, y: float, count: int) -> None:
        """Helmets beside each other, with gaps of 4 pixels between their boxes."""
        end = x
        for _ in range(count):
            parts = moved(hard_hat(self.rng), turn(self.rng.uniform(-np.pi, np.pi), 0.2))
            trial = Site.__new__(Site)
            trial.__dict__.update(self.__dict__, pixels=np.zeros((99, 99, 3), np.uint8))
            left, _, right, _ = trial.lay(parts, 50, 50) or (0, 0, 0, 0)
            if box := self.lay(parts, end + 50 - left, y):
                self.boxes.append(box)
            end += right - left + GAP


def scattered(rng: np.random.Generator, cells: Sequence[tuple[int, int]]) -> Iterator[tuple]:
    """A place in each cell."""
    for column, row in cells:
        dx, dy = rng.uniform(MARGIN, CELL - MARGIN, 2)
        yield column * CELL + dx, row * CELL + dy


def small_images(folder: Path, count: int, seed: int) -> Dataset:
    images = []
    for number in range(count):
        rng = np.random.default_rng([seed, number])
        site = Site(rng, CELL, CELL)
        for _ in range(rng.integers(0, 3)):
            site.add_other(*rng.uniform(MARGIN, CELL - MARGIN, 2))
        if rng.random() < 0.3:
            site.add_row(rng.uniform(MARGIN, CELL / 2), rng.uniform(MARGIN, CELL - MARGIN), 5)
        for _ in range(rng.integers(1, 6)):
            x, y = rng.uniform(MARGIN, CELL - MARGIN, 2)
            if all(np.hypot(x - b[0], y - b[1]) > 40 for b in site.boxes):
                site.add(x, y)
        images.append(saved(folder, f"train-{number}.png", site))
    return Dataset.of(folder, images, ["helmet"])


def saved(folder: Path, name: str, site: Site) -> LabeledImage:
    Image.fromarray(site.pixels).save(folder / name)
    height, width = site.pixels.shape[:2]
    return LabeledImage(
        name, width, height, site.boxes, ["helmet"] * len(site.boxes), split=Split.TRAIN
    )


def cut_out(folder: Path, sites: Dataset) -> Dataset:
    """The cells of sites that have boxes, in their own size."""
    images = []
    for i in range(len(sites)):
        picture = Image.open(sites.root / sites.names[i])
        boxes = sites.boxes[sites.rows(i)]
        for row in range(HEIGHT // CELL):
            for column in range(WIDTH // CELL):
                corner = np.array([column * CELL, row * CELL])
                inside = ((boxes[:, :2] >= corner) & (boxes[:, 2:] <= corner + CELL)).all(axis=1)
                name = f"{Path(sites.names[i]).stem}-{row}-{column}.png"
                left, top = corner.tolist()
                picture.crop((left, top, left + CELL, top + CELL)).save(folder / name)
                own = boxes[inside] - np.tile(corner, 2)
                images.append(LabeledImage(name, CELL, CELL, own, ["helmet"] * len(own)))
    return Dataset.of(folder, images, sites.classes)


def large_sites(folder: Path, seed: int) -> tuple[Dataset, Dataset]:
    """Sites with scattered helmets and people, and a site with rows."""
    cells = [(column, row) for row in range(HEIGHT // CELL) for column in range(WIDTH // CELL)]
    scenes = []
    for number in range(2):
        rng = np.random.default_rng([seed, 1000 + number])
        site = Site(rng, WIDTH, HEIGHT)
        chosen = [cells[i] for i in rng.permutation(len(cells))]
        for place in scattered(rng, chosen[:20]):
            site.add_other(*place)
        for place in scattered(rng, chosen[20 : 20 + HELMETS]):
            site.add(*place)
        scenes.append(saved(folder, f"site-{number}.png", site))
    rng = np.random.default_rng([seed, 2000])
    rows = Site(rng, WIDTH, HEIGHT)
    for x, y in scattered(rng, [cells[i] for i in rng.permutation(len(cells))[:10]]):
        rows.add_row(x // CELL * CELL + MARGIN, y, 8)
    return (
        Dataset.of(folder, scenes, ["helmet"]),
        Dataset.of(folder, [saved(folder, "rows.png", rows)], ["helmet"]),
    )


def recall(images: Dataset, detector: Detector) -> float:
    """The part of the objects that are found above the detector's threshold."""
    hits: list[NDArray[np.bool_]] = []
    for i, found in enumerate(detector.detections_in(images)):
        boxes = as_boxes(images.boxes[images.rows(i)])
        overlap = iou(boxes, detector.kept(found, None).boxes)
        hits.append((overlap >= 0.5).any(axis=1))
    return float(np.concatenate(hits).mean())


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--steps", type=int, default=400)
    parser.add_argument("--images", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--detector", type=Path, help="a trained one, instead of a training")
    parser.add_argument("--keep", type=Path, help="folder for images and run")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = given.keep or Path(scratch)
        folder.mkdir(exist_ok=True)
        sites, rows = large_sites(folder, given.seed)
        if given.detector is None:
            images = small_images(folder, given.images, given.seed)
            sides = images.boxes[:, 2:] - images.boxes[:, :2]
            print(f"{len(images)} images with {len(sides)} helmets of {np.median(sides):.0f} px")
            boxwright.train(
                images, out=folder / "run", steps=given.steps, input_size=CELL, on_event=print
            )
        detector = Detector.load(given.detector or folder / "run")
        compare(detector, sites, rows, folder)


def compare(detector: Detector, sites: Dataset, rows: Dataset, folder: Path) -> None:
    auto = Tiling.auto(detector.artifact)
    print(f"tiles of auto: {auto}")
    tiled = replace(detector, tiling=auto)
    for name, images, one in (
        ("sites, whole", sites, detector),
        ("sites, tiles", sites, tiled),
        ("places of the sites, 1:1", cut_out(folder, sites), detector),
        ("rows, tiles", rows, tiled),
        ("places of the rows, 1:1", cut_out(folder, rows), detector),
    ):
        result = evaluate(images, list(one.detections_in(images)), resamples=0)
        found = recall(images, one)
        print(f"{name:<26} AP50 {result.ap50:.3f}  AP {result.ap:.3f}  recall {found:.3f}")


if __name__ == "__main__":
    main()
