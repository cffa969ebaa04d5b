"""The engines: each runs one kind of detector behind the same small interface."""

from boxwright.runtime.engines.engine import Engine
from boxwright.runtime.engines.frozen import FrozenEngine
from boxwright.runtime.engines.keras import KerasEngine
from boxwright.runtime.engines.onnx import OnnxEngine
from boxwright.runtime.engines.openvino import OpenVinoEngine
from boxwright.runtime.engines.savedmodel import SavedModelEngine
from boxwright.runtime.engines.tflite import TFLiteEngine

__all__ = [
    "Engine",
    "FrozenEngine",
    "KerasEngine",
    "OnnxEngine",
    "OpenVinoEngine",
    "SavedModelEngine",
    "TFLiteEngine",
]
