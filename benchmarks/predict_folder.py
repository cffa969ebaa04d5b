"""Compare `boxwright predict` with the machine's limit on a folder of 12-megapixel images.

    python benchmarks/predict_folder.py run/detector.tflite ../shared/images

The limit follows from decoding alone and the network alone, both on all cores: a core that does
both in sequence processes 1 / (1 / decode + 1 / network) images per second. All parts alternate, so
that other load affects them equally, and the median counts. CPU time is printed too, because it
hardly depends on the load. Decoding reduces JPEGs to at least twice the network's input size, as
`predict` does; the full-size decode is printed for comparison.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import cycle, islice
from pathlib import Path

import numpy as np
from PIL import Image

from boxwright.images.decoding import read_image
from boxwright.images.preprocessing import ENOUGH
from boxwright.images.sources import images as images_of
from boxwright.inference.detector import Detector
from boxwright.outputs.predicting import write_predictions
from boxwright.sources.opening import sources

WIDTH, HEIGHT = 4000, 3000
QUALITY, GRAIN = 88, 8.0  # like photos of a phone: 3 to 4 MB


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("model", type=Path)
    parser.add_argument("images", type=Path, help="images to enlarge")
    parser.add_argument("--count", type=int, default=48)
    parser.add_argument("--turns", type=int, default=5)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        paths = enlarged(images_of([given.images]), given.count, Path(folder) / "enlarged")
        compare(Detector.load(given.model, unnamed=True), paths, Path(folder) / "out", given.turns)


def enlarged(originals: Iterable[Path], count: int, folder: Path) -> list[Path]:
    """Write `count` images of 12 megapixels, each with its own grain."""
    folder.mkdir()
    some = list(islice(originals, 16))
    rng = np.random.default_rng(0)
    for number, path in enumerate(islice(cycle(some), count)):
        picture = Image.fromarray(read_image(path)).resize(
            (WIDTH, HEIGHT), Image.Resampling.BICUBIC
        )
        grain = rng.normal(0, GRAIN, (HEIGHT // 2, WIDTH // 2, 1)).astype(np.float32)
        pixels = np.asarray(picture, np.float32) + grain.repeat(2, axis=0).repeat(2, axis=1)
        kept = Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))
        kept.save(folder / f"{number:03}.jpg", quality=QUALITY)
    paths = sorted(folder.iterdir())
    size = statistics.mean(path.stat().st_size for path in paths) / 1e6
    print(
        f"{count} images of {WIDTH} x {HEIGHT} pixels, {size:.1f} MB each, {os.cpu_count()} cores"
    )
    return paths


def compare(detector: Detector, paths: Sequence[Path], out: Path, turns: int) -> None:
    inputs = [detector.prepare(path) for path in paths]
    found = sources(paths)
    enough = ENOUGH * detector.artifact.preprocessing.size

    def decode(at_least: int | None) -> None:
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            for _ in pool.map(lambda path: read_image(path, at_least=at_least), paths):
                pass

    parts: dict[str, Callable[[], object]] = {
        "decode": lambda: decode(enough),
        "whole decode": lambda: decode(None),
        "prepare": lambda: list(ThreadPoolExecutor(os.cpu_count()).map(detector.prepare, paths)),
        "network": lambda: detector.detect(inputs),
        "predict_many": lambda: list(detector.predict_many(paths, threshold=0)),
        "without pictures": lambda: write_predictions(detector, found, out, ["json"]),
        "with pictures": lambda: write_predictions(detector, found, out),
        "full size": lambda: write_predictions(detector, found, out, full_size=True),
    }
    detector.detect(inputs)  # warm-up
    seconds: dict[str, list[float]] = {name: [] for name in parts}
    busy: dict[str, list[float]] = {name: [] for name in parts}
    for _ in range(turns):
        for name, part in parts.items():
            start, worked = time.perf_counter(), time.process_time()
            part()
            seconds[name].append(time.perf_counter() - start)
            busy[name].append(time.process_time() - worked)
    rate = {name: len(paths) / statistics.median(took) for name, took in seconds.items()}
    limit = 1 / (1 / rate["decode"] + 1 / rate["network"])
    print(f"{'':<20}{'images/s':>10}{'of the limit':>15}{'CPU ms per image':>24}")
    for name in parts:
        core = 1e3 * statistics.median(busy[name]) / len(paths)
        print(f"{name:<20}{rate[name]:>10.1f}{rate[name] / limit:>15.0%}{core:>24.1f}")
    print(f"{'limit':<20}{limit:>10.1f}      1 / (1 / decode + 1 / network)")


if __name__ == "__main__":
    main()
