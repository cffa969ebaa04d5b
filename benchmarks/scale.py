"""Check and convert drawn images on one-core nodes of a local Ray cluster, and lose a node.

    python benchmarks/scale.py --folder /tmp/large --images 20000

Draws the images of `large_dataset.py` into FOLDER, unless they are there. Needs the extra `ray`.
Prints for each number of nodes how long the cluster and its first work took to start, and how many
images a second were measured after that; the same for threads and processes of this machine, with
one core and with two. Then a check and a conversion to TFRecord on three nodes lose one of them
midway, and the report and the files must be those of this machine alone. Last, the driver's memory
with a million units.
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

from large_dataset import make

import boxwright
from boxwright.backend import framework
from boxwright.datasets.checks.measure import summarize_all
from boxwright.formats.tfrecord import writer
from boxwright.parallel.choice import executor
from boxwright.parallel.cores import Cores
from boxwright.parallel.units import SIZE, Crew, Executor, Outcome, Trouble, Unit, Work
from boxwright.structures.dataset import Dataset

NODES = (1, 2, 3)
MILLION = 1_000_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--images", type=int, default=20_000)
    parser.add_argument("--only", choices=sorted(PARTS))
    given = parser.parse_args()
    make(given.folder, given.images)
    for name, part in PARTS.items():
        if given.only in (None, name):
            part(given.folder)


def speed(folder: Path) -> None:
    """Print images per second and processor time, here and on a cluster."""
    images = boxwright.read(folder)
    here = {}
    for cores in (1, 2):
        here[cores] = _rate(images, "local", cores=cores)
        rate, processor = here[cores]
        print(f"local, {cores} cores: {rate:.0f} images/s, {processor:.2f} ms each", flush=True)
    for nodes in NODES:
        start = time.perf_counter()
        with cluster(nodes) as (_, address):
            up = time.perf_counter() - start
            with executor(f"ray={address}") as on:
                start = time.perf_counter()
                summarize_all(images.select(range(nodes)), Crew(on))
                first = time.perf_counter() - start
                rate, processor = _rate(images, on)
        share = f", {rate / here[nodes][0]:.2f} of local" if nodes in here else ""
        print(
            f"{nodes} nodes: {rate:.0f} images/s{share}, {processor:.2f} ms each; "
            f"start {up:.1f} s + {first:.1f} s",
            flush=True,
        )


def _rate(images: Dataset, on: str | Executor, *, cores: int = 0) -> tuple[float, float]:
    """Measured images per second, and milliseconds of the processor for each; here on the first
    cores."""
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, sorted(allowed)[: cores or None])
    try:
        with executor(on) as chosen:
            start, processor = time.perf_counter(), _processor()
            summarize_all(images, Crew(chosen))
            seconds, processor = time.perf_counter() - start, _processor() - processor
            return len(images) / seconds, 1e3 * processor / len(images)
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
    with cluster(3) as (nodes, address):
        lost = [nodes.head_node, *nodes.worker_nodes][-1]

        def progress(done: int, total: int) -> None:
            if done >= total // 2 and lost in nodes.worker_nodes:
                nodes.remove_node(lost, allow_graceful=False)

        with executor(f"ray={address}") as on:
            report = boxwright.check(folder, progress=progress, on=on)
    assert lost not in nodes.worker_nodes
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
        with cluster(3) as (nodes, address), executor(f"ray={address}") as on:
            lost = next(iter(nodes.worker_nodes))

            def progress(done: int, total: int) -> None:
                if done >= total // 3 and lost in nodes.worker_nodes:
                    nodes.remove_node(lost, allow_graceful=False)

            start = time.perf_counter()
            boxwright.convert(folder, there, "tfrecord", on=on, progress=progress)
            seconds = time.perf_counter() - start
        names = sorted(path.name for path in here.iterdir())
        assert names == sorted(path.name for path in there.iterdir())
        match, *differ = filecmp.cmpfiles(here, there, names, shallow=False)
        assert not any(differ), differ
        print(f"a node was lost: {len(match)} files with the same bytes, {seconds:.1f} s")


def text(report: Any) -> str:
    """All that a report says but its time."""
    return json.dumps({**report.to_json(), "seconds": 0})


def memory(_: Path) -> None:
    """Print the memory of a driver whose first unit is finished after a million others."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    found = Crew(Executor(_first_last)).run(_Numbers, MILLION * SIZE, _done)
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


PARTS = {"speed": speed, "loss": loss, "conversion": conversion, "memory": memory}

if __name__ == "__main__":
    main()
