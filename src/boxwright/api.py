"""What `import boxwright` offers, gathered from the folders that do the work."""

from __future__ import annotations

from boxwright.datasets.convert import convert
from boxwright.datasets.convert import write_verified as write
from boxwright.datasets.frozen_split import split
from boxwright.datasets.load import load
from boxwright.datasets.merge import merge
from boxwright.formats import read

__all__ = ["convert", "load", "merge", "read", "split", "write"]
