"""Fuzz everything that loads a detector file, with damaged files of every kind.

    python benchmarks/fuzz_models.py [--inputs 10000] [--kind tflite ...] [--seed 0]

A worker process loads, describes and runs each file as the first load of a stranger's file does. An
error with a code is right. If the worker dies, so would the child in which Boxwright tries such a
file: the file is then given to the real command, which must end with a code. Failures are other
exceptions, commands that end without a code, more than 10 seconds, and more than 2 GB.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, NamedTuple

from fuzz import damaged

from boxwright.errors import BoxwrightError

SECONDS = 10.0
MEMORY = 2 << 30  # bytes on top of those after the imports
STARTING = 120.0  # seconds for the imports of a worker
SAMPLES = Path(__file__).parents[1] / "tests" / "earlier" / "files" / "run"
SHARED = Path(__file__).parents[2] / "shared" / "weights"
EXTREMES = (0, 1, 2, 3, 7, 127, 255, 1 << 15, 1 << 16, 1 << 24, 1 << 30, (1 << 31) - 1, 1 << 31)
EXTREMES += ((1 << 32) - 1, (1 << 32) - 4)
BLOCK, ZEROS = 64, 12  # a block with that many zero bytes is structure, others are weights


class Kind(NamedTuple):
    """A kind of file.

    Attributes:
        sample: the file or folder to damage.
        parts: the files in the folder that are damaged, the first most often.
        attempt: what is done with a damaged copy.
    """

    sample: Path
    parts: tuple[str, ...]
    attempt: str = "detector"


KINDS = {
    "tflite": Kind(SAMPLES / "detector.tflite", ()),
    "int8": Kind(SAMPLES / "detector-int8.tflite", ()),
    "weights": Kind(SHARED / "ssd_mobilenet_v1_coco_quant.tflite", (), "weights"),
    "onnx": Kind(SAMPLES / "detector.onnx", ()),
    "openvino": Kind(SAMPLES / "openvino", ("detector.xml", "detector.bin")),
    "frozen": Kind(SAMPLES / "frozen_inference_graph.pb", ()),
    "savedmodel": Kind(
        SAMPLES / "saved_model",
        ("saved_model.pb", "variables/variables.index", "variables/variables.data-00000-of-00001"),
    ),
    "h5": Kind(SAMPLES, ("best.weights.h5",), "run"),
    "run.json": Kind(SAMPLES, ("run.json",), "run"),
    "checkpoint": Kind(
        SAMPLES / "saved_model" / "variables",
        ("variables.index", "variables.data-00000-of-00001"),
        "checkpoint",
    ),
    "npz": Kind(SAMPLES.parent / "stopped", ("checkpoint.npz",), "npz"),
}


def mutated(content: bytes, random_: random.Random) -> bytes:
    """Return the content with a few damages, mostly where its structure is."""
    if random_.random() < 0.15:
        return damaged(content, random_, [content])
    blocks = [
        start
        for start in range(0, len(content), BLOCK)
        if content.count(0, start, start + BLOCK) >= ZEROS
    ]
    changed = bytearray(content)
    for _ in range(random_.choice((1, 1, 1, 2, 4, 8))):
        near = random_.choice(blocks) if blocks and random_.random() < 0.8 else None
        place = random_.randrange(len(content)) if near is None else near + random_.randrange(BLOCK)
        place = min(place, len(content) - 1)
        match random_.randrange(4):
            case 0:
                changed[place] ^= 1 << random_.randrange(8)
            case 1:
                changed[place] = random_.randrange(256)
            case 2:
                place &= ~3
                changed[place : place + 4] = random_.choice(EXTREMES).to_bytes(4, "little")
            case 3:
                other = random_.randrange(len(content)) & ~3
                changed[place & ~3 : (place & ~3) + 4] = content[other : other + 4]
    return bytes(changed[: len(content)])


def make(kind: Kind, seed: str, folder: Path) -> Path:
    """Write a damaged copy; return the path that is loaded."""
    random_ = random.Random(seed)
    target = folder / kind.sample.name
    if not kind.parts:
        content = mutated(kind.sample.read_bytes(), random_)
        target.write_bytes(content)
        return target
    if not target.is_dir():
        shutil.copytree(kind.sample, target)
    part = kind.parts[0] if random_.random() < 0.7 else random_.choice(kind.parts)
    for name in kind.parts:
        content = (kind.sample / name).read_bytes()
        if name == part:
            text = name.endswith((".json", ".xml"))
            change = damaged(content, random_, [content]) if text else mutated(content, random_)
            content = change
        (target / name).write_bytes(content)
    return target


# ---- What is done with a damaged file ----------------------------------------------------------


def detector(path: Path) -> None:
    import numpy as np

    from boxwright.inference.detector import Detector
    from boxwright.inference.inspection import inspect

    with suppress(BoxwrightError):
        json.dumps(inspect(path).to_json())
    loaded = Detector.load(path, unnamed=True)
    side = loaded.artifact.preprocessing.size
    loaded.engine(np.zeros((2, side, side, 3), np.uint8))


def run(path: Path) -> None:
    from boxwright.inference.trials import try_run

    with suppress(Exception):  # as the child does
        try_run(path)
    detector(path)


def weights(path: Path) -> None:
    from boxwright.models.weights.loading import read_pretrained

    read_pretrained(path)


def checkpoint(path: Path) -> None:
    from boxwright.models.weights.checkpoint import read_checkpoint, read_variables

    read_variables(path / "variables")
    read_checkpoint(path / "variables")


def npz(path: Path) -> None:
    from boxwright.training.checkpoint import Checkpoint

    Checkpoint.load(path / "checkpoint.npz")


ATTEMPTS: dict[str, Callable[[Path], None]] = {
    "detector": detector,
    "run": run,
    "weights": weights,
    "checkpoint": checkpoint,
    "npz": npz,
}


def work(name: str, seed: int, first: int, last: int, said: Connection) -> None:
    """A worker: try inputs `first` to `last`, and say what became of each."""
    import boxwright.safety.trial as trial

    trial.attempt = lambda target, path: None  # this process is the one that may die
    trial.is_known = lambda key: False
    trial.remember = lambda key: None
    kind = KINDS[name]
    attempt = ATTEMPTS[kind.attempt]
    with suppress(BoxwrightError):
        attempt(kind.sample)  # imports what it needs
    _build_once()
    trial.MEMORY, trial.SECONDS = MEMORY, 10**6
    trial.limit()
    with tempfile.TemporaryDirectory() as scratch:
        for i in range(first, last):
            path = make(kind, f"{name} {seed} {i}", Path(scratch))
            said.send((i, "start", ""))
            started = time.monotonic()
            try:
                attempt(path)
                outcome, text = "accepted", ""
            except BoxwrightError as error:
                outcome, text = error.code, ""
            except BaseException:
                outcome, text = "failure", traceback.format_exc(limit=-4)
            took = time.monotonic() - started
            if took > SECONDS:
                outcome, text = "failure", f"took {took:.1f} s"
            said.send((i, outcome, text))


def _build_once() -> None:
    """Build the same network only once; only its weights are of interest."""
    from boxwright.models.ssd import detector as module

    build, built = module.SsdModel.build, {}

    def once(spec: Any, *rest: Any, **options: Any) -> Any:
        if spec not in built:
            built.clear()
            built[spec] = build(spec, *rest, **options)
        return built[spec]

    module.SsdModel.build = staticmethod(once)


# ---- The parent --------------------------------------------------------------------------------


def fuzz(name: str, seed: int, inputs: int) -> tuple[Counter[str], list[str]]:
    """Try `inputs` damaged files of a kind; return what became of them, and the failures."""
    context = multiprocessing.get_context("spawn")
    found: Counter[str] = Counter()
    failures: list[str] = []
    first = 0
    while first < inputs:
        ours, theirs = context.Pipe(duplex=False)
        worker = context.Process(target=work, args=(name, seed, first, inputs, theirs))
        worker.start()
        theirs.close()
        at, limit = first, STARTING
        while True:
            try:
                if not ours.poll(limit):
                    worker.kill()
                    break
                at, outcome, text = ours.recv()
            except EOFError:
                break
            limit = 3 * SECONDS
            if outcome == "start":
                continue
            found[outcome] += 1
            if outcome == "failure":
                failures.append(f"{name} {seed} {at}: {text}")
            first = at + 1
        worker.join()
        if first < inputs:
            found["died"] += 1
            if fault := confirm(name, seed, at):
                failures.append(f"{name} {seed} {at}: exit code {worker.exitcode}; {fault}")
            first = at + 1
    return found, failures


def confirm(name: str, seed: int, i: int) -> str | None:
    """Give a file that killed a worker to the command; return what is wrong with its end."""
    kind = KINDS[name]
    if kind.attempt not in {"detector", "run"}:
        return "this is read without a child"
    with tempfile.TemporaryDirectory() as scratch:
        path = make(kind, f"{name} {seed} {i}", Path(scratch))
        done = subprocess.run(
            [sys.executable, "-m", "boxwright", "inspect", str(path)],
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            check=False,
        )
    coded = re.match(r"BW(?!999)\d+", done.stderr)
    return None if done.returncode in (0, 1) and (coded or not done.returncode) else done.stderr


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--inputs", type=int, default=10_000)
    parser.add_argument("--kind", nargs="*", default=list(KINDS), choices=KINDS)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    failed = False
    for name in options.kind:
        started = time.monotonic()
        found, failures = fuzz(name, options.seed, options.inputs)
        codes = ", ".join(f"{code} {count:,}" for code, count in sorted(found.items()))
        print(
            f"{name:10} {sum(found.values()):7,} inputs, {len(failures)} failures "
            f"({codes}); {time.monotonic() - started:.0f} s",
            flush=True,
        )
        for failure in failures[:8]:
            print(failure, flush=True)
        failed = failed or bool(failures)
    sys.exit(failed)


if __name__ == "__main__":
    main()
