"""Measure peak memory and wall time of a training on very many synthetic images.

    python benchmarks/many_images.py --images 50000 --budget 1m --weights ...

A training decodes only as many images as its budget allows: 48,000 in 20 minutes, into a
memory-mapped cache file.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image
from quality import COMMAND, run_and_watch

DIFFERENT = 64  # distinct images; the others are links to them


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, default=50_000)
    parser.add_argument("--budget", default="1m")
    parser.add_argument("--weights", type=Path, required=True)
    parser.add_argument(
        "--folder", type=Path, help="folder for the images; a temporary folder if not given"
    )
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=given.folder) as folder:
        data = Path(folder) / "images"
        make(data / "train", given.images)
        command = [*COMMAND, "train", data, "--weights", given.weights, "--budget", given.budget]
        start = time.monotonic()
        peak = run_and_watch([str(word) for word in [*command, "--out", f"{folder}/run"]], data)
        seconds = time.monotonic() - start
    print(f"{given.images} images, {given.budget}: {seconds:.1f} s, peak {peak / 1e9:.2f} GB")


def make(folder: Path, count: int) -> None:
    """Write images with one object each, labeled in the tutorials' CSV format."""
    folder.mkdir(parents=True)
    random = np.random.default_rng(0)
    lines = ["filename,width,height,class,xmin,ymin,xmax,ymax"]
    for i in range(count):
        name = folder / f"{i:06}.jpg"
        if i < DIFFERENT:
            ground = random.integers(0, 255, (9, 12, 3), dtype=np.uint8)
            Image.fromarray(ground).resize((640, 480)).save(name)
        else:
            os.link(folder / f"{i % DIFFERENT:06}.jpg", name)
        x, y = random.integers(0, 400), random.integers(0, 300)
        lines.append(f"{name.name},640,480,thing{i % 3},{x},{y},{x + 200},{y + 150}")
    (folder / "_annotations.csv").write_text("\n".join(lines), encoding="utf-8")


if __name__ == "__main__":
    main()
