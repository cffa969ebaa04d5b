"""How well boxes fit that the studio's assistant proposes, and what other ways to find them give.

    taskset -c 1 python benchmarks/proposals.py ../shared/data/raccoon cache/raccoon --labeled 12 40

Trains rounds of the assistant on some images of a data set, and detects objects in others: as they
are, flipped, and at larger inputs. Each variant makes proposals of the same raw boxes, and a
scripted annotator counts what they cost, as in `labelling.py`.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from labelling import BY_PROCESSOR_TIME, USUAL, Visit, matched
from numpy.typing import NDArray

from boxwright import api
from boxwright.backend import framework
from boxwright.images.decoding import decoded
from boxwright.inference.run import Run
from boxwright.ops.boxes import iou
from boxwright.ops.nms import multiclass_nms
from boxwright.ops.operations import NUMPY
from boxwright.structures.dataset import Dataset, Split
from boxwright.studio import child as child_module
from boxwright.studio.child import FAILED, Child
from boxwright.studio.journal import Proposal

BATCH = 16
SCORES = (0.3, 0.4, 0.5)
NMS = 0.6  # the usual IoU

Candidates = tuple[NDArray[np.float32], NDArray[np.float32]]  # boxes (A, 4) and scores (A, C)


def trained(data: Dataset, used: np.ndarray, seconds: float, out: Path) -> Run:
    """A round of the assistant that begins with the pretrained weights."""
    images = [
        {
            "index": int(i),
            "name": data.names[i],
            "width": int(data.sizes[i][0]),
            "height": int(data.sizes[i][1]),
            "boxes": data.boxes[data.rows(i)].tolist(),
            "labels": [data.classes[label] for label in data.labels[data.rows(i)]],
            "flags": data.flags[data.rows(i)].tolist(),
        }
        for i in used
    ]
    request = {
        "work": "round", "root": str(data.root.absolute()), "classes": list(data.classes),
        "weights": None, "before": None, "out": str(out.absolute()), "seconds": seconds,
        "train": images, "test": [], "unlabeled": [],
    }  # fmt: skip
    shutil.rmtree(out, ignore_errors=True)
    with closing(Child(request)) as child:
        *_, last = child
    if last["state"] == FAILED:
        raise SystemExit(f"a round failed: {last}")
    return Run(out)


class Looker:
    """Raw boxes of a run's network at any input size."""

    def __init__(self, run: Run, side: int) -> None:
        from boxwright.models import registry

        artifact = run.artifact
        model = run.build_model()
        if side != artifact.preprocessing.size:
            family, spec = registry.restored(artifact.model)
            weights = model.network.get_weights()
            model = family.build(replace(spec, input_size=side))
            model.network.set_weights(weights)
        self._model = model
        self._preprocessing = replace(artifact.preprocessing, size=side)

    def __call__(self, data: Dataset, *, flip: bool) -> Iterator[Candidates]:
        preprocessing = self._preprocessing
        scale, offset = np.float32(preprocessing.scale), np.float32(preprocessing.offset)
        for start in range(0, len(data), BATCH):
            pixels = []
            for i in range(start, min(start + BATCH, len(data))):
                with decoded(data.image(i), preprocessing.decode_options()) as whole:
                    pixels.append(preprocessing.resize(whole.picture))
            batch = np.stack(pixels).astype(np.float32) * scale + offset
            batch = batch[:, :, ::-1] if flip else batch
            raw = {name: np.asarray(one) for name, one in self._model.compiled(batch).items()}
            boxes, scores = self._model.decode(raw, NUMPY)
            if flip:
                top, left, bottom, right = np.moveaxis(boxes, -1, 0)
                boxes = np.stack([top, 1 - right, bottom, 1 - left], axis=-1)
            yield from zip(boxes, scores, strict=True)


def together(*found: Candidates) -> Candidates:
    """The candidates of several detections of one image."""
    boxes, scores = zip(*found, strict=True)
    return np.concatenate(boxes), np.concatenate(scores)


def proposed(
    found: Candidates,
    classes: tuple[str, ...],
    size: tuple[int, int],
    vote: float | None,
    nms: float = NMS,
) -> list[Proposal]:
    """Proposals of an image; with `vote` each box is the mean of those that overlap it so much,
    weighted by their scores."""
    boxes, scores = found
    index, labels = multiclass_nms(
        boxes, scores, score_threshold=min(SCORES) / 2, iou_threshold=nms
    )
    kept = boxes[index]
    if vote is not None and len(index):
        weights = scores.T[labels] * (iou(kept, boxes) >= vote)
        kept = weights @ boxes / weights.sum(1, keepdims=True)
    width, height = size
    kept = np.clip(kept, 0, 1)[:, [1, 0, 3, 2]] * np.array([width, height, width, height])
    return [
        Proposal(str(i), tuple(box), classes[label], float(score))
        for i, (box, label, score) in enumerate(
            zip(kept.tolist(), labels, scores[index, labels], strict=True)
        )
    ]


def visits(data: Dataset, proposals: list[list[Proposal]], least: float) -> list[Visit]:
    """What the annotator does with proposals of at least a score."""
    made = []
    for i, found in enumerate(proposals):
        rows = data.rows(i)
        names = [data.classes[label] for label in data.labels[rows]]
        shown = [one for one in found if one.score >= least]
        overlaps, _, _ = matched(shown, data.boxes[rows].tolist(), names, False)
        made.append(Visit(i, len(names), overlaps, True))
    return made


def summary(made: list[Visit]) -> dict[str, Any]:
    """Numbers of some visits."""
    overlaps = np.array([one for visit in made for one in visit.overlaps])
    boxes = sum(visit.truth for visit in made)
    hand = sum(USUAL.look + USUAL.draw * visit.truth for visit in made)
    good = overlaps[overlaps >= 0.5]
    return {
        "part": round(sum(visit.seconds(USUAL) for visit in made) / hand, 3),
        "found": round(len(good) / boxes, 3),
        "accepted of these": round(float((good >= 0.85).mean()) if len(good) else 0, 3),
        "mean IoU": round(float(good.mean()) if len(good) else 0, 3),
        "false": int((overlaps < 0.5).sum()),
    }


def study(data: Dataset, run: Run, sides: list[int]) -> list[dict[str, Any]]:
    """The numbers of all variants."""
    found: dict[tuple[int, bool], list[Candidates]] = {}
    for side in sides:
        looker = Looker(run, side)
        for flip in (False, True):
            found[side, flip] = list(looker(data, flip=flip))
    first, *larger = sides
    variants: dict[str, list[list[Candidates]]] = {str(first): [found[first, False]]}
    variants[f"{first}, flipped too"] = [found[first, False], found[first, True]]
    for side in larger:
        variants[str(side)] = [found[side, False]]
        variants[f"{side}, flipped too"] = [found[side, False], found[side, True]]
        variants[f"{first} and {side}, flipped too"] = [
            found[size, flip] for size in (first, side) for flip in (False, True)
        ]
    rows = []
    sizes = [(int(width), int(height)) for width, height in data.sizes]
    for name, parts in variants.items():
        merged = [together(*each) for each in zip(*parts, strict=True)]
        for nms in (0.4, 0.5, NMS) if name == str(first) else (NMS,):
            for vote in (None, 0.6, 0.7, 0.8):
                proposals = [
                    proposed(one, data.classes, size, vote, nms)
                    for one, size in zip(merged, sizes, strict=True)
                ]
                for least in SCORES:
                    about = {"boxes": name, "NMS": nms, "vote": vote, "score": least}
                    rows.append({**about, **summary(visits(data, proposals, least))})
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path, help="a folder of labeled images")
    parser.add_argument("out", type=Path, help="a folder for runs and results")
    parser.add_argument("--labeled", type=int, nargs="+", default=[12, 40], help="images to learn")
    parser.add_argument("--others", type=int, default=100, help="images to propose for")
    parser.add_argument("--seconds", type=float, default=45, help="of a round")
    parser.add_argument("--sides", type=int, nargs="+", default=[320, 416], help="input sizes")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    child_module.PROGRAM = BY_PROCESSOR_TIME
    data = api.load(given.data)
    pool = np.flatnonzero(data.splits != Split.TEST)
    order = np.random.default_rng(given.seed).permutation(pool)
    others = data.select(order[-given.others :])
    framework.keras()
    for count in given.labeled:
        out = given.out / f"labeled-{count}"
        run = Run(out)
        if not run.exists():
            run = trained(data, order[:count], given.seconds, out)
        rows = study(others, run, given.sides)
        (given.out / f"labeled-{count}.json").write_text(json.dumps(rows, indent=1))
        for row in rows:
            print(given.data.name, count, *row.values(), flush=True)


if __name__ == "__main__":
    main()
