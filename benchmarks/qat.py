"""Limit of the match with the API's golden outputs: the effect of a single rounding.

Run from the root of the repository, with the golden outputs beside it:
`.venv/bin/python benchmarks/qat.py ../shared/golden/ckpt_parity_v2_c90`
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np

from boxwright.backend import framework


def largest(first: Any, second: Any) -> str:
    """Return the largest absolute difference of two arrays."""
    return f"{np.abs(np.asarray(first) - np.asarray(second)).max():.1e}"


def main(golden: Path) -> None:
    framework.keras()
    from boxwright.models.ssd.network import build
    from boxwright.models.weights.checkpoint import read_checkpoint
    from boxwright.tfod.checkpoint import resume

    expected = np.load(golden / "io.npz")
    model = build(read_checkpoint(golden).spec)
    resume(model, golden)
    pixels = expected["images"].astype(np.float32)
    inputs = {
        "x * (2 / 255) - 1": pixels * np.float32(2 / 255) - np.float32(1),
        "x / 127.5 - 1, rounded differently": pixels / np.float32(127.5) - np.float32(1),
    }
    logits = {name: model.predict_on_batch(each)["class_logits"] for name, each in inputs.items()}
    for name, own in logits.items():
        theirs = expected["class_predictions_with_background"][..., 1:]
        print(f"difference from the golden logits, {name}: {largest(own, theirs)}")
    print("difference between the two logits:", largest(*logits.values()))
    print("difference between the two inputs:", largest(*inputs.values()))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
