"""Boxwright: a folder of labelled photos becomes an object detector.

    dataset = boxwright.load("photos")                  # read, repaired, split
    boxwright.convert("photos", "photos-coco", "coco")  # proven
    detector = boxwright.Detector.load("run")           # a run, a SavedModel or a .tflite
    detections = detector.predict("photo.jpg")

Names are imported when they are first used, so `import boxwright` costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from boxwright.api import convert as convert
    from boxwright.api import load as load
    from boxwright.api import merge as merge
    from boxwright.api import read as read
    from boxwright.api import split as split
    from boxwright.api import write as write
    from boxwright.errors import BoxwrightError as BoxwrightError
    from boxwright.inference.detector import Detector as Detector
    from boxwright.structures.dataset import Dataset as Dataset
    from boxwright.structures.detections import Detections as Detections

__version__ = "0.1.0"

_HOMES = {
    "BoxwrightError": "boxwright.errors",
    "Dataset": "boxwright.structures.dataset",
    "Detections": "boxwright.structures.detections",
    "Detector": "boxwright.inference.detector",
    "convert": "boxwright.api",
    "load": "boxwright.api",
    "merge": "boxwright.api",
    "read": "boxwright.api",
    "split": "boxwright.api",
    "write": "boxwright.api",
}

__all__ = [
    "BoxwrightError",
    "Dataset",
    "Detections",
    "Detector",
    "convert",
    "load",
    "merge",
    "read",
    "split",
    "write",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'boxwright' has no attribute {name!r}")
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
