"""Fuzz everything that loads a detector file, with damaged files of every kind.

    python benchmarks/fuzz_models.py [--inputs 10000] [--kind tflite ...] [--seed 0] [--jobs 2]

One worker process for each kind loads, describes and runs file after file, as the first load of a
stranger's file does. An error with a code is right. If the worker dies, so would the child in which
Boxwright tries such a file: the file is then given to the real command, which must end with a code,
and another worker goes on. Failures are other exceptions, commands that end without a code, deaths
in what is read without a child, more than 10 seconds of processors, and more than 2 GB.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
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
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import cache, partial
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from fuzz import damaged

from boxwright.errors import BoxwrightError

SECONDS = 10.0
MEMORY = 2 << 30  # bytes on top of those after the imports
STARTING = 120.0  # seconds for the imports of a worker
TESTS = Path(__file__).parents[1] / "tests"
SAMPLES = TESTS / "earlier" / "files" / "run"
SHARED = Path(__file__).parents[2] / "shared" / "weights"
EXTREMES = (0, 1, 2, 3, 7, 127, 255, 1 << 15, 1 << 16, 1 << 24, 1 << 30, (1 << 31) - 1, 1 << 31)
EXTREMES += ((1 << 32) - 1, (1 << 32) - 4)
BLOCK, DISTINCT = 64, 40  # a block with fewer distinct bytes is structure, others are weights
WINDOW = 4096  # bytes of a large file that are damaged as text is


class Kind(NamedTuple):
    """A kind of file.

    Attributes:
        sample: the file or folder to damage, or a function that writes it into a folder.
        parts: the files in the folder that are damaged, the first most often.
        attempt: what is done with a damaged copy.
    """

    sample: Path | Callable[[Path], Path]
    parts: tuple[str, ...]
    attempt: str = "detector"


def written_onnx(folder: Path) -> Path:
    """A NanoDet-Plus as PyTorch writes it."""
    sys.path.insert(0, str(TESTS / "models"))
    import network_files

    from boxwright.models.nanodet_plus.spec import NanoDetSpec

    operations = network_files.recorded(NanoDetSpec(3)).operations
    for each in operations:
        if each.kernel is not None:
            each.kernel *= np.float32(1.1)  # not half precision, so that weights look like weights
    return network_files.write_onnx(folder / "weights.onnx", operations)


def written_checkpoint(folder: Path) -> Path:
    """A checkpoint of the Object Detection API."""
    from boxwright.inference.run import Run
    from boxwright.tfod.checkpoint import save

    save(folder, Run(SAMPLES).build_model().network, 1)
    return folder


def published(names: tuple[str, ...], folder: Path) -> Path:
    """The two files of a published NanoDet-Plus."""
    for name in names:
        shutil.copyfile(SHARED / "nanodet_plus" / name, folder / name)
    return folder


def ncnn(name: str) -> Kind:
    """Files of ncnn."""
    names = (f"{name}.ncnn.param", f"{name}.ncnn.bin")
    return Kind(partial(published, names), names, "nanodet")


KINDS = {
    "tflite": Kind(SAMPLES / "detector.tflite", ()),
    "int8": Kind(SAMPLES / "detector-int8.tflite", ()),
    "onnx": Kind(SAMPLES / "detector.onnx", ()),
    "openvino": Kind(SAMPLES / "openvino", ("detector.xml", "detector.bin")),
    "frozen": Kind(SAMPLES / "frozen_inference_graph.pb", (), "load"),
    "savedmodel": Kind(
        SAMPLES / "saved_model",
        ("saved_model.pb", "variables/variables.index", "variables/variables.data-00000-of-00001"),
        "load",
    ),
    "h5": Kind(SAMPLES, ("best.weights.h5",), "run"),
    "run.json": Kind(SAMPLES, ("run.json",)),
    "tflite weights": Kind(SHARED / "ssd_mobilenet_v1_coco_quant.tflite", (), "weights"),
    "onnx weights": Kind(written_onnx, (), "nanodet"),
    "ncnn float16": ncnn("nanodet-plus-m_320"),
    "ncnn int8": ncnn("nanodet-plus-m-1.5x_416_int8"),
    "checkpoint": Kind(
        written_checkpoint,
        ("model.ckpt-1.index", "model.ckpt-1.data-00000-of-00001"),
        "checkpoint",
    ),
    "npz": Kind(SAMPLES.parent / "stopped", ("checkpoint.npz",), "npz"),
}
TEXTS = (".json", ".xml", ".param")


@cache
def structure_of(path: Path) -> tuple[bytes, list[int]]:
    """The content of a file, and where the blocks are that are no weights."""
    content = path.read_bytes()
    blocks = {content[start : start + BLOCK]: start for start in range(0, len(content), BLOCK)}
    return content, [start for block, start in blocks.items() if len(set(block)) < DISTINCT]


def mutated(path: Path, random_: random.Random) -> bytes:
    """Return the content of a file with a few damages, mostly where its structure is."""
    content, blocks = structure_of(path)
    if path.suffix in TEXTS or random_.random() < 0.15:
        start = random_.randrange(max(len(content) - WINDOW, 0) + 1)
        window = content[start : start + WINDOW]
        return content[:start] + damaged(window, random_, [window]) + content[start + WINDOW :]
    changed = bytearray(content)
    for _ in range(random_.choice((1, 1, 1, 2, 4, 8))):
        near = random_.choice(blocks) if blocks and random_.random() < 0.8 else None
        place = random_.randrange(len(content)) if near is None else near + random_.randrange(BLOCK)
        place = min(place, len(changed) - 1)
        match random_.randrange(5):
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
            case 4:  # text or a short number, by one of the same kind
                other = random_.choice(blocks) + random_.randrange(BLOCK) if blocks else place
                changed[place : place + 1] = content[other : other + 1]
    return bytes(changed[: len(content)])


def make(sample: Path, parts: tuple[str, ...], seed: str, folder: Path) -> Path:
    """Write a damaged copy of a sample into a folder; return its path."""
    random_ = random.Random(seed)
    target = folder / sample.name
    if not parts:
        target.write_bytes(mutated(sample, random_))
        return target
    if not target.is_dir():
        shutil.copytree(sample, target, copy_function=shutil.copyfile)
    part = parts[0] if random_.random() < 0.7 else random_.choice(parts)
    for name in parts:
        whole, _ = structure_of(sample / name)
        content = mutated(sample / name, random_) if name == part else whole
        (target / name).write_bytes(content)
    return target


# ---- What is done with a damaged file ----------------------------------------------------------


def detector(path: Path) -> None:
    from boxwright.inference.inspection import inspect

    with suppress(BoxwrightError):
        json.dumps(inspect(path).to_json())
    load(path)


def load(path: Path) -> None:
    from boxwright.inference.detector import Detector

    loaded = Detector.load(path, unnamed=True)
    side = loaded.artifact.preprocessing.size
    loaded.engine(np.zeros((2, side, side, 3), np.uint8))


def run(path: Path) -> None:
    from boxwright.inference.trials import try_run

    with suppress(Exception):  # as the child does
        try_run(path)
    load(path)


def weights(path: Path) -> None:
    from boxwright.models.weights.loading import read_pretrained

    read_pretrained(path)


def nanodet(path: Path) -> None:
    from boxwright.models.nanodet_plus.pretrained import read_pretrained

    read_pretrained(next(path.glob("*.param")) if path.is_dir() else path)


def checkpoint(path: Path) -> None:
    from boxwright.models.weights.checkpoint import read_checkpoint

    read_checkpoint(path / "model.ckpt-1")


def npz(path: Path) -> None:
    from boxwright.training.checkpoint import Checkpoint

    Checkpoint.load(path / "checkpoint.npz")


ATTEMPTS: dict[str, Callable[[Path], None]] = {
    "detector": detector,
    "load": load,
    "run": run,
    "weights": weights,
    "nanodet": nanodet,
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
    with tempfile.TemporaryDirectory() as scratch, tempfile.TemporaryDirectory() as whole:
        sample = kind.sample if isinstance(kind.sample, Path) else kind.sample(Path(whole))
        attempt(sample)  # imports what it needs
        _build_once()
        trial.MEMORY, trial.SECONDS = MEMORY, 10**6
        trial.limit()
        for i in range(first, last):
            path = make(sample, kind.parts, f"{name} {seed} {i}", Path(scratch))
            said.send((i, "start", ""))
            started = time.process_time()
            try:
                attempt(path)
                outcome, text = "accepted", ""
            except BoxwrightError as error:
                outcome, text = error.code, ""
            except BaseException:
                outcome, text = "failure", traceback.format_exc(limit=-4)
            took = time.process_time() - started
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
        if limit == STARTING:
            raise RuntimeError(f"the worker of {name} does not start")
        if first < inputs:
            found["died"] += 1
            if fault := confirm(name, seed, at):
                failures.append(f"{name} {seed} {at}: exit code {worker.exitcode}; {fault}")
            first = at + 1
    return found, failures


def confirm(name: str, seed: int, i: int) -> str | None:
    """Give a file that killed a worker to the command; return what is wrong with its end."""
    kind = KINDS[name]
    if kind.attempt not in {"detector", "load", "run"} or not isinstance(kind.sample, Path):
        return "this is read without a child"
    with tempfile.TemporaryDirectory() as scratch:
        path = make(kind.sample, kind.parts, f"{name} {seed} {i}", Path(scratch))
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
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="kinds at the same time")
    options = parser.parse_args()
    with ThreadPoolExecutor(options.jobs) as jobs:
        failed = list(
            jobs.map(lambda name: report(name, options.seed, options.inputs), options.kind)
        )
    sys.exit(any(failed))


def report(name: str, seed: int, inputs: int) -> bool:
    """Fuzz a kind and print what became of it; return whether there were failures."""
    started = time.monotonic()
    found, failures = fuzz(name, seed, inputs)
    codes = ", ".join(f"{code} {count:,}" for code, count in sorted(found.items()))
    lines = [
        f"{name:14} {sum(found.values()):7,} inputs, {len(failures)} failures ({codes}); "
        f"{time.monotonic() - started:.0f} s",
        *failures[:8],
    ]
    print("\n".join(lines), flush=True)
    return bool(failures)


if __name__ == "__main__":
    main()
