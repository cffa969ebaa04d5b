"""Kill trainings, exports, splits and conversions at random moments, and injure what they need.

    python benchmarks/crashes.py [--trials 50] [--kind train ...] [--way killed ...] [--seed 0]

A trial starts a command in a process of its own, kills it at a random moment, often more than once,
and then repeats it, with `resume` where there is a checkpoint. Failures are: the last command does
not succeed, its result is not that of an undisturbed one, files are left over, or more than 30
seconds of training are lost. A fault is made before or while a command runs: it must succeed, or
end with a code; afterwards the files of the run are as they were, and the command succeeds once
the fault is mended. Processes are started ahead, and import before they are needed.
"""

from __future__ import annotations

import argparse
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path

import numpy as np
from crash_commands import (
    CODED,
    EXPORTS,
    KINDS,
    LOST,
    Place,
    Warm,
    ended,
    finished,
    killed,
    stop,
)

from boxwright.api import write
from boxwright.inference.run import Run
from boxwright.io.scratch import SCRATCH, SETTLED
from boxwright.training.checkpoint import Checkpoint
from squares import Squares

FINISHED = "BW307 this run is finished"
KILLS = (1, 1, 1, 2, 3)
SMALL = 20_000  # bytes of a file, on a disk that is full
WAYS = ("killed", "fault between", "fault during")


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
    found = [*scratch, *place.temporary.iterdir()]
    return [path.relative_to(place.folder).as_posix() for path in found]


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
    """Delete a file, or a folder in which a command may be making files meanwhile."""
    while path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    path.unlink(missing_ok=True)


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
        for folder in ("images",) if training else ("images", "run"):
            if (whole.folder / folder).exists():
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
    parser.add_argument("--way", nargs="*", default=WAYS, choices=WAYS)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    failed = False
    with (
        tempfile.TemporaryDirectory(prefix="crashes-") as name,
        fresh(Path(name)) as whole,
    ):
        half = prepared(whole)
        for kind in options.kind:
            failed = tried(kind, whole, half, options.trials, options.seed, options.way) or failed
    sys.exit(failed)


def prepared(whole: Place) -> Place:
    """Train the run that others are compared with; returns a place with one that was stopped."""
    half = Place(whole.folder.with_name("half"))
    half.temporary.mkdir(parents=True)
    shutil.copytree(whole.images, half.images)
    with closing(Warm("train")) as warm:
        process = warm("train", half)
        while not half.steps.exists() or half.steps.read_text(encoding="utf-8").count("\n") < 5:
            time.sleep(0.01)
        stop(process)
        done = finished(warm("train", whole), whole)
    assert done.status == 0, done.said
    return half


def tried(
    kind: str, whole: Place, half: Place, trials: int, seed: int, ways: Sequence[str] = WAYS
) -> bool:
    """Try a command; print rows of the table. Returns True if something failed."""
    failed = False
    with closing(Warm(kind)) as warm, fresh(whole.folder.parent, whole) as expected:
        if kind.startswith("train"):
            shutil.rmtree(expected.run)
        process = warm(kind, expected)
        begun = time.monotonic()
        done = finished(process, expected)
        assert done.status == 0, done.said
        seconds = time.monotonic() - begun
        attempts: tuple[Callable[[random.Random], str | None], ...] = (
            partial(kill_and_repeat, warm, kind, whole, expected, seconds),
            partial(fault_between, warm, kind, whole, half),
            partial(fault_during, warm, kind, whole, seconds),
        )
        for way, attempt in zip(WAYS, attempts, strict=True):
            if way not in ways:
                continue
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
    main()
