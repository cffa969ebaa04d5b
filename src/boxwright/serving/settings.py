"""What the user of a server decides."""

from __future__ import annotations

from dataclasses import dataclass

PORT = 8501  # that of TensorFlow Serving's REST interface, so that its clients need no change


@dataclass(frozen=True)
class Settings:
    """What the user of a server decides about its work.

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
    max_bytes: int = 32 << 20
    max_pixels: int = 50_000_000
    label_studio_url: str | None = None


@dataclass(frozen=True)
class Access:
    """Who may send requests.

    Attributes:
        hosts: the names in Host headers to answer to, without port; None for all.
        token: what a request has to state, as a bearer token or as the password of basic
            authentication; None for nothing.
        origins: sites whose pages may send requests too, such as `https://example.org`; `*` for
            all.
    """

    hosts: frozenset[str] | None
    token: str | None = None
    origins: tuple[str, ...] = ()
