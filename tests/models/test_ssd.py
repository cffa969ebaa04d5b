"""The specification of a network: written, read, and read as earlier runs wrote it."""

from __future__ import annotations

from boxwright.backend import framework


def test_a_run_of_before_has_the_same_network() -> None:
    """Without the fields that came later; and its files keep weights in the layers' order."""
    framework.keras()
    from boxwright.models.ssd.network import build
    from boxwright.models.ssd.spec import ModelSpec

    written = {
        "name": "ssd_mobilenet_v1",
        "num_classes": 3,
        "depth_multiplier": 0.25,
        "input_size": 96,
        "anchors": {
            "min_scale": 0.2,
            "max_scale": 0.95,
            "aspect_ratios": [1.0, 2.0, 0.5, 3.0, 0.333299994469],
            "scale_factor": 1.0,
        },
        "depthwise_heads": False,
        "head_kernel": 1,
    }
    spec = ModelSpec.from_json(written)
    assert spec == ModelSpec(3, 0.25, 96)
    assert not spec.background
    model = build(spec)
    assert set(model.output) == {"box_encodings", "class_logits"}
    heads = [layer.name for layer in model.layers if layer.name.endswith("Predictor")]
    assert heads == [
        f"BoxPredictor_{i}_{name}Predictor" for name in ("BoxEncoding", "Class") for i in range(6)
    ]
