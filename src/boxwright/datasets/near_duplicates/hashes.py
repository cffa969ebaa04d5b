"""The hash of an image: a digest that identifies equal pixels, and a small gray thumbnail."""

from __future__ import annotations

import struct

import google_crc32c
import numpy as np
from numpy.typing import NDArray
from PIL import Image

Bytes = NDArray[np.uint8]

SIDE = 64  # pixels of a thumbnail's side
DIGEST = 8  # bytes of the digest
HASHED = DIGEST + SIDE * SIDE  # bytes of a hash


def image_hash(gray: Image.Image) -> Bytes:
    """The hash of a gray picture (mode L), `(HASHED,)` uint8: digest, then thumbnail."""
    thumbnail = gray.resize((SIDE, SIDE), Image.Resampling.BILINEAR).tobytes()
    digest = struct.pack("<II", *map(google_crc32c.value, (gray.tobytes(), thumbnail)))
    return np.frombuffer(digest + thumbnail, np.uint8)


def digests(hashes: Bytes) -> NDArray[np.uint64]:
    """`(N,)` digests of hashes `(N, HASHED)`."""
    return np.ascontiguousarray(hashes[:, :DIGEST]).view(np.uint64).reshape(-1)


def thumbnails(hashes: Bytes) -> Bytes:
    """`(N, SIDE, SIDE)` gray levels of hashes `(N, HASHED)`, a view of them."""
    return hashes[:, DIGEST:].reshape(-1, SIDE, SIDE)
