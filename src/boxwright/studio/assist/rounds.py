"""What a round of the assistant takes from the labels, and what it leaves in the journal."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

from boxwright.errors import DataError
from boxwright.formats.editing import FLAGS
from boxwright.studio.assist import plan
from boxwright.studio.class_edits import Move, moved
from boxwright.studio.desk import Desk
from boxwright.studio.journal import Proposal
from boxwright.studio.store import ImageRow, LabelStore

READ_AT_ONCE = 50  # images, between which the pages are answered
OPENED = 8  # images that were opened last: their proposals do not change
QUALITY, LAST = "quality", "assist"  # names in the journal


@dataclass(frozen=True)
class Round:
    """A round.

    Attributes:
        number: its number, from 1.
        labeled: number of labeled images with objects that it learns from.
        before: the run folder of the last round.
    """

    number: int
    labeled: int
    before: str | None


class Rounds:
    """The rounds on the labels of a folder.

    Args:
        desk: the labels.
        weights: the name or file of the weights to begin with; None for the usual ones.
    """

    def __init__(self, desk: Desk, weights: str | None = None) -> None:
        self._desk, self._weights = desk, weights
        self._opened = deque[int](maxlen=OPENED)
        self._moves = 0  # of classes, before a round took the labels
        self._failed = 0  # labeled images of a round that failed: it is tried again with more

    def opened(self, index: int) -> None:
        """A page shows this image from now on."""
        self._opened.append(index)

    def quality(self) -> list[dict[str, Any]]:
        """The quality after each round."""
        return self._desk.wait_for(lambda store: list(store.journal.get(QUALITY, [])))

    @property
    def has_begun(self) -> bool:
        """True after the first round."""
        return bool(self._desk.wait_for(lambda store: store.journal.get(LAST)))

    def due(self) -> Round | int:
        """The round that is due, or how many more labeled images it takes."""
        blind = self._desk.wait_for(lambda store: store.blind())
        labeled = sum(row.boxes > 0 and row.index not in blind for row in self._labeled())
        last = self._desk.wait_for(lambda store: store.journal.get(LAST, {}))
        missing = plan.needed(max(last.get("labeled", 0), self._failed)) - labeled
        if missing > 0:
            return missing
        return Round(last.get("round", 0) + 1, labeled, last.get("run"))

    def request(self, round: Round) -> dict[str, Any]:
        """The request of a round, see `round.run`."""
        self._moves = self._desk.wait_for(lambda store: len(store.class_moves))
        known = [row.index for row in self._labeled()]
        train, test, unlabeled, about = self._desk.wait_for(partial(_chosen, known))
        home = about.pop("home")
        request = {
            **about,
            "work": "round",
            "weights": self._weights,
            "before": round.before,
            # two folders in turn: one is complete while the other is written
            "out": str(home / f"round-{round.number % 2}"),
            "seconds": plan.budget(round.labeled),
            "train": list(self._read(train)),
            "test": list(self._read(test)),
            "unlabeled": list(self._read(unlabeled)),
        }
        if self._desk.wait_for(lambda store: len(store.class_moves)) > self._moves:
            return self.request(round)  # some labels have other classes by now than others
        return request

    def propose(self, round: Round, found: Sequence[Mapping[str, Any]]) -> list[int]:
        """Keep what was detected, and return the images whose proposals have changed: not of those
        that were opened last or labeled meanwhile."""

        def propose(store: LabelStore) -> list[int]:
            moves = store.class_moves[self._moves :]
            open_ones = [
                image
                for image in found
                if image["index"] not in self._opened
                and store.rows(image["index"], 1)[0].state == "new"
            ]
            for image in open_ones:
                index, boxes = image["index"], image["boxes"]
                proposals = _proposals(boxes, f"p{round.number}-{index}", moves)
                doubt = plan.uncertainty(score for *_, score in boxes)
                store.journal.propose(index, proposals, doubt)
            return [image["index"] for image in open_ones]

        return self._desk.wait_for(propose)

    def measured(self, round: Round, quality: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Keep the quality after a round, and return that after each."""
        points = [*self.quality(), {"labeled": round.labeled, **quality}]
        self._desk.wait_for(lambda store: store.journal.set(QUALITY, points))
        return points

    def done(self, round: Round, run: str) -> None:
        """Keep the run folder of a round for the next one."""
        last = {"round": round.number, "labeled": round.labeled, "run": run}
        self._desk.wait_for(lambda store: store.journal.set(LAST, last))

    def failed(self, round: Round) -> None:
        """Try again when there are more labels."""
        self._failed = round.labeled

    def _labeled(self) -> Iterator[ImageRow]:
        """The labeled images, some at a time: in a large folder, reading all takes a while."""
        count = self._desk.wait_for(lambda store: len(store.names))
        for start in range(0, count, READ_AT_ONCE):
            rows = self._desk.wait_for(partial(LabelStore.rows, start=start, count=READ_AT_ONCE))
            yield from (row for row in rows if row.is_labeled)

    def _read(self, indices: Sequence[int]) -> Iterator[dict[str, Any]]:
        for start in range(0, len(indices), READ_AT_ONCE):
            some = indices[start : start + READ_AT_ONCE]
            yield from self._desk.wait_for(partial(_images, some))


def _chosen(
    known: Sequence[int], store: LabelStore
) -> tuple[list[int], list[int], list[int], dict[str, Any]]:
    """The images to learn from, to measure on, and to propose for; and facts on the folder."""
    blind = store.blind()
    every = range(len(store.names))
    new = [index for index in every if store.state(index) == "new" and index not in blind]
    about = {
        "root": str(store.folder.absolute()),
        "classes": list(store.classes),
        "home": store.home.absolute() / "assist",
    }
    return (
        plan.spread([index for index in known if index not in blind], plan.LEARNED),
        plan.spread([index for index in known if index in blind], plan.MEASURED),
        plan.pool(new, store.journal.get("current") or 0),
        about,
    )


def _proposals(
    boxes: Sequence[Sequence[Any]], prefix: str, moves: Sequence[Move]
) -> list[Proposal]:
    """What was detected, with the classes as they are after these moves."""
    return [
        Proposal(f"{prefix}-{i}", (xmin, ymin, xmax, ymax), label, score)
        for i, (xmin, ymin, xmax, ymax, name, score) in enumerate(boxes)
        if score >= plan.PROPOSED and (label := moved(name, moves)) is not None
    ]


def _images(indices: Sequence[int], store: LabelStore) -> list[dict[str, Any]]:
    """The images with their labels, without those that cannot be read: the page tells of them."""
    images = []
    for index in indices:
        with suppress(DataError):
            images.append(_image(store, index))
    return images


def _image(store: LabelStore, index: int) -> dict[str, Any]:
    """An image with its labels, as in a request."""
    boxes = store.read(index).boxes
    width, height = store.size(index)
    return {
        "index": index,
        "name": store.names[index],
        "width": width,
        "height": height,
        "boxes": [box.box for box in boxes],
        "labels": [box.label for box in boxes],
        "flags": [sum(bit for flag, bit in FLAGS.items() if getattr(box, flag)) for box in boxes],
    }
