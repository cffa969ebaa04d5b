"""A real Ray cluster of three one-core nodes on this machine: `make test-ray`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from rows_on_nodes import Rows, node_of

import boxwright
from boxwright.backend import framework
from boxwright.datasets.check import CheckReport
from boxwright.datasets.convert import convert
from boxwright.errors import SystemFaultError
from boxwright.formats.tfrecord import writer
from boxwright.images.preprocessing import Preprocessing
from boxwright.inference.artifact import Artifact
from boxwright.inference.detector import Detector
from boxwright.outputs.predicting import write_predictions
from boxwright.parallel import kept, units
from boxwright.parallel.choice import executor
from boxwright.parallel.cluster import on_cluster
from boxwright.parallel.units import Crew
from boxwright.sources.opening import sources

pytest.importorskip("ray")
pytestmark = pytest.mark.filterwarnings("default")  # Ray's own

ROOT = Path(__file__).resolve().parents[2]
IMAGES, PREDICTED = 600, 100
UNIT = 25
DRAW = f"""if True:
    import sys
    from pathlib import Path
    sys.path.insert(0, {str(ROOT / "benchmarks")!r})
    from large_dataset import make
    make(Path(sys.argv[1]), {IMAGES})
"""


@pytest.fixture(scope="module")
def nodes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    framework.ray()
    from ray.cluster_utils import Cluster

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_worker_niceness", "0")  # by default, programs beside come first
        patch.setenv("RAY_health_check_initial_delay_ms", "500")  # a lost node is missed sooner
        patch.setenv("RAY_health_check_period_ms", "500")
        patch.setenv("BOXWRIGHT_CACHE", str(tmp_path_factory.mktemp("cache")))
        patch.setenv("PYTHONPATH", os.pathsep.join([str(Path(__file__).parent), *sys.path]))
        cluster = Cluster(
            initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False}
        )
        try:
            for _ in range(2):
                cluster.add_node(num_cpus=1, wait=False)
            cluster.wait_for_nodes(timeout=120)
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


@pytest.fixture(scope="module")
def detector(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of a small network that has learned nothing."""
    from boxwright.export.tflite import write_tflite
    from toy_family import CenterModel, CenterSpec

    model = CenterModel.build(CenterSpec(num_classes=2, input_size=64))
    classes = "thing 0", "thing 1"
    artifact = Artifact(model.to_json(), classes, Preprocessing(64), threshold=0.0)
    path = tmp_path_factory.mktemp("detector") / "detector.tflite"
    write_tflite(path, model, artifact)
    return path


def test_predictions_are_those_of_here_though_a_node_is_lost(
    nodes: Any, folder: Path, detector: Path, tmp_path: Path
) -> None:
    images = sources([str(path) for path in sorted((folder / "images").iterdir())[:PREDICTED]])
    lost = next(iter(nodes.worker_nodes))

    def progress(done: int, total: int) -> None:
        if done >= total // 3 and lost in nodes.worker_nodes:
            nodes.remove_node(lost, allow_graceful=False)

    here, there = tmp_path / "here" / "out", tmp_path / "there" / "out"
    opened = Detector.load(detector)
    found = write_predictions(opened, images, here)
    with executor(f"ray={nodes.address}") as on:
        write_predictions(opened, images, there, executor=on, progress=progress)
    assert found.boxes > PREDICTED
    assert content(there) == content(here)
    assert lost not in nodes.worker_nodes


def test_an_evaluation_is_that_of_here(nodes: Any, folder: Path, detector: Path) -> None:
    """The images of a dataset whose folder is given relative to the driver's."""
    data = boxwright.read(folder)
    data = replace(data.select(range(PREDICTED)), root=Path(os.path.relpath(folder)))
    here, there = (
        boxwright.evaluate(detector, data, split="all", on=on).to_json()
        for on in ("local", f"ray={nodes.address}")
    )
    assert here == there


def content(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}
