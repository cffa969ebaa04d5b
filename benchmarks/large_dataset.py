"""Read and check 100,000 images with 1,000,000 boxes, as ratios to `json.load` and to decoding.

    python benchmarks/large_dataset.py --folder /tmp/large

Draws distinct 640 x 480 JPEGs and one COCO file into FOLDER, unless they are there. Every part
runs in a process of its own, and with nothing else on the machine. Aims: reading takes at most
three times `json.load` of the same file, a check at most 1.5 times decoding on all cores, both
less than 1.5 GB.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

LABELS = "labels.json"
BOXES = 10  # of each image
CLASSES = 10


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--images", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", choices=sorted(PARTS), help="run one part in this process")
    given = parser.parse_args()
    if given.only:
        measure(given.only, given.folder)
        return
    make(given.folder, given.images)
    seconds: dict[str, list[float]] = {part: [] for part in PARTS}
    peak: dict[str, float] = {}
    for _ in range(given.rounds):
        for part in PARTS:
            command = [sys.executable, __file__, "--folder", str(given.folder), "--only", part]
            output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
            took, memory = map(float, output.split()[-2:])
            seconds[part].append(took)
            peak[part] = max(peak.get(part, 0), memory)
            print(f"{part:10} {took:7.1f} s {memory:5.2f} GB", flush=True)
    median = {part: statistics.median(each) for part, each in seconds.items()}
    print(f"read / json.load: {median['read'] / median['json']:.2f}")
    print(f"check / decode:   {median['check'] / median['decode']:.2f}")


def make(folder: Path, count: int) -> None:
    """Draw the images and write their labels, unless they are there."""
    if (folder / LABELS).exists():
        return
    images = folder / "images"
    images.mkdir(parents=True, exist_ok=True)
    with get_context("spawn").Pool() as pool:
        jobs = [(images / f"{i:06}.jpg", i) for i in range(count)]
        drawn = pool.starmap(draw, jobs, chunksize=256)
    coco = {
        "images": [
            {"id": i, "file_name": f"images/{i:06}.jpg", "width": 640, "height": 480}
            for i in range(count)
        ],
        "categories": [{"id": i + 1, "name": f"thing {i}"} for i in range(CLASSES)],
        "annotations": [
            {
                "id": BOXES * i + j,
                "image_id": i,
                "category_id": 1 + (i + j) % CLASSES,
                "bbox": [x, y, width, height],
                "area": width * height,
                "iscrowd": 0,
            }
            for i, boxes in enumerate(drawn)
            for j, (x, y, width, height) in enumerate(boxes)
        ],
    }
    (folder / LABELS).write_text(json.dumps(coco), encoding="utf-8")


def draw(path: Path, seed: int) -> list[tuple[int, int, int, int]]:
    """Draw shapes on a smooth background; return their boxes as x, y, width, height."""
    random = np.random.default_rng(seed)
    picture = Image.fromarray(random.integers(0, 255, (6, 8, 3), dtype=np.uint8))
    picture = picture.resize((640, 480), Image.Resampling.BICUBIC)
    pen = ImageDraw.Draw(picture)
    boxes = []
    for _ in range(BOXES):
        x, y = int(random.integers(0, 600)), int(random.integers(0, 440))
        width, height = (int(side) for side in random.integers(20, 200, 2))
        color = tuple(int(level) for level in random.integers(0, 255, 3))
        shape = pen.rectangle if random.random() < 0.5 else pen.ellipse
        shape((x, y, x + width, y + height), fill=color)
        boxes.append((x, y, min(width, 640 - x), min(height, 480 - y)))
    if not path.exists():
        picture.save(path, quality=85)
    return boxes


def measure(part: str, folder: Path) -> None:
    """Run a part and print its seconds and its peak memory in gigabytes."""
    start = time.perf_counter()
    PARTS[part](folder)
    seconds = time.perf_counter() - start
    print(seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6)


def load_json(folder: Path) -> None:
    with (folder / LABELS).open(encoding="utf-8") as file:
        json.load(file)


def read(folder: Path) -> None:
    import boxwright

    assert len(boxwright.read(folder)) > 0


def decode(folder: Path) -> None:
    def load(path: str) -> None:
        with Image.open(path) as picture:
            picture.load()

    with os.scandir(folder / "images") as entries:
        paths = sorted(entry.path for entry in entries)
    with ThreadPoolExecutor() as pool:
        for start in range(0, len(paths), 256):
            list(pool.map(load, paths[start : start + 256]))


def check(folder: Path) -> None:
    import boxwright

    boxwright.check(folder)


PARTS = {"json": load_json, "read": read, "decode": decode, "check": check}

if __name__ == "__main__":
    main()
