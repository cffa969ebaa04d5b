"""What the documentation says about a format; its module has the text."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class About:
    """The section of a format in docs/reference/formats.md.

    Attributes:
        sources: who writes the format.
        files: the files that are read, and where they may be.
        detected: how they are recognized.
        written: the files that `write` makes beside the images, as patterns for a folder that has
            all splits.
        quirks: what is particular about reading or writing it, one sentence or more each.
    """

    sources: str
    files: str
    detected: str
    written: tuple[str, ...]
    quirks: tuple[str, ...]
