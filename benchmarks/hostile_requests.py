"""Requests that are damaged or made to do harm, which `fuzz_serve.py` sends to a server."""

from __future__ import annotations

import io
import json
import random
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from PIL import Image

HOST = "127.0.0.1"
FORMS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF")
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


def chunk(name: bytes, content: bytes) -> bytes:
    """A chunk of a PNG."""
    return (
        struct.pack(">I", len(content))
        + name
        + content
        + struct.pack(">I", zlib.crc32(name + content))
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


def bomb(chance: random.Random) -> bytes:
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
        lambda: b"II*\0\x08\0\0\0\xff\xff" + chance.randbytes(3000),
        lambda: b"MM\0*\0\0\0\x08" + bytes(10_000),
        lambda: b"RIFF\xff\xff\xff\xffWEBPVP8L" + chance.randbytes(200),
        lambda: b"\0\0\0\x1cftypavif" + chance.randbytes(500),
        lambda: b"\0\0\0\x18ftypheic" + chance.randbytes(500),
    ]
    return chance.choice(choices)()


def changed(content: bytes, chance: random.Random) -> bytes:
    """Bytes with some of them replaced, left out or repeated."""
    damaged = bytearray(content)
    for _ in range(chance.choice((1, 1, 3, 20))):
        at = chance.randrange(len(damaged))
        match chance.randrange(4):
            case 0:
                damaged[at] = chance.randrange(256)
            case 1:
                damaged[at : at + 4] = chance.choice((b"\xff" * 4, bytes(4), b"\x7f\xff\xff\xff"))
            case 2:
                del damaged[at : at + chance.randrange(1, 40)]
            case _:
                damaged[at:at] = damaged[at : at + chance.randrange(1, 200)]
        if not damaged:
            return b""
    return bytes(damaged)


def odd(chance: random.Random, depth: int = 0) -> Any:
    """A value of JSON that nobody expects."""
    plain = [None, True, -1, 0, 1e308, float("nan"), float("inf"), 10**400, "", "a" * 5000, "b64"]
    if depth > 3 or chance.random() < 0.5:
        return chance.choice(plain)
    names = ("instances", "inputs", "name", "shape", "datatype", "data", "b64", "signature_name")
    if chance.random() < 0.5:
        return [odd(chance, depth + 1) for _ in range(chance.randrange(5))]
    return {chance.choice(names): odd(chance, depth + 1) for _ in range(chance.randrange(5))}


def json_body(chance: random.Random) -> bytes:
    """JSON as TensorFlow Serving and the Open Inference Protocol take it, with odd values."""
    shape = [chance.choice((1, 0, -1, 4, 30_000, 1 << 40)) for _ in range(4)]
    tensor = {
        "name": odd(chance),
        "shape": chance.choice((shape, odd(chance))),
        "datatype": chance.choice(("UINT8", "BYTES", "FP32", odd(chance))),
        "data": odd(chance),
    }
    values = [
        odd(chance),
        {"instances": odd(chance)},
        {"instances": [{"b64": chance.choice(("!", "AAAA", odd(chance)))}]},
        {"instances": [[[[chance.choice((1, 300, -1, "a"))] * chance.choice((1, 3))] * 4] * 4]},
        {"inputs": odd(chance)},
        {"inputs": [tensor]},
        {"inputs": [tensor] * 50},
    ]
    texts = [
        json.dumps(chance.choice(values)),
        "[" * 100_000,
        '{"a":' * 50_000,
        "{",
        "nul",
        "1" * 9999,
    ]
    return chance.choice(texts[:1] * 5 + texts).encode()


def flood(chance: random.Random) -> bytes:
    """Headers that are too many, too long, or contradict each other."""
    good = request(image("JPEG"))
    return chance.choice(
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
            b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03" + chance.randbytes(300),
            chance.randbytes(2000),
        ]
    )


def _truncated(chance: random.Random) -> Attack:
    whole = image(chance.choice(FORMS))
    return Attack("truncated", [request(whole[: chance.randrange(len(whole))])])


def _changed(chance: random.Random) -> Attack:
    return Attack("changed", [request(changed(image(chance.choice(FORMS)), chance))])


def _bomb(chance: random.Random) -> Attack:
    return Attack("bomb", [request(bomb(chance))])


def _wrong(chance: random.Random) -> Attack:
    body = chance.choice(
        [b"", b"text", b"<html>", b"PK\x03\x04" + bytes(99), chance.randbytes(999)]
    )
    kinds = ["text/html", "application/zip", "multipart/form-data; boundary=x", "image/jpeg", "a"]
    path = chance.choice([*PATHS, "/", "/nowhere", "/detect?score=x", "/detect?a=b"])
    return Attack("wrong type", [request(body, path, chance.choice(kinds))])


def _json(chance: random.Random) -> Attack:
    return Attack("json", [request(json_body(chance), chance.choice(PATHS), "application/json")])


def _large(chance: random.Random) -> Attack:
    stated = str(chance.choice((40 << 20, 1 << 40, 10**30)))
    head = request(b"").replace(b"Content-Length: 0", f"Content-Length: {stated}".encode())
    return Attack("too large", [head + bytes(1000)], complete=False)


def _chunked(chance: random.Random) -> Attack:
    head = request(b"").replace(b"Content-Length: 0", b"Transfer-Encoding: chunked")
    bodies = [
        b"5\r\nhello\r\n0\r\n\r\n",
        b"ffffffffffff\r\nhello",
        b"-1\r\n",
        b"5\r\nhell",
        b"zz\r\n",
    ]
    number = chance.randrange(len(bodies))
    return Attack("chunked", [head, bodies[number]], complete=number == 0)


def _flood(chance: random.Random) -> Attack:
    return Attack("flood", [flood(chance)], complete=False)


def _slow(chance: random.Random) -> Attack:
    whole = request(image("JPEG"))
    cut = chance.choice((5, 60, len(whole) - 5))
    parts = [whole[:cut], *(bytes([byte]) for byte in whole[cut : cut + 3])]
    return Attack("slow", parts, complete=False, pause=chance.choice((0.05, 0.5)))


def good(chance: random.Random) -> Attack:
    accept = chance.choice(("application/json", "image/jpeg"))
    return Attack("good", [request(image(chance.choice(FORMS)), Accept=accept)])


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
    good: 6,
}


def attack(chance: random.Random) -> Attack:
    """The next one."""
    (make,) = chance.choices(list(KINDS), list(KINDS.values()))
    return make(chance)
