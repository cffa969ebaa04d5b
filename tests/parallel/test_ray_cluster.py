"""The driver of a cluster, with a Ray that does everything here; `make test-ray` has a real one."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import fake_ray
from boxwright.backend import framework
from boxwright.cli.main import app
from boxwright.errors import BoxwrightError, SystemFaultError
from boxwright.parallel import units
from boxwright.parallel.choice import executor
from boxwright.parallel.cluster import VERSION, do, seen
from boxwright.parallel.units import Crew, Executor
from fake_ray import FakeRay, Numbers, UnschedulableError, doubled
from folders import VocFolder

pytestmark = pytest.mark.tiny


@pytest.fixture(autouse=True)
def small_units(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(units, "SIZE", 2)


@pytest.fixture
def ray(monkeypatch: pytest.MonkeyPatch) -> FakeRay:
    fake = FakeRay()
    monkeypatch.setattr(framework, "ray", lambda: fake)
    return fake


def run(on: Executor, images: int = 9) -> list[object]:
    found = Crew(on).run(Numbers, images, doubled)
    return [one.decode() if isinstance(one, bytes) else one.error.message for _, one in found]


EXPECTED = ["[0, 2]", "[4, 6]", "[8, 10]", "[12, 14]", "[16]"]


def test_units_are_spread_and_their_results_are_in_order(ray: FakeRay) -> None:
    with executor("ray=10.0.0.1:6379") as on:
        assert ray.address == "10.0.0.1:6379"
        assert run(on) == EXPECTED
    assert not ray.initialized
    probes, tasks = ray.asked[:2], ray.asked[2:]
    assert [each["scheduling_strategy"] for each in probes] == ["0", "1"]
    assert tasks == [{"num_cpus": 1, "max_retries": 0, "scheduling_strategy": "SPREAD"}] * 5


def test_fewer_units_than_cores_get_several(ray: FakeRay) -> None:
    ray.cores = (8, 5)
    with executor("ray") as on:
        assert ray.address is None
        assert run(on) == EXPECTED
    assert ray.asked[-1]["num_cpus"] == 2


def test_a_unit_that_fails_is_begun_again(ray: FakeRay) -> None:
    ray.failures = [RuntimeError("The machine\nhas gone. Ask `ray list nodes` for more.")]
    told: list[tuple[int, int]] = []
    with executor("ray") as on:
        crew = Crew(on, progress=lambda *counts: told.append(counts))
        found = [rows for rows, _ in crew.run(Numbers, 9, doubled)]
    assert found == [range(i, min(i + 2, 9)) for i in range(0, 9, 2)]
    ((images, count, attempt, error, lost),) = on.troubles
    assert (images, count, attempt, lost) == ("6 to 7", 2, 1, False)
    assert (error.code, error.message) == ("BW906", "has gone.")
    assert told[-1] == (9, 9)


def test_a_unit_that_always_fails_ends_the_work_or_is_left_out(ray: FakeRay) -> None:
    ray.cores = (1,)
    ray.failures = [RuntimeError("out of memory")] * 4
    with executor("ray") as on, pytest.raises(BoxwrightError, match="out of memory") as error:
        run(on)
    assert error.value.code == "BW906"
    assert ray.cancelled == 1
    ray.failures = [RuntimeError("out of memory")] * 4
    with executor("ray", keep_going=True) as on:
        assert run(on) == [EXPECTED[0], "out of memory.", *EXPECTED[2:]]
    assert [each.lost for each in on.troubles] == [False, False, False, True]


def test_an_error_of_the_work_keeps_its_code(ray: FakeRay) -> None:
    failure = RuntimeError()
    failure.cause = SystemFaultError("BW902", "the disk is full.")  # type: ignore[attr-defined]
    ray.failures = [failure] * 4
    with executor("ray") as on, pytest.raises(BoxwrightError) as error:
        run(on)
    assert error.value.code == "BW902"


def gone(paths: Sequence[Path]) -> tuple[str, list[int | None]]:
    raise RuntimeError("ModuleNotFoundError: No module named 'boxwright'")


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (gone, "cannot run Boxwright: ModuleNotFoundError: No module named 'boxwright'."),
        (lambda paths: ("0.0.1", [1]), f"has Boxwright 0.0.1 instead of {VERSION}."),
        (lambda paths: (VERSION, [None]), f"does not see {fake_ray.__file__}."),
        (lambda paths: (VERSION, [1]), f"sees another file as {fake_ray.__file__}."),
    ],
)
def test_a_machine_that_cannot_do_its_part_is_an_error_at_the_start(
    ray: FakeRay, answer: Callable[..., Any], said: str
) -> None:
    ray.seen["1"] = answer
    with executor("ray") as on, pytest.raises(SystemFaultError) as error:
        run(on)
    assert (error.value.code, error.value.where) == ("BW906", "10.0.0.1")
    assert error.value.message == said
    assert not [each for each in ray.asked if each["num_cpus"]], "nothing was begun"


def test_a_machine_that_has_just_gone_is_not_asked(ray: FakeRay) -> None:
    def answer(paths: Sequence[Path]) -> tuple[str, list[int | None]]:
        raise UnschedulableError

    ray.seen["1"] = answer
    with executor("ray") as on:
        assert run(on) == EXPECTED


def test_relative_paths_begin_in_the_drivers_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    driver = tmp_path / "driver"
    driver.mkdir()
    (driver / "image").write_bytes(b"12")
    assert seen([Path("image")], tmp_path / "not here") == (VERSION, [None])
    assert seen([Path("image")], driver) == (VERSION, [2])
    assert do(lambda part, cores: bytes(Path.cwd()), Numbers(range(1)), 1, driver) == bytes(driver)


def test_what_ray_prints_is_no_result(
    ray: FakeRay, voc_folder: VocFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    voc_folder.pair("a")
    monkeypatch.setattr(ray, "shutdown", lambda: print("(raylet) shut down"))  # noqa: T201
    done = CliRunner().invoke(app, ["check", str(voc_folder.root), "--json", "--on", "ray"])
    assert json.loads(done.stdout)["stats"]["images"] == 1
    assert "(raylet) shut down" in done.stderr


def test_no_cluster_is_an_error(ray: FakeRay) -> None:
    with pytest.raises(BoxwrightError) as error, executor("ray=nowhere"):
        pass
    assert (error.value.code, error.value.where) == ("BW815", "nowhere")
    assert error.value.message == "no Ray cluster answers: cannot connect."


def test_a_program_that_is_connected_stays_so(ray: FakeRay) -> None:
    ray.initialized = True
    with executor("ray=nowhere") as on:
        assert run(on) == EXPECTED
    assert ray.initialized


def test_a_shutdown_ends_the_driver_as_before(
    ray: FakeRay, monkeypatch: pytest.MonkeyPatch
) -> None:
    def init(address: str | None, **options: object) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)

    monkeypatch.setattr(ray, "init", init)
    before = signal.getsignal(signal.SIGTERM)
    with executor("ray"):
        assert signal.getsignal(signal.SIGTERM) == before


def test_a_check_on_a_cluster_says_what_a_check_here_says(
    ray: FakeRay, voc_folder: VocFolder
) -> None:
    for i in range(5):
        voc_folder.pair(f"{i}")
    broken = voc_folder.root / "3.jpg"
    broken.write_bytes(broken.read_bytes()[:-300])

    def check(*words: str) -> dict[str, Any]:
        result = CliRunner().invoke(app, ["check", str(voc_folder.root), "--json", *words])
        assert result.exit_code == 1
        found: dict[str, Any] = json.loads(result.stdout)
        del found["seconds"]
        return found

    assert check("--on", "ray") == check()
    assert len(ray.asked) == 2 + 3


def test_the_command_shows_what_failed(ray: FakeRay, voc_folder: VocFolder) -> None:
    ray.cores = (1,)
    for i in range(5):
        voc_folder.pair(f"{i}")
    ray.failures = [RuntimeError("out of memory")] * 4
    words = ["check", str(voc_folder.root), "--on", "ray"]
    stopped = CliRunner().invoke(app, words)
    assert stopped.exit_code == 1
    assert "4 times" in stopped.stderr
    assert stopped.stderr.count("given up") == 1
    assert "BW906" in stopped.stderr
    ray.failures = [RuntimeError("out of memory")] * 4
    done = CliRunner().invoke(app, [*words, "--keep-going"])
    assert done.stderr.count("given up") == 1
    assert "BW906" in done.stdout
