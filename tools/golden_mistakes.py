"""Make the golden values of TIDE for the tests.

    python -m venv tide
    tide/bin/pip install tidecv==1.0.1 opencv-python-headless setuptools
    tide/bin/python tools/golden_mistakes.py tests/evaluation/golden_mistakes.json

It runs in an environment of its own: Boxwright needs neither tidecv nor OpenCV. The sets are drawn
with NumPy alone, and written beside the values.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

SETS, IMAGES, CLASSES = 20, 8, 3


def main() -> None:
    golden = []
    for seed in range(SETS):
        drawn = images(np.random.default_rng(seed))
        golden.append({"images": drawn, **values(drawn)})
    Path(sys.argv[1]).write_text(json.dumps(golden, separators=(",", ":")) + "\n", "utf-8")


def images(rng: np.random.Generator) -> list[dict[str, Any]]:
    """Images with truth and detections, each `[class, xmin, ymin, xmax, ymax, crowd or score]`."""
    drawn = []
    for _ in range(IMAGES):
        truth, found = [], []
        for _ in range(rng.integers(0, 6)):
            corner, side = rng.integers(0, 200, 2), rng.integers(20, 120, 2)
            label = int(rng.integers(CLASSES))
            box = [*corner.tolist(), *(corner + side).tolist()]
            truth.append([label, *box, int(rng.random() < 0.1)])
            for _ in range(rng.integers(0, 4)):
                moved = np.add(box, rng.integers(-25, 26, 4)).tolist()
                kind = label if rng.random() < 0.75 else int(rng.integers(CLASSES))
                found.append([kind, *moved, round(float(rng.random()), 9)])
        for _ in range(rng.integers(0, 3)):
            corner, side = rng.integers(0, 200, 2), rng.integers(20, 120, 2)
            box = [*corner.tolist(), *(corner + side).tolist()]
            found.append([int(rng.integers(CLASSES)), *box, round(float(rng.random()), 9)])
        drawn.append({"truth": truth, "found": found})
    return drawn


def values(drawn: list[dict[str, Any]]) -> dict[str, Any]:
    """AP50 and the six losses by tidecv, as parts of 1."""
    from tidecv import TIDE, Data

    truth, found = Data("truth"), Data("found")
    for number, image in enumerate(drawn):
        for data in (truth, found):
            data.add_image(number, str(number))
        for label, *box, crowd in image["truth"]:
            add = truth.add_ignore_region if crowd else truth.add_ground_truth
            add(number, label, sides(box))
        for label, *box, score in image["found"]:
            found.add_detection(number, label, score, sides(box))
    for label in range(CLASSES):
        truth.add_class(label, str(label))
        found.add_class(label, str(label))
    run = TIDE().evaluate(truth, found, pos_threshold=0.5, background_threshold=0.1)
    losses = run.fix_main_errors()
    named = {kind.short_name: value / 100 for kind, value in losses.items()}
    order = ("Cls", "Loc", "Both", "Dupe", "Bkg", "Miss")
    return {"ap50": run.ap / 100, "losses": [named[name] for name in order]}


def sides(box: list[float]) -> list[float]:
    return [box[0], box[1], box[2] - box[0], box[3] - box[1]]


if __name__ == "__main__":
    main()
