"""How well a threshold chosen on some images works on others.

    python benchmarks/thresholds.py ../shared/data/bccd cache/bccd --trainings 10 --steps 120

The images that were not trained on (see trainings.py) are split in halves at random, for one
training after the other. One half chooses the threshold. On the other half its F1 is compared with
the best in hindsight, and the precision with the one that was asked for.
"""

from __future__ import annotations

import argparse

import numpy as np
from trainings import Training, add_arguments, detections_of

from boxwright.evaluation.matching import gather, match
from boxwright.evaluation.outcomes import Outcomes
from boxwright.evaluation.threshold import Aim, choose
from boxwright.structures.dataset import Dataset
from boxwright.structures.detections import Detections

AIMS = ("f1", "precision=.95", "precision=.9", "recall=.8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add_arguments(parser)
    parser.add_argument("--splits", type=int, default=20)
    given = parser.parse_args()
    images, trainings = detections_of(given)
    print(f"{len(images)} images, {len(images.boxes)} boxes, {given.splits} splits in halves")
    for aim in map(Aim.parse, AIMS):
        for per_class in (False, True):
            report(images, trainings, aim, given.splits, per_class=per_class)


def report(
    images: Dataset, trainings: list[Training], aim: Aim, splits: int, *, per_class: bool
) -> None:
    """Print how an aim is reached over random halves."""
    reached: list[float] = []
    lost: list[float] = []
    shown: list[bool] = []
    other: list[float] = []
    for seed in range(splits):
        found = trainings[seed % len(trainings)]
        order = np.random.default_rng(seed).permutation(len(images))
        first, second = order[: len(order) // 2], order[len(order) // 2 :]
        one = choose(images.select(first), [found[i] for i in first], aim, per_class=per_class)
        if one is None:
            continue
        outcomes = per_class_outcomes(images.select(second), [found[i] for i in second])
        limits = one.by_class(images.classes)
        if aim.target is None:
            best = max(f1(outcomes, [at] * len(outcomes)) for at in np.linspace(0.02, 0.98, 97))
            lost.append(best - f1(outcomes, limits))
        else:
            shown.append(bool(one.met))
            achieved = rates(outcomes, limits)
            at = 0 if aim.name == "precision" else 1
            reached.append(achieved[at])
            other.append(achieved[1 - at])
    name = f"{aim}{' per class' if per_class else ''}"
    if aim.target is None:
        low, middle, high = np.quantile(lost, [0, 0.5, 1])
        print(f"{name:24} F1 below the best: median {middle:.3f}, {low:.3f} to {high:.3f}")
        return
    met, sure = np.array(reached) >= aim.target, np.array(shown)
    rest = "recall" if aim.name == "precision" else "precision"
    print(
        f"{name:24} shown in {sure.sum()} of {len(sure)}, then met on the others in "
        f"{(met & sure).sum()}, else in {(met & ~sure).sum()}; met or not shown "
        f"{np.mean(met | ~sure):.0%}; median {np.median(reached):.3f}, {rest} "
        f"{np.median(other):.3f}"
    )


def per_class_outcomes(images: Dataset, found: list[Detections]) -> list[Outcomes]:
    return [Outcomes.of(one) for one in match(images, gather(images, found), ("all",))["all"]]


def rates(outcomes: list[Outcomes], limits: object) -> tuple[float, float]:
    """Precision and recall of all classes together."""
    above = [one.above(at) for one, at in zip(outcomes, np.ravel(limits), strict=True)]
    right = sum(int(one.hit.sum()) for one in above)
    shown = sum(len(one.hit) for one in above)
    return right / max(shown, 1), right / max(sum(int(one.truths.sum()) for one in above), 1)


def f1(outcomes: list[Outcomes], limits: object) -> float:
    precision, recall = rates(outcomes, limits)
    return 2 * precision * recall / max(precision + recall, 1e-9)


if __name__ == "__main__":
    main()
