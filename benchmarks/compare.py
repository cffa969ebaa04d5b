"""How often `boxwright compare` calls a detector better that is not, and one that is.

    python benchmarks/compare.py ../shared/data/bccd cache/bccd --trainings 10 --steps 120

Trains several times with other seeds (see trainings.py). Then images are drawn again and again
from those that were not trained on, and detectors compared on them:

- equal detectors: whenever images are drawn, each side gets the detections of any of the trainings
- one training of each side, and three, all of the same recipe
- the same with a planted gain: the boxes of the second side are moved towards the truth until its
  AP in all images is 3 points above that of the first
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from itertools import product

import numpy as np
from trainings import Training, add_arguments, detections_of

from boxwright.evaluation.coco import evaluate
from boxwright.evaluation.comparison import BETTER, WORSE, Member, Side, compare_sides
from boxwright.evaluation.slices import Seen
from boxwright.evaluation.threshold import FIXED, Threshold
from boxwright.ops.boxes import iou
from boxwright.structures.dataset import Dataset
from boxwright.structures.detections import Detections

GAIN = 0.03
PARTS = np.linspace(-0.4, 0.8, 9)  # of the way from a box to the truth
RESAMPLES = 300


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add_arguments(parser)
    parser.add_argument("--images", type=int, default=160, help="drawn for a comparison")
    parser.add_argument("--members", type=int, nargs="*", default=[0, 1, 3], help="of a side")
    parser.add_argument("--gains", type=float, nargs="*", default=[0, GAIN])
    parser.add_argument("--repeats", type=int, default=200)
    given = parser.parse_args()
    images, found = detections_of(given)
    if given.repeats:
        report(images, found, given)


def report(images: Dataset, found: Sequence[Training], given: argparse.Namespace) -> None:
    """Print how often a side is called better or worse."""
    count, repeats = given.images, given.repeats
    scores = [evaluate(images, one, resamples=0).ap or 0 for one in found]
    print(f"{len(images)} images, {len(images.boxes)} boxes; {len(found)} trainings with AP "
          f"{min(scores):.3f} to {max(scores):.3f}, standard deviation "
          f"{np.std(scores, ddof=1):.4f}; {repeats} comparisons on {count} images")  # fmt: skip
    groups = Seen.of(images).groups
    curves = [
        [ap(images, moved(images, one, part)) for part in PARTS] if any(given.gains) else []
        for one in found
    ]
    for gain, members in product(given.gains, given.members):
        if 2 * members > len(found) or (gain and not members):
            continue
        verdicts: Counter[str] = Counter()
        for seed in range(repeats):
            rng = np.random.default_rng((seed, members))
            index, draws = draw(groups, count, rng)
            if members:
                compared = sides(images, found, members, gain, np.array(curves), rng)
                drawn = [[[one[i] for i in index] for one in side] for side in compared]
            else:
                drawn = [[mixed(found, index, draws, rng)] for _ in range(2)]
            verdicts[verdict(images.select(index), drawn, draws)] += 1
        name = f"{members} trainings each" if members else "equal detectors"
        better, worse = (verdicts[one] / repeats for one in (BETTER, WORSE))
        print(f"{name:18} gain {100 * gain:.0f} AP: better {better:6.1%}, worse {worse:6.1%}",
              flush=True)  # fmt: skip


def ap(images: Dataset, found: Training) -> float:
    return evaluate(images, found, resamples=0, sizes=False).ap or 0.0


def sides(
    images: Dataset,
    found: Sequence[Training],
    members: int,
    gain: float,
    curves: np.ndarray,
    rng: np.random.Generator,
) -> tuple[list[Training], list[Training]]:
    """Two sides of so many trainings, the second one with the gain.

    `curves` is the AP of each training at each of PARTS.
    """
    first, second = np.split(rng.permutation(len(found))[: 2 * members], 2)
    if not gain:
        return [found[i] for i in first], [found[i] for i in second]
    unmoved = [np.interp(0, PARTS, curves[i]) for i in first]
    part = float(np.interp(np.mean(unmoved) + gain, curves[second].mean(axis=0), PARTS))
    return [found[i] for i in first], [moved(images, found[i], part) for i in second]


def mixed(
    found: Sequence[Training], index: np.ndarray, draws: np.ndarray, rng: np.random.Generator
) -> Training:
    """The detections in the drawn images, by a training drawn for each draw."""
    chosen = rng.integers(len(found), size=draws.max() + 1)[draws]
    return [found[which][i] for which, i in zip(chosen, index, strict=True)]


def moved(images: Dataset, found: Training, part: float) -> Training:
    return [towards(images, i, one, part) for i, one in enumerate(found)]


def towards(images: Dataset, index: int, found: Detections, part: float) -> Detections:
    """Move each box towards the truth box of its class that it overlaps by half or more."""
    rows = images.rows(index)
    truth, labels = images.boxes[rows], images.labels[rows]
    if not len(truth) or not len(found):
        return found
    overlap = np.where(found.labels[:, None] == labels, iou(found.boxes, truth), 0)
    near = overlap.max(axis=1) >= 0.5
    boxes = found.boxes.copy()
    boxes[near] += part * (truth[overlap.argmax(axis=1)[near]] - boxes[near])
    return replace(found, boxes=boxes)


def draw(groups: np.ndarray, count: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Draw groups of near-duplicates until there are so many images: their indices, and the number
    of the draw that each is from."""
    index: list[int] = []
    draws: list[int] = []
    while len(index) < count:
        members = np.flatnonzero(groups == rng.integers(groups.max() + 1))
        draws += [draws[-1] + 1 if draws else 0] * len(members)
        index += members.tolist()
    return np.array(index[:count]), np.array(draws[:count])


def verdict(images: Dataset, drawn: Sequence[Sequence[Training]], draws: np.ndarray) -> str:
    half = Threshold(0.5, FIXED)
    compared = [
        Side(name, [Member("", one, half) for one in trainings])
        for name, trainings in zip("AB", drawn, strict=True)
    ]
    done = compare_sides(images, compared, groups=draws, resamples=RESAMPLES)
    return done.contrasts[0].verdict


if __name__ == "__main__":
    main()
