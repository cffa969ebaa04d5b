"""Learning curves: AP of detectors trained on few images, compared with no training.

    python benchmarks/few_images.py ../shared/data/raccoon ../shared/data/bccd \
        --weights ../shared/weights/ssd_mobilenet_v1_coco_quant.tflite

Each seed draws its images from the training set. Evaluation uses the test set, or else the
validation set. The length of a training is a number of images, so a busy machine does not affect
the result.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from boxwright import Detector
from boxwright.api import load
from boxwright.evaluation.coco import evaluate
from boxwright.models.registry import family_of_weights
from boxwright.structures.dataset import Dataset
from boxwright.training.learning_rates import Constant
from boxwright.training.loop import train
from boxwright.training.recipe import recipe_for

COUNTS = (5, 10, 20, 40, 80, 160)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path, nargs="+")
    parser.add_argument("--weights", type=Path, required=True)
    parser.add_argument("--images", type=int, nargs="*", default=COUNTS)
    parser.add_argument(
        "--seen", type=int, default=600, help="images that a training sees, with repetitions"
    )
    parser.add_argument("--input-size", type=int, help="instead of the one for long trainings")
    parser.add_argument("--seeds", type=int, default=3)
    given = parser.parse_args()
    size = given.input_size
    for folder in given.data:
        whole = load(folder)
        labeled = whole.split("train")
        judges = whole.split("test") if len(whole.split("test")) else whole.split("val")
        show(folder.name, "none", [measure(labeled, judges, given.weights, size, 0, seed=0)])
        for count in given.images:
            drawn = list(draws(labeled, count, given.seeds))
            found = [
                measure(images, judges, given.weights, size, given.seen, seed)
                for seed, images in enumerate(drawn)
            ]
            show(folder.name, str(len(drawn[0])), found)


def draws(images: Dataset, count: int, seeds: int) -> Iterator[Dataset]:
    """Yield `count` random images for each seed, or all if there are fewer."""
    for seed in range(seeds):
        order = np.random.default_rng(seed).permutation(len(images))
        yield images.select(np.sort(order[:count]))


def measure(
    images: Dataset, judges: Dataset, weights: Path, size: int | None, seen: int, seed: int
) -> tuple[float, float]:
    """Return AP and AP50 after training on a number of images; 0 means no training."""
    family = family_of_weights(weights)
    recipe = recipe_for(images, pretrained=True, steps=1, seed=seed, model=family, input_size=size)
    recipe = replace(recipe, steps=max(seen // recipe.batch_size, 1))
    if not seen:
        recipe = replace(recipe, learning_rate=Constant(0.0))
    with tempfile.TemporaryDirectory() as folder:
        run = Path(folder) / "run"
        train(images, out=run, weights=weights, recipe=recipe)
        paths = [judges.image(i) for i in range(len(judges))]
        found = Detector.load(run).predict_many(paths, threshold=0)
        result = evaluate(judges, list(found), resamples=0, sizes=False)
    return result.ap or 0.0, result.ap50 or 0.0


def show(name: str, count: str, found: list[tuple[float, float]]) -> None:
    shown = []
    for title, values in zip(("AP", "AP50"), zip(*found, strict=True), strict=True):
        lowest, low, middle, high, highest = np.quantile(values, (0, 0.25, 0.5, 0.75, 1))
        quartiles = f"quartiles {low:.3f} and {high:.3f}, all {lowest:.3f} to {highest:.3f}"
        shown.append(f"{title} {middle:.3f} ({quartiles})")
    print(f"{name:10} {count:>4} images  {'  '.join(shown)}", flush=True)


if __name__ == "__main__":
    main()
