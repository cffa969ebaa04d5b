"""Kill trainings, exports, splits and conversions at random moments, and injure what they need.

    python benchmarks/crashes.py [--trials 50] [--kind train ...] [--seed 0]

A trial starts a command in a process of its own, kills it at a random moment, often more than once,
and then repeats it, with `resume` where there is a checkpoint. Failures are: the last command does
not succeed, its result is not that of an undisturbed one, files are left over, or more than 30
seconds of training are lost. A fault is made before or while a command runs: it must succeed, or
end with a code; afterwards the files of the run are as they were, and the command succeeds once
the fault is mended. Processes are started ahead, and import before they are needed.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

sys.path.append(str(Path(__file__).parents[1] / "tests"))

import numpy as np

from boxwright.api import convert, load, split, write
from boxwright.errors import BoxwrightError
from boxwright.inference.run import Run
from boxwright.io.scratch import SCRATCH, SETTLED
from boxwright.models import registry
from boxwright.training.checkpoint import Checkpoint
from boxwright.training.events import Event, Step
from boxwright.training.tools import Tools
from squares import Squares
from toy_family import CenterModel

LOST = 30.0  # seconds of training
STEPS = 12
CHILD = "--child"  # the only argument of a process that runs a command
FINISHED = "BW307 this run is finished"
HANGS = 120.0  # seconds
Process = subprocess.Popen[str]
CODED, BROKEN = 3, 4  # exit codes of a child
KILLS = (1, 1, 1, 2, 3)
SMALL = 20_000  # bytes of a file, on a disk that is full


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
    if not place.out.exists():  # an earlier one has succeeded
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
EXPORTS = tuple(name for name in COMMANDS if name.startswith("export"))


# ---- Processes ---------------------------------------------------------------------------------


class Warm:
    """Processes that have imported everything and wait for a command, started ahead."""

    def __init__(self, count: int = 1) -> None:
        self._waiting = [self._another() for _ in range(count)]

    def __call__(self, name: str, place: Place, limit: int | None = None) -> Process:
        """Run a command in a process.

        Args:
            name: of COMMANDS.
            place: what it gets.
            limit: bytes of the largest file that it may write.
        """
        process = self._waiting.pop(0)
        self._waiting.append(self._another())
        assert process.stdin
        assert process.stdout
        process.stdout.readline()  # it is ready
        process.stdin.write(json.dumps([name, str(place.folder), limit]) + "\n")
        process.stdin.close()
        return process

    def close(self) -> None:
        for each in self._waiting:
            each.kill()
            each.communicate()

    @staticmethod
    def _another() -> Process:
        command = [sys.executable, __file__, CHILD]
        pipe = subprocess.PIPE
        return subprocess.Popen(command, stdin=pipe, stdout=pipe, encoding="utf-8")


def serve() -> None:
    """The child's side."""
    registry.register(CenterModel)
    from boxwright.export import export as _  # noqa: F401
    from boxwright.training import loop, session, start  # noqa: F401

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
        process.kill()
        process.wait()
        return Ended(-signal.SIGALRM, "it hangs")
    return done


def killed(process: Process, place: Place, seconds: float) -> None:
    """Kill a process after some time, if it runs then."""
    if ended(process, place, seconds) is None:
        process.kill()
        process.wait()


# ---- Trials ------------------------------------------------------------------------------------


@contextmanager
def fresh(root: Path, template: Place | None = None) -> Iterator[Place]:
    """A place with a few labeled images; with the run of `template`, if given."""
    with tempfile.TemporaryDirectory(dir=root) as name:
        place = Place(Path(name))
        place.temporary.mkdir()
        if template:
            for folder in ("images", "run"):
                if (template.folder / folder).exists():
                    shutil.copytree(template.folder / folder, place.folder / folder)
        else:
            squares = Squares(place.folder / "squares")
            write(squares.dataset(train=12, val=3), place.images, "voc")
        yield place


def files(folder: Path) -> dict[str, bytes]:
    """The content of all files in a folder, by name, except those that each start of a training
    writes anew."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != ".lock" and path.parent.name != "tensorboard"
    }


def left_over(place: Place) -> list[str]:
    """Temporary files and folders."""
    scratch = [path for path in place.folder.rglob(f"{SCRATCH}*") if path.name != SCRATCH]
    return [str(path.relative_to(place.folder)) for path in (*scratch, *place.temporary.iterdir())]


def lost(place: Place) -> float:
    """Seconds between the last step and the last checkpoint, of a training that was killed."""
    run = Run(place.run)
    if not place.steps.exists():
        return 0.0
    lines = [line.split() for line in place.steps.read_text(encoding="utf-8").splitlines()]
    times = {int(step): float(at) for step, at in (line for line in lines if len(line) == 2)}
    step = Checkpoint.load(run.checkpoint).step if run.checkpoint.is_file() else min(times)
    return max(0.0, times[max(times)] - times.get(step, min(times.values())))


def problem(warm: Warm, name: str, place: Place, expected: Place) -> str | None:
    """What is wrong with the result of a command, beside that of an undisturbed one."""
    if left := left_over(place):
        return f"left over: {left}"
    if name in EXPORTS:
        done = finished(warm("load", place), place)
        return done.said if done.status else None
    made, whole = (files(result(name, each)) for each in (place, expected))
    if made.keys() != whole.keys():
        return f"files differ: {sorted(made.keys() ^ whole.keys())}"
    if name.startswith("train"):
        one, other = (Checkpoint.load(Run(each.run).checkpoint) for each in (place, expected))
        same = one.step == other.step and all(
            np.array_equal(array, other.arrays[key]) for key, array in one.arrays.items()
        )
    else:
        same = made == whole
    return None if same else "the result is not that of the undisturbed command"


def result(name: str, place: Place) -> Path:
    """What a command writes."""
    return {"split": place.images, "convert": place.out}.get(
        name, place.out if name in EXPORTS else place.run
    )


def kill_and_repeat(
    warm: Warm, name: str, whole: Place, expected: Place, seconds: float, random_: random.Random
) -> str | None:
    """One trial; returns what is wrong."""
    with fresh(whole.folder.parent, whole) as place:
        if name.startswith("train"):
            shutil.rmtree(place.run, ignore_errors=True)
        else:
            shutil.rmtree(place.out, ignore_errors=True)
        for _ in range(random_.choice(KILLS)):
            killed(warm(name, place), place, random_.uniform(0, seconds))
            if name.startswith("train") and (gone := lost(place)) > LOST:
                return f"{gone:.0f} s of training are lost"
        time.sleep(SETTLED + 0.1)  # after which leftovers are known as such
        done = finished(warm(name, place), place)
        if done.status and FINISHED not in done.said:
            return f"the last command ended with {done.status}: {done.said}"
        return problem(warm, name, place, expected)


# ---- Faults ------------------------------------------------------------------------------------


def truncated(path: Path, random_: random.Random) -> None:
    path.write_bytes(path.read_bytes()[: random_.randrange(path.stat().st_size)])


def flipped(path: Path, random_: random.Random) -> None:
    content = bytearray(path.read_bytes())
    content[random_.randrange(len(content))] ^= 1 << random_.randrange(8)
    path.write_bytes(content)


def of_another_run(path: Path, random_: random.Random) -> None:
    """The same kind of file, of a run with another network."""
    content = path.read_bytes()
    if path.suffix == ".json":
        path.write_bytes(content.replace(b'"input_size": 64', b'"input_size": 96'))
        return
    if path.suffix == ".npz":
        with np.load(path) as arrays:
            other = {name: arrays[name] for name in arrays.files}
        name = random_.choice([name for name, each in other.items() if each.ndim])
        other[name] = other[name][..., None]
        np.savez(path, **other)
    else:
        path.write_bytes(random_.randbytes(len(content)))


def deleted(path: Path, random_: random.Random) -> None:
    shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)


PARTS = ("checkpoint.npz", "best.weights.h5", "run.json", "log.jsonl")
DAMAGE = (truncated, flipped, of_another_run, deleted)


def any_image(place: Place, random_: random.Random) -> Path:
    return random_.choice(
        sorted(place.images.rglob("*.png")) or sorted(place.images.rglob("*.jpg"))
    )


def damage_between(place: Place, random_: random.Random) -> None:
    """Damage a file of the run, or an image."""
    targets = [place.run / random_.choice(PARTS), any_image(place, random_), place.run]
    path = random_.choices(targets, weights=(6, 3, 1))[0]
    change = deleted if path.is_dir() else random_.choice(DAMAGE)
    if path.exists():
        change(path, random_)


def fault_between(
    warm: Warm, name: str, whole: Place, half: Place, random_: random.Random
) -> str | None:
    """Damage something, then run the command: it succeeds, or ends with a code."""
    with fresh(whole.folder.parent, half if name.startswith("train") else whole) as place:
        damage_between(place, random_)
        before = files(place.run)
        done = finished(warm(name, place), place)
        if done.status not in {0, CODED}:
            return f"ended with {done.status}: {done.said}"
        if done.status and any(files(place.run).get(key) != each for key, each in before.items()):
            return f"a refused command changed the run: {done.said}"
        return None


def fault_during(
    warm: Warm, name: str, whole: Place, seconds: float, random_: random.Random
) -> str | None:
    """Delete or change something while the command runs, or let the disk be full; then mend it."""
    with fresh(whole.folder.parent, whole) as place:
        training = name.startswith("train")
        shutil.rmtree(place.run if training else place.out, ignore_errors=True)
        full = random_.random() < 0.4
        process = warm(name, place, SMALL if full else None)
        done = ended(process, place, random_.uniform(0, seconds))
        if done is None and not full:
            path = random_.choice([place.run, place.out, any_image(place, random_)])
            if path.exists():
                random_.choice((deleted, truncated) if path.is_file() else (deleted,))(
                    path, random_
                )
        done = done or finished(process, place)
        if done.status not in {0, CODED}:
            return f"ended with {done.status}: {done.said}"
        for folder in ("images", "run"):
            if folder == "images" or not training:
                shutil.rmtree(place.folder / folder, ignore_errors=True)
                shutil.copytree(whole.folder / folder, place.folder / folder)
        if training and done.status == 0 and not place.run.exists():
            return None  # deleted after the end
        time.sleep(SETTLED + 0.1)
        again = finished(warm(name, place), place)
        if again.status and FINISHED not in again.said:
            return f"mended, it ended with {again.status}: {again.said}"
        return None


# ---- The table ---------------------------------------------------------------------------------


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=50, help="of each kind")
    parser.add_argument("--kind", nargs="*", default=KINDS, choices=KINDS)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    registry.register(CenterModel)
    failed = False
    with (
        closing(Warm()) as warm,
        tempfile.TemporaryDirectory(prefix="crashes-") as name,
        fresh(Path(name)) as whole,
    ):
        half = prepared(warm, whole)
        for kind in options.kind:
            failed = tried(warm, kind, whole, half, options.trials, options.seed) or failed
    sys.exit(failed)


def prepared(warm: Warm, whole: Place) -> Place:
    """Train the run that others are compared with; returns a place with one that was stopped."""
    half = Place(whole.folder.with_name("half"))
    half.temporary.mkdir(parents=True)
    shutil.copytree(whole.images, half.images)
    process = warm("train", half)
    while (
        len(half.steps.read_text(encoding="utf-8").splitlines() if half.steps.exists() else ()) < 5
    ):
        time.sleep(0.01)
    process.kill()
    process.wait()
    done = finished(warm("train", whole), whole)
    assert done.status == 0, done.said
    return half


def tried(warm: Warm, kind: str, whole: Place, half: Place, trials: int, seed: int) -> bool:
    """Try a command; print rows of the table. Returns True if something failed."""
    failed = False
    with fresh(whole.folder.parent, whole) as expected:
        if kind.startswith("train"):
            shutil.rmtree(expected.run)
        begun = time.monotonic()
        done = finished(warm(kind, expected), expected)
        assert done.status == 0, done.said
        seconds = time.monotonic() - begun
        ways: dict[str, Callable[[random.Random], str | None]] = {
            "killed": partial(kill_and_repeat, warm, kind, whole, expected, seconds),
            "fault between": partial(fault_between, warm, kind, whole, half),
            "fault during": partial(fault_during, warm, kind, whole, seconds),
        }
        for way, attempt in ways.items():
            begun, failures = time.monotonic(), 0
            count = trials if way == "killed" else -(-trials // 2)
            for number in range(count):
                said = attempt(random.Random(f"{seed} {kind} {way} {number}"))
                if said:
                    failures += 1
                    print(f"{kind}, {way}, {number}: {said}", flush=True)
            took = time.monotonic() - begun
            print(
                f"{kind:24} {way:14} {count:4} tries, {failures} failures; {took:.0f} s", flush=True
            )
            failed = failed or failures > 0
    return failed


if __name__ == "__main__":
    serve() if sys.argv[1:] == [CHILD] else main()
