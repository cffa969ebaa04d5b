"""What `import boxwright` offers, gathered from the folders that do the work."""

from __future__ import annotations

from boxwright.formats import read
from boxwright.formats.convert import convert
from boxwright.formats.convert import write_proven as write
from boxwright.quality import load
from boxwright.quality.locking import split
from boxwright.quality.merge import merge

__all__ = ["convert", "load", "merge", "read", "split", "write"]
