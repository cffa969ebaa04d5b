"""Peak memory and wall time of a training on very many photos, made for it.

    python benchmarks/many_images.py --images 50000 --budget 1m --weights ...

A budget decodes what it can learn from; one of 20 minutes decodes 48,000 photos, into a cache that
is mapped from a file.
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

DIFFERENT = 64  # photos; the others are links to them


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, default=50_000)
    parser.add_argument("--budget", default="1m")
    parser.add_argument("--weights", type=Path, required=True)
    parser.add_argument(
        "--folder", type=Path, help="where to make them; a temporary one if not given"
    )
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=given.folder) as folder:
        data = Path(folder) / "photos"
        make(data / "train", given.images)
        command = [*COMMAND, "train", data, "--weights", given.weights, "--budget", given.budget]
        start = time.monotonic()
        peak = run_and_watch([str(word) for word in [*command, "--out", f"{folder}/run"]], data)
        seconds = time.monotonic() - start
    print(f"{given.images} photos, {given.budget}: {seconds:.1f} s, {peak / 1e9:.2f} GB at most")


def make(folder: Path, count: int) -> None:
    """Photos with one object each, labelled in the tutorials' CSV."""
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
