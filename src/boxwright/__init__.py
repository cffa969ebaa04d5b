"""Boxwright: train an object detector on a folder of labeled images.

    >>> run = boxwright.train("images", budget="2m", on_event=print)
    >>> print(run.evaluate())
    >>> run.export("tflite", quantize="int8")
    >>> detections = boxwright.predict("image.jpg", "run")

Names are imported when they are first used, so `import boxwright` costs nothing.
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from boxwright.api import Run as Run
    from boxwright.api import check as check
    from boxwright.api import convert as convert
    from boxwright.api import evaluate as evaluate
    from boxwright.api import load as load
    from boxwright.api import merge as merge
    from boxwright.api import read as read
    from boxwright.api import split as split
    from boxwright.api import train as train
    from boxwright.api import write as write
    from boxwright.bench.compare import bench as bench
    from boxwright.diagnosis.diagnose import diagnose as diagnose
    from boxwright.errors import BoxwrightError as BoxwrightError
    from boxwright.evaluation.comparing import compare as compare
    from boxwright.export.export import export as export
    from boxwright.formats import ReadOptions as ReadOptions
    from boxwright.inference.detector import Detector as Detector
    from boxwright.inference.predict import predict as predict
    from boxwright.learning_curve.forecast import forecast as forecast
    from boxwright.openimages.download import download_openimages as download_openimages
    from boxwright.report.run_report import report as report
    from boxwright.structures.dataset import Dataset as Dataset
    from boxwright.structures.detections import Detections as Detections
    from boxwright.suspects.suspects import suspects as suspects
    from boxwright.training.events import Event as Event
    from boxwright.training.recipe import Recipe as Recipe

__version__ = "0.2.0"

_NAMES = {
    "boxwright.api": "Run check convert evaluate load merge read split train write",
    "boxwright.bench.compare": "bench",
    "boxwright.diagnosis.diagnose": "diagnose",
    "boxwright.errors": "BoxwrightError",
    "boxwright.evaluation.comparing": "compare",
    "boxwright.export.export": "export",
    "boxwright.formats": "ReadOptions",
    "boxwright.inference.detector": "Detector",
    "boxwright.inference.predict": "predict",
    "boxwright.openimages.download": "download_openimages",
    "boxwright.report.run_report": "report",
    "boxwright.structures.dataset": "Dataset",
    "boxwright.structures.detections": "Detections",
    "boxwright.suspects.suspects": "suspects",
    "boxwright.training.events": "Event",
    "boxwright.learning_curve.forecast": "forecast",
    "boxwright.training.recipe": "Recipe",
}
_HOMES = {name: home for home, names in _NAMES.items() for name in names.split()}

__all__ = [
    "BoxwrightError",
    "Dataset",
    "Detections",
    "Detector",
    "Event",
    "ReadOptions",
    "Recipe",
    "Run",
    "bench",
    "check",
    "compare",
    "convert",
    "diagnose",
    "download_openimages",
    "evaluate",
    "export",
    "forecast",
    "load",
    "merge",
    "predict",
    "read",
    "report",
    "split",
    "suspects",
    "train",
    "write",
]


class _Face(ModuleType):
    """Protects the functions `bench`, `export`, `report` and `suspects` from the subpackages of the
    same names, which Python would put in their place on import."""

    def __setattr__(self, name: str, value: Any) -> None:
        if not (name in _HOMES and isinstance(value, ModuleType)):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Face


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'boxwright' has no attribute {name!r}")
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
