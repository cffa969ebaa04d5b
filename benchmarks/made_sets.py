"""Draw synthetic datasets with one difficulty each that the three real datasets lack.

    python benchmarks/made_sets.py made
    python benchmarks/quality.py made/corners --weights ... --budget 1m

- corners: cards that differ only in the cut corner; two classes are mirror images.
- tiny: studs of 12 to 22 pixels in images of 960 x 720.
- crowded: 25 overlapping coins and nuts per image.
- rare: three shapes with 85, 12 and 3 % of the training objects; the test set is balanced.
- palette: 40 PNG files with a palette, in grayscale or with transparency.
- ranks: six playing cards that differ only in a mark in two corners.
- dominoes: ten tiles that differ in their number of pips, turned by any angle.
- plates: one class, five times as wide as high.

Each is a folder in VOC layout with a training and a test set.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from boxwright import formats
from boxwright.demo.scenes.backdrops import backdrop
from boxwright.io.files import writing
from boxwright.structures.dataset import Dataset, LabeledImage, Split

TEST = 60
PAINTED = (480, 360)  # maximum size of a backdrop
FINER = 2  # supersampling factor
Outline = list[tuple[float, float]]  # x and y of an object's corners, from -1 to 1

CARD: Outline = [(-1.0, -0.8), (1.0, -0.8), (1.0, 0.8), (-1.0, 0.8)]
CUT_LEFT: Outline = [(-1.0, -0.25), (-0.45, -0.8), *CARD[1:]]
CUT_RIGHT: Outline = [(-x, y) for x, y in CUT_LEFT]
# Centers of the pips of a half: an odd number begins with the one in the middle.
SPOTS = [
    (0.0, 0.0), (-0.3, -0.3), (0.3, 0.3), (-0.3, 0.3), (0.3, -0.3), (-0.3, 0.0), (0.3, 0.0),
]  # fmt: skip
UPRIGHT: Outline = [(-0.7, -1.0), (0.7, -1.0), (0.7, 1.0), (-0.7, 1.0)]
TILE: Outline = [(-1.0, -0.5), (1.0, -0.5), (1.0, 0.5), (-1.0, 0.5)]
PLATE: Outline = [(-1.0, -0.2), (1.0, -0.2), (1.0, 0.2), (-1.0, 0.2)]


def ring(corners: int, depth: float = 0.0) -> Outline:
    """Return a regular polygon, or a star with every second corner `depth` nearer the center."""
    turns = np.arange(corners) * 2 * np.pi / corners
    radius = np.where(np.arange(corners) % 2, 1.0 - depth, 1.0)
    return list(zip(radius * np.cos(turns), radius * np.sin(turns), strict=True))


def moved(outline: Outline, x: float, y: float, scale: tuple[float, float]) -> Outline:
    """Return an outline with its center at `x, y`, as large as `scale` says in both directions."""
    return [(x + scale[0] * a, y + scale[1] * b) for a, b in outline]


def in_corners(mark: Outline) -> list[Outline]:
    """Return a mark in the upper left and, turned, in the lower right corner of an upright card."""
    own = moved(mark, -0.46, -0.72, (0.17, 0.2))
    return [own, [(-x, -y) for x, y in own]]


def pips(left: int, right: int) -> list[Outline]:
    """Return the pips of a domino and the line between its halves."""
    shown = [
        (middle + x, y)
        for middle, number in ((-0.5, left), (0.5, right))
        for x, y in SPOTS[(number + 1) % 2 :][:number]
    ]
    dots = [moved(ring(12), x, y, (0.1, 0.1)) for x, y in shown]
    return [moved(CARD, 0.0, 0.0, (0.02, 0.5)), *dots]


@dataclass(frozen=True)
class Difficulty:
    """Parameters of a dataset.

    Attributes:
        outlines: outline of each class.
        marks: what is painted on the objects of each class.
        shares: share of each class among the training objects.
        images: number of training images.
        size: width and height of an image in pixels.
        objects: minimum and maximum number of objects per image.
        radius: minimum and maximum radius of an object in pixels.
        tilt: maximum rotation of an object in radians.
        suffix: suffix of the image files.
        store: converts the image with a number before it is saved.
    """

    outlines: dict[str, Outline]
    shares: tuple[float, ...]
    images: int
    size: tuple[int, int] = (640, 480)
    objects: tuple[int, int] = (1, 4)
    radius: tuple[float, float] = (30.0, 80.0)
    tilt: float = np.pi
    marks: dict[str, list[Outline]] = field(default_factory=dict)
    suffix: str = ".jpg"
    store: Callable[[Image.Image, int], Image.Image] = lambda image, number: image


def stored(image: Image.Image, number: int) -> Image.Image:
    """Convert an image by its number: palette, grayscale, partly transparent or unchanged."""
    if number % 4 == 0:
        return image.convert("P", palette=Image.Palette.ADAPTIVE, colors=64)
    if number % 4 == 1:
        return image.convert("L")
    if number % 4 == 2:
        opaque = Image.new("L", image.size, 255)
        opaque.paste(0, (0, 0, image.width // 8, image.height))
        image.putalpha(opaque)
    return image


RANKS = {
    "nine": in_corners(ring(3)),
    "ten": in_corners(ring(4)),
    "jack": in_corners(ring(10, 0.6)),
    "queen": in_corners(ring(20)),
    "king": in_corners(
        [(-1.0, -1.0), (-0.4, -1.0), (-0.4, 0.4), (1.0, 0.4), (1.0, 1.0), (-1.0, 1.0)]
    ),
    "ace": in_corners([(-0.3, -1.0), (0.3, -1.0), (0.3, 1.0), (-0.3, 1.0)]),
}
TILES = {
    f"tile_{left}_{right}": pips(left, right)
    for left, right in (
        (0, 1), (0, 6), (1, 2), (1, 5), (2, 2), (2, 4), (3, 3), (3, 5), (4, 6), (6, 6),
    )
}  # fmt: skip
LETTERS = [
    moved(shape, x, 0.0, (0.08, 0.13))
    for x, shape in zip(
        np.linspace(-0.75, 0.75, 6), [ring(4), ring(3), CARD, ring(10, 0.5), ring(6), ring(3)],
        strict=True,
    )
]  # fmt: skip

SETS = {
    "corners": Difficulty(
        {"left": CUT_LEFT, "right": CUT_RIGHT, "whole": CARD},
        (0.35, 0.35, 0.3), 100, radius=(35.0, 90.0), tilt=0.25,
    ),
    "tiny": Difficulty(
        {"stud": ring(6)}, (1.0,), 120, size=(960, 720), objects=(2, 6), radius=(6.0, 11.0),
    ),
    "crowded": Difficulty(
        {"coin": ring(40), "nut": ring(6)}, (0.6, 0.4), 60, size=(800, 600), objects=(25, 25),
        radius=(22.0, 45.0),
    ),
    "rare": Difficulty(
        {"disc": ring(40), "star": ring(10, 0.5), "wedge": ring(3)}, (0.85, 0.12, 0.03), 200,
    ),
    "palette": Difficulty(
        {"star": ring(10, 0.5), "plate": CARD}, (0.5, 0.5), 40, suffix=".png", store=stored,
    ),
    "ranks": Difficulty(
        dict.fromkeys(RANKS, UPRIGHT), (1 / 6,) * 6, 200, radius=(45.0, 110.0), marks=RANKS,
    ),
    "dominoes": Difficulty(
        dict.fromkeys(TILES, TILE), (0.1,) * 10, 200, objects=(2, 6), radius=(35.0, 80.0),
        marks=TILES,
    ),
    "plates": Difficulty(
        {"plate": PLATE}, (1.0,), 120, objects=(1, 2), radius=(25.0, 90.0), tilt=0.3,
        marks={"plate": LETTERS},
    ),
}  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--only", choices=SETS, nargs="*", default=list(SETS))
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    for name in given.only:
        write(given.folder / name, SETS[name], given.seed)
        print(given.folder / name)


def write(folder: Path, how: Difficulty, seed: int) -> None:
    """Write a dataset in VOC layout."""
    names = list(how.outlines)
    images = []
    with writing(folder) as draft:
        (draft / "JPEGImages").mkdir(parents=True)
        for number in range(how.images + TEST):
            training = number < how.images
            shares = how.shares if training else None
            image, boxes, labels = draw(np.random.default_rng([seed, number]), how, shares)
            name = f"JPEGImages/photo_{number:04}{how.suffix}"
            how.store(image, number).save(draft / name)
            images.append(
                LabeledImage(
                    name=name,
                    width=image.width,
                    height=image.height,
                    boxes=boxes,
                    class_names=[names[label] for label in labels],
                    split=Split.TRAIN if training else Split.TEST,
                )
            )
        formats.write(Dataset.of(draft, images, classes=names), draft)


def draw(
    rng: np.random.Generator, how: Difficulty, shares: tuple[float, ...] | None
) -> tuple[Image.Image, list[list[float]], list[int]]:
    """Draw an image. Returns it with its boxes and labels. `shares` None means equal shares."""
    width, height = how.size
    behind = Image.fromarray(backdrop(rng, *PAINTED).picture)
    image = behind.resize((width * FINER, height * FINER), Image.Resampling.BILINEAR)
    boxes: list[list[float]] = []
    labels: list[int] = []
    kinds = [(outline, how.marks.get(name, [])) for name, outline in how.outlines.items()]
    for _ in range(int(rng.integers(how.objects[0], how.objects[1] + 1))):
        label = int(rng.choice(len(kinds), p=shares))
        for _ in range(50):  # attempts to find a free location
            corners, marks = placed(*kinds[label], rng, how)
            box = [*corners.min(axis=0).tolist(), *corners.max(axis=0).tolist()]
            if all(overlap(box, other) < 0.2 for other in boxes):
                paint(image, corners * FINER, [mark * FINER for mark in marks], rng)
                boxes.append(box)
                labels.append(label)
                break
    image = image.resize(how.size, Image.Resampling.BOX)
    grain = rng.normal(0, rng.uniform(1, 6), (height, width, 1))
    pixels = np.clip(np.asarray(image) + grain, 0, 255).astype(np.uint8)
    return Image.fromarray(pixels), boxes, labels


def placed(
    outline: Outline, marks: list[Outline], rng: np.random.Generator, how: Difficulty
) -> tuple[np.ndarray, list[np.ndarray]]:
    """Return the `(n, 2)` corners in pixels of an object at a random location in the image, and
    those of its marks."""
    radius = np.exp(rng.uniform(*np.log(how.radius)))
    turn = rng.uniform(-how.tilt, how.tilt)
    rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    corners, *others = (np.array(shape) @ rotation.T * radius for shape in (outline, *marks))
    low, high = -corners.min(axis=0), np.array(how.size) - corners.max(axis=0)
    shift = rng.uniform(low, high)
    return corners + shift, [other + shift for other in others]


def overlap(one: list[float], other: list[float]) -> float:
    """Return the fraction of the smaller box that the other one covers."""
    sides = np.minimum(one[2:], other[2:]) - np.maximum(one[:2], other[:2])
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (one, other)]
    return float(np.prod(np.maximum(sides, 0))) / min(areas)


def paint(
    image: Image.Image, corners: np.ndarray, marks: list[np.ndarray], rng: np.random.Generator
) -> None:
    """Paint an object with a random color, a shadow, a rim, light from one side and its marks."""
    reach = float(np.ptp(corners, axis=0).max()) / 2
    left, top = (int(v) for v in corners.min(axis=0) - reach / 3)
    right, bottom = (int(v) for v in corners.max(axis=0) + reach / 3)
    own, *inner = (
        [(float(x) - left, float(y) - top) for x, y in shape] for shape in (corners, *marks)
    )
    size = (right - left, bottom - top)
    shadow = Image.new("L", size)
    ImageDraw.Draw(shadow).polygon([(x + reach / 9, y + reach / 7) for x, y in own], fill=110)
    shadow = shadow.filter(ImageFilter.GaussianBlur(reach / 12))
    image.paste((0, 0, 0), (left, top), shadow)
    base = rng.uniform(40, 230, 3)
    slope = rng.uniform(-0.35, 0.35, 2)
    y, x = np.mgrid[-1 : 1 : size[1] * 1j, -1 : 1 : size[0] * 1j]
    light = (1 + slope[0] * x + slope[1] * y)[..., None]
    skin = Image.fromarray(np.clip(base * light, 0, 255).astype(np.uint8))
    mask = Image.new("L", size)
    ImageDraw.Draw(mask).polygon(own, fill=255)
    rim = tuple(int(v) for v in base * 0.6)
    ImageDraw.Draw(skin).line([*own, own[0]], fill=rim, width=max(int(reach / 10), 1))
    ink = tuple(int(v) for v in base * 0.25) if base.mean() > 110 else (240, 240, 240)
    for shape in inner:
        ImageDraw.Draw(skin).polygon(shape, fill=ink)
    image.paste(skin, (left, top), mask)


if __name__ == "__main__":
    main()
