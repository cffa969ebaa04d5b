"""The index of a list of boxes: it resumes, and is that of the list however it arrived."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from world_of_images import FILES, World

from boxwright.errors import DataError
from boxwright.io import download
from boxwright.io.download import Progress
from boxwright.openimages import index as module
from boxwright.openimages.index import Index, indexed
from misbehaving import Behaviour, Server, cut, hang, hang_up, ignore_range, status, wrong_place

HOSTS = ("127.0.0.1",)
PATH = FILES["train"]


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download, "BLOCK", 300)
    monkeypatch.setattr(module, "BLOCK", 500)
    monkeypatch.setattr(module, "ROUND", 900)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "index"


def read(server: Server, folder: Path, *told: Progress) -> Index:
    return indexed(f"{server.url}/{PATH}", folder, HOSTS, *told)


def check(index: Index, rows: list[list[str]]) -> None:
    every = np.arange(len(rows))
    assert [f"{image:016x}" for image in index.images_of(every).tolist()] == [r[0] for r in rows]
    assert [index.codes[label] for label in index.labels.tolist()] == [r[2] for r in rows]
    sides, flags = index.boxes(every)
    assert np.array_equal(sides, [[float(cell) for cell in row[4:8]] for row in rows])
    assert np.array_equal(flags, [[int(cell) for cell in row[8:13]] for row in rows])


@pytest.mark.parametrize(
    "behaviors",
    [
        pytest.param([], id="a good server"),
        pytest.param([cut(3000), status(503), cut(40)], id="cut, busy, cut"),
        pytest.param([hang_up, hang], id="hangs up, falls silent"),
        pytest.param([cut(5000), ignore_range], id="ignores the range"),
        pytest.param([cut(5000), wrong_place], id="resumes elsewhere"),
    ],
)
def test_a_fault_of_the_server_changes_nothing(
    world: World, folder: Path, behaviors: list[Behaviour]
) -> None:
    world.server.behaviors_of[PATH] = list(behaviors)
    check(read(world.server, folder), world.rows["train"])
    requests = len(world.server.paths)
    check(read(world.server, folder), world.rows["train"])
    assert len(world.server.paths) == requests


def test_it_resumes_after_twenty_interruptions(world: World, folder: Path) -> None:
    size = len(world.server.files[PATH])
    for number in range(1, 21):

        def stop(received: int, total: int | None, until: int = number * size // 22) -> None:
            if received >= until:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            read(world.server, folder, stop)
    begun = [int(each[6:-1]) for each in world.server.ranges if each]
    assert len(set(begun)) > 5
    assert begun == sorted(begun)
    check(read(world.server, folder), world.rows["train"])


def test_a_list_that_changed_meanwhile_is_read_again(world: World, folder: Path) -> None:
    def stop(received: int, total: int | None) -> None:
        if received > 4000:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        read(world.server, folder, stop)
    header, *lines = world.server.files[PATH].splitlines(keepends=True)
    world.server.files[PATH] = b"".join([header, *lines[9:]])
    check(read(world.server, folder), world.rows["train"][9:])
    assert world.server.ranges[-2:][1] is None
    assert world.server.ranges[-2:][0]


def test_counts_are_of_images_and_boxes(world: World, folder: Path) -> None:
    rows = world.rows["train"]
    codes = {row[2] for row in rows}
    assert read(world.server, folder).counts() == {
        code: (len({r[0] for r in rows if r[2] == code}), sum(r[2] == code for r in rows))
        for code in codes
    }


def test_new_classes_beyond_the_table_are_found(
    world: World, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "SLOT_BITS", 1)  # nearly all codes collide
    check(read(world.server, folder), world.rows["train"])


@pytest.mark.parametrize(
    ("behavior", "said"),
    [
        (status(404), "404"),
        (status(200, b"a,b\n1,2\n"), "not a list of boxes"),
        (status(200, b""), "not a list of boxes"),
        (status(302, Location="http://localhost:1/x"), "another host, localhost"),
    ],
)
def test_what_is_not_a_list_is_refused(
    world: World, folder: Path, behavior: Behaviour, said: str
) -> None:
    world.server.behaviors_of[PATH] = [behavior]
    with pytest.raises(DataError, match=said) as raised:
        read(world.server, folder)
    assert raised.value.code == "BW177"
    check(read(world.server, folder), world.rows["train"])
