"""Check, convert and predict drawn images on one-core nodes of a local Ray cluster; lose a node.

    python benchmarks/scale.py --folder /tmp/large --images 20000

Draws the images of `large_dataset.py` into FOLDER, unless they are there. Needs the extra `ray`.
Prints for each number of nodes how long the cluster and its first work took to start, and how many
images a second were measured after that; the same for threads and processes of this machine, with
one core and with two; and both again for the predictions of a NanoDet-Plus that has learned
nothing. Then a check, a conversion to TFRecord and predictions on three nodes lose one of them
midway, and the report and the files must be those of this machine alone. Before all that, prints
the driver's memory with a million units.
"""

from __future__ import annotations

import argparse
import filecmp
import json
import os
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from large_dataset import CLASSES, make

import boxwright
from boxwright.backend import framework
from boxwright.datasets.checks.measure import summarize_all
from boxwright.export.tflite import write_tflite
from boxwright.formats.tfrecord import writer
from boxwright.images.preprocessing import Preprocessing
from boxwright.inference.artifact import Artifact
from boxwright.inference.detector import Detector
from boxwright.models.registry import family
from boxwright.outputs.predicting import write_predictions
from boxwright.parallel import units
from boxwright.parallel.choice import executor
from boxwright.parallel.cores import Cores, Progress
from boxwright.parallel.local import on_this_machine
from boxwright.parallel.units import Crew, Executor, Outcome, Trouble, Unit, Work
from boxwright.sources.images import Images
from boxwright.structures.dataset import Dataset

NODES = (1, 2, 3)
MILLION = 1_000_000
INPUT = 320  # pixels
PREDICTED = 5_000  # images, of which each takes fifteen times as long as to measure it
UNITS = 20  # at least; of few images they are smaller


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--images", type=int, default=20_000)
    parser.add_argument("--only", choices=sorted(PARTS))
    given = parser.parse_args()
    make(given.folder, given.images)
    units.SIZE = min(units.SIZE, max(16, given.images // UNITS // 16 * 16))
    for name, part in PARTS.items():
        if given.only in (None, name):
            part(given.folder)


def speed(folder: Path) -> None:
    """Print how fast images are measured, here and on a cluster."""
    images = boxwright.read(folder)
    _speeds("measured", len(images), lambda count, on: _measure(images, count, on))


def _measure(images: Dataset, count: int, on: Executor) -> None:
    summarize_all(images.select(range(count)), Crew(on))


def prediction(folder: Path) -> None:
    """Print how fast a detector finds objects, here and on a cluster. Then lose a node."""
    detector = Detector.load(untrained(folder))
    paths = sorted((folder / "images").iterdir())[:PREDICTED]
    with tempfile.TemporaryDirectory(dir=folder.parent) as out:

        def predict(count: int, on: Executor, name: str = "some", **options: Any) -> Path:
            target = Path(out) / name
            given = [Images({str(path): path for path in paths[:count]})]
            write_predictions(
                detector, given, target, ["json"], threshold=0.05, executor=on, **options
            )
            return target / "detections.json"

        _speeds("predicted", len(paths), predict)
        here = predict(len(paths), Executor(on_this_machine), "here")
        with losing(len(paths) // 2) as (on, progress):
            there = predict(len(paths), on, "there", progress=progress)
        assert filecmp.cmp(here, there, shallow=False), "the predictions differ"
        boxes = here.read_text(encoding="utf-8").count('"score"')
        print(f"a node was lost: the file with {boxes} boxes has the same bytes")


def untrained(folder: Path) -> Path:
    """A detector that has learned nothing, as a .tflite; its time is that of a trained one."""
    file = folder / "untrained.tflite"
    if not file.exists():
        kind = family("nanodet_plus")
        model = kind.build(kind.spec_for(CLASSES, INPUT))
        names = tuple(f"thing {i}" for i in range(CLASSES))
        write_tflite(file, model, Artifact(model.to_json(), names, Preprocessing(INPUT)))
    return file


def _speeds(done: str, images: int, work: Callable[[int, Executor], object]) -> None:
    """Print images per second and processor time of the work on a number of images, here and on
    clusters."""
    here = {}
    for cores in (1, 2):
        here[cores] = _rate(images, work, Executor(on_this_machine), cores=cores)
        rate, processor = here[cores]
        print(f"here, {cores} cores: {rate:.0f} images/s {done}, {processor:.2f} ms each")
    for nodes in NODES:
        start = time.perf_counter()
        with cluster(nodes) as (_, address):
            up = time.perf_counter() - start
            with executor(f"ray={address}") as on:
                start = time.perf_counter()
                work(nodes, on)
                first = time.perf_counter() - start
                rate, processor = _rate(images, work, on)
        share = f", {rate / here[nodes][0]:.2f} of here" if nodes in here else ""
        print(
            f"{nodes} nodes: {rate:.0f} images/s{share}, {processor:.2f} ms each; "
            f"start {up:.1f} s + {first:.1f} s",
            flush=True,
        )


def _rate(
    images: int, work: Callable[[int, Executor], object], on: Executor, *, cores: int = 0
) -> tuple[float, float]:
    """Images per second, and milliseconds of the processor for each; here on the first cores."""
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, sorted(allowed)[: cores or None])
    try:
        start, processor = time.perf_counter(), _processor()
        work(images, on)
        seconds, processor = time.perf_counter() - start, _processor() - processor
        return images / seconds, 1e3 * processor / images
    finally:
        os.sched_setaffinity(0, allowed)


def _processor() -> float:
    """Seconds of the processor of this process and all that it has started, nodes included."""
    ticks: dict[int, float] = {}
    parents: dict[int, int] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            fields = path.read_text(encoding="utf-8").rpartition(")")[2].split()
            parents[int(path.parent.name)] = int(fields[1])
            ticks[int(path.parent.name)] = sum(map(int, fields[11:15]))
    ours = {os.getpid()}
    while more := {each for each, parent in parents.items() if parent in ours} - ours:
        ours |= more
    return sum(ticks[each] for each in ours) / os.sysconf("SC_CLK_TCK")


def loss(folder: Path) -> None:
    """Check while a node is lost, and compare with a check here."""
    with losing(len(boxwright.read(folder)) // 2) as (on, progress):
        report = boxwright.check(folder, progress=progress, on=on)
    assert text(report) == text(boxwright.check(folder)), "the reports differ"
    for each in on.troubles:
        print(f"{each.images}: {each.error.message} (attempt {each.attempt})")
    print(
        f"a node was lost: {len(on.troubles)} units begun again, the report is that of a check here"
    )


def conversion(folder: Path) -> None:
    """Convert while a node is lost, and compare with a conversion here."""
    writer.SHARD = 16 << 20  # several files
    with tempfile.TemporaryDirectory(dir=folder.parent) as out:
        here, there = Path(out) / "here", Path(out) / "there"
        start = time.perf_counter()
        boxwright.convert(folder, here, "tfrecord")
        print(f"conversion here: {time.perf_counter() - start:.1f} s", flush=True)
        with losing(len(boxwright.read(folder)) // 3) as (on, progress):
            start = time.perf_counter()
            boxwright.convert(folder, there, "tfrecord", on=on, progress=progress)
            seconds = time.perf_counter() - start
        names = sorted(path.name for path in here.iterdir())
        assert names == sorted(path.name for path in there.iterdir())
        match, *differ = filecmp.cmpfiles(here, there, names, shallow=False)
        assert not any(differ), differ
        print(f"a node was lost: {len(match)} files with the same bytes, {seconds:.1f} s")


@contextmanager
def losing(after: int) -> Iterator[tuple[Executor, Progress]]:
    """A cluster of three nodes, and the progress of work on it, which loses a node after so many
    images."""
    with cluster(3) as (nodes, address), executor(f"ray={address}") as on:
        lost = next(iter(nodes.worker_nodes))

        def progress(done: int, total: int) -> None:
            if done >= after and lost in nodes.worker_nodes:
                nodes.remove_node(lost, allow_graceful=False)

        yield on, progress
        assert lost not in nodes.worker_nodes


def text(report: Any) -> str:
    """All that a report says but its time."""
    return json.dumps({**report.to_json(), "seconds": 0})


def memory(_: Path) -> None:
    """Print the memory of a driver whose first unit is finished after a million others."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    found = Crew(Executor(_first_last)).run(_Numbers, MILLION * units.SIZE, _done)
    assert sum(1 for _ in found) == MILLION
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(f"a million units: {after / 1e6:.2f} GB in the driver, {before / 1e6:.2f} GB before")


@dataclass(frozen=True)
class _Numbers:
    rows: range

    def name(self) -> str:
        return str(self.rows)

    def paths(self) -> list[Path]:
        return []


def _done(part: _Numbers, cores: Cores) -> bytes:
    return b"done"


def _first_last(
    units: Iterator[Unit], work: Work, done: Callable[[int], None], told: list[Trouble]
) -> Generator[tuple[Unit, Outcome], None, None]:
    first = next(units)
    for unit in units:
        yield unit, work(unit.part, Cores(1))
    yield first, work(first.part, Cores(1))


@contextmanager
def cluster(nodes: int) -> Iterator[tuple[Any, str]]:
    """Nodes of one core each on this machine, and their address."""
    framework.ray()
    from ray.cluster_utils import Cluster

    os.environ["PYTHONPATH"] = os.pathsep.join(sys.path)  # for their workers
    # Ray's default is 15: other programs would come first.
    os.environ["RAY_worker_niceness"] = "0"  # noqa: SIM112 - Ray's own spelling
    each = {"num_cpus": 1, "include_dashboard": False}
    made = Cluster(initialize_head=True, head_node_args=each)
    try:
        for _ in range(nodes - 1):
            made.add_node(num_cpus=1)
        made.wait_for_nodes()
        yield made, made.address
    finally:
        made.shutdown()


PARTS = {
    "memory": memory,  # first: what the others needed would hide it
    "speed": speed,
    "loss": loss,
    "conversion": conversion,
    "prediction": prediction,
}

if __name__ == "__main__":
    main()
