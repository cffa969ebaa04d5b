"""Checkpoints of the Object Detection API: the same network, by name, to the golden numbers."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from boxwright.models import framework

pytestmark = pytest.mark.shared


class Parity(NamedTuple):
    """One of the golden checkpoints, read and built."""

    folder: Path
    pretrained: Any
    model: Any
    report: Any
    outputs: dict[str, Any]  # on io.npz's images, float32 as golden has them
    golden: Any


@pytest.fixture(scope="module", params=["v1_c1", "v1_c90", "v2_c90"])
def parity(request: pytest.FixtureRequest, shared: Path) -> Parity:
    framework.keras()
    from boxwright.models import ssd, weights
    from boxwright.models.checkpoint import read_checkpoint

    folder = shared / f"golden/ckpt_parity_{request.param}"
    pretrained = read_checkpoint(folder / "model.ckpt")
    model = ssd.build(pretrained.spec)
    report = weights.load(model, pretrained, keep_class_head=True)
    golden = np.load(folder / "io.npz")
    inputs = pretrained.preprocessing
    images = golden["images"].astype(np.float32) * inputs.scale + inputs.offset
    raw = {name: np.asarray(each) for name, each in model(images).items()}
    raw["all_logits"] = np.concatenate([raw["background_logits"], raw["class_logits"]], axis=-1)
    return Parity(folder, pretrained, model, report, raw, golden)


def listed(folder: Path) -> dict[str, tuple[tuple[int, ...], str, bool]]:
    """variables.tsv: name to shape, dtype and whether it trains."""
    rows = (folder / "variables.tsv").read_text(encoding="utf-8").splitlines()[1:]
    cells = [row.split("\t") for row in rows if row]
    return {name: (tuple(ast.literal_eval(s)), t, b == "1") for name, s, t, b in cells}


def test_the_network_is_seen_from_the_file(parity: Parity) -> None:
    spec, version = parity.pretrained.spec, parity.folder.name.split("_")[2]
    assert spec.name == f"ssd_mobilenet_{version}"
    assert spec.num_classes == int(parity.folder.name.split("_c")[-1])
    assert (spec.depth_multiplier, spec.min_depth, spec.background) == (1.0, 16, True)


def test_every_variable_has_its_place(parity: Parity) -> None:
    from boxwright.models.variables import variables_by_name

    ours = {
        name: (tuple(variable.shape), variable.dtype, variable.trainable)
        for name, variable in variables_by_name(parity.model).items()
    }
    theirs = listed(parity.folder)
    assert theirs.pop("global_step") == ((), "int64", False)
    assert ours == theirs
    assert not parity.report.reset
    assert set(parity.report.ignored) == {"global_step"}


def test_raw_outputs(parity: Parity) -> None:
    """Largest absolute difference 1e-4 for v1.

    v2's random weights magnify rounding: the golden logits, up to 14, are themselves 3.3e-4 away
    from what float64 gives, and so are ours, with folded batch norm, fused or plain, with oneDNN
    or without, eagerly or in a session of TensorFlow 1.
    """
    largest = 1e-4 if parity.pretrained.spec.name.endswith("v1") else 8e-4
    expected = parity.golden["class_predictions_with_background"]
    assert np.abs(parity.outputs["all_logits"] - expected).max() < largest
    assert np.abs(parity.outputs["box_encodings"] - parity.golden["box_encodings"]).max() < largest


def test_detections(parity: Parity) -> None:
    """The same, in any order: scores that differ by rounding alone may change places."""
    from boxwright.models import ssd
    from boxwright.models.postprocess import postprocess

    golden, outputs = parity.golden, parity.outputs
    anchors = ssd.anchors(parity.pretrained.spec)
    np.testing.assert_allclose(anchors, golden["anchors"], atol=2e-7)
    found = postprocess(outputs["box_encodings"], outputs["class_logits"], anchors)
    for i, (boxes, scores, labels) in enumerate(found):
        count = int(golden["post_num_detections"][i])
        assert len(boxes) == count
        same = labels[:, None] == golden["post_detection_classes"][i, :count]
        same &= np.abs(scores[:, None] - golden["post_detection_scores"][i, :count]) < 1e-4
        moved = np.abs(boxes[:, None] - golden["post_detection_boxes"][i, :count]).max(axis=2)
        same &= moved < 1e-4
        assert same.any(axis=0).all()
        assert same.any(axis=1).all()
