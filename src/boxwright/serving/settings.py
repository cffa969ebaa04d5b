"""What the user of a server decides."""

from __future__ import annotations

from dataclasses import dataclass

MAX_BYTES = 32 << 20
MAX_PIXELS = 50_000_000


@dataclass(frozen=True)
class Settings:
    """What the user of a server decides.

    Attributes:
        workers: threads that decode images and run networks.
        queue: requests that may wait for a worker; more get 429.
        timeout: seconds from the admission of a request to its answer, or 504.
        max_bytes: of a request's body; more get 413.
        max_pixels: of an image, as its header states them; more get 413.
        label_studio_url: the only origin that images are fetched from; None for none.
    """

    workers: int = 2
    queue: int = 64
    timeout: float = 30.0
    max_bytes: int = MAX_BYTES
    max_pixels: int = MAX_PIXELS
    label_studio_url: str | None = None
