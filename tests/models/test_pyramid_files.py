"""Files of SSDs with a feature pyramid: kernels that their maps share, found in folded ones."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from boxwright.backend import framework


def test_a_shared_kernel_is_found_in_folded_ones() -> None:
    framework.keras()
    from boxwright.models.weights.tflite import unfolded

    rng = np.random.default_rng(1)
    kernel = rng.normal(size=(1, 1, 6, 4)).astype(np.float32)
    factors = np.array([[1, 2, 0, -0.5], [3, 0.1, 0, 1]], np.float32)
    biases = rng.normal(size=(2, 4)).astype(np.float32)
    folded = [
        {"kernel": kernel * factor, "bias": bias}
        for factor, bias in zip(factors, biases, strict=True)
    ]
    first, second = unfolded(folded)
    np.testing.assert_array_equal(first["kernel"], second["kernel"])
    for arrays, factor, bias in zip((first, second), factors, biases, strict=True):
        scale = arrays["gamma"] / np.sqrt(arrays["moving_variance"] + np.float32(1e-3))
        np.testing.assert_allclose(arrays["kernel"] * scale, kernel * factor, atol=1e-5)
        np.testing.assert_array_equal(arrays["beta"], bias)


@pytest.mark.shared
def test_an_int8_file_of_fpnlite_is_a_start(shared: Path) -> None:
    """Each folded kernel is rounded on its own, so the shared one differs by a step or two."""
    framework.keras()
    from boxwright.models.registry import family, family_of_weights

    path = shared / "weights/fpnlite320_plate_int8.tflite"
    assert family_of_weights(path) == "ssd_fpn"
    pretrained = family("ssd_fpn").read_pretrained(path)
    spec = pretrained.spec
    assert (spec.name, spec.input_size, spec.num_classes) == ("ssd_mobilenet_v2_fpn", 320, 2)
    assert (list(spec.levels), spec.pyramid.depth) == ([3, 4, 5, 6, 7], 128)
    assert (spec.heads.layers, spec.heads.shared_tower, spec.heads.depthwise) == (4, True, True)
    assert len(pretrained.layers) == 123
    heads = [pretrained.layers[f"BoxPredictor_{i}_ClassPredictor"] for i in range(5)]
    assert heads[0]["kernel"].shape == (1, 1, 128, 12)
    assert all(np.array_equal(each["kernel"], heads[0]["kernel"]) for each in heads)
    towers = [pretrained.layers[f"BoxPredictor_{i}_PredictionTower_conv2d_3"] for i in range(5)]
    assert all(np.array_equal(each["kernel"], towers[0]["kernel"]) for each in towers)
    assert not np.array_equal(towers[0]["gamma"], towers[1]["gamma"])
