"""The layout of a model's folder in a repository of the Triton Inference Server."""

from __future__ import annotations

from pathlib import Path

CONFIG_NAME = "config.pbtxt"
VERSION = "1"
NETWORK = Path(VERSION, "model.onnx")
