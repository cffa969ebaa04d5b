"""Inference engines: each runs one kind of detector file behind the same interface."""

from boxwright.inference.engines.engine import Engine, network_of
from boxwright.inference.engines.frozen import FrozenEngine
from boxwright.inference.engines.keras import KerasEngine
from boxwright.inference.engines.onnx import OnnxEngine
from boxwright.inference.engines.openvino import OpenVinoEngine
from boxwright.inference.engines.savedmodel import SavedModelEngine
from boxwright.inference.engines.tflite import TFLiteEngine

__all__ = [
    "Engine",
    "FrozenEngine",
    "KerasEngine",
    "OnnxEngine",
    "OpenVinoEngine",
    "SavedModelEngine",
    "TFLiteEngine",
    "network_of",
]
