"""Plant changed copies among drawn images, and count how many the search finds.

    python benchmarks/near_duplicates.py --images 20000 --copies 1800

Draws the images of `large_dataset.py` into memory as hashes. Each copy has one change: smaller,
recompressed, darker, cropped, in black bars, with a caption or a new object. Prints the copies
that are in the group of their original, by change, the other groups, and the processor's time for
each image.
"""

from __future__ import annotations

import argparse
import io
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
from large_dataset import draw
from PIL import Image, ImageDraw, ImageEnhance

from boxwright.datasets.near_duplicates import duplicates, image_hash

Change = Callable[[Image.Image], Image.Image]
SIZE = (320, 240)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, default=5_000)
    parser.add_argument("--copies", type=int, default=1_800)
    given = parser.parse_args()
    names = list(CHANGES)
    hashes, copies = [], []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "image.jpg"
        for i in range(given.images):
            path.unlink(missing_ok=True)
            draw(path, i)
            with Image.open(path) as picture:
                small = picture.resize(SIZE)
            hashes.append(image_hash(small.convert("L")))
            if i < given.copies:
                changed = CHANGES[names[i % len(names)]](small)
                copies.append(image_hash(changed.convert("L")))
    start = time.process_time()
    groups = duplicates(np.stack([*hashes, *copies])).groups
    seconds = time.process_time() - start
    kinds = [names[i % len(names)] for i in range(len(copies))]
    tried, found = Counter(kinds), Counter[str]()
    for kind, original, copy in zip(kinds, groups, groups[given.images :], strict=False):
        found[kind] += int(original == copy)
    for kind in names:
        print(f"{kind:24} {found[kind]:4} of {tried[kind]}")
    print(f"{'all':24} {found.total():4} of {tried.total()}")
    print(f"originals in one group by mistake: {given.images - len(set(groups[: given.images]))}")
    print(f"{1e6 * seconds / len(groups):.0f} microseconds of the processor for each image")


def _jpeg(picture: Image.Image, quality: int) -> Image.Image:
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=quality)
    return Image.open(buffer).convert("RGB")


def _bars(picture: Image.Image) -> Image.Image:
    framed = Image.new("RGB", (320, 320))
    framed.paste(picture, (0, 40))
    return framed


def _captioned(picture: Image.Image) -> Image.Image:
    pen = ImageDraw.Draw(picture := picture.copy())
    pen.rectangle((0, 195, 320, 240), fill="white")
    pen.text((20, 200), "A CAPTION", fill="black", font_size=30)
    return picture


def _with_an_object(picture: Image.Image) -> Image.Image:
    pen = ImageDraw.Draw(picture := picture.copy())
    pen.ellipse((120, 90, 190, 170), fill="orange", outline="black", width=5)
    return picture


CHANGES: dict[str, Change] = {
    "half the size": lambda picture: picture.resize((160, 120)),
    "squeezed": lambda picture: picture.resize((300, 300)),
    "poor JPEG": lambda picture: _jpeg(picture, 15),
    "small and poor": lambda picture: _jpeg(picture.resize((120, 90)), 30),
    "darker": lambda picture: ImageEnhance.Brightness(picture).enhance(0.7),
    "gray": lambda picture: picture.convert("L").convert("RGB"),
    "cropped all around": lambda picture: picture.crop((32, 24, 288, 216)),
    "cropped at a side": lambda picture: picture.crop((80, 0, 320, 240)),
    "cropped at a corner": lambda picture: picture.crop((0, 0, 240, 180)),
    "cropped and poor": lambda picture: _jpeg(picture.crop((48, 0, 320, 216)), 30),
    "in black bars": _bars,
    "with a caption": _captioned,
    "with a new object": _with_an_object,
}

if __name__ == "__main__":
    main()
