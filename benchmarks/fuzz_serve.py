"""Attack a server of detectors with requests that are damaged or made to do harm.

    python benchmarks/fuzz_serve.py MODEL [--inputs 10000] [--seed 0] [--threads 16]

It starts `boxwright serve MODEL` and sends truncated and changed images, bombs, headers of 30,000 x
30,000 pixels, wrong types, numbers and nesting in JSON, slow clients and floods of headers, with
good images between them. Failures are answers 500 and 502, 503 after the server was ready, 504
before its time is over, no answer to a complete request, more memory at the end than after the
first tenth, and a server that does not answer a good image at the end.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import random
import re
import signal
import socket
import struct
import subprocess
import sys
import time
import zlib
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from http.client import HTTPConnection, HTTPException, HTTPResponse
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

HOST = "127.0.0.1"
GROWTH = 1.05  # of resident memory, from the first tenth to the end
WAIT = 1.0  # seconds for an answer to half a request
SLACK = 64 << 20  # bytes that allocators keep
ANSWERED = frozenset({200, 400, 403, 404, 405, 408, 411, 413, 415, 422, 429, 431, 501, 505})
PATHS = [
    "/detect",
    "/detect?score=0",
    "/v1/models/detector:predict",
    "/v2/models/detector/infer",
    "/predict",
]


@dataclass(frozen=True)
class Attack:
    """What is sent.

    Attributes:
        kind: a key of `KINDS`.
        sent: parts of the request, sent one after another.
        complete: False if the server may close the connection without an answer.
        pause: seconds between two parts.
    """

    kind: str
    sent: list[bytes]
    complete: bool = True
    pause: float = 0.0


@dataclass
class Outcome:
    """What became of the attacks.

    Attributes:
        statuses: how often each kind got each status; 0 is a connection that was closed.
        failures: sentences.
        slowest: seconds of the slowest answer.
    """

    statuses: Counter[tuple[str, int]] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    slowest: float = 0.0


# ---- What is sent ------------------------------------------------------------------------------


def request(
    body: bytes, path: str = "/detect", media_type: str = "image/jpeg", **headers: str
) -> bytes:
    """A request as a client sends it."""
    lines = [f"POST {path} HTTP/1.1", f"Host: {HOST}", f"Content-Type: {media_type}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, f"Content-Length: {len(body)}", "", ""]).encode() + body


@cache
def image(form: str, width: int = 320, height: int = 240, *, progressive: bool = False) -> bytes:
    """A good image file."""
    coarse = np.random.default_rng(width).integers(0, 256, (12, 16, 3), np.uint8)
    stream = io.BytesIO()
    options = {"progressive": True} if progressive else {}
    Image.fromarray(coarse).resize((width, height)).save(stream, form, **options)
    return stream.getvalue()


FORMS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF")


def chunk(name: bytes, content: bytes) -> bytes:
    """A chunk of a PNG."""
    return struct.pack(">I", len(content)) + name + content + struct.pack(
        ">I", zlib.crc32(name + content)
    )


def png(width: int, height: int, *chunks: bytes) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + b"".join(chunks) + chunk(b"IEND", b"")


@cache
def zeros(size: int) -> bytes:
    """Many compressed zeros."""
    return zlib.compress(bytes(size), 9)


@cache
def many_scans(count: int) -> bytes:
    """A progressive JPEG whose last scan is repeated: each is a pass over all coefficients."""
    whole = image("JPEG", 1600, 1200, progressive=True)
    start = whole.rindex(b"\xff\xda")
    return whole[:start] + whole[start:-2] * count + whole[-2:]


def jpeg_of(width: int, height: int) -> bytes:
    """A JPEG whose header states another size."""
    whole = image("JPEG")
    at = whole.index(b"\xff\xc0") + 5
    return whole[:at] + struct.pack(">HH", height, width) + whole[at + 4 :]


def bomb(random: random.Random) -> bytes:
    """A small file that wants to be large."""
    choices: list[Callable[[], bytes]] = [
        lambda: png(30_000, 30_000, chunk(b"IDAT", zeros(1 << 26))),
        lambda: png(7_000, 7_000, chunk(b"IDAT", zeros(1 << 26))),
        lambda: png(64, 64, chunk(b"IDAT", zeros(1 << 26))),
        lambda: png(64, 64, chunk(b"zTXt", b"a\0\0" + zeros(1 << 26)), chunk(b"IDAT", b"")),
        lambda: png(64, 64, chunk(b"iCCP", b"a\0\0" + zeros(1 << 26)), chunk(b"IDAT", b"")),
        lambda: jpeg_of(30_000, 30_000),
        lambda: jpeg_of(65_500, 65_500),
        lambda: jpeg_of(7_000, 7_000),
        lambda: many_scans(200),
        lambda: b"BM" + bytes(8) + struct.pack("<IIiiHHI", 54, 40, 30_000, 30_000, 1, 24, 0),
        lambda: b"GIF89a" + struct.pack("<HHBBB", 65_535, 65_535, 0, 0, 0) + bytes(50),
        lambda: b"II*\0\x08\0\0\0\xff\xff" + random.randbytes(3000),
        lambda: b"MM\0*\0\0\0\x08" + bytes(10_000),
        lambda: b"RIFF\xff\xff\xff\xffWEBPVP8L" + random.randbytes(200),
        lambda: b"\0\0\0\x1cftypavif" + random.randbytes(500),
        lambda: b"\0\0\0\x18ftypheic" + random.randbytes(500),
    ]
    return random.choice(choices)()


def changed(content: bytes, random: random.Random) -> bytes:
    """Bytes with some of them replaced, left out or repeated."""
    damaged = bytearray(content)
    for _ in range(random.choice((1, 1, 3, 20))):
        at = random.randrange(len(damaged))
        match random.randrange(4):
            case 0:
                damaged[at] = random.randrange(256)
            case 1:
                damaged[at : at + 4] = random.choice((b"\xff" * 4, bytes(4), b"\x7f\xff\xff\xff"))
            case 2:
                del damaged[at : at + random.randrange(1, 40)]
            case _:
                damaged[at:at] = damaged[at : at + random.randrange(1, 200)]
        if not damaged:
            return b""
    return bytes(damaged)


def odd(random: random.Random, depth: int = 0) -> Any:
    """A value of JSON that nobody expects."""
    plain = [None, True, -1, 0, 1e308, float("nan"), float("inf"), 10**400, "", "a" * 5000, "b64"]
    if depth > 3 or random.random() < 0.5:
        return random.choice(plain)
    names = ("instances", "inputs", "name", "shape", "datatype", "data", "b64", "signature_name")
    if random.random() < 0.5:
        return [odd(random, depth + 1) for _ in range(random.randrange(5))]
    return {random.choice(names): odd(random, depth + 1) for _ in range(random.randrange(5))}


def json_body(random: random.Random) -> bytes:
    """JSON as TensorFlow Serving and the Open Inference Protocol take it, with odd values."""
    shape = [random.choice((1, 0, -1, 4, 30_000, 1 << 40)) for _ in range(4)]
    tensor = {
        "name": odd(random),
        "shape": random.choice((shape, odd(random))),
        "datatype": random.choice(("UINT8", "BYTES", "FP32", odd(random))),
        "data": odd(random),
    }
    values = [
        odd(random),
        {"instances": odd(random)},
        {"instances": [{"b64": random.choice(("!", "AAAA", odd(random)))}]},
        {"instances": [[[[random.choice((1, 300, -1, "a"))] * random.choice((1, 3))] * 4] * 4]},
        {"inputs": odd(random)},
        {"inputs": [tensor]},
        {"inputs": [tensor] * 50},
    ]
    texts = [json.dumps(random.choice(values)), "[" * 100_000, '{"a":' * 50_000, "{", "nul", "1" * 9999]
    return random.choice(texts[:1] * 5 + texts).encode()


def flood(random: random.Random) -> bytes:
    """Headers that are too many, too long, or contradict each other."""
    good = request(image("JPEG"))
    return random.choice(
        [
            b"GET / HTTP/1.1\r\n" + b"".join(b"X-%d: flood\r\n" % i for i in range(20_000)),
            b"GET / HTTP/1.1\r\nX: " + b"a" * 300_000 + b"\r\n\r\n",
            b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\n\r\n",
            good.replace(b"Content-Length: ", b"Content-Length: -"),
            good.replace(b"Content-Length: ", b"Content-Length: 9" * 1),
            good.replace(b"Content-Length", b"Transfer-Encoding: chunked\r\nContent-Length"),
            good.replace(b"Host: ", b"Host: other\r\nHost: "),
            good.replace(b"Host: 127.0.0.1\r\n", b""),
            good.replace(b"HTTP/1.1", b"HTTP/9.9"),
            good.replace(b"POST", b"\0\xff\r\n"),
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
            b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03" + random.randbytes(300),
            random.randbytes(2000),
        ]
    )


def _truncated(random: random.Random) -> Attack:
    whole = image(random.choice(FORMS))
    return Attack("truncated", [request(whole[: random.randrange(len(whole))])])


def _changed(random: random.Random) -> Attack:
    return Attack("changed", [request(changed(image(random.choice(FORMS)), random))])


def _bomb(random: random.Random) -> Attack:
    return Attack("bomb", [request(bomb(random))])


def _wrong(random: random.Random) -> Attack:
    body = random.choice([b"", b"text", b"<html>", b"PK\x03\x04" + bytes(99), random.randbytes(999)])
    kinds = ["text/html", "application/zip", "multipart/form-data; boundary=x", "image/jpeg", "a"]
    path = random.choice([*PATHS, "/", "/nowhere", "/detect?score=x", "/detect?a=b"])
    return Attack("wrong type", [request(body, path, random.choice(kinds))])


def _json(random: random.Random) -> Attack:
    return Attack("json", [request(json_body(random), random.choice(PATHS), "application/json")])


def _large(random: random.Random) -> Attack:
    stated = str(random.choice((40 << 20, 1 << 40, 10**30)))
    head = request(b"").replace(b"Content-Length: 0", f"Content-Length: {stated}".encode())
    return Attack("too large", [head + bytes(1000)], complete=False)


def _chunked(random: random.Random) -> Attack:
    head = request(b"").replace(b"Content-Length: 0", b"Transfer-Encoding: chunked")
    bodies = [b"5\r\nhello\r\n0\r\n\r\n", b"ffffffffffff\r\nhello", b"-1\r\n", b"5\r\nhell", b"zz\r\n"]
    number = random.randrange(len(bodies))
    return Attack("chunked", [head, bodies[number]], complete=number == 0)


def _flood(random: random.Random) -> Attack:
    return Attack("flood", [flood(random)], complete=False)


def _slow(random: random.Random) -> Attack:
    whole = request(image("JPEG"))
    cut = random.choice((5, 60, len(whole) - 5))
    parts = [whole[:cut], *(bytes([byte]) for byte in whole[cut : cut + 3])]
    return Attack("slow", parts, complete=False, pause=random.choice((0.05, 0.5)))


def _good(random: random.Random) -> Attack:
    accept = random.choice(("application/json", "image/jpeg"))
    return Attack("good", [request(image(random.choice(FORMS)), Accept=accept)])


KINDS: dict[Callable[[random.Random], Attack], int] = {  # and how often each is chosen
    _truncated: 20,
    _changed: 25,
    _bomb: 10,
    _wrong: 8,
    _json: 15,
    _large: 4,
    _chunked: 4,
    _flood: 6,
    _slow: 2,
    _good: 6,
}


# ---- What comes back ---------------------------------------------------------------------------


def status_of(attack: Attack, port: int, seconds: float) -> int:
    """The status of the answer; 0 if the connection was closed by either side, -1 without an answer in time."""
    with socket.create_connection((HOST, port), timeout=seconds) as connection:
        try:
            for part in attack.sent:
                connection.sendall(part)
                time.sleep(attack.pause)
        except ConnectionError:
            pass  # it may have been answered before
        except TimeoutError:
            return -1
        if not attack.complete:
            connection.settimeout(WAIT)
        response = HTTPResponse(connection)
        try:
            response.begin()
            response.read()
        except TimeoutError:
            return -1 if attack.complete else 0
        except (HTTPException, ConnectionError, ValueError):
            return 0
        return response.status


def fuzz(
    port: int, inputs: int, seed: int, *, timeout: float, threads: int = 16
) -> Outcome:
    """Send attacks to a server that is ready.

    Args:
        port: of the server.
        inputs: number of attacks.
        seed: of the random numbers.
        timeout: seconds after which the server answers with 504.
        threads: attacks at a time.
    """
    outcome = Outcome()

    def send(number: int) -> None:
        chance = random.Random(f"{seed} {number}")
        (make,) = chance.choices(list(KINDS), list(KINDS.values()))
        attack = make(chance)
        begun = time.monotonic()
        try:
            status = status_of(attack, port, 3 * timeout + 30)
        except OSError as error:
            outcome.failures.append(f"{number} ({attack.kind}): no connection ({error})")
            return
        seconds = time.monotonic() - begun
        outcome.statuses[attack.kind, status] += 1
        outcome.slowest = max(outcome.slowest, seconds)
        if problem := _problem(attack, status, seconds, timeout):
            outcome.failures.append(f"{number} ({attack.kind}): {problem}")

    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(send, range(inputs)))
    return outcome


def _problem(attack: Attack, status: int, seconds: float, timeout: float) -> str | None:
    if status == -1:
        return "no answer in time"
    if status == 0:
        return "the connection was closed without an answer" if attack.complete else None
    if status == 504:
        return None if seconds >= timeout else f"504 after {seconds:.1f} s"
    if attack.kind == "good":
        return None if status in (200, 429) else f"a good image got {status}"
    return None if status in ANSWERED else f"status {status}"


# ---- The benchmark -----------------------------------------------------------------------------


def memory(port: int) -> float:
    """Resident bytes of the server."""
    connection = HTTPConnection(HOST, port, timeout=60)
    connection.request("GET", "/metrics")
    text = connection.getresponse().read().decode()
    connection.close()
    found = re.search(r"^process_resident_memory_bytes (\S+)$", text, re.MULTILINE)
    return float(found[1]) if found else 0.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", type=Path)
    parser.add_argument("--inputs", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=16)
    parser.add_argument("--timeout", type=float, default=10.0)
    parser.add_argument("--labels", type=Path)
    given = parser.parse_args()
    words = [sys.executable, "-m", "boxwright", "serve", f"{given.model}=detector", "--json"]
    words += ["--port", "0", "--timeout", str(given.timeout)]
    words += ["--labels", str(given.labels)] if given.labels else []
    process = subprocess.Popen(
        words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=dict(os.environ)
    )
    try:
        assert process.stdout
        ready = json.loads("".join([*iter(process.stdout.readline, "}\n"), "}"]))
        port = int(ready["address"].rpartition(":")[2])
        options = {"timeout": given.timeout, "threads": given.threads}
        tenth = given.inputs // 10
        begun = time.monotonic()
        first = fuzz(port, tenth, given.seed, **options)
        before = memory(port)
        rest = fuzz(port, given.inputs - tenth, given.seed + 1, **options)
        seconds, after = time.monotonic() - begun, memory(port)
        failures = first.failures + rest.failures
        if after > GROWTH * before + SLACK:
            failures.append(f"memory grew from {before:,.0f} to {after:,.0f} bytes")
        if status_of(_good(random.Random(0)), port, 60) != 200:
            failures.append("a good image gets no answer at the end")
    finally:
        process.send_signal(signal.SIGTERM)
        begun_to_stop = time.monotonic()
        with suppress(subprocess.TimeoutExpired):
            process.wait(15)
    print(f"stopped with {process.returncode} in {time.monotonic() - begun_to_stop:.1f} s")
    statuses = first.statuses + rest.statuses
    for kind in sorted({kind for kind, _ in statuses}):
        listed = {status: n for (name, status), n in sorted(statuses.items()) if name == kind}
        print(f"{kind:12}", ", ".join(f"{n} x {status or 'closed'}" for status, n in listed.items()))
    slowest = max(first.slowest, rest.slowest)
    print(f"{given.inputs:,} inputs in {seconds:,.0f} s, slowest {slowest:.1f} s")
    print(f"memory {before / 1e6:,.0f} MB after a tenth, {after / 1e6:,.0f} MB at the end")
    print(f"{len(failures)} failures", *failures[:50], sep="\n")
    sys.exit(bool(failures))


if __name__ == "__main__":
    main()
