"""A bound for the memory of decoding, over all threads of the process together."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from PIL import Image

from boxwright.images.options import MAX_PIXELS


class PixelBudget:
    """The pixels that all threads together may have in decoding.

    A thread must not hold the budget twice: it could wait for itself.
    """

    def __init__(self, pixels: int) -> None:
        self._pixels = pixels
        self._held = 0
        self._changed = threading.Condition()

    @contextmanager
    def hold(self, pixels: int) -> Iterator[None]:
        """Wait until there is room for `pixels`. A larger image than the budget is alone."""
        with self._changed:
            self._changed.wait_for(lambda: not self._held or self._held + pixels <= self._pixels)
            self._held += pixels
        try:
            yield
        finally:
            with self._changed:
                self._held -= pixels
                self._changed.notify_all()


class _PillowLimit:
    """Pillow's limit of pixels, which is one for the whole process, and its users at the time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._users = 0
        self._usual: int | None = None

    @contextmanager
    def lifted(self) -> Iterator[None]:
        with self._lock:
            if not self._users:
                self._usual, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
            self._users += 1
        try:
            yield
        finally:
            with self._lock:
                self._users -= 1
                if not self._users:
                    Image.MAX_IMAGE_PIXELS = self._usual


DECODING = PixelBudget(MAX_PIXELS)
without_pillow_limit = _PillowLimit().lifted
