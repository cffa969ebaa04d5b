"""How many planted label mistakes are among the first suspects, beside two other tools.

    python -m venv others && others/bin/pip install hotcoco cleanlab
    python benchmarks/suspects.py ../shared/data/bccd cache/bccd --others others/bin/python
    python benchmarks/suspects.py drawn cache/drawn --others others/bin/python

`drawn` are the demo's building sites, whose boxes are exact; their hats have two classes by the
color in the middle of the box. Into 5 % of the labels each (at least 100) a mistake is planted: the
label is removed, gets another class, or is moved by 20 to 40 % of its sides. Four folds are trained
on the damaged labels; their detections are kept in the cache. `k` mistakes are looked for in the
first `2 k` suspects: of each kind in the list of its kind, and of all kinds in one list.

The other tools get the same detections, and run in an environment of their own
(suspects_of_others.py). hotcoco has no loose boxes.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from trainings import kept

import boxwright
from boxwright.datasets.checks.measure import hash_images
from boxwright.datasets.near_duplicates import groups
from boxwright.demo.dataset import write_dataset
from boxwright.images.decoding import read_image
from boxwright.ops.boxes import as_boxes, clip, iou
from boxwright.structures.dataset import Dataset
from boxwright.structures.detections import Detections
from boxwright.suspects.scoring import KINDS, LOOSE, MISSED, WRONG_CLASS, rank
from boxwright.suspects.suspects import FOLDS
from boxwright.training.folds import Training, detect_in_folds
from boxwright.training.request import TrainingRequest

OTHERS = Path(__file__).with_name("suspects_of_others.py")
SHIFT = (0.2, 0.4)  # of a box's sides
MIN_PLANTED = 100  # of each kind
FOUND = 0.5  # IoU of a suspect's box and the right one
WARM = 40  # gray levels by which red is above blue


@dataclass(frozen=True)
class Planted:
    """A mistake: its image, the right box, and the row of the label; None if it is removed."""

    kind: str
    image: int
    box: tuple[float, ...]
    row: int | None


class Listed(NamedTuple):
    """A suspect of any tool."""

    kind: str
    image: int
    box: tuple[float, ...]
    row: int | None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", help="a folder of labeled images, or `drawn`")
    parser.add_argument("cache", type=Path)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--steps", type=int, default=120, help="of each of the four trainings")
    parser.add_argument("--input-size", type=int, default=320)
    parser.add_argument("--part", type=float, default=0.05, help="planted of each kind")
    parser.add_argument("--scenes", type=int, default=1600)
    parser.add_argument("--others", type=Path, help="Python with hotcoco and cleanlab")
    given = parser.parse_args()
    data = drawn(given) if given.data == "drawn" else boxwright.load(given.data)
    images, hashes = hash_images(data)
    together = groups(hashes)
    print(f"{len(images)} images, {len(images.boxes)} labels of {', '.join(images.classes)}")
    totals: dict[str, list[list[float]]] = {}
    for seed in range(given.first, given.first + given.seeds):
        damaged, planted = plant(images, seed, given.part)
        found = kept(
            given.cache / f"{given.steps}-steps-seed-{seed}.npz",
            images.classes,
            lambda damaged=damaged, seed=seed: trained(given, damaged, together, seed),
        )
        lists = {"boxwright": ours(damaged, found)}
        if given.others:
            lists |= of_others(given.others, damaged, found)
        for name, listed in lists.items():
            recalls = [*(recall(planted, listed, kind) for kind in KINDS), *joint(planted, listed)]
            totals.setdefault(name, []).append(recalls)
            print(f"seed {seed} {name:22} {_row(recalls)}", flush=True)
    heads = [*(f"{kind} alone" for kind in KINDS), "missed and wrong class", "all kinds"]
    print(f"\n{len(planted)} planted a seed; recall in the first 2 k: {'; '.join(heads)}")
    for name, rows in totals.items():
        low, middle, high = np.quantile(rows, [0, 0.5, 1], axis=0)
        print(f"{name:22} median {_row(middle)}\n{'':22} from   {_row(low)}\n{'':22} to     "
              f"{_row(high)}")  # fmt: skip


def _row(values: Iterable[float]) -> str:
    return "  ".join(f"{value:.2f}" for value in values)


def drawn(given: argparse.Namespace) -> Dataset:
    """The demo's scenes with two classes, from the cache if they are there."""
    folder = given.cache / f"scenes-{given.scenes}"
    if not folder.is_dir():
        write_dataset(folder, given.scenes, 0, seed=0)
    data = boxwright.load(folder)
    labels = [
        _is_warm(read_image(data.image(i)), box)
        for i in range(len(data))
        for box in data.boxes[data.rows(i)]
    ]
    return replace(data, labels=np.array(labels, np.int32), classes=("cool hat", "warm hat"))


def _is_warm(pixels: np.ndarray, box: np.ndarray) -> bool:
    left, top, right, bottom = box.tolist()
    width, height = right - left, bottom - top
    middle = pixels[
        int(top + height / 4) : int(bottom - height / 4) + 1,
        int(left + width / 4) : int(right - width / 4) + 1,
    ].astype(np.int16)
    return bool(np.median(middle[..., 0] - middle[..., 2]) >= WARM)


def plant(images: Dataset, seed: int, part: float) -> tuple[Dataset, list[Planted]]:
    """Labels with mistakes, and the list of these."""
    rng = np.random.default_rng(seed)
    count = max(MIN_PLANTED, round(part * len(images.boxes)))
    chosen = rng.permutation(len(images.boxes))[: len(KINDS) * count].reshape(len(KINDS), count)
    image_of, boxes, labels = images.image_of_box, images.boxes.copy(), images.labels.copy()
    removed, renamed, moved = chosen
    others = len(images.classes) - 1
    labels[renamed] = (labels[renamed] + rng.integers(1, others + 1, count)) % (others + 1)
    sides = boxes[moved, 2:] - boxes[moved, :2]
    shift = rng.uniform(*SHIFT, (count, 2)) * rng.choice([-1, 1], (count, 2)) * sides
    for row, by in zip(moved, shift, strict=True):
        size = images.sizes[image_of[row]]
        boxes[row] = clip(boxes[row][None] + np.tile(by, 2).astype(np.float32), *size)[0]
    keep = np.ones(len(boxes), bool)
    keep[removed] = False
    row_after = np.cumsum(keep) - 1
    planted = [
        Planted(
            kind,
            int(image_of[row]),
            tuple(images.boxes[row].tolist()),
            None if kind == MISSED else int(row_after[row]),
        )
        for kind, rows in zip((MISSED, WRONG_CLASS, LOOSE), chosen, strict=True)
        for row in rows
    ]
    return replace(images, boxes=boxes, labels=labels).keep_boxes(keep), planted


def trained(
    given: argparse.Namespace, damaged: Dataset, together: np.ndarray, seed: int
) -> list[Detections]:
    asked = TrainingRequest(
        damaged, Path(), steps=given.steps, input_size=given.input_size, seed=seed
    )
    training = Training.of(asked, asked.recipe_for(damaged))
    return detect_in_folds(training, damaged, together, FOLDS, print)


def ours(damaged: Dataset, found: Sequence[Detections]) -> list[Listed]:
    return [Listed(one.kind, one.image, one.box, one.label) for one in rank(damaged, found)]


def of_others(
    python: Path, damaged: Dataset, found: Sequence[Detections]
) -> dict[str, list[Listed]]:
    """The suspects of other tools, by their name."""
    content = {
        "classes": damaged.classes,
        "images": [
            {
                "size": damaged.sizes[i].tolist(),
                "boxes": damaged.boxes[damaged.rows(i)].tolist(),
                "labels": damaged.labels[damaged.rows(i)].tolist(),
                "first_row": int(damaged.offsets[i]),
                "detected": {
                    "boxes": found[i].boxes.tolist(),
                    "scores": found[i].scores.tolist(),
                    "labels": found[i].labels.tolist(),
                },
            }
            for i in range(len(damaged))
        ],
    }
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "content.json"
        path.write_text(json.dumps(content), encoding="utf-8")
        done = subprocess.run(
            [python, OTHERS, path], check=True, capture_output=True, text=True, encoding="utf-8"
        )
    lists: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return {
        name: [Listed(kind, image, tuple(box), row) for kind, image, box, row in rows]
        for name, rows in lists.items()
    }


def recall(planted: Sequence[Planted], listed: Sequence[Listed], kind: str) -> float:
    """The part of the planted mistakes of a kind in twice as many suspects of this kind."""
    wanted = [one for one in planted if one.kind == kind]
    first = [one for one in listed if one.kind == kind][: 2 * len(wanted)]
    return _part_found(wanted, first)


def joint(planted: Sequence[Planted], listed: Sequence[Listed]) -> tuple[float, float]:
    """The part of missed and wrong class, and of all, in twice as many suspects of any kind."""
    first = listed[: 2 * len(planted)]
    wanted = [one for one in planted if one.kind != LOOSE]
    return _part_found(wanted, first), _part_found(planted, first)


def _part_found(wanted: Sequence[Planted], first: Sequence[Listed]) -> float:
    in_image: dict[int, list[Listed]] = {}
    for one in first:
        in_image.setdefault(one.image, []).append(one)
    return float(np.mean([_shown(one, in_image.get(one.image, [])) for one in wanted]))


def _shown(one: Planted, suspects: Sequence[Listed]) -> bool:
    """True if a suspect is this label, or stands where the right one should be."""
    if one.row is not None and any(each.row == one.row for each in suspects):
        return True
    boxes = as_boxes([each.box for each in suspects])
    return bool((iou(as_boxes([one.box]), boxes) >= FOUND).any())


if __name__ == "__main__":
    main()
