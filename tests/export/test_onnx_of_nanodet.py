"""ONNX files of NanoDet-Plus compute what the Keras model computes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from boxwright.export.onnx import write_onnx
from boxwright.images.preprocessing import Preprocessing
from boxwright.inference.artifact import Artifact
from boxwright.inference.detector import Detector
from boxwright.inference.engines import KerasEngine
from exporting import assert_same

pytestmark = pytest.mark.usefixtures("small_network")


def test_nanodet_with_units_that_keep_the_size(written: Path) -> None:
    """Their inputs are split into halves."""
    from boxwright.models.nanodet_plus.detector import NanoDetModel

    spec = NanoDetModel.spec_for(2, 64, depth_multiplier=0.1)
    model, random = NanoDetModel.build(spec), np.random.default_rng(4)
    assert any(type(each).__name__ == "Split" for each in model.network.operations)
    for weight in model.network.weights:
        if weight.path.endswith("kernel"):
            weight.assign(random.normal(0, np.prod(weight.shape[:-1]) ** -0.5, weight.shape))
        elif weight.path.endswith(("beta", "moving_mean", "bias")):
            weight.assign(random.normal(0, 0.1, weight.shape))
    artifact = Artifact({}, ("a", "b"), Preprocessing(64))
    images = random.integers(0, 256, (2, 64, 64, 3), np.uint8)
    write_onnx(written / "nanodet.onnx", model, artifact)
    engines = (
        Detector.load(written / "nanodet.onnx").engine,
        KerasEngine(model, artifact.preprocessing),
    )
    found, expected = ([tuple(part[:10] for part in one) for one in run(images)] for run in engines)
    assert_same(expected, found)
