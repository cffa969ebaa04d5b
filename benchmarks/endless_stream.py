"""Measure whether the memory of `boxwright predict` grows on a stream that never ends.

    python benchmarks/endless_stream.py tests/earlier/files/run/detector-int8.tflite --minutes 60

A local server sends drawn frames in a loop, as cheap cameras do, and closes the connection after
each thousand. The command writes all that can be written as it goes. Prints its resident memory
over time, and the slope of a straight line through all but the first tenth. Needs Linux.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

sys.path.append(str(Path(__file__).parents[1] / "tests"))
from filming import Camera

OUTPUTS = ("video", "jsonl", "csv", "coco")
LOOP = 1_000  # frames of a connection
SAMPLES = 300
MB = 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("model", type=Path)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--rate", type=float, default=10.0, help="frames a second")
    given = parser.parse_args()
    camera = Camera(sizes=[(320, 240)], frames=LOOP, rate=given.rate)
    with camera.on(), tempfile.TemporaryDirectory() as folder:
        words = [sys.executable, "-m", "boxwright", "predict", str(given.model), camera.url]
        words += [word for output in OUTPUTS for word in ("--to", output)]
        words += ["--out", folder, "--threshold", "0.01"]
        process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while camera.sent < LOOP // 10 and process.poll() is None:
            time.sleep(0.1)
        begun, hours, memories = time.monotonic(), list[float](), list[float]()
        while len(hours) < SAMPLES and process.poll() is None:
            hours.append((time.monotonic() - begun) / 3600)
            memories.append(memory(process.pid))
            time.sleep(given.minutes * 60 / SAMPLES)
        process.terminate()  # as Ctrl-C; a shell's background job would ignore that
        code = process.wait(60)
    assert len(hours) == SAMPLES, f"the command ended with {code}"
    later = slice(SAMPLES // 10, None)
    slope, _ = np.polyfit(hours[later], memories[later], 1)
    print(f"{camera.sent:,} frames in {camera.connections} connections, {given.minutes:g} minutes")
    print("MB after each tenth:", *(f"{each:.1f}" for each in memories[:: SAMPLES // 10]))
    print(f"slope: {slope:.2f} MB an hour; the command ended with {code}")


def memory(process: int) -> float:
    """Resident megabytes of a process."""
    status = Path(f"/proc/{process}/status").read_text("utf-8")
    (line,) = (line for line in status.splitlines() if line.startswith("VmRSS:"))
    return int(line.split()[1]) * 1024 / MB


if __name__ == "__main__":
    main()
