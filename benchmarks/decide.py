"""Test whether a change of the recipe improves AP, on validation folds of the training images.

Leave-one-out over datasets: the best change on all other datasets must also help on the last.

    python benchmarks/decide.py ../shared/data/raccoon ../shared/data/bccd ../shared/data/hardhat \
        --weights ../shared/weights/ssd_mobilenet_v1_coco_quant.tflite \
        --change learning_rate.peak=1e-3 --change frozen_through=3,train_depthwise=True \
        --change "objective.classification_loss={'kind': 'Focal'}"

Test images are never used. The length of a training is a number of images, so a busy machine does
not affect the result. Give a change that slows down a step fewer images (`--change a=b@0.8`). All
variants of a fold use the same images and the same random numbers.
"""

from __future__ import annotations

import argparse
import ast
import statistics
import tempfile
from collections import defaultdict
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from boxwright import Detector
from boxwright.api import load
from boxwright.datasets.split import hold_out
from boxwright.evaluation.coco import evaluate
from boxwright.models.registry import family_of_weights
from boxwright.structures.dataset import Dataset, Split
from boxwright.training.config import from_config
from boxwright.training.loop import train
from boxwright.training.recipe import Recipe, config_classes, recipe_for

AS_IT_IS = "as it is"
Scores = dict[str, dict[str, list[float]]]  # by variant and dataset, one per fold


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path, nargs="+")
    parser.add_argument("--weights", type=Path, required=True)
    parser.add_argument("--change", action="append", default=[], metavar="FIELD=VALUE,...[@PART]")
    parser.add_argument(
        "--images",
        type=int,
        default=5700,
        help="images per training; the default takes a minute on an idle machine",
    )
    parser.add_argument("--folds", type=int, default=3)
    given = parser.parse_args()
    scores: Scores = defaultdict(lambda: defaultdict(list))
    for fold in range(given.folds):
        for folder in given.data:
            images, judges = split(load(folder), fold)
            for change in (AS_IT_IS, *given.change):
                ap, ap50 = measure(images, judges, given.weights, change, given.images, fold)
                scores[change][folder.name].append(ap)
                print(
                    f"{folder.name:12} fold {fold}  AP {ap:.3f} AP50 {ap50:.3f}  {change}",
                    flush=True,
                )
    print()
    show(scores, [folder.name for folder in given.data])


def split(dataset: Dataset, fold: int) -> tuple[Dataset, Dataset]:
    """Split the training images into a training and a validation set."""
    images = dataset.split("train")
    judges = hold_out(images, np.arange(len(images)), 0.25, 1000 + fold)
    rest = images.select(~judges)
    marks = np.full(len(rest), Split.TRAIN, rest.splits.dtype)
    return replace(rest, splits=marks), images.select(judges)


def measure(
    images: Dataset, judges: Dataset, weights: Path, change: str, seen: int, seed: int
) -> tuple[float, float]:
    """Return AP and AP50 of one training."""
    fields, _, share = change.partition("@")
    family = family_of_weights(weights)
    recipe = recipe_for(images, pretrained=True, steps=1, seed=seed, model=family)
    if change != AS_IT_IS:
        for item in fields.split(","):
            recipe = changed(recipe, *item.split("="))
    steps = max(int(seen * float(share or 1)) // recipe.batch_size, 1)
    with tempfile.TemporaryDirectory() as folder:
        run = Path(folder) / "run"
        recipe = replace(recipe, held_out=0.0, steps=steps)
        train(images, out=run, weights=weights, recipe=recipe)
        paths = [judges.image(i) for i in range(len(judges))]
        found = list(Detector.load(run).predict_many(paths, threshold=0))
    result = evaluate(judges, found, resamples=0)
    return result.ap or 0.0, result.ap50 or 0.0


def changed(recipe: Recipe, name: str, value: str) -> Recipe:
    """Return a recipe with a new value of the field at a dotted path."""
    part: Any = recipe
    *outer, own = name.split(".")
    parts = [part := getattr(part, each) for each in outer]
    new = from_config(ast.literal_eval(value), config_classes(recipe.model))
    for part, field in zip(reversed([recipe, *parts]), reversed([*outer, own]), strict=True):
        new = replace(part, **{field: new})
    result: Recipe = new
    return result


def show(scores: Scores, names: list[str]) -> None:
    """Print the gain of each change, and the leave-one-out decisions."""
    gains = {
        change: {name: gain(scores, change, name) for name in names}
        for change in scores
        if change != AS_IT_IS
    }
    for change, by_set in gains.items():
        for name, (mean, error) in by_set.items():
            print(f"{name:12} {100 * mean:+.2f} ± {100 * error:.2f} AP points  {change}")
    for left_out in names:
        others = [name for name in names if name != left_out]
        total = {c: sum(gains[c][name][0] for name in others) for c in gains}
        best = max(total, key=lambda change: total[change], default=AS_IT_IS)
        if not others or total.get(best, 0.0) <= 0:
            print(f"without {left_out}: no change is better than the current recipe")
            continue
        mean, error = gains[best][left_out]
        verdict = "confirms" if mean > 0 else "does not confirm"
        measured = f"{100 * mean:+.2f} ± {100 * error:.2f}"
        print(f"without {left_out}: {best}; {left_out} {verdict} it, {measured}")


def gain(scores: Scores, change: str, name: str) -> tuple[float, float]:
    """Return the mean paired gain over the folds, and its standard error."""
    pairs = zip(scores[change][name], scores[AS_IT_IS][name], strict=True)
    gains = [new - old for new, old in pairs]
    spread = statistics.stdev(gains) if len(gains) > 1 else float("nan")
    return statistics.fmean(gains), spread / len(gains) ** 0.5


if __name__ == "__main__":
    main()
