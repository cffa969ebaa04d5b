"""Time, memory and exactness of the index of Open Images, against `csv.reader` on the same file.

    python benchmarks/openimages.py --rows 14600000

Makes lists of boxes with 13 and 21 columns, sends them from a local server to a process that makes
the index and looks up a class, and iterates over them with `csv.reader` in the same run. A line of
JSON for each has the numbers and `failed`, the limits that they exceed; the exit code is 1 if there
are any. All rows need 2.3 GB in the folder for temporary files.
"""

from __future__ import annotations

import argparse
import csv
import http.server
import json
import multiprocessing
import os
import resource
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from boxwright.formats.openimages.format import HEADER
from boxwright.openimages.index import indexed

CHUNK = 100_000  # different rows; the ids of all rows differ
CLICKS = [f"XClick{i}{axis}" for axis in "XY" for i in range(1, 5)]
CLASSES = 600
LOOKED_UP = 3  # classes
LIMITS = {  # of all rows; the index of fewer is smaller
    "first_to_reader": 0.5,
    "later_to_first": 0.05,
    "peak_mb": 700.0,
    "index_mb": 300.0,
    "largest_error": 1e-6,
}


def class_codes() -> list[str]:
    """The codes of the classes in the lists that `make` writes."""
    numbers = np.random.default_rng(0).choice(16**5, CLASSES, replace=False)
    return [f"/m/0{number:05x}" for number in numbers.tolist()]


def make(path: Path, rows: int, *, wide: bool) -> None:
    """Write a list of boxes; an image has 8.4 boxes on average, as in the training set."""
    rng = np.random.default_rng(0)
    tails = []
    different = min(CHUNK, rows)
    for sides, flags, code in zip(
        np.sort(rng.random((different, 4)), axis=1)[:, [0, 2, 1, 3]].tolist(),
        rng.integers(0, 2, (different, 5)).tolist(),
        rng.choice(class_codes(), different),
        strict=True,
    ):
        numbers = ",".join(f"{side:.6f}" for side in sides)
        clicks = f",{numbers},{numbers}" if wide else ""
        tails.append(f",xclick,{code},1,{numbers},{','.join(map(str, flags))}{clicks}\n")
    with path.open("w", encoding="ascii") as file:
        file.write(",".join([*HEADER, *(CLICKS if wide else ())]) + "\n")
        for start in range(0, rows, CHUNK):
            count = min(CHUNK, rows - start)
            ids = np.repeat(rng.integers(0, 2**63, count), rng.integers(1, 17, count))[:count]
            file.writelines(f"{i:016x}{tail}" for i, tail in zip(ids.tolist(), tails, strict=False))


class Quiet(http.server.SimpleHTTPRequestHandler):
    def copyfile(self, source: Any, outputfile: Any) -> None:
        """Send a file by the system, as a server elsewhere would need none of this processor."""
        outputfile.flush()
        self.connection.sendfile(source)

    def log_message(self, format: str, *args: object) -> None:
        pass


def serve(folder: str, port: Any) -> None:
    handler = partial(Quiet, directory=folder)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        port.put(server.server_port)
        server.serve_forever()


def build(url: str, folder: str, result: Any) -> None:
    """Make the index, look up a class, look up others; keep the sides of the boxes."""
    os.environ["no_proxy"] = "*"
    times = []
    for number, code in enumerate(class_codes()[:LOOKED_UP]):
        start, cpu = time.perf_counter(), time.process_time()
        index = indexed(url, Path(folder), ["127.0.0.1"])
        rows = index.rows_of([code])
        sides, _ = index.boxes(rows)
        np.unique(index.images_of(rows))
        times.append((time.perf_counter() - start, time.process_time() - cpu))
        np.save(Path(folder).with_name(f"sides-{number}.npy"), sides)
    (first, cpu), *later = times
    size = sum(path.stat().st_size for path in Path(folder).iterdir())
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    result.put(
        {
            "first_s": first,
            "first_cpu_s": cpu,
            "later_s": max(later)[0],
            "index_mb": size / 1e6,
            "peak_mb": peak,
        }
    )


def read(path: Path) -> tuple[float, float]:
    """Seconds, and seconds of a processor."""
    start, cpu = time.perf_counter(), time.process_time()
    with path.open(encoding="utf-8", newline="") as file:
        for _ in csv.reader(file):
            pass
    return time.perf_counter() - start, time.process_time() - cpu


def largest_error(path: Path) -> float:
    """The largest difference between a side in the list and in what `build` has looked up."""
    errors = []
    for number, code in enumerate(class_codes()[:LOOKED_UP]):
        with path.open(encoding="ascii") as file:
            cells = (line.split(",") for line in file if f",{code}," in line)
            listed = np.array([[float(cell) for cell in row[4:8]] for row in cells])
        kept = np.load(path.with_name(f"sides-{number}.npy"))
        if listed.shape != kept.shape or not len(kept):
            return float("inf")
        errors.append(float(np.abs(listed - kept).max()))
    return max(errors)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    rows = parser.parse_args().rows
    processes = multiprocessing.get_context("spawn")
    failed = []
    for wide in (False, True):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "list.csv")
            make(path, rows, wide=wide)
            queue = processes.Queue()
            server = processes.Process(target=serve, args=(folder, queue), daemon=True)
            server.start()
            url = f"http://127.0.0.1:{queue.get()}/{path.name}"
            reader = read(path)
            builder = processes.Process(target=build, args=(url, f"{folder}/index", queue))
            builder.start()
            found = queue.get()
            builder.join()
            seconds, cpu = map(min, reader, read(path))
            server.terminate()
            row = {
                "columns": 21 if wide else 13,
                "rows": rows,
                "csv_reader_s": seconds,
                "csv_reader_cpu_s": cpu,
                **found,
                "first_to_reader": found["first_s"] / seconds,
                "first_to_reader_cpu": found["first_cpu_s"] / cpu,
                "later_to_first": found["later_s"] / found["first_s"],
                "largest_error": largest_error(path),
            }
            over = [name for name, limit in LIMITS.items() if row[name] > limit]
            failed += over
            shown = {name: float(f"{value:.3g}") for name, value in row.items()}
            print(json.dumps({**shown, "failed": over}), flush=True)
    if failed:
        sys.exit(1)


if __name__ == "__main__":
    main()
