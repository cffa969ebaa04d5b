"""The golden checkpoints, read and written again: the same names, shapes, dtypes and bits."""

from __future__ import annotations

import ast
from pathlib import Path

import numpy as np
import pytest

from boxwright.backend import framework


@pytest.mark.shared
@pytest.mark.parametrize("checkpoint", ["v1_c1", "v2_c90"])
def test_bit_for_bit(shared: Path, tmp_path: Path, checkpoint: str) -> None:
    """Names, shapes and dtypes as variables.tsv lists them."""
    framework.keras()
    from boxwright.models.ssd.network import build
    from boxwright.models.weights.checkpoint import read_checkpoint, read_variables
    from boxwright.tfod.checkpoint import resume, save

    golden = shared / f"golden/ckpt_parity_{checkpoint}"
    model = build(read_checkpoint(golden).spec)
    resumed = resume(model, golden)
    assert not resumed.slots
    prefix = save(tmp_path, model, resumed.step)
    written, expected = read_variables(prefix), read_variables(golden)
    assert written.keys() == expected.keys()
    for name, value in written.items():
        assert value.tobytes() == expected[name].tobytes(), name

    tf = framework.tensorflow()
    rows = (golden / "variables.tsv").read_text(encoding="utf-8").splitlines()[1:]
    cells = [row.split("\t") for row in rows if row]
    wanted = {each: (ast.literal_eval(shape), dtype) for each, shape, dtype, _ in cells}
    reader = tf.train.load_checkpoint(str(prefix))
    dtypes = reader.get_variable_to_dtype_map()
    listed = tf.train.list_variables(str(prefix))
    assert {each: (shape, dtypes[each].name) for each, shape in listed} == wanted


@pytest.mark.parametrize("image", range(4))
def test_images_are_resized_as_by_the_api(image: int, shared: Path) -> None:
    """Also a single row of pixels, and one that is as large already."""
    from boxwright.tfod.graphs import resized

    golden, tf = np.load(shared / "golden" / "preprocess.npz"), framework.tensorflow()
    ours = resized(tf, golden[f"image_{image}"][None], 300) * (2 / 255) - 1
    np.testing.assert_allclose(ours, golden[f"preprocessed_{image}"], atol=2e-6)
