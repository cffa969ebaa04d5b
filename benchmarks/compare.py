"""How often `boxwright compare` calls a detector better that is not, and one that is.

    python benchmarks/compare.py ../shared/data/bccd cache/bccd --trainings 10 --steps 120

Trains several times with other seeds, and keeps the detections in all images that were not trained
on as .npz files; those that are there are not trained again. Then images are drawn again and again
from these, and detectors compared on them:

- equal detectors: in every image, each side has the detections of a training drawn at random
- one training each, three each, and five each, of the same recipe
- the same with a planted gain: the boxes of the second side are moved towards the truth until its
  AP in all images is 3 points above that of the first
"""

from __future__ import annotations

import argparse
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

import boxwright
from boxwright.evaluation.coco import evaluate
from boxwright.evaluation.comparison import BETTER, WORSE, Member, Side, compare_sides
from boxwright.evaluation.slices import Seen
from boxwright.evaluation.threshold import FIXED, Threshold
from boxwright.ops.boxes import iou
from boxwright.structures.dataset import Dataset, Split
from boxwright.structures.detections import Detections

GAIN = 0.03
LOWEST = 0.02  # score; those below change AP little and take most of the time
Training = list[Detections]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("cache", type=Path)
    parser.add_argument("--trainings", type=int, default=10)
    parser.add_argument("--steps", type=int, default=120)
    parser.add_argument("--weights", help="to start from; the default ones if not given")
    parser.add_argument("--input-size", type=int, default=320)
    parser.add_argument("--images", type=int, default=160, help="drawn for a comparison")
    parser.add_argument("--repeats", type=int, default=200)
    given = parser.parse_args()
    data = boxwright.load(given.data)
    seen = data.splits == Split.TRAIN  # validation images are not used either: all others test
    data = replace(data, splits=np.where(seen, Split.TRAIN, Split.TEST).astype(np.int8))
    images = data.split("test")
    found = [cached(given, data, seed) for seed in range(given.trainings)]
    if given.repeats:
        report(images, found, given.images, given.repeats)


def cached(given: argparse.Namespace, data: Dataset, seed: int) -> Training:
    """The detections of a training in the test images, from the cache if they are there."""
    path = given.cache / f"{given.steps}-steps-seed-{seed}.npz"
    if not path.is_file():
        with tempfile.TemporaryDirectory() as folder:
            run = boxwright.train(
                data,
                out=Path(folder) / "run",
                weights=given.weights,
                input_size=given.input_size,
                steps=given.steps,
                seed=seed,
            )
            detections = list(run.detector().detections_in(data.split("test")))
        path.parent.mkdir(parents=True, exist_ok=True)
        np.savez_compressed(
            path,
            counts=[len(one) for one in detections],
            **{
                name: np.concatenate([getattr(one, name) for one in detections])
                for name in ("boxes", "scores", "labels")
            },
        )
    with np.load(path) as kept:
        ends = np.cumsum(kept["counts"])[:-1]
        columns = zip(*(np.split(kept[name], ends) for name in ("boxes", "scores", "labels")),
                      strict=True)  # fmt: skip
        return [Detections(*one, data.classes).above(LOWEST) for one in columns]


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
