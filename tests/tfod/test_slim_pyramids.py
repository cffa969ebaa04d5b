"""Feature pyramids of TensorFlow 1: outputs equal to those that the Object Detection API itself
computed from the same config and weights (`benchmarks/odapi_reference.py`)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from boxwright.tfod.config import parse_config
from named_weights import weights


@pytest.mark.parametrize("case", ["v1_fpn_slim", "v2_fpn_slim"])
def test_outputs(case: str) -> None:
    from boxwright.tfod.mapping.network import family_of, spec_of

    golden = np.load(Path(__file__).parent / f"odapi_{case}.npz")
    config = parse_config(str(golden["config"]))
    model = family_of(config.pipeline).build(spec_of(config))
    own = model.named_variables()
    assert own.keys() == set(golden["names"].tolist())
    for name, variable in own.items():
        variable.assign(weights(name, tuple(variable.shape)))
    np.testing.assert_allclose(model.anchors, golden["anchors"], atol=1e-6)
    inputs = golden["images"].astype(np.float32) * np.float32(2 / 255) - 1
    found = model.network(inputs, training=False)
    classes = golden["class_predictions"]
    for name, theirs in (
        ("box_encodings", golden["box_encodings"]),
        ("background_logits", classes[..., :1]),
        ("class_logits", classes[..., 1:]),
    ):
        apart = np.abs(np.asarray(found[name]) - theirs).max()
        assert apart < 1e-3 * np.abs(theirs).max(), name
