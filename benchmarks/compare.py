"""How often `boxwright compare` calls a detector better that is not, and one that is.

    python benchmarks/compare.py ../shared/data/bccd cache/bccd --trainings 10 --steps 120

Trains several times with other seeds (see trainings.py). Then images are drawn again and again
from those that were not trained on, and detectors compared on them:

- equal detectors: in every image, each side has the detections of a training drawn at random
- one training each, three each, and five each, of the same recipe
- the same with a planted gain: the boxes of the second side are moved towards the truth until its
  AP in all images is 3 points above that of the first
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add_arguments(parser)
    parser.add_argument("--images", type=int, default=160, help="drawn for a comparison")
    parser.add_argument("--repeats", type=int, default=200)
    given = parser.parse_args()
    images, found = detections_of(given)
    if given.repeats:
        report(images, found, given.images, given.repeats)


def report(images: Dataset, found: Sequence[Training], count: int, repeats: int) -> None:
    """Print how often a side is called better or worse."""
    scores = [evaluate(images, one, resamples=0).ap or 0 for one in found]
    print(f"{len(images)} images, {len(images.boxes)} boxes; {len(found)} trainings with AP "
          f"{min(scores):.3f} to {max(scores):.3f}, standard deviation "
          f"{np.std(scores, ddof=1):.4f}; {repeats} comparisons on {count} images")  # fmt: skip
    groups = Seen.of(images).groups
    for gain in (0.0, GAIN):
        for members in (0, 1, 3, 5):
            if 2 * members > len(found):
                continue
            verdicts: Counter[str] = Counter()
            for seed in range(repeats):
                rng = np.random.default_rng((seed, members))
                drawn = sides(images, found, members, gain, rng)
                verdicts[verdict(images, drawn, draw(groups, count, rng))] += 1
            name = f"{members} trainings each" if members else "equal detectors"
            better, worse = (verdicts[one] / repeats for one in (BETTER, WORSE))
            print(f"{name:18} gain {100 * gain:.0f} AP: better {better:6.1%}, worse {worse:6.1%}",
                  flush=True)  # fmt: skip


def sides(
    images: Dataset,
    found: Sequence[Training],
    members: int,
    gain: float,
    rng: np.random.Generator,
) -> tuple[list[Training], list[Training]]:
    """Two sides of so many trainings; of 0, a mixture of all on each side."""
    if members:
        order = rng.permutation(len(found))[: 2 * members]
        first, second = ([found[i] for i in part] for part in np.split(order, 2))
    else:
        first, second = ([mixed(found, rng)] for _ in range(2))
    return first, improved(images, first, second, gain) if gain else second


def mixed(found: Sequence[Training], rng: np.random.Generator) -> Training:
    chosen = rng.integers(len(found), size=len(found[0]))
    return [found[which][i] for i, which in enumerate(chosen)]


def improved(
    images: Dataset, first: Sequence[Training], second: Sequence[Training], gain: float
) -> list[Training]:
    """The second side with an AP that is higher than the first one's by `gain` on average."""
    aim = np.mean([evaluate(images, one, resamples=0, sizes=False).ap for one in first]) + gain
    low, high = -0.5, 1.0
    for _ in range(12):
        part = (low + high) / 2
        moved = [[towards(images, i, one[i], part) for i in range(len(one))] for one in second]
        ap = np.mean([evaluate(images, one, resamples=0, sizes=False).ap for one in moved])
        low, high = (low, part) if ap > aim else (part, high)
    return moved


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


def verdict(
    images: Dataset,
    drawn: tuple[list[Training], list[Training]],
    which: tuple[np.ndarray, np.ndarray],
) -> str:
    index, draws = which
    half = Threshold(0.5, FIXED)
    compared = [
        Side(name, [Member("", [one[i] for i in index], half) for one in trainings])
        for name, trainings in zip("AB", drawn, strict=True)
    ]
    return compare_sides(images.select(index), compared, groups=draws).contrasts[0].verdict


if __name__ == "__main__":
    main()
