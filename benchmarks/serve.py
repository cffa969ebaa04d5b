"""Measure a server of detectors under load, against decoding and network alone.

    python benchmarks/serve.py MODEL [--clients 64] [--seconds 60] [--labels FILE]

Each client sends the next image as soon as it has an answer, after a 429 when it is told to. The
images are JPEGs of 1152 x 864 pixels, drawn here. The clients are a process of their own, whose
processor time is stated apart. "Alone" is the same work without HTTP: as many threads as the server
has workers, each with its own detector, over the same bytes.

It prints the statuses, requests per second, the median and 99th percentile of the time to an answer
200, the share of 429, the server's processor seconds per 200 against those alone, and its memory.
With --batches it prints instead how long the network takes for an image in batches, which is why
the server has none.
"""

from __future__ import annotations

import argparse
import asyncio
import io
import json
import multiprocessing
import re
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Sequence
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from boxwright.inference.class_names import read_names
from boxwright.inference.detector import Detector
from boxwright.serving.model import load
from boxwright.serving.settings import Settings

HOST = "127.0.0.1"
WIDTH, HEIGHT = 1152, 864
IMAGES = 16
BATCHES, ROUNDS = (1, 2, 4, 8), 40
WARM_UP = 3.0  # seconds
OVERHEAD = 1 / 0.85  # of processor seconds per 200, at most


def images() -> list[bytes]:
    """JPEGs of a megapixel with edges, gradients and some noise, as those of a camera."""
    files = []
    for seed in range(IMAGES):
        random = np.random.default_rng(seed)
        coarse = random.integers(0, 256, (27, 36, 3), np.uint8)
        picture = Image.fromarray(coarse).resize((WIDTH, HEIGHT), Image.Resampling.BICUBIC)
        noise = random.normal(0, 6, (HEIGHT, WIDTH, 3))
        pixels = np.clip(np.asarray(picture) + noise, 0, 255).astype(np.uint8)
        stream = io.BytesIO()
        Image.fromarray(pixels).save(stream, "JPEG", quality=90)
        files.append(stream.getvalue())
    return files


# ---- The work alone ----------------------------------------------------------------------------


def alone(model: Path, labels: Path | None, workers: int, seconds: float) -> tuple[float, float]:
    """Images per second, and processor seconds per image."""
    names = read_names(labels) if labels else None
    loaded = load(model, workers=workers, max_pixels=Settings.max_pixels, classes=names)
    files, counts = images(), [0] * workers
    stop = threading.Event()

    def work(worker: int) -> None:
        with loaded.borrowed() as detector:
            while not stop.is_set():
                image = files[(counts[worker] + worker) % len(files)]
                detector.detect([detector.prepare(image)])
                counts[worker] += 1

    threads = [threading.Thread(target=work, args=(i,)) for i in range(workers)]
    for thread in threads:
        thread.start()
    time.sleep(WARM_UP)
    begun, before, used = time.monotonic(), sum(counts), time.process_time()
    time.sleep(seconds)
    done, took = sum(counts) - before, time.monotonic() - begun
    processor = time.process_time() - used
    stop.set()
    for thread in threads:
        thread.join()
    return done / took, processor / done


def batches(model: Path, labels: Path | None) -> dict[int, float]:
    """Processor milliseconds of the network per image, on one thread, by the size of a batch."""
    names = read_names(labels) if labels else None
    detector = Detector.load(model, classes=names, threads=1)
    whole = detector.prepare(images()[0]).pixels
    times: dict[int, list[float]] = {size: [] for size in BATCHES}
    for _ in range(ROUNDS):
        for size, taken in times.items():
            inputs = np.stack([whole] * size)
            begun = time.process_time()
            detector.engine(inputs)
            taken.append((time.process_time() - begun) / size)
    return {size: 1000 * float(np.median(taken[1:])) for size, taken in times.items()}


# ---- The clients -------------------------------------------------------------------------------


async def client(
    port: int, files: Sequence[bytes], first: int, end: float, answers: list[tuple[int, float]]
) -> None:
    """Send image after image, with the time to each answer."""
    reader, writer = await asyncio.open_connection(HOST, port, limit=1 << 20)
    number = first
    while time.monotonic() < end:
        image = files[number % len(files)]
        number += 1
        begun = time.monotonic()
        head = f"POST /detect HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: {len(image)}\r\n\r\n"
        writer.write(head.encode())
        writer.write(image)
        await writer.drain()
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        length = re.search(r"content-length: (\d+)", head)
        assert length
        await reader.readexactly(int(length[1]))
        status = int(head.split(" ", 2)[1])
        answers.append((status, time.monotonic() - begun))
        if again := re.search(r"retry-after: (\d+)", head):
            await asyncio.sleep(int(again[1]))
    writer.close()


def generate(port: int, clients: int, seconds: float, told: Any) -> None:
    """All clients; tells their answers and their processor seconds."""
    answers: list[tuple[int, float]] = []
    files = images()

    async def all_of_them() -> None:
        end = time.monotonic() + seconds
        await asyncio.gather(*(client(port, files, i, end, answers) for i in range(clients)))

    used = time.process_time()
    asyncio.run(all_of_them())
    told.send((answers, time.process_time() - used))


# ---- The server --------------------------------------------------------------------------------


def metrics(port: int) -> dict[str, float]:
    connection = HTTPConnection(HOST, port, timeout=60)
    connection.request("GET", "/metrics")
    text = connection.getresponse().read().decode()
    connection.close()
    lines = (line.rpartition(" ") for line in text.splitlines() if not line.startswith("#"))
    return {name: float(value) for name, _, value in lines}


def measured(port: int, clients: int, seconds: float) -> dict[str, Any]:
    """The load, and what the server used for it."""
    here, there = multiprocessing.get_context("spawn").Pipe()
    process = multiprocessing.get_context("spawn").Process(
        target=generate, args=(port, clients, seconds, there)
    )
    before = metrics(port)
    process.start()
    memory = []
    while not here.poll(1.0):
        memory.append(metrics(port)["process_resident_memory_bytes"])
    answers, generator = here.recv()
    process.join()
    after = metrics(port)
    statuses = Counter(status for status, _ in answers)
    good = np.array([took for status, took in answers if status == 200])
    used = after["process_cpu_seconds_total"] - before["process_cpu_seconds_total"]
    tail = memory[len(memory) // 4 :]
    return {
        "statuses": dict(statuses),
        "share of 429": statuses[429] / len(answers),
        "200 per second": len(good) / seconds,
        "p50 seconds": float(np.quantile(good, 0.5)),
        "p99 seconds": float(np.quantile(good, 0.99)),
        "server processor seconds per 200": used / len(good),
        "clients processor seconds per answer": generator / len(answers),
        "memory MB after a quarter, and at most later": [tail[0] / 1e6, max(tail) / 1e6],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", type=Path)
    parser.add_argument("--labels", type=Path)
    parser.add_argument("--clients", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--alone", type=float, default=15, help="seconds of the work alone")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--queue", type=int, default=Settings.queue)
    parser.add_argument("--batches", action="store_true", help="measure only batches")
    given = parser.parse_args()
    if given.batches:
        for size, each in batches(given.model, given.labels).items():
            print(f"batch of {size}: {each:.2f} ms per image")
        return
    rate, each = alone(given.model, given.labels, given.workers, given.alone)
    print(f"alone: {rate:.1f} images per second, {1000 * each:.1f} ms of a processor for each")
    words = [sys.executable, "-m", "boxwright", "serve", f"{given.model}=detector", "--json"]
    words += ["--port", "0", "--workers", str(given.workers), "--queue", str(given.queue)]
    words += ["--labels", str(given.labels)] if given.labels else []
    server = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        assert server.stdout
        ready = json.loads("".join([*iter(server.stdout.readline, "}\n"), "}"]))
        port = int(ready["address"].rpartition(":")[2])
        found = measured(port, given.clients, given.seconds)
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(15)
    for name, value in found.items():
        print(f"{name}: {value}")
    ratio = found["server processor seconds per 200"] / each
    limit = 2 * given.queue / rate
    print(f"processor time against the work alone: {ratio:.3f}, at most {OVERHEAD:.3f} wanted")
    print(f"p99: {found['p99 seconds']:.3f} s, at most {limit:.3f} wanted")


if __name__ == "__main__":
    main()
