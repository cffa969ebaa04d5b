"""The last steps: train with a budget, report, export, and try the detector on an image.

Each is a command line, which the page shows; it is done by the same functions in a child.
"""

from __future__ import annotations

import base64
import secrets
import threading
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from boxwright.errors import ArgumentError, DetectorError, check_choice
from boxwright.export.targets import TARGETS
from boxwright.inference.run import Run
from boxwright.io.shell import quoted
from boxwright.studio.child import RUNNING, Child, StartChild, Telling
from boxwright.training.budget import seconds_of

MAX_RUNS = 1000

TellPages = Callable[[str, Mapping[str, Any]], None]


class Finish:
    """Does one of these steps at a time.

    Args:
        folder: the labeled images.
        tell: sends an event to the pages.
        over: called after a step.
        start: starts a child.
    """

    def __init__(
        self,
        folder: Path,
        tell: TellPages,
        over: Callable[[], None] = lambda: None,
        start: StartChild = Child,
    ) -> None:
        self._folder, self._tell, self._over, self._start = folder.absolute(), tell, over, start
        self._lock = threading.Lock()
        self._child: Telling | None = None
        self._thread: threading.Thread | None = None

    @property
    def busy(self) -> bool:
        """True while a step is in progress."""
        return self._child is not None

    def train(self, budget: str) -> dict[str, str]:
        """Train a new run beside the folder.

        Returns:
            The id of the job, and its command line.

        Raises:
            ArgumentError: BW801 the budget is not a time, BW809 another step is in progress.
        """
        seconds_of(budget)
        out = self._new_run()
        command = f"train {_word(self._folder)} --budget {quoted(budget)} --out {_word(out)}"
        request = {"folder": str(self._folder), "budget": budget, "out": str(out)}
        return self._begin("train", command, request)

    def export(self, to: str) -> dict[str, str]:
        """Export the last run; returns and raises as `train`, and BW803 for an unknown target."""
        check_choice("to", to, TARGETS)
        run = self._last_run()
        command = f"export {_word(run)} --to {_word(to)}"
        return self._begin("export", command, {"run": str(run), "to": to})

    def report(self, *, tested: bool) -> dict[str, str]:
        """Report the last run, on the test images of the folder if some are labeled; returns and
        raises as `train`."""
        run, data = self._last_run(), [str(self._folder)] if tested else []
        command = " ".join(["report", _word(run), *map(_word, data)])
        return self._begin("report", command, {"run": str(run), "data": data})

    def detect(self, image: bytes) -> dict[str, Any]:
        """What the last run, or its exported file if there is one, detects in an image; or the
        code, message and remedy of why it cannot.

        Raises:
            DetectorError: BW501 nothing was trained yet.
        """
        run = self._last_run()
        path = next(iter(sorted(run.glob("*.tflite"))), run)  # which is loaded in an instant
        request = {"detector": str(path), "image": base64.b64encode(image).decode("ascii")}
        with closing(self._start({"work": "detect", **request})) as child:
            *_, last = child
        return {**last, "command": f"boxwright predict {_word(path)} IMAGE"}

    def close(self) -> None:
        """End the step that is in progress; a training can be resumed by its command line."""
        if self._child:
            self._child.close()
        if self._thread:
            self._thread.join()

    def _begin(self, kind: str, command: str, request: Mapping[str, Any]) -> dict[str, str]:
        job = secrets.token_hex(4)
        with self._lock:
            if self._child:
                raise ArgumentError("BW809", f"`{kind}` cannot begin: another step is in progress.")
            self._child = child = self._start({"work": kind, **request})
        self._thread = threading.Thread(target=self._follow, args=(job, kind, child), daemon=True)
        self._thread.start()
        return {"job": job, "command": f"boxwright {command}"}

    def _follow(self, job: str, kind: str, child: Telling) -> None:
        about = {"job": job, "kind": kind}
        last: Mapping[str, Any] = {}
        with closing(child):
            for told in child:
                if told["state"] == RUNNING:
                    self._tell("finish", {**about, **told})
                last = told
        self._child = None
        self._tell("finish", {**about, **last})  # now the next step can begin
        self._over()

    def _runs(self) -> list[Path]:
        """The runs beside the folder, the oldest first."""
        return [path for path in map(self._run, range(1, MAX_RUNS)) if Run(path).exists()]

    def _run(self, number: int) -> Path:
        suffix = "" if number == 1 else f"-{number}"
        return self._folder.with_name(f"{self._folder.name}-run{suffix}")

    def _new_run(self) -> Path:
        """A folder for a run, after all that are there."""
        taken = [number for number in range(1, MAX_RUNS) if self._run(number).exists()]
        return self._run(max(taken, default=0) + 1)

    def _last_run(self) -> Path:
        runs = self._runs()
        if not runs:
            raise DetectorError("BW501", "there is no run yet: train first.", where=self._run(1))
        return runs[-1]


def _word(path: str | Path) -> str:
    """A word of a command line; a path from this folder if it is inside."""
    if isinstance(path, Path) and path.is_relative_to(Path.cwd()):
        path = path.relative_to(Path.cwd())
    return quoted(path)
