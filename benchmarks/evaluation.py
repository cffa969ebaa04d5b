"""Time and memory of an evaluation, beside pycocotools in the same run.

    python benchmarks/evaluation.py --images 5000 --classes 3

Images and detections are drawn at random: about 7 truth boxes an image, and a fifth of the
detections lie on one of them. Every step is a process of its own, so that its peak of memory is
its own. Times are of the processor, so that other work on the machine changes little.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from typing import Any

import numpy as np

from boxwright.structures.dataset import Dataset, LabeledImage
from boxwright.structures.detections import Detections

STEPS = ("pycocotools", "numbers", "paired")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, default=5000)
    parser.add_argument("--detections", type=int, default=100, help="of each image")
    parser.add_argument("--classes", type=int, default=3)
    parser.add_argument("--resamples", type=int, default=1000)
    parser.add_argument("--step", choices=STEPS)
    given = parser.parse_args()
    if given.step:
        data = drawn(given.images, given.detections, given.classes)
        started = time.process_time()  # all steps have one thread
        result = globals()[given.step](*data, given.resamples)
        seconds = time.process_time() - started
        print(json.dumps({"seconds": seconds, "gigabytes": peak(), "result": result}))
        return
    done = {step: run(step, sys.argv[1:]) for step in STEPS}
    reference = done["pycocotools"]
    for step, one in done.items():
        share = one["seconds"] / reference["seconds"]
        print(
            f"{step:12} {one['seconds']:7.1f} s, {share:6.3f} of pycocotools, "
            f"{one['gigabytes']:.2f} GB at most"
        )
    pairs = zip(reference["result"], done["numbers"]["result"], strict=True)
    print(f"largest difference of the 12 numbers {max(abs(a - b) for a, b in pairs):.1e}")


def run(step: str, arguments: list[str]) -> dict[str, Any]:
    """Run one step in a process of its own."""
    command = [sys.executable, __file__, *arguments, "--step", step]
    shown = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    result: dict[str, Any] = json.loads(shown.splitlines()[-1])
    return result


def peak() -> float:
    """Peak of this process' memory, GB; 0 where the system does not tell."""
    try:
        import resource
    except ImportError:
        return 0.0
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6


def pycocotools(truth: Dataset, detections: list[Detections], resamples: int) -> list[float]:
    """One evaluation by pycocotools, without the time to make its annotations."""
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    def loaded(boxes: Any, image: Any, labels: Any, scores: Any) -> Any:
        sides = boxes[:, 2:].astype(float) - boxes[:, :2]
        coco = COCO()
        coco.dataset = {
            "images": [{"id": i} for i in range(len(truth))],
            "categories": [{"id": i, "name": name} for i, name in enumerate(truth.classes)],
            "annotations": [
                {
                    "id": i + 1,
                    "image_id": int(image[i]),
                    "category_id": int(labels[i]),
                    "bbox": [*map(float, boxes[i, :2]), *map(float, sides[i])],
                    "area": float(sides[i].prod()),
                    "iscrowd": 0,
                    "score": float(scores[i]),
                }
                for i in range(len(boxes))
            ],
        }
        coco.createIndex()
        return coco

    ones = np.ones(len(truth.boxes))
    wanted = loaded(truth.boxes, truth.image_of_box, truth.labels, ones)
    found = loaded(
        np.concatenate([one.boxes for one in detections]),
        np.repeat(np.arange(len(truth)), [len(one) for one in detections]),
        np.concatenate([one.labels for one in detections]),
        np.concatenate([one.scores for one in detections]),
    )
    evaluation = COCOeval(wanted, found, "bbox")
    evaluation.evaluate()
    evaluation.accumulate()
    evaluation.summarize()
    return [float(value) for value in evaluation.stats]


def numbers(truth: Dataset, detections: list[Detections], resamples: int) -> list[float]:
    """The same by Boxwright."""
    from boxwright.evaluation.coco import evaluate

    measured = evaluate(truth, detections, resamples=0)
    return [-1.0 if value is None else value for value in measured.coco.values()]


def paired(truth: Dataset, detections: list[Detections], resamples: int) -> list[float]:
    """The paired bootstrap of two lists of detections."""
    from boxwright.evaluation.comparison import paired_loss

    noise = np.random.default_rng(1)
    other = [
        Detections(one.boxes, one.scores * noise.uniform(0.5, 1, len(one)), one.labels, one.classes)
        for one in detections
    ]
    loss = paired_loss(truth, detections, other, resamples=resamples)
    return [] if loss.value is None else [loss.value]


def drawn(images: int, per_image: int, classes: int) -> tuple[Dataset, list[Detections]]:
    rng = np.random.default_rng(0)
    names = tuple(f"class {i}" for i in range(classes))
    truth, detections = [], []
    for index in range(images):
        wanted = boxes(rng, int(rng.poisson(7)))
        labels = rng.integers(classes, size=len(wanted))
        found, ids, scores = (
            boxes(rng, per_image),
            rng.integers(classes, size=per_image),
            rng.random(per_image),
        )
        if len(wanted):
            near = np.flatnonzero(rng.random(per_image) < 0.2)
            source = rng.integers(len(wanted), size=len(near))
            found[near] = wanted[source] + rng.normal(0, 8, (len(near), 4))
            ids[near], scores[near] = labels[source], (1 + scores[near]) / 2
        truth.append(LabeledImage(f"{index}.jpg", 800, 800, wanted, [names[i] for i in labels]))
        detections.append(Detections(found, scores, ids, names))
    return Dataset.of("images", truth, names), detections


def boxes(rng: np.random.Generator, count: int) -> Any:
    corner = rng.uniform(0, 500, (count, 2))
    return np.hstack([corner, corner + np.exp(rng.uniform(2.3, 5.5, (count, 2)))])


if __name__ == "__main__":
    main()
