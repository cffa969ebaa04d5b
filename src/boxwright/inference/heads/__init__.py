"""Heads of other tools' detectors: networks that end before the detection post-processing.

Each module recognizes one kind by the shapes and names of the outputs, and by what the file says.
"""

from boxwright.inference.heads import maps, nanodet, raw, ssd, yolo
from boxwright.inference.heads.head import Facts, Head

RECOGNIZERS = (raw.recognize, ssd.recognize, nanodet.recognize, yolo.recognize, maps.recognize)

__all__ = ["Facts", "Head", "recognized"]


def recognized(facts: Facts) -> Head | None:
    """The head of a network without post-processing; None if it is unknown."""
    heads = (recognize(facts) for recognize in RECOGNIZERS)
    return next((head for head in heads if head), None)
