"""Time the networks of .onnx files in turns, on one thread.

    python benchmarks/onnx_files.py run/detector.onnx deimv2_femto.onnx@416 deimv2_atto.onnx@320

A number after `@` is the side of the input, where the file leaves it open. Each file gets the same
noise. Prints the median of each in milliseconds, its range, and its ratio to the first file.
"""

from __future__ import annotations

import argparse
import statistics
import time
from pathlib import Path

import numpy as np
import onnxruntime

TYPES = {"tensor(float)": np.float32, "tensor(int64)": np.int64, "tensor(uint8)": np.uint8}


class Timed:
    """A file, with its input and its times in seconds."""

    def __init__(self, given: str) -> None:
        path, _, side = given.partition("@")
        self.name, self.seconds = Path(path).name, list[float]()
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        self._session = onnxruntime.InferenceSession(
            path, options, providers=["CPUExecutionProvider"]
        )
        self._inputs = {
            one.name: noise(shape(one.shape, int(side or 0)), TYPES[one.type])
            for one in self._session.get_inputs()
        }

    def run(self) -> None:
        start = time.perf_counter()
        self._session.run(None, self._inputs)
        self.seconds.append(time.perf_counter() - start)


def shape(stated: list[int | str], side: int) -> list[int]:
    """A stated shape, with one image and `side` where it is open."""
    return [n if isinstance(n, int) else side if i > 1 else 1 for i, n in enumerate(stated)]


def noise(sides: list[int], kind: type[np.generic]) -> np.ndarray:
    """Random numbers as an image has them; a size, which is whole, is of 640 pixels."""
    if kind is np.int64:
        return np.full(sides, 640, kind)
    random = np.random.default_rng(0).random(sides)
    return (random * 255 if kind is np.uint8 else random).astype(kind)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("files", nargs="+", type=Timed)
    parser.add_argument("--rounds", type=int, default=100)
    given = parser.parse_args()
    for number in range(given.rounds + 5):
        for file in given.files:
            file.run()
            if number < 5:
                file.seconds.clear()
    first = 1e3 * statistics.median(given.files[0].seconds)
    for file in given.files:
        ms = sorted(1e3 * each for each in file.seconds)
        middle, low, high = statistics.median(ms), ms[len(ms) // 10], ms[-len(ms) // 10]
        print(f"{file.name:40} {middle:6.1f} ({low:.1f} to {high:.1f}) ms, {middle / first:.2f}")


if __name__ == "__main__":
    main()
