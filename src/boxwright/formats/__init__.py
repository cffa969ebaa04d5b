"""Datasets in and out: one file or folder per format, each with `detect`, `read` and `write`."""

from boxwright.formats.options import ReadOptions as ReadOptions
from boxwright.formats.registry import FORMATS, detect, named, read, read_named, write

__all__ = ["FORMATS", "ReadOptions", "detect", "named", "read", "read_named", "write"]
