"""A real Ray cluster of three one-core nodes on this machine: `make test-ray`."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import boxwright
from boxwright.backend import framework
from boxwright.datasets.check import CheckReport
from boxwright.datasets.convert import convert
from boxwright.errors import SystemFaultError
from boxwright.formats.tfrecord import writer
from boxwright.parallel import kept, units
from boxwright.parallel.choice import executor
from boxwright.parallel.cluster import on_cluster
from boxwright.parallel.cores import Cores
from boxwright.parallel.units import Crew

pytest.importorskip("ray")
pytestmark = pytest.mark.filterwarnings("default")  # Ray's own

ROOT = Path(__file__).resolve().parents[2]
IMAGES = 600
UNIT = 25
DRAW = f"""if True:
    import sys
    from pathlib import Path
    sys.path.insert(0, {str(ROOT / "benchmarks")!r})
    from large_dataset import make
    make(Path(sys.argv[1]), {IMAGES})
"""


@pytest.fixture(scope="module")
def nodes() -> Iterator[Any]:
    framework.ray()
    from ray.cluster_utils import Cluster

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_worker_niceness", "0")  # by default, programs beside come first
        patch.setenv("PYTHONPATH", os.pathsep.join([str(Path(__file__).parent), *sys.path]))
        cluster = Cluster(
            initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False}
        )
        try:
            for _ in range(2):
                cluster.add_node(num_cpus=1)
            cluster.wait_for_nodes()
            with on_cluster(cluster.address):  # tests share the connection, and started processes
                yield cluster
        finally:
            cluster.shutdown()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Drawn images with labels."""
    folder = tmp_path_factory.mktemp("drawn")
    subprocess.run([sys.executable, "-c", DRAW, str(folder)], check=True)
    return folder


@pytest.fixture(autouse=True)
def small_units(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BOXWRIGHT_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(units, "SIZE", UNIT)
    monkeypatch.setattr(kept, "LARGE", 0)


@pytest.fixture(scope="module")
def expected(folder: Path) -> str:
    return text(boxwright.check(folder))


def text(report: CheckReport) -> str:
    return json.dumps({**report.to_json(), "seconds": 0})


@dataclass(frozen=True)
class Rows:
    """A unit of numbers, whose work may do something to its process, and the path that it needs."""

    rows: range
    act: str = ""
    path: Path = Path(__file__)

    def name(self) -> str:
        return str(self.rows)

    def paths(self) -> list[Path]:
        return [self.path]

    def __str__(self) -> str:
        return f"{self.rows[0]} to {self.rows[-1]}"


def node_of(part: Rows, cores: Cores) -> bytes:
    """The node that does a unit, after a while."""
    import ray

    if part.act == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(0.2)
    return ray.get_runtime_context().get_node_id().encode()


def test_work_is_spread_over_all_nodes(nodes: Any) -> None:
    with executor(f"ray={nodes.address}") as on:
        found = [each for _, each in Crew(on).run(Rows, 24 * UNIT, node_of)]
    assert len(found) == 24
    assert len(set(found)) == 3


def test_a_check_gives_what_it_gives_here(nodes: Any, folder: Path, expected: str) -> None:
    told: list[tuple[int, int]] = []
    with executor(f"ray={nodes.address}") as on:
        report = boxwright.check(folder, on=on, progress=lambda *counts: told.append(counts))
    assert text(report) == expected
    assert told[: IMAGES // UNIT] == [(i, IMAGES) for i in range(UNIT, IMAGES + 1, UNIT)]


def test_the_command_takes_an_address(nodes: Any, folder: Path, expected: str) -> None:
    command = [sys.executable, "-m", "boxwright", "check", str(folder), "--json"]
    done = subprocess.run(
        [*command, "--on", f"ray={nodes.address}"], capture_output=True, text=True, check=False
    )
    assert json.dumps({**json.loads(done.stdout), "seconds": 0}) == expected
    assert "ray" not in done.stderr.lower(), "Ray's own messages are left out"


def test_a_process_that_always_dies_ends_the_work_with_an_error(nodes: Any) -> None:
    with executor(f"ray={nodes.address}") as on, pytest.raises(SystemFaultError) as error:
        list(Crew(on).run(lambda rows: Rows(rows, "die" if 30 in rows else ""), 100, node_of))
    assert (error.value.code, error.value.where) == ("BW906", "25 to 49")
    assert [each.attempt for each in on.troubles] == [1, 2, 3, 4]


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="needs a path of one process alone")
def test_images_that_a_node_does_not_see_are_an_error_at_the_start(
    nodes: Any, tmp_path: Path
) -> None:
    own = tmp_path / "own"
    own.write_bytes(b"content")
    with own.open("rb") as file, executor(f"ray={nodes.address}") as on:
        high = os.dup2(file.fileno(), 900)
        path = Path(f"/proc/self/fd/{high}")
        try:
            with pytest.raises(SystemFaultError) as error:
                list(Crew(on).run(lambda rows: Rows(rows, path=path), 100, node_of))
        finally:
            os.close(high)
    assert error.value.code == "BW906"
    assert error.value.message.startswith("does not see")


def test_a_driver_that_is_killed_leaves_what_was_done(
    nodes: Any, folder: Path, expected: str, tmp_path: Path
) -> None:
    program = f"""if True:
        import boxwright
        from boxwright.parallel import kept, units
        from boxwright.parallel.choice import executor
        kept.LARGE, units.SIZE = 0, {UNIT}
        with executor("ray={nodes.address}") as on:
            boxwright.check({str(folder)!r}, on=on)
    """
    driver = subprocess.Popen([sys.executable, "-c", program])
    while driver.poll() is None and len(results(tmp_path)) < 5:
        time.sleep(0.02)
    driver.kill()
    driver.wait()
    left = len(results(tmp_path))
    assert 5 <= left < IMAGES // UNIT
    told: list[int] = []
    with executor(f"ray={nodes.address}") as on:
        report = boxwright.check(folder, on=on, progress=lambda done, _: told.append(done))
    assert text(report) == expected
    assert not results(tmp_path)


def results(cache: Path) -> list[Path]:
    found = (cache / "cache" / "units").glob("*/*")
    return [path for path in found if path.is_file()]


def test_a_node_that_is_lost_midway_changes_nothing(
    nodes: Any, folder: Path, expected: str
) -> None:
    lost = next(iter(nodes.worker_nodes))

    def progress(done: int, total: int) -> None:
        if done >= total // 2 and lost in nodes.worker_nodes:
            nodes.remove_node(lost, allow_graceful=False)

    with executor(f"ray={nodes.address}") as on:
        report = boxwright.check(folder, on=on, progress=progress)
    assert lost not in nodes.worker_nodes
    assert text(report) == expected
    assert not any(each.lost for each in on.troubles)


@pytest.mark.parametrize("to", ["voc", "tfrecord"])
def test_a_conversion_gives_the_bytes_that_it_gives_here(
    nodes: Any, folder: Path, to: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "SHARD", 1 << 20)
    convert(folder, tmp_path / "here" / "out", to)
    convert(folder, tmp_path / "there" / "out", to, on=f"ray={nodes.address}")
    expected = content(tmp_path / "here")
    assert len(expected) > 5
    assert content(tmp_path / "there") == expected


def content(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}
