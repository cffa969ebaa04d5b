"""Work in units: in order, resumed, and with failures that do or do not end it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from threading import Event

import pytest

from boxwright.errors import BoxwrightError, SystemFaultError
from boxwright.parallel import kept as keeping
from boxwright.parallel import units
from boxwright.parallel.choice import executor, here
from boxwright.parallel.cores import Cores
from boxwright.parallel.kept import Kept, kept_for, name_of
from boxwright.parallel.units import Crew, Executor, Outcome, Trouble, Unit, Work

pytestmark = pytest.mark.tiny

Told = list[tuple[int, int]]


@dataclass(frozen=True)
class Numbers:
    """A unit of the numbers of a range; 13 cannot be done."""

    rows: range

    def name(self) -> str:
        return name_of("numbers", self.rows)

    def paths(self) -> Sequence[Path]:
        return []

    def __str__(self) -> str:
        return f"{self.rows[0]} to {self.rows[-1]}"


def squares(part: Numbers, cores: Cores) -> bytes:
    DONE.update(part.rows)
    if 13 in part.rows:
        raise SystemFaultError("BW902", "the disk is full.")
    found = list(cores.map(lambda number: number**2, part.rows))
    cores.done(len(found))
    return repr(found).encode()


DONE: Counter[int] = Counter()


@pytest.fixture(autouse=True)
def small_units(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BOXWRIGHT_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(units, "SIZE", 5)
    monkeypatch.setattr(keeping, "LARGE", 0)
    DONE.clear()


def results(
    images: int, on: Executor | None = None, kept: Kept | None = None, told: Told | None = None
) -> list[str]:
    def progress(done: int, total: int) -> None:
        if told is not None:
            told.append((done, total))

    crew = Crew(on or here(), kept or Kept(), progress)
    found = crew.run(Numbers, images, squares)
    return [
        outcome.decode() if isinstance(outcome, bytes) else f"{outcome.images}: {outcome.error}"
        for _, outcome in found
    ]


def interrupted(images: int) -> None:
    """Work until the last image is done, but not its unit, and press Ctrl-C."""

    def progress(done: int, total: int) -> None:
        if done == total:
            raise KeyboardInterrupt

    with kept_for(images, "a") as kept:
        list(Crew(here(), kept, progress).run(Numbers, images, squares))


def backwards(
    units: Iterator[Unit], work: Work, done: Callable[[int], None], told: list[Trouble]
) -> Generator[tuple[Unit, Outcome], None, None]:
    """An executor that finishes the last unit first."""
    for unit in [*units][::-1]:
        yield unit, work(unit.part, Cores(1))


def test_results_come_in_order_with_the_number_of_finished_images() -> None:
    told: Told = []
    expected = ["[0, 1, 4, 9, 16]", "[25, 36, 49, 64, 81]", "[100, 121]"]
    assert results(12, told=told) == expected
    assert told == [(5, 12), (10, 12), (12, 12)]
    assert results(12, Executor(backwards)) == expected
    assert results(0) == []


def test_a_failure_ends_the_work_unless_it_keeps_going() -> None:
    with pytest.raises(SystemFaultError, match="BW902"):
        results(20)
    on = Executor(here().results, keep_going=True)
    assert [one[:9] for one in results(20, on)] == [
        "[0, 1, 4,",
        "[25, 36, ",
        "10 to 14:",
        "[225, 256",
    ]
    assert [(each.images, each.number, each.attempt, each.lost) for each in on.troubles] == [
        ("10 to 14", 5, 1, True)
    ]


def test_a_unit_is_begun_while_the_result_of_the_one_before_is_used() -> None:
    begun = {start: Event() for start in (0, 5, 10)}

    def work(part: Numbers, cores: Cores) -> bytes:
        begun[part.rows.start].set()
        return b""

    with closing(Crew(here()).run(Numbers, 12, work)) as found:
        next(found)
        assert begun[5].wait(60)


def test_work_ends_early_when_its_result_is_no_longer_wanted() -> None:
    begun = Event()

    def work(part: Numbers, cores: Cores) -> bytes:
        while part.rows.start:
            begun.set()
            cores.done(0)
        return b""

    with closing(Crew(here()).run(Numbers, 12, work)) as found:
        next(found)
        assert begun.wait(60)


def test_after_an_interruption_only_the_rest_is_done() -> None:
    with pytest.raises(KeyboardInterrupt) as stop:
        interrupted(12)
    assert stop.value.__notes__ == [keeping.NOTE]
    DONE.clear()
    told: Told = []
    with kept_for(12, "a") as kept:
        assert results(12, kept=kept, told=told)[1:] == ["[25, 36, 49, 64, 81]", "[100, 121]"]
    assert set(DONE) == {10, 11}
    assert told == [(5, 12), (10, 12), (12, 12)]
    DONE.clear()
    with kept_for(12, "a") as kept:
        results(12, kept=kept)
    assert set(DONE) == set(range(12)), "results are removed when all is done"


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda path: path.write_bytes(b"no result"), id="other content"),
        pytest.param(lambda path: path.write_bytes(path.read_bytes()[:-1]), id="cut off"),
        pytest.param(lambda path: path.write_bytes(b""), id="empty"),
        pytest.param(lambda path: (path.unlink(), path.mkdir()), id="a folder"),
    ],
)
def test_damaged_results_are_computed_again(tmp_path: Path, damage: Callable[[Path], None]) -> None:
    kept = Kept(tmp_path)
    expected = results(12, kept=kept)
    for path in tmp_path.iterdir():
        damage(path)
    assert results(12, kept=kept) == expected


def test_results_that_another_process_removes_are_computed_again(tmp_path: Path) -> None:
    class Removed(Kept):
        def take(self, name: str) -> bytes | None:
            (tmp_path / name).unlink()
            return super().take(name)

    assert len(results(12, kept=Removed(tmp_path))) == 3


def test_a_cache_that_cannot_be_written_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    assert results(12, Executor(backwards), Kept(tmp_path / "file")) == results(12)


def test_old_results_are_removed(tmp_path: Path) -> None:
    old = tmp_path / "cache" / "units" / "old"
    old.mkdir(parents=True)
    (old / "result").write_bytes(b"")
    os.utime(old, (1, 1))
    with kept_for(1, "a"):
        assert not old.exists()


def test_few_images_keep_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeping, "LARGE", 13)
    with pytest.raises(KeyboardInterrupt) as stop:
        interrupted(12)
    assert not getattr(stop.value, "__notes__", [])
    assert not (tmp_path / "cache").exists()


def test_an_executor_has_a_name() -> None:
    with executor("local", keep_going=True) as chosen, executor(chosen) as same:
        assert same is chosen
        assert chosen.keep_going
    for name in ("", "spark", "local=2", "rays"):
        with pytest.raises(BoxwrightError) as error, executor(name):
            pass
        assert error.value.code == "BW803"


def test_importing_and_asking_for_help_load_no_ray() -> None:
    program = (
        "import sys, boxwright\n"
        "from boxwright.cli.main import app\n"
        "import boxwright.api, boxwright.datasets.check\n"
        "for words in (['--help'], ['check', '--help']):\n"
        "    try:\n        app(words)\n    except SystemExit:\n        pass\n"
        "sys.exit('ray' in sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, timeout=60)
