"""What `import boxwright` offers, gathered from the folders that do the work."""

from __future__ import annotations

from boxwright.quality import load

__all__ = ["load"]
