"""Faults to plant into folders of labelled photos."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from folders import Box, VocFolder

Plant = Callable[[VocFolder], None]
WIDTH, HEIGHT = 160, 120
CAT: Box = ("cat", 40, 30, 120, 90)


def scene(seed: int, size: tuple[int, int] = (WIDTH, HEIGHT)) -> Image.Image:
    """A photo like no other, with sharp edges and a speckle."""
    rng = np.random.default_rng(seed)
    blocks = Image.fromarray(rng.integers(0, 256, (6, 8, 3), np.uint8))
    coarse = np.asarray(blocks.resize(size, Image.Resampling.NEAREST), np.int16)
    speckle = rng.integers(-20, 20, (size[1], size[0], 1))
    return Image.fromarray((coarse + speckle).clip(0, 255).astype(np.uint8))


def put(
    folder: VocFolder,
    name: str,
    *boxes: Box,
    image: Image.Image | None = None,
    stated: tuple[int, int] | None = None,
    **options: object,
) -> None:
    """A labelled photo; it shows one cat if no box is given."""
    folder.made += 1
    image = image or scene(folder.made)
    target = folder.root / name
    target.parent.mkdir(parents=True, exist_ok=True)
    image.save(target, **options)
    xml = Path(name).with_suffix(".xml").as_posix()
    folder.xml(xml, boxes or (CAT,), filename=target.name, size=stated or image.size)


def boxes(*which: Box) -> Plant:
    """One photo with these boxes."""
    return lambda folder: put(folder, "a.jpg", *which)


def named(**counts: int) -> Plant:
    """Photos whose boxes have these classes so many times."""

    def plant(folder: VocFolder) -> None:
        for name, count in counts.items():
            for i in range(count):
                put(folder, f"{name} {i}.jpg", (name.replace("_", " "), *CAT[1:]))

    return plant


def pictures(*images: Image.Image) -> Plant:
    """One cat in each of these photos."""

    def plant(folder: VocFolder) -> None:
        for i, image in enumerate(images):
            put(folder, f"{i}.png", image=image)

    return plant


def in_splits(**classes: str) -> Plant:
    """Folders train, val, test with a photo of this class in each."""

    def plant(folder: VocFolder) -> None:
        for split, name in classes.items():
            put(folder, f"{split}/{split}.jpg", (name, *CAT[1:]))

    return plant


def turned(stated: tuple[int, int]) -> Plant:
    """A photo that EXIF lays on its side; the annotation states this size."""
    exif = Image.Exif()
    exif[0x0112] = 6
    return lambda folder: put(folder, "a.jpg", stated=stated, exif=exif)


def files(*names: str, **texts: str) -> Plant:
    """A labelled photo `a.jpg`, noise photos of these names and texts in these files."""

    def plant(folder: VocFolder) -> None:
        put(folder, "a.jpg")
        for name in names:
            folder.image(name)
        for name, text in texts.items():
            folder.text(name.replace("__", "/").replace("_", "."), text)

    return plant


def copied(first: str, second: str) -> Plant:
    """The same photo under two names."""

    def plant(folder: VocFolder) -> None:
        for name in (first, second):
            put(folder, name, image=scene(7))

    return plant


def cut_off(keep: float) -> Plant:
    def plant(folder: VocFolder) -> None:
        put(folder, "a.jpg")
        put(folder, "b.jpg")
        content = (folder.root / "b.jpg").read_bytes()
        (folder.root / "b.jpg").write_bytes(content[: int(len(content) * keep)])

    return plant


def content(name: str, kind: str) -> Plant:
    return lambda folder: put(folder, name, format=kind)


def many(count: int) -> Plant:
    def plant(folder: VocFolder) -> None:
        for i in range(count):
            put(folder, f"{i}.jpg")

    return plant


def boxless(folder: VocFolder) -> None:
    folder.image("a.jpg")
    folder.xml("a.xml", [])
    put(folder, "b.jpg")


def orphan(folder: VocFolder) -> None:
    put(folder, "a.jpg")
    folder.xml("b.xml")


def unlisted(folder: VocFolder) -> None:
    many(2)(folder)
    folder.text("train.txt", "0\n")


def side_by_side(size: float, number: int = 20) -> Plant:
    """Boxes of this many pixels in the network's input of 300."""
    width, height = size * WIDTH / 300, size * HEIGHT / 300
    return boxes(*[("cat", x, 10, x + width, 10 + height) for x in range(0, 7 * number, 7)])
