"""Errors as JSON."""

from __future__ import annotations

from boxwright.errors import BoxwrightError


def error_json(error: BoxwrightError) -> dict[str, str]:
    """An error in words: its code, a sentence with its place, and what to do."""
    place = f"{error.where}: " if error.where else ""
    return {"code": error.code, "message": place + error.message, "remedy": error.remedy}
