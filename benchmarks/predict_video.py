"""Compare `Detector.stream` on a 1080p video with what decoding and the network allow.

    python benchmarks/predict_video.py run/detector.tflite ../shared/images

d is decoding with the conversion to RGB, n is resizing, the network and its post-processing, both
in frames a second. The limit is the larger of two: 1 / (1 / d + 1 / n) with each alone on all
cores, and the smaller of d and n with each alone on one core. Every measurement is a process of its
own; they alternate, so that other load affects them equally, and the median counts.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from fractions import Fraction
from itertools import cycle, islice
from pathlib import Path

import av
import numpy as np
from PIL import Image

from boxwright.images.decoding import read_image
from boxwright.images.sources import images as images_of
from boxwright.inference.detector import Detector
from boxwright.outputs.predicting import write_predictions
from boxwright.sources.opening import sources

SIZE, RATE = (1920, 1080), 25
CORES = sorted(os.sched_getaffinity(0))
PARTS = {  # what is measured -> its cores
    "d, one core": CORES[:1],
    "n, one core": CORES[:1],
    "d": CORES,
    "n": CORES,
    "stream": CORES,
    "drawn and encoded": CORES,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("model", type=Path)
    parser.add_argument("images", type=Path, help="images that the video shows, or a video")
    parser.add_argument("--frames", type=int, default=300)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--part", choices=PARTS, help="measure this alone")
    given = parser.parse_args()
    if given.part:
        os.sched_setaffinity(0, PARTS[given.part])
        print(measured(given.part, given.model, given.images))
        return
    with tempfile.TemporaryDirectory() as folder:
        video = filmed(given.images, given.frames, Path(folder) / "video.mp4")
        rates: dict[str, list[float]] = {part: [] for part in PARTS}
        for _ in range(given.turns):
            for part in PARTS:
                command = [sys.executable, __file__, str(given.model), str(video), "--part", part]
                done = subprocess.run(command, check=True, capture_output=True, text=True)
                rates[part].append(float(done.stdout))
    rate = {part: statistics.median(each) for part, each in rates.items()}
    in_turn = 1 / (1 / rate["d"] + 1 / rate["n"])
    side_by_side = min(rate["d, one core"], rate["n, one core"])
    limit = max(in_turn, side_by_side)
    print(f"{given.frames} frames of {SIZE[0]} x {SIZE[1]} pixels, {len(CORES)} cores")
    for part, value in rate.items():
        print(f"{part:<20}{value:>8.1f} frames/s{value / limit:>8.0%}")
    print(f"{'limit':<20}{limit:>8.1f} frames/s  of {in_turn:.1f} and {side_by_side:.1f}")


def filmed(images: Path, count: int, target: Path) -> Path:
    """A video that moves slowly over the images, two seconds over each."""
    paths = list(islice(images_of([images]), 16))
    with av.open(str(target), "w") as out:
        stream = out.add_stream("libx264", rate=RATE, options={"preset": "medium", "crf": "20"})
        stream.width, stream.height = SIZE
        stream.pix_fmt = "yuv420p"
        shown = cycle(paths)
        for number in range(count):
            if number % (2 * RATE) == 0:
                wide = (SIZE[0] + 200, SIZE[1] + 100)
                large = np.asarray(Image.fromarray(read_image(next(shown))).resize(wide))
            left, top = 4 * (number % (2 * RATE)), 2 * (number % (2 * RATE))
            part = np.ascontiguousarray(large[top : top + SIZE[1], left : left + SIZE[0]])
            frame = av.VideoFrame.from_ndarray(part, "rgb24")
            frame.pts, frame.time_base = number, Fraction(1, RATE)
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return target


def measured(part: str, model: Path, video: Path) -> float:
    """Frames a second."""
    (source,) = sources(video)
    detector = Detector.load(model, unnamed=True, threads=len(PARTS[part]))
    some = [frame.image for frame in islice(source, 16)]
    list(detector.predict_many(some))  # warm-up
    count = source.total or 0
    if part.startswith("n"):
        start = time.perf_counter()
        list(detector.predict_many(islice(cycle(some), count), threshold=0))
        return count / (time.perf_counter() - start)
    start = time.perf_counter()
    if part.startswith("d,") or part == "d":
        count = sum(1 for _ in source)
    elif part == "stream":
        count = sum(1 for _ in detector.stream(video, threshold=0))
    else:
        with tempfile.TemporaryDirectory() as folder:
            count = write_predictions(detector, [source], folder).images
    return count / (time.perf_counter() - start)


if __name__ == "__main__":
    main()
