"""What a reader may make of damaged annotations."""

from __future__ import annotations

from pathlib import Path

from boxwright import formats
from boxwright.errors import DataError

CODES = {"BW101", "BW110", "BW112", "BW114", "BW160", "BW161", "BW163"}


def images_or_refusal(
    folder: str | Path, *more: str, form: str | None = None
) -> tuple[str, ...] | None:
    """The images of a damaged folder; None if it is refused as it may be.

    A refusal has a place, a remedy, and one of `CODES` or of the codes in `more`.
    """
    try:
        return formats.read(folder, form).names
    except DataError as error:
        refusal = error
    assert refusal.code in {*CODES, *more}
    assert refusal.where
    assert refusal.remedy
    return None
