"""Kill a download from Open Images at random moments, and compare what comes of it with a download
that nobody disturbed.

    python benchmarks/openimages_kills.py [--kills 20] [--rows 2000000] [--images 300] [--seed 0]

A local server has a list of boxes, which resumes by Range, and images. The moments are random in
the time of the undisturbed download: the server knows how far that was at each moment, and the
process dies by SIGKILL when it is as far. The folder and the index must be equal byte by byte.
"""

from __future__ import annotations

import argparse
import http.server
import io
import multiprocessing
import os
import random
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
from PIL import Image

from boxwright.formats.openimages.image_labels import LABEL_HEADER
from boxwright.io import scratch
from boxwright.openimages import index
from boxwright.openimages.download import download_openimages
from boxwright.openimages.sources import (
    IMAGES_VARIABLE,
    LISTS_VARIABLE,
    boxes_path,
    classes_path,
    image_list_path,
    labels_path,
)
from openimages import class_codes, make

NAMES = ("Apple", "Orange")  # of the first classes
SPLIT, VERSION = "train", "v4"
BLOCK = 1 << 18  # bytes that are sent at once
LISTED = 20_000  # rows whose images are in the other lists
HANGS = 120.0  # seconds

processes = multiprocessing.get_context("fork")


# ---- The server --------------------------------------------------------------------------------


class Request(http.server.BaseHTTPRequestHandler):
    """One request: a list, from where the client wants to go on, or an image that is drawn."""

    server: Server

    def do_GET(self) -> None:
        path = urlsplit(self.path).path.lstrip("/")
        content = self.server.lists.get(path) or drawn(Path(path).stem)
        asked = self.headers.get("Range", "bytes=0-")
        begun = int(asked.removeprefix("bytes=").removesuffix("-"))
        self.send_response(206 if begun else 200)
        self.send_header("ETag", f'"{len(content)}"')
        self.send_header("Content-Length", str(len(content) - begun))
        self.send_header("Content-Range", f"bytes {begun}-{len(content) - 1}/{len(content)}")
        self.end_headers()
        with suppress(OSError):  # the client was killed
            for start in range(begun, len(content), BLOCK):
                part = content[start : start + BLOCK]
                self.wfile.write(part)
                self.server.sent(path, start + len(part))

    def log_message(self, format: str, *args: object) -> None:
        pass


class Server(http.server.ThreadingHTTPServer):
    """Serves lists and images, and knows how much of them was sent.

    Args:
        lists: path -> content.
        progress: the number of different bytes that were sent since it was last set to zero.
    """

    daemon_threads = True

    def __init__(self, lists: dict[str, bytes], progress: Any) -> None:
        super().__init__(("127.0.0.1", 0), Request)
        self.lists, self._progress = lists, progress
        self._lock = threading.Lock()
        self._furthest: dict[str, int] = {}

    def sent(self, path: str, until: int) -> None:
        with self._lock:
            if not self._progress.value:
                self._furthest.clear()
            self._furthest[path] = max(until, self._furthest.get(path, 0))
            self._progress.value = sum(self._furthest.values())


def drawn(image: str) -> bytes:
    """The image with this id."""
    rng = np.random.default_rng(int(image, 16))
    file = io.BytesIO()
    Image.fromarray(rng.integers(0, 255, (90, 120, 3), np.uint8)).save(file, "JPEG")
    return file.getvalue()


def serve(lists: dict[str, bytes], progress: Any, port: Any) -> None:
    with Server(lists, progress) as server:
        port.put(server.server_port)
        server.serve_forever()


def made(folder: Path, rows: int) -> dict[str, bytes]:
    """The lists that a download needs, by their paths."""
    boxes = folder / "boxes.csv"
    make(boxes, rows, wide=False)
    content = boxes.read_bytes()
    boxes.unlink()
    lines = content[: LISTED * 200].decode().splitlines()[1:LISTED]
    images = dict.fromkeys(line[:16] for line in lines)
    codes = class_codes()
    named = "".join(f"{code},{name}\n" for code, name in zip(codes, NAMES, strict=False))
    labels = [",".join(LABEL_HEADER), *(f"{i},verification,{codes[0]},0" for i in images)]
    authors = ["ImageID,License,AuthorProfileURL,Author", *(f"{i},by,https://a,b" for i in images)]
    return {
        classes_path(VERSION): named.encode(),
        boxes_path(VERSION, SPLIT): content,
        labels_path(VERSION, SPLIT): "\n".join([*labels, ""]).encode(),
        image_list_path(SPLIT): "\n".join([*authors, ""]).encode(),
    }


# ---- The downloads -----------------------------------------------------------------------------


def fetch(place: Path, images: int) -> None:
    """What the process of a download does."""
    os.environ["BOXWRIGHT_CACHE"] = str(place / "cache")
    download_openimages(NAMES, place / "out", SPLIT, version=VERSION, limit=images)


def started(place: Path, images: int) -> Any:
    process = processes.Process(target=fetch, args=(place, images))
    process.start()
    return process


def undisturbed(place: Path, images: int, progress: Any) -> list[tuple[float, int]]:
    """Download, and return how far it was at each moment: seconds, and bytes sent."""
    process, began = started(place, images), time.perf_counter()
    moments = []
    while process.is_alive():
        moments.append((time.perf_counter() - began, int(progress.value)))
        time.sleep(0.001)
    process.join()
    if process.exitcode:
        raise SystemExit("The undisturbed download failed.")
    return moments


def killed(
    place: Path,
    images: int,
    progress: Any,
    moments: list[tuple[float, int]],
    chosen: tuple[float, int],
) -> bool:
    """Kill a download at one of the moments; False if it had ended before."""
    moment, far = chosen
    since = moment - next(seconds for seconds, sent in moments if sent == far)
    process, began = started(place, images), time.perf_counter()
    while process.is_alive() and progress.value < far:
        if time.perf_counter() - began > HANGS:
            raise SystemExit("A download hangs.")
        time.sleep(0.0005)
    process.join(since)
    process.kill()
    process.join()
    return bool(process.exitcode)


def contents(folder: Path, wanted: Callable[[Path], bool] = lambda path: True) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and wanted(path)
    }


def is_index(path: Path) -> bool:
    return path.name in index.FILES


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--rows", type=int, default=2_000_000)
    parser.add_argument("--images", type=int, default=300)
    parser.add_argument("--round", type=int, default=index.ROUND, help="bytes between two states")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    index.ROUND = options.round
    scratch.SETTLED = 0.1  # one process at a time makes temporary folders here
    chance = random.Random(options.seed)
    with tempfile.TemporaryDirectory() as folder:
        calm, stormy = Path(folder, "calm"), Path(folder, "stormy")
        progress, port = processes.Value("q", 0), processes.Queue()
        lists = made(Path(folder), options.rows)
        server = processes.Process(target=serve, args=(lists, progress, port), daemon=True)
        server.start()
        os.environ["no_proxy"] = "*"
        os.environ[LISTS_VARIABLE] = os.environ[IMAGES_VARIABLE] = f"http://127.0.0.1:{port.get()}"
        moments = undisturbed(calm, options.images, progress)
        progress.value = 0
        waiting, where = sorted(chance.choices(moments, k=options.kills)), []
        while len(where) < options.kills:
            chosen = waiting.pop(0) if waiting else chance.choice(moments)
            if killed(stormy, options.images, progress, moments, chosen):
                where.append(len(list(stormy.glob(f"out/{SPLIT}/*.jpg"))))
        time.sleep(2 * scratch.SETTLED)
        last = started(stormy, options.images)
        last.join()
        server.terminate()
        same_files = contents(calm / "out") == contents(stormy / "out")
        same_index = contents(calm / "cache", is_index) == contents(stormy / "cache", is_index)
        count = len(list(calm.glob(f"out/{SPLIT}/*.jpg")))
    in_list = sum(not images for images in where)
    print(
        f"{options.kills} kills in {moments[-1][0]:.1f} s of work, {in_list} of them before the "
        f"first of {count} images: files {'equal' if same_files else 'DIFFER'}, "
        f"index {'equal' if same_index else 'DIFFERS'}"
    )
    if not (same_files and same_index and last.exitcode == 0 and count == options.images):
        sys.exit(1)


if __name__ == "__main__":
    main()
