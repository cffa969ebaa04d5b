"""A model's file that is replaced while it is served."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from detecting import Fake, Running, in_threads, picture, running, until

from boxwright.export.tflite import describe_tflite
from boxwright.inference import litert
from boxwright.serving import server as serving
from boxwright.serving.model import Loaded, Model, load

FILES = Path(__file__).parents[1] / "earlier" / "files"
IMAGE = (FILES / "squares" / "000.png").read_bytes()


@pytest.fixture(autouse=True)
def watching_closely(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving, "WATCH_SECONDS", 0.02)


def written(path: Path, name: str, *, wrong: bool = False) -> None:
    """Replace `path` by a detector of squares whose class has a name; a wrong one has another
    golden result."""
    draft = path.with_name("draft.tflite")
    shutil.copyfile(FILES / "run" / "detector.tflite", draft)
    artifact = litert.read_artifact(draft.read_bytes(), where=draft)
    assert artifact
    assert artifact.golden
    golden = artifact.golden
    if wrong:
        golden = replace(golden, boxes=golden.boxes[:, [1, 0, 3, 2]] / 2)  # swaps x and y
    describe_tflite(draft, replace(artifact, classes=(name,), golden=golden))
    draft.replace(path)


@pytest.fixture
def squares(tmp_path: Path) -> Iterator[tuple[Running, Path]]:
    path = tmp_path / "d.tflite"
    written(path, "square")
    model = Model("d", path, partial(load, workers=2, max_pixels=1_000_000))
    with running([model]) as server:
        yield server, path


def told(server: Running, event: str, count: int = 1) -> dict[str, Any]:
    """The newest of `count` events of a kind, as soon as it is in the log."""

    def listed() -> list[dict[str, Any]]:
        return [line for line in server.lines if line["event"] == event]

    until(lambda: len(listed()) >= count)
    return listed()[-1]


def found(server: Running) -> tuple[int, set[str]]:
    """Version, and the classes in an image of a square."""
    answer = server.detect(IMAGE).json
    return answer["version"], {each["class"] for each in answer["detections"]}


def test_a_new_file_is_taken_into_use(squares: tuple[Running, Path]) -> None:
    server, path = squares
    assert found(server) == (1, {"square"})
    written(path, "block")
    assert told(server, "loaded", 2)["version"] == 2
    assert found(server) == (2, {"block"})
    assert server.metric('boxwright_replacements_total{model="d",outcome="loaded"}') == 1


@pytest.mark.parametrize(
    ("case", "code"),
    [("another result", "BW508"), ("no detector", "BW502"), ("half", "BW502"), ("gone", "BW501")],
)
def test_the_old_one_stays_if_the_new_one_cannot_be_used(
    squares: tuple[Running, Path], case: str, code: str
) -> None:
    server, path = squares
    match case:
        case "another result":
            written(path, "block", wrong=True)
        case "no detector":
            path.write_bytes(b"no detector")
        case "half":
            path.write_bytes(path.read_bytes()[:100_000])
        case "gone":
            path.unlink()
    assert code in told(server, "refused")["reason"]
    assert found(server) == (1, {"square"})
    assert server.metric('boxwright_replacements_total{model="d",outcome="refused"}') == 1
    written(path, "block")
    told(server, "loaded", 2)
    assert found(server) == (2, {"block"})
    assert len([line for line in server.lines if line["event"] == "refused"]) == 1


def test_a_request_in_progress_ends_with_the_detector_that_it_began_with(tmp_path: Path) -> None:
    path = tmp_path / "d.tflite"
    path.write_bytes(b"....TFL3 one")
    engines = [Fake(), Fake()]
    waiting = iter(engines)

    def next_one(_: Path) -> Loaded:
        return next(waiting).loaded()

    with running([Model("pets", path, next_one)]) as server:
        engines[0].go_on.clear()
        threads, answers = in_threads(1, lambda: server.detect(picture()))
        until(lambda: engines[0].seen)
        path.write_bytes(b"....TFL3 two")
        told(server, "loaded", 2)
        engines[0].go_on.set()
        threads[0].join(20)
        assert [each.status for each in answers] == [200]
        assert server.detect(picture()).json["version"] == 2
        assert (engines[0].seen, engines[1].seen) == (1, 1)


def test_a_file_that_is_still_being_written_is_not_loaded(tmp_path: Path) -> None:
    path = tmp_path / "d.tflite"
    path.write_bytes(b"....TFL3")
    model = Model("pets", path, lambda _: Fake().loaded())
    model.load()
    assert not model.is_replaced()
    for length in range(3):
        path.write_bytes(b"....TFL3" + bytes(length + 1))
        assert not model.is_replaced()
    assert model.is_replaced()
    model.load()
    assert not model.is_replaced()
