"""The last steps of the studio: each is a command line, one at a time."""

from __future__ import annotations

import base64
import shlex
from collections.abc import Iterator, Mapping
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from children import Scripted
from served import Served, eventually, serving

from boxwright.studio.child import DONE, FAILED, RUNNING
from boxwright.studio.finish import Finish
from boxwright.studio.store import LabelStore
from folders import VocFolder

STEP = {"state": RUNNING, "step": 1, "steps": 2, "loss": 3.0, "ap50": 0.5, "seconds_left": 1.0}


@pytest.fixture
def root(voc_folder: VocFolder, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = voc_folder.root.parent / "my images"
    VocFolder(root).image("a.jpg")
    monkeypatch.chdir(root.parent)
    return root


@pytest.fixture
def start() -> Scripted:
    return Scripted([STEP, {"state": DONE, "result": "there", "text": "Trained."}])


@pytest.fixture
def served(root: Path, start: Scripted) -> Iterator[Served]:
    with serving(partial(LabelStore.open, root, ["cat"]), start) as served:
        yield served


def made(run: Path) -> None:
    """What is left of a training."""
    run.mkdir()
    (run / "run.json").write_text("{}", encoding="utf-8")


def test_a_training_is_the_command_line_that_is_shown(
    served: Served, start: Scripted, root: Path
) -> None:
    answer = served.ask("POST", "/api/finish/train", {"budget": "2m"}).json
    words = shlex.split(answer["command"])
    assert words == ["boxwright", "train", "my images", "--budget", "2m", "--out", "my images-run"]
    [request] = start.requests
    out = str(root.with_name("my images-run"))
    assert request == {"work": "train", "folder": str(root), "budget": "2m", "out": out}
    events = eventually(lambda: len(served.heard("finish")) == 2 and served.heard("finish"))
    assert events[0] == {"job": answer["job"], "kind": "train", **STEP}
    assert events[1]["state"] == DONE


def test_a_run_is_never_overwritten(served: Served, start: Scripted, root: Path) -> None:
    made(root.with_name("my images-run"))
    served.ask("POST", "/api/finish/train", {"budget": "2m"})
    assert start.requests[0]["out"].endswith("my images-run-2")


def test_the_last_run_is_exported_and_reported(served: Served, start: Scripted, root: Path) -> None:
    for suffix in ("", "-2"):
        made(root.with_name(f"my images-run{suffix}"))
    answer = served.ask("POST", "/api/finish/export", {"to": "onnx"}).json
    words = shlex.split(answer["command"])
    assert words == ["boxwright", "export", "my images-run-2", "--to", "onnx"]
    eventually(lambda: not served.studio.finish.busy)
    answer = served.ask("POST", "/api/finish/report", {}).json
    assert shlex.split(answer["command"]) == ["boxwright", "report", "my images-run-2"]
    run = str(root.with_name("my images-run-2"))
    assert start.requests[-1] == {"work": "report", "run": run, "data": []}


def test_one_step_at_a_time(served: Served, start: Scripted) -> None:
    served.ask("POST", "/api/finish/train", {"budget": "2m"})
    eventually(lambda: not served.studio.finish.busy)
    served.ask("POST", "/api/finish/train", {"budget": "2m"})  # without a script it goes on
    answer = served.ask("POST", "/api/finish/train", {"budget": "2m"})
    assert (answer.status, answer.json["code"]) == (400, "BW809")


@pytest.mark.parametrize(
    ("path", "body", "code"),
    [
        ("/api/finish/train", {"budget": "soon"}, "BW801"),
        ("/api/finish/train", {"budget": "2m; rm -rf /"}, "BW801"),
        ("/api/finish/export", {"to": "../x"}, "BW803"),
        ("/api/finish/export", {"to": "tflite"}, "BW501"),
        ("/api/finish/report", {}, "BW501"),
        ("/api/try", b"an image", "BW501"),
    ],
)
def test_a_step_that_cannot_begin(
    served: Served, start: Scripted, path: str, body: Any, code: str
) -> None:
    answer = served.ask("POST", path, body)
    assert answer.status in (400, 422)
    assert answer.json["code"] == code
    assert not start.requests


def test_a_step_that_fails_says_why(root: Path) -> None:
    failed = {"state": FAILED, "code": "BW302", "message": "No boxes.", "remedy": "Label some."}
    with serving(partial(LabelStore.open, root, ["cat"]), Scripted([failed])) as served:
        served.ask("POST", "/api/finish/train", {"budget": "2m"})
        [event] = eventually(lambda: served.heard("finish"))
        assert event.items() >= failed.items()


def test_an_image_is_tried(root: Path) -> None:
    run = root.with_name("my images-run")
    made(run)
    found = {"state": DONE, "width": 64, "height": 48, "boxes": []}
    failed = {"state": FAILED, "code": "BW102", "message": "Is damaged.", "remedy": "Copy it."}
    start = Scripted([found], [failed], [found])
    with serving(partial(LabelStore.open, root, ["cat"]), start) as served:
        answer = served.ask("POST", "/api/try", b"an image")
        assert answer.json == {**found, "command": "boxwright predict 'my images-run' IMAGE"}
        wrong = served.ask("POST", "/api/try", b"no image")
        assert (wrong.status, wrong.json["code"]) == (422, "BW102")
        (run / "detector.tflite").write_bytes(b"")
        served.ask("POST", "/api/try", b"an image")
    detectors = [run, run, run / "detector.tflite"]
    assert [request["detector"] for request in start.requests] == list(map(str, detectors))
    assert base64.b64decode(start.requests[0]["image"]) == b"an image"


def test_the_next_step_can_begin_when_the_last_one_says_that_it_has_ended(root: Path) -> None:
    """A page begins the next step as soon as it hears of the end."""
    ended: list[object] = []

    def hear(name: str, event: Mapping[str, Any]) -> None:
        ended.append(event["job"])
        if len(ended) == 1:
            finish.train("1m")

    with closing(Finish(root, hear, start=Scripted(*[[{"state": DONE}]] * 2))) as finish:
        finish.train("1m")
        eventually(lambda: len(set(ended)) == 2)
