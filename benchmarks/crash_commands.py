"""Commands that `crashes.py` kills, in processes that are started ahead and import before they are
needed. As a program it is such a process."""

from __future__ import annotations

import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

sys.path.append(str(Path(__file__).parents[1] / "tests"))

from boxwright.api import convert, load, split
from boxwright.errors import BoxwrightError
from boxwright.inference.run import Run
from boxwright.training.events import Event, Step
from boxwright.training.tools import Tools

LOST = 30.0  # seconds of training
STEPS = 12
LIGHT_ALONE = "--light"
HANGS = 120.0  # seconds
CODED, BROKEN = 3, 4  # exit codes of a process

Process = subprocess.Popen[str]


@dataclass(frozen=True)
class Place:
    """Where a trial takes place: labeled images, and what is made from them."""

    folder: Path

    @property
    def images(self) -> Path:
        return self.folder / "images"

    @property
    def run(self) -> Path:
        return self.folder / "run"

    @property
    def out(self) -> Path:
        return self.folder / "out"

    @property
    def steps(self) -> Path:
        """A line for each step: its number and its time."""
        return self.folder / "steps.txt"

    @property
    def said(self) -> Path:
        """What the last command printed."""
        return self.folder / "said.txt"

    @property
    def temporary(self) -> Path:
        return self.folder / "tmp"


class Ended(NamedTuple):
    """How a command ended: its exit code, negative for a signal, and what it printed."""

    status: int
    said: str


# ---- Commands ----------------------------------------------------------------------------------


def train(place: Place, max_lost: float = 0.0) -> None:
    """Train for some steps; go on if there is a checkpoint. With `max_lost` 0 it writes a
    checkpoint after each step."""
    from boxwright.training import loop

    def note(event: Event) -> None:
        if isinstance(event, Step):
            with place.steps.open("a", encoding="utf-8") as file:
                file.write(f"{event.step} {time.time()}\n")

    wanted: dict[str, Any] = {"steps": STEPS, "input_size": 64, "model": "centers"}
    resume = Run(place.run).checkpoint.is_file()
    loop.train(
        load(place.images),
        out=place.run,
        weights=None,
        on_event=note,
        tools=Tools(max_lost=max_lost),
        **{"resume": True} if resume else {"deterministic": True, **wanted},
    )


def export(target: str, place: Place) -> None:
    """Export the run, whatever accuracy it has."""
    from boxwright.export.export import export as export_run

    export_run(place.run, target, out=place.out, data=place.images, accept_loss=True)


def make_split(place: Place) -> None:
    split(place.images, anew=True)


def make_copy(place: Place) -> None:
    shutil.rmtree(place.out, ignore_errors=True)  # one that was killed may have written it
    convert(place.images, place.out, "coco")


def load_export(place: Place) -> None:
    from boxwright.inference.detector import Detector

    Detector.load(place.out)


COMMANDS: dict[str, Callable[[Place], None]] = {
    "train": train,
    "train, rare checkpoints": partial(train, max_lost=LOST),
    "export tflite": partial(export, "tflite"),
    "export onnx": partial(export, "onnx"),
    "split": make_split,
    "convert": make_copy,
    "load": load_export,
}
KINDS = [name for name in COMMANDS if name != "load"]
LIGHT = ("split", "convert")  # need neither Keras nor TensorFlow
EXPORTS = tuple(name for name in COMMANDS if name.startswith("export"))


# ---- Processes ---------------------------------------------------------------------------------


class Warm:
    """A process that has imported what it needs and waits for a command, started ahead.

    Args:
        kind: the command, or another one that needs no more.
    """

    def __init__(self, kind: str) -> None:
        self._command = [sys.executable, __file__, *([LIGHT_ALONE] if kind in LIGHT else [])]
        self._waiting = self._another()

    def __call__(self, name: str, place: Place, limit: int | None = None) -> Process:
        """Run a command in a process.

        Args:
            name: of COMMANDS.
            place: what it gets.
            limit: bytes of the largest file that it may write.
        """
        process, self._waiting = self._waiting, self._another()
        assert process.stdin
        assert process.stdout
        process.stdout.readline()  # it is ready
        process.stdin.write(json.dumps([name, str(place.folder), limit]) + "\n")
        process.stdin.close()
        return process

    def close(self) -> None:
        self._waiting.kill()
        self._waiting.communicate()

    def _another(self) -> Process:
        pipe = subprocess.PIPE
        return subprocess.Popen(self._command, stdin=pipe, stdout=pipe, encoding="utf-8")


def serve() -> None:
    """The child's side."""
    if LIGHT_ALONE not in sys.argv:
        from boxwright.export import export as _  # noqa: F401
        from boxwright.models import registry
        from boxwright.training import loop, session, start  # noqa: F401
        from toy_family import CenterModel

        registry.register(CenterModel)
    print("ready", flush=True)
    name, folder, limit = json.loads(sys.stdin.readline())
    place = Place(Path(folder))
    with place.said.open("wb") as said:
        os.dup2(said.fileno(), 1)
        os.dup2(said.fileno(), 2)
    tempfile.tempdir = str(place.temporary)
    os.environ["BOXWRIGHT_CACHE"] = str(place.folder / "cache")
    if limit is not None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    try:
        COMMANDS[name](place)
    except BoxwrightError as error:
        print(error, flush=True)
        sys.exit(BROKEN if error.code == "BW999" else CODED)


def ended(process: Process, place: Place, seconds: float) -> Ended | None:
    """Wait for a process; None if it still runs after so many seconds."""
    try:
        status = process.wait(seconds)
    except subprocess.TimeoutExpired:
        return None
    finally:
        if process.poll() is not None and process.stdout:
            process.stdout.close()
    said = place.said.read_text(encoding="utf-8", errors="replace") if place.said.exists() else ""
    return Ended(status, said[-2000:])


def finished(process: Process, place: Place) -> Ended:
    """Wait for a process, which hangs if it takes too long."""
    done = ended(process, place, HANGS)
    if done is None:
        stop(process)
        return Ended(-signal.SIGALRM, "it hangs")
    return done


def killed(process: Process, place: Place, seconds: float) -> None:
    """Kill a process after some time, if it runs then."""
    if ended(process, place, seconds) is None:
        stop(process)


def stop(process: Process) -> None:
    """Kill a process with SIGKILL."""
    process.kill()
    process.wait()
    if process.stdout:
        process.stdout.close()


if __name__ == "__main__":
    serve()
