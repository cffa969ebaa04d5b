"""The assistant: does a round whenever one is due, in a child, and tells the pages."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from contextlib import closing
from typing import Any

from boxwright.console import unexpected
from boxwright.errors import BoxwrightError
from boxwright.structures.findings import counted
from boxwright.studio.assist.rounds import Round, Rounds
from boxwright.studio.child import FAILED, Child, StartChild, Telling
from boxwright.studio.told import error_json

REST_SECONDS = 1.0

TellPages = Callable[[str, Mapping[str, Any]], None]


class Assistant:
    """Does rounds until it is closed.

    Args:
        rounds: the rounds on the labels.
        tell: sends an event to the pages.
        busy: True while the processor is wanted for something else.
        start: starts a child.
        rest: seconds between two looks at whether a round is due.

    Attributes:
        state: the last `training` event.
    """

    def __init__(
        self,
        rounds: Rounds,
        tell: TellPages,
        busy: Callable[[], bool] = lambda: False,
        start: StartChild = Child,
        rest: float = REST_SECONDS,
    ) -> None:
        self._rest = rest
        self._rounds, self._tell, self._busy, self._start = rounds, tell, busy, start
        self.state: dict[str, Any] = {"state": "waiting", "reason": ""}
        self._child: Telling | None = None
        self._closed, self._changed = threading.Event(), threading.Event()
        self._missing, self._edited, self._asked = 0, set[int](), False
        self.see()
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()

    def opened(self, index: int) -> None:
        """A page shows this image from now on: its proposals do not change."""
        self._rounds.opened(index)

    def edited(self, index: int) -> None:
        """The labels of an image have changed. All are counted only when a round may be due: in a
        large folder that takes a while, in which pages wait."""
        self._edited.add(index)
        self._changed.set()

    def see(self) -> None:
        """See whether a round is due."""
        self._asked = True
        self._changed.set()

    def close(self) -> None:
        """End the round that is in progress, without its result."""
        self._closed.set()
        self._changed.set()
        if self._child:
            self._child.close()
        self._thread.join()

    def _work(self) -> None:
        if points := self._rounds.quality():
            self._tell("quality", {"points": points})
        self._closed.wait(self._rest)  # the first image comes before a large folder is counted
        while not self._closed.is_set():
            self._changed.clear()
            try:
                self._begin_if_due()
            except Exception as error:
                said = error if isinstance(error, BoxwrightError) else unexpected(error)
                self._tell("problem", error_json(said))
            self._closed.wait(self._rest)
            self._changed.wait()

    def _begin_if_due(self) -> None:
        """Do a round if one is due."""
        if self._asked or self._missing <= len(self._edited):
            self._asked = False  # before it counts, lest it miss a later one
            self._edited.clear()
            due = self._rounds.due()
            if isinstance(due, Round):
                if not self._busy():
                    self._do(due)
                return
            self._missing = due
        if self.state["state"] != "missing":
            left = counted(self._missing - len(self._edited), "more labeled image")
            begins = f"Training begins after {left}."
            self._say("idle" if self._rounds.has_begun else "waiting", reason=begins)

    def _do(self, round: Round) -> None:
        about = {"round": round.number, "images": round.labeled}
        request = self._rounds.request(round)
        self._say("training", **about)
        with closing(self._start(request)) as child:
            self._child = child
            if self._closed.is_set():  # the child came too late for `close`
                return
            for told in child:
                if self._busy():
                    state = "idle" if self._rounds.has_begun else "waiting"
                    self._say(state, reason="Training goes on after the present step.")
                    break
                self._hear(round, about, told)
        self.see()  # what was labeled meanwhile

    def _hear(self, round: Round, about: Mapping[str, Any], told: Mapping[str, Any]) -> None:
        if told["state"] == FAILED:
            if not self._closed.is_set():
                self._rounds.failed(round)
                self._say("missing", reason=f"{told['message']} {told['remedy']}".strip())
        elif "proposals" in told:
            indices = self._rounds.propose(round, told["proposals"])
            self._tell("proposals", {"indices": indices})
        elif "quality" in told:
            self._tell("quality", {"points": self._rounds.measured(round, told["quality"])})
        elif "step" in told:
            steps = {name: told[name] for name in ("step", "steps", "loss", "seconds_left")}
            self._say("training", **about, **steps)
        elif "result" in told:
            self._rounds.done(round, told["result"])

    def _say(self, state: str, **about: Any) -> None:
        said = {"state": state, "reason": "", **about}
        if said != self.state:
            self.state = said
            self._tell("training", said)
