"""The assistant: trains in a process of its own as labels come in, and proposes boxes."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from typing import Any

from boxwright.console import unexpected
from boxwright.errors import BoxwrightError
from boxwright.structures.dataset import CROWD, DIFFICULT, OCCLUDED, TRUNCATED
from boxwright.studio.assist import plan
from boxwright.studio.child import FAILED, Child, StartChild, Telling
from boxwright.studio.desk import Desk
from boxwright.studio.journal import Proposal
from boxwright.studio.store import LabelStore
from boxwright.studio.told import error_json

PAUSE_SECONDS = 1.0  # between two looks at whether a round is due
READ_AT_ONCE = 50  # images, between which the page's requests are answered
OPENED = 8  # images that were opened last: their proposals do not change
QUALITY, LAST = "quality", "assist"  # names in the journal
FLAGS = {"difficult": DIFFICULT, "truncated": TRUNCATED, "crowd": CROWD, "occluded": OCCLUDED}
LABELED = ("labeled", "verified")

TellPages = Callable[[str, dict[str, Any]], None]


class Assistant:
    """Starts a round when enough images were labeled since the last one, until it is closed.

    Args:
        desk: the labels.
        tell: sends an event to the pages.
        weights: the name or file of the weights to begin with; None for the usual ones.
        busy: True while the processor is wanted for something else.
        start: starts a child.
    """

    def __init__(
        self,
        desk: Desk,
        tell: TellPages,
        weights: str | None = None,
        busy: Callable[[], bool] = lambda: False,
        start: StartChild = Child,
    ) -> None:
        self._desk, self._tell, self._weights = desk, tell, weights
        self._busy, self._start = busy, start
        self._opened = deque[int](maxlen=OPENED)
        self._closed = threading.Event()
        self._changed = threading.Event()
        self._changed.set()
        self._child: Telling | None = None
        self._failed_with = 0  # labeled images
        self.state: dict[str, Any] = {"state": "waiting", "reason": ""}
        self._thread = threading.Thread(target=self._work, daemon=True)

    def begin(self) -> None:
        """Begin to look for rounds."""
        points = self._desk.wait_for(lambda store: store.journal.get(QUALITY, []))
        if points:
            self._tell(QUALITY, {"points": points})
        self._thread.start()

    def opened(self, index: int) -> None:
        """A page shows this image from now on."""
        self._opened.append(index)

    def edited(self) -> None:
        """Labels have changed, or the processor is free again: see whether a round is due."""
        self._changed.set()

    def close(self) -> None:
        """End the round that is in progress, without its result."""
        self._closed.set()
        self._changed.set()
        if self._child:
            self._child.close()
        self._thread.join()

    def _work(self) -> None:
        while not self._closed.wait(PAUSE_SECONDS):
            self._changed.wait()
            self._changed.clear()
            if self._closed.is_set():
                return
            try:
                self._look()
            except Exception as error:
                said = error if isinstance(error, BoxwrightError) else unexpected(error)
                self._tell("problem", dict(error_json(said)))

    def _look(self) -> None:
        """Do a round if one is due."""
        labeled = self._desk.wait_for(training_images)
        last = self._desk.wait_for(lambda store: store.journal.get(LAST))
        before = max(last["labeled"] if last else 0, self._failed_with) or None
        if self._busy() or not plan.due(labeled, before):
            missing = plan.FIRST - labeled
            if missing > 0:
                self._say("waiting", reason=f"It starts with {missing} more labeled images.")
            return
        self._round(labeled, last or {"round": 0, "run": None})

    def _round(self, labeled: int, last: Mapping[str, Any]) -> None:
        number = last["round"] + 1
        request = self._request(labeled, number, last["run"])
        about = {"round": number, "images": labeled}
        self._say("training", **about)
        result: str | None = None
        with closing(self._start(request)) as child:
            self._child = child
            if self._closed.is_set():  # it may have come too late for `close`
                return
            for told in child:
                if told["state"] == FAILED:
                    self._failed(labeled, told)
                elif "proposals" in told:
                    self._propose(number, told["proposals"])
                elif "quality" in told:
                    self._measured(labeled, told["quality"])
                elif "step" in told:
                    steps = {name: told[name] for name in ("step", "steps", "loss", "seconds_left")}
                    self._say("training", **about, **steps)
                result = told.get("result", result)
        if result:
            done = {"round": number, "run": result, "labeled": labeled}
            self._desk.wait_for(lambda store: store.journal.set(LAST, done))
            self._say("idle", **about)
        self._changed.set()  # by labels of the meantime

    def _request(self, labeled: int, number: int, before: str | None) -> dict[str, Any]:
        """The request of a round, see `round.run`."""

        def rows(store: LabelStore) -> tuple[list[int], list[int], list[int]]:
            blind, rows = store.blind(), store.rows()
            known = [row.index for row in rows if row.state in LABELED]
            new = [row.index for row in rows if row.state == "new" and row.index not in blind]
            unlabeled = plan.pool(new, store.journal.get("current") or 0)
            return [i for i in known if i not in blind], [i for i in known if i in blind], unlabeled

        train, test, unlabeled = self._desk.wait_for(rows)
        about = self._desk.wait_for(
            lambda store: {
                "root": str(store.folder.absolute()),
                "classes": list(store.classes),
                # two in turn: the last one is complete while the next one is written
                "out": str(store.home.absolute() / "assist" / f"round-{number % 2}"),
            }
        )
        return {
            **about,
            "work": "round",
            "weights": self._weights,
            "before": before,
            "seconds": plan.budget(labeled),
            "train": list(self._read(train)),
            "test": list(self._read(test)),
            "unlabeled": list(self._read(unlabeled)),
        }

    def _read(self, indices: Sequence[int]) -> Iterator[dict[str, Any]]:
        for start in range(0, len(indices), READ_AT_ONCE):
            some = indices[start : start + READ_AT_ONCE]
            yield from self._desk.wait_for(
                lambda store, some=some: [image_json(store, index) for index in some]
            )

    def _propose(self, number: int, found: Sequence[Mapping[str, Any]]) -> None:
        def propose(store: LabelStore) -> list[int]:
            changed = []
            for image in found:
                index = image["index"]
                if index in self._opened or store.rows(index, 1)[0].state != "new":
                    continue
                store.journal.propose(index, *proposals_of(image, number))
                changed.append(index)
            return changed

        self._tell("proposals", {"indices": self._desk.wait_for(propose)})

    def _measured(self, labeled: int, quality: Mapping[str, Any]) -> None:
        def add(store: LabelStore) -> list[Any]:
            points = [*store.journal.get(QUALITY, []), {"labeled": labeled, **quality}]
            store.journal.set(QUALITY, points)
            return points

        self._tell(QUALITY, {"points": self._desk.wait_for(add)})

    def _failed(self, labeled: int, told: Mapping[str, Any]) -> None:
        """Say what is missing; the next round, with more labels, tries again."""
        self._failed_with = labeled
        if not self._closed.is_set():
            self._say("missing", reason=f"{told['message']} {told['remedy']}".strip())

    def _say(self, state: str, **about: Any) -> None:
        said = {"state": state, "reason": "", **about}
        if said != self.state:
            self.state = said
            self._tell("training", said)


def training_images(store: LabelStore) -> int:
    """Number of labeled images with objects that a round learns from."""
    blind = store.blind()
    return sum(
        row.boxes > 0 and row.state in LABELED and row.index not in blind for row in store.rows()
    )


def proposals_of(image: Mapping[str, Any], number: int) -> tuple[list[Proposal], float]:
    """The proposals of a round for an image, and how uncertain they are."""
    index, found = image["index"], image["boxes"]
    proposals = [
        Proposal(f"p{number}-{index}-{i}", (box[0], box[1], box[2], box[3]), box[4], box[5])
        for i, box in enumerate(found)
        if box[5] >= plan.PROPOSED
    ]
    return proposals, plan.uncertainty(box[5] for box in found)


def image_json(store: LabelStore, index: int) -> dict[str, Any]:
    """An image with its labels, for a round."""
    labels = store.read(index)
    width, height = store.size(index)
    return {
        "index": index,
        "name": store.names[index],
        "width": width,
        "height": height,
        "boxes": [box.box for box in labels.boxes],
        "labels": [box.label for box in labels.boxes],
        "flags": [
            sum(bit for flag, bit in FLAGS.items() if getattr(box, flag)) for box in labels.boxes
        ],
    }
