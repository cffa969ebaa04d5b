"""Whether the forecast of `boxwright forecast` holds: from half of the images to all of them.

    python benchmarks/forecast.py ../shared/data/raccoon ../shared/data/bccd ../shared/data/hardhat

For each dataset and seed, half of the training images (near-duplicates together) make a forecast
for twice as many, from eight trainings on their quarters, halves and all. Then one training on all
images of the dataset says whether its AP on the test images is in the 80 % interval. Finished cases
are kept as lines of JSON in `--cache`, and are not made again.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

import boxwright
from boxwright.datasets.checks.measure import hash_images
from boxwright.datasets.near_duplicates import groups
from boxwright.evaluation.coco import evaluate
from boxwright.learning_curve.forecast import forecast
from boxwright.structures.dataset import Dataset, Split
from boxwright.training.folds import Training, divided
from boxwright.training.request import TrainingRequest

OTHER_SEED = 1000  # of the training that the forecast is for


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path, nargs="+")
    parser.add_argument("--cache", type=Path, default=Path("forecasts.jsonl"))
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=120, help="of each training")
    parser.add_argument("--input-size", type=int, default=320)
    given = parser.parse_args()
    known = given.cache.read_text("utf-8").splitlines() if given.cache.is_file() else []
    cases = {(one["data"], one["seed"], one["steps"]): one for one in map(json.loads, known)}
    wanted = [(path, seed) for seed in range(given.seeds) for path in given.data]
    for path, seed in wanted:
        key = (path.name, seed, given.steps)
        if key not in cases:
            cases[key] = dict(zip(("data", "seed", "steps"), key, strict=True)) | measured(
                given, with_test_images(boxwright.load(path)), seed
            )
            with given.cache.open("a", encoding="utf-8") as lines:
                lines.write(json.dumps(cases[key]) + "\n")
        one = cases[key]
        low, high = one["interval_80"]
        print(
            f"{path.name:8} seed {seed}: AP {one['now']:.3f} with {one['images']} images, forecast "
            f"{one['forecast']:.3f} ({low:.3f} to {high:.3f}), was {one['was']:.3f}, "
            f"{'held' if low <= one['was'] <= high else 'missed'}",
            flush=True,
        )
    held = [one["interval_80"][0] <= one["was"] <= one["interval_80"][1] for one in cases.values()]
    width = np.median([np.ptp(one["interval_80"]) for one in cases.values()])
    print(f"held in {sum(held)} of {len(held)}; median width {width:.3f}")


def with_test_images(data: Dataset) -> Dataset:
    """The dataset; if it has no test images, its validation images are for testing."""
    if np.any(data.splits == Split.TEST):
        return data
    splits = np.where(data.splits == Split.VAL, Split.TEST, data.splits)
    return replace(data, splits=splits.astype(np.int8))


def measured(given: argparse.Namespace, data: Dataset, seed: int) -> dict[str, Any]:
    """The forecast from half of the images, and the AP of a training on all."""
    images, hashes = hash_images(data.select(data.splits != Split.TEST))
    half = images.select(divided(groups(hashes), 2, seed) == 0)
    options = {"steps": given.steps, "input_size": given.input_size, "seed": seed}
    settings = {"input_size": given.input_size}
    foreseen = forecast(
        half.merge(data.split("test")), steps=given.steps, recipe=settings, seed=seed, tell=print
    )
    everything = replace(images, splits=np.full(len(images), Split.TRAIN, np.int8))
    asked = TrainingRequest(everything, Path(), **options)
    recipe = replace(asked.recipe_for(everything), held_out=0.0)
    test = data.split("test")
    with TemporaryDirectory() as folder:
        training = Training.of(asked, recipe)
        detector = training.detector(everything, Path(folder) / "run", seed + OTHER_SEED)
        was = evaluate(test, list(detector.detections_in(test)), resamples=0).ap
    return {
        "images": foreseen.images,
        "now": foreseen.ap,
        "forecast": foreseen.twice.ap,
        "interval_80": foreseen.twice.interval,
        "points": foreseen.points,
        "was": was,
    }


if __name__ == "__main__":
    main()
