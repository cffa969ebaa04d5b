"""Photos that show the same: copies, resized or saved again, with a caption, or the next frame.

If one of them trains the detector and another tests it, the score is too good to be true.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

SIDE = 16  # pixels of a thumbnail's side
FLAT = 2.0  # grey levels of contrast below which photos count as flat, and as alike
ALIKE = 0.94  # copies correlate above 0.98, different photos of one place seldom above 0.86
BLOCK = 1024  # photos compared with all others at once: 40 MB for 10,000 photos


def photo_hash(photo: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """What a photo looks like from afar: `(H, W, 3)` uint8 to a grey thumbnail, `(256,)` uint8."""
    grey = Image.fromarray(photo).convert("L").resize((SIDE, SIDE), Image.Resampling.BOX)
    return np.asarray(grey).reshape(-1)


def groups(hashes: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Group ids `(N,)`, from 0 without gaps, of photos whose hashes `(N, 256)` are alike.

    Two photos are alike if their thumbnails correlate (Pearson) above `ALIKE`, whatever their
    brightness and contrast; whoever is like a member of a group belongs to it.
    """
    pixels = np.asarray(hashes, np.float32).reshape(len(hashes), SIDE * SIDE)
    vectors = np.empty((len(pixels), SIDE * SIDE + 1), np.float32)
    vectors[:, :-1] = pixels - pixels.mean(axis=1, keepdims=True)
    vectors[:, -1] = FLAT * SIDE
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    group = np.arange(len(vectors))
    for start in range(0, len(vectors), BLOCK):
        stop = min(start + BLOCK, len(vectors))
        alike = vectors[start:stop] @ vectors[:stop].T >= ALIKE
        for row in np.flatnonzero(alike.sum(axis=1) > 1):
            joined = np.unique(group[:stop][alike[row]])
            if len(joined) > 1:
                group[np.isin(group, joined)] = joined[0]
    return np.unique(group, return_inverse=True)[1].astype(np.int64)
