"""Datasets in and out: one file or folder per format, each with `detect`, `read` and `write`."""

from boxwright.formats.registry import FORMATS, detect, named, read, read_named, write

__all__ = ["FORMATS", "detect", "named", "read", "read_named", "write"]
