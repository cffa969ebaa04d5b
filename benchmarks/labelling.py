"""How much time the studio's assistant saves, by a scripted annotator.

    python benchmarks/labelling.py ../shared/data/raccoon cache/raccoon --seeds 0 1 2

The annotator labels the training images of a data set as its own labels say. It looks at an image
for 2 s, draws a box in 7 s (extreme clicking, Papadopoulos et al., ICCV 2017), corrects one in 4 s
and deletes one in 1.5 s; only the first of the numbers but drawing is from a paper. It accepts a
proposal from an IoU of 0.85, corrects it from 0.5, and deletes and draws it otherwise. Every fifth
image is blind. The order, the rounds and the proposals are those of the studio: its label store and
its assistant without HTTP. Rounds really train; their seconds pass on the annotator's clock. On a
busy machine, `--processor-time` counts the seconds of one core instead of those of the clock.

Then two detectors are trained, with the labels of the session and with the original ones, and
compared on images that were not labeled. With `--credulous` the annotator accepts every proposal.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from boxwright import api
from boxwright.evaluation.coco import evaluate
from boxwright.evaluation.comparison import paired_loss
from boxwright.inference.detector import Detector
from boxwright.io.files import write_json
from boxwright.ops.boxes import as_boxes, iou
from boxwright.structures.dataset import Dataset, LabeledImage, Split
from boxwright.studio import child as child_module
from boxwright.studio.assist.rounds import Round, Rounds
from boxwright.studio.child import DONE, FAILED, Child
from boxwright.studio.desk import Desk
from boxwright.studio.journal import Proposal
from boxwright.studio.queue import next_image
from boxwright.studio.store import LabeledBox, Labels, LabelStore

ACCEPTED, CORRECTED = 0.85, 0.5  # IoU of a proposal
BY_PROCESSOR_TIME = [
    sys.executable,
    "-c",
    "import os, time; time.monotonic = time.process_time; os.nice = lambda by: None; "
    "from boxwright.studio.worker import main; main()",
]


@dataclass(frozen=True)
class Seconds:
    """What the annotator's actions take."""

    look: float = 2.0
    draw: float = 7.0
    correct: float = 4.0
    delete: float = 1.5

    def scaled(self, factor: float) -> Seconds:
        """All but drawing takes this many times as long."""
        return Seconds(self.look * factor, self.draw, self.correct * factor, self.delete * factor)


USUAL = Seconds()


@dataclass(frozen=True)
class Visit:
    """An image that was labeled.

    Attributes:
        index: its index.
        truth: number of its boxes.
        overlaps: IoU of each proposal with the box that it was matched with; 0 without one.
        assisted: proposals were shown.
    """

    index: int
    truth: int
    overlaps: tuple[float, ...]
    assisted: bool

    def seconds(self, takes: Seconds, accepted: float = ACCEPTED) -> float:
        """What it took."""
        corrected = sum(CORRECTED <= one < accepted for one in self.overlaps)
        good = sum(one >= CORRECTED for one in self.overlaps)
        wrong = len(self.overlaps) - good
        return (
            takes.look
            + takes.draw * (self.truth - good)
            + takes.correct * corrected
            + takes.delete * wrong
        )


@dataclass
class Session:
    """A session of labeling.

    Attributes:
        visits: the images in the order in which they were labeled.
        trained: seconds of each round.
        quality: what the quality line shows at the end.
        labels: the labels of the session.
    """

    visits: list[Visit] = field(default_factory=list)
    trained: list[float] = field(default_factory=list)
    quality: list[dict[str, Any]] = field(default_factory=list)
    labels: dict[str, Labels] = field(default_factory=dict)
    blind: frozenset[str] = frozenset()

    def seconds(self, takes: Seconds = USUAL, accepted: float = ACCEPTED) -> float:
        return sum(visit.seconds(takes, accepted) for visit in self.visits)

    def by_hand(self, takes: Seconds = USUAL) -> float:
        return sum(takes.look + takes.draw * visit.truth for visit in self.visits)

    def result(self) -> dict[str, Any]:
        """The numbers of the session."""
        shown = [visit for visit in self.visits if visit.assisted]
        drawn = sum(v.truth - sum(one >= CORRECTED for one in v.overlaps) for v in self.visits)
        return {
            "images": len(self.visits),
            "boxes": sum(visit.truth for visit in self.visits),
            "drawn": drawn,
            "shown proposals": len(shown),
            "by hand, min": round(self.by_hand() / 60, 1),
            "assisted, min": round(self.seconds() / 60, 1),
            "part": round(self.seconds() / self.by_hand(), 3),
            "part, accepting at .75": round(self.seconds(accepted=0.75) / self.by_hand(), 3),
            "part, accepting at .9": round(self.seconds(accepted=0.9) / self.by_hand(), 3),
            **{
                f"part, other actions x {factor}": round(
                    self.seconds(USUAL.scaled(factor)) / self.by_hand(USUAL.scaled(factor)), 3
                )
                for factor in (0.5, 2)
            },
            "rounds": len(self.trained),
            "training, min": round(sum(self.trained) / 60, 1),
            "quality line": self.quality[-1] if self.quality else None,
        }


class Annotator:
    """Labels the images of a folder as the truth says.

    Args:
        desk: the labels.
        truth: the original labels, by image name.
        credulous: accept every proposal.
    """

    def __init__(self, desk: Desk, truth: Dataset, *, credulous: bool = False) -> None:
        self._desk, self._truth, self._credulous = desk, truth, credulous
        self._row = {name: i for i, name in enumerate(truth.names)}

    def label(self, index: int) -> Visit:
        """Label an image."""

        def label(store: LabelStore) -> Visit:
            row = self._row[store.names[index]]
            rows = self._truth.rows(row)
            boxes = self._truth.boxes[rows].tolist()
            names = [self._truth.classes[label] for label in self._truth.labels[rows]]
            blind = index in store.blind()
            proposals = () if blind else store.journal.proposals(index)
            overlaps, kept, left = matched(proposals, boxes, names, self._credulous)
            made = [*kept, *((boxes[i], names[i]) for i in left)]
            new = tuple(
                LabeledBox(f"new-{i}", tuple(box), name) for i, (box, name) in enumerate(made)
            )
            store.write(index, Labels(new, True, ""), store.read(index).etag)
            return Visit(index, len(boxes), overlaps, bool(proposals))

        return self._desk.wait_for(label)


def matched(
    proposals: Sequence[Proposal], boxes: list[Any], names: list[str], credulous: bool
) -> tuple[tuple[float, ...], list[tuple[Any, str]], list[int]]:
    """The IoU of each proposal, the labels made of proposals, and the boxes that are drawn."""
    table = iou(as_boxes([one.box for one in proposals]), as_boxes(boxes))
    same = np.array([[one.label == name for name in names] for one in proposals], bool)
    table = np.where(same.reshape(table.shape), table, 0.0)
    overlaps = [0.0] * len(proposals)
    kept: list[tuple[Any, str]] = []
    left = list(range(len(boxes)))
    while table.size and table.max() >= CORRECTED:
        i, j = np.unravel_index(table.argmax(), table.shape)
        overlaps[i] = float(table[i, j])
        exact = overlaps[i] < ACCEPTED and not credulous
        kept.append((boxes[j] if exact else proposals[i].box, names[j]))
        left.remove(int(j))
        table[i], table[:, j] = 0, 0
    if credulous:
        kept += [(p.box, p.label) for p, one in zip(proposals, overlaps, strict=True) if not one]
        return tuple(1.0 for _ in proposals), kept, [] if proposals else left
    return tuple(overlaps), kept, left


def session(desk: Desk, annotator: Annotator, rounds: Rounds) -> Session:
    """Label all images; rounds take the time on the annotator's clock that they really take."""
    done, clock, current = Session(), 0.0, -1
    waiting: tuple[float, Round, list[dict[str, Any]]] | None = None
    while True:
        if waiting and clock >= waiting[0]:
            _, ended, told = waiting
            for one in told:
                if "proposals" in one:
                    rounds.propose(ended, one["proposals"])
                if "quality" in one:
                    done.quality = rounds.measured(ended, one["quality"])
                if one["state"] == DONE:
                    rounds.done(ended, one["result"])
            waiting = None
        due = rounds.due()
        if isinstance(due, Round) and not waiting:
            seconds, told = trained(rounds.request(due))
            done.trained.append(seconds)
            waiting = clock + seconds, due, told
        index = desk.wait_for(lambda store, after=current: next_image(store, after, {}))
        if index is None:
            break
        rounds.opened(index)
        done.visits.append(annotator.label(index))
        clock += done.visits[-1].seconds(USUAL)
        current = index
    done.labels = desk.wait_for(
        lambda store: {name: store.read(i) for i, name in enumerate(store.names)}
    )
    done.blind = desk.wait_for(lambda store: frozenset(store.names[i] for i in store.blind()))
    return done


def trained(request: dict[str, Any]) -> tuple[float, list[dict[str, Any]]]:
    """Do a round; its seconds, and what it told."""
    began, used = time.monotonic(), processor_seconds()
    with closing(Child(request)) as child:
        told = list(child)
    seconds = time.monotonic() - began
    if child_module.PROGRAM == BY_PROCESSOR_TIME:
        seconds = processor_seconds() - used
    if told[-1]["state"] == FAILED:
        raise SystemExit(f"a round failed: {told[-1]}")
    quality = [one["quality"] for one in told if "quality" in one]
    print(f"  round with {len(request['train'])} images: {seconds:.0f} s {quality}", flush=True)
    return seconds, told


def processor_seconds() -> float:
    """Processor time of the children that have ended."""
    used = os.times()
    return used.children_user + used.children_system


def compared(
    original: Dataset, held_out: Dataset, made: Session, budget: str, out: Path, seed: int
) -> dict[str, Any]:
    """Train with both kinds of labels, and compare on images that were not labeled."""
    used = [i for i, name in enumerate(original.names) if name not in made.blind]
    splits = np.full(len(used), Split.TRAIN, np.int8)
    given = original.select(used)
    given = replace(given, splits=splits)
    images = [
        LabeledImage(
            name,
            *given.sizes[i].tolist(),
            boxes=[box.box for box in made.labels[name].boxes],
            class_names=[box.label for box in made.labels[name].boxes],
            split=Split.TRAIN,
        )
        for i, name in enumerate(given.names)
    ]
    assisted = Dataset.of(given.root, images, given.classes)
    found = []
    for name, dataset in (("originals", given), ("assisted", assisted)):
        api.train(dataset, out=out / name, budget=budget, seed=seed)
        found.append(list(Detector.load(out / name).detections_in(held_out)))
    scores = [evaluate(held_out, one, resamples=0) for one in found]
    loss = paired_loss(held_out, *found)
    return {
        "budget": budget,
        "images compared on": len(held_out),
        "AP with originals": scores[0].ap,
        "AP with the session's labels": scores[1].ap,
        "AP50 with the session's labels": scores[1].ap50,
        "loss of AP": loss and loss._asdict(),
    }


def without_labels(dataset: Dataset, folder: Path) -> Dataset:
    """Copy the images alone, under names in their order."""
    folder.mkdir(parents=True)
    names = tuple(f"{i:05}{Path(name).suffix}" for i, name in enumerate(dataset.names))
    for old, new in zip(dataset.names, names, strict=True):
        shutil.copyfile(dataset.root / old, folder / new)
    return replace(dataset, root=folder, names=names)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path, help="a folder of labeled images")
    parser.add_argument("out", type=Path, help="a folder for sessions and runs")
    parser.add_argument("--seeds", type=int, nargs="*", default=[0, 1, 2])
    parser.add_argument("--images", type=int, help="label only so many, drawn at random")
    parser.add_argument("--budget", help="of the two trainings, such as 2m; none without it")
    parser.add_argument("--credulous", action="store_true", help="accept every proposal")
    parser.add_argument("--processor-time", action="store_true", help="for a busy machine")
    given = parser.parse_args()
    if given.processor_time:
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
        child_module.PROGRAM = BY_PROCESSOR_TIME
    whole = api.load(given.data)
    measured = Split.TEST if Split.TEST in whole.splits else Split.VAL
    held_out = whole.split(measured)
    pool = np.flatnonzero(whole.splits != measured)
    for seed in given.seeds:
        chosen = np.random.default_rng(seed).permutation(pool)[: given.images]
        out = given.out / f"seed-{seed}"
        shutil.rmtree(out, ignore_errors=True)
        original = without_labels(whole.select(chosen), out / "images")
        print(f"{given.data.name}, seed {seed}: {len(original)} images to label", flush=True)
        with Desk(partial(LabelStore.open, original.root, original.classes)) as desk:
            annotator = Annotator(desk, original, credulous=given.credulous)
            made = session(desk, annotator, Rounds(desk))
        write_json(out / "visits.json", [asdict(visit) for visit in made.visits])
        result = {"data": given.data.name, "seed": seed, **made.result()}
        if given.budget:
            result |= compared(original, held_out, made, given.budget, out, seed)
        print(json.dumps(result, indent=1), flush=True)


if __name__ == "__main__":
    main()
