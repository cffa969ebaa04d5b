"""The registry of outputs.

A record passes through the outputs in this order, and they finish in it: the JSON at the end also
has what the others have said.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from boxwright.formats import FORMATS
from boxwright.structures.registry import Registry

if TYPE_CHECKING:
    from boxwright.outputs.output import Output

LABELS = "-labels"  # ends the name of an output that is a format of labels

OUTPUTS: Registry[Output] = Registry(
    {
        "crops": "boxwright.outputs.crops:OUTPUT",
        "frames": "boxwright.outputs.frames:OUTPUT",
        "video": "boxwright.outputs.video:OUTPUT",
        "drawn": "boxwright.outputs.drawn:OUTPUT",
        "jsonl": "boxwright.outputs.text_files:JSON_LINES",
        "csv": "boxwright.outputs.text_files:CSV",
        "mot": "boxwright.outputs.mot:OUTPUT",
        "coco": "boxwright.outputs.text_files:COCO",
        **{f"{form}{LABELS}": f"boxwright.outputs.labels:OUTPUTS.{form}" for form in FORMATS},
        "table": "boxwright.outputs.printed:OUTPUT",
        "json": "boxwright.outputs.text_files:JSON",
    }
)
