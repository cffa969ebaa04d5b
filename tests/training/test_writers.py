"""What a run or an evaluation writes down: TensorBoard events, and a line of JSON per report."""

from __future__ import annotations

import errno
import json
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import Mock

import pytest
from PIL import Image

from boxwright.errors import SystemFaultError
from boxwright.inference.run import Run
from boxwright.training.event_file import EventFile
from boxwright.training.events import Event, Note, Started, Step
from boxwright.training.writers import JsonLines, TensorBoard


def lines(run: Run) -> list[dict[str, float]]:
    return [json.loads(line) for line in run.log.read_text(encoding="utf-8").splitlines()]


def scalars(run: Run) -> dict[str, list[tuple[int, float]]]:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(run.tensorboard)).Reload()
    return {
        tag: [(event.step, event.value) for event in events.Scalars(tag)]
        for tag in events.Tags()["scalars"]
    }


def step(number: int, total: float, penalty: float = 0.0) -> Step:
    loss = SimpleNamespace(total=total, classes=total - 1, boxes=1.0, penalty=penalty)
    return Step(number, 0.1, loss, 0.25, None, None, None, Mock())  # type: ignore[arg-type]


STARTED = Started(0, 30, Mock(), 4, 0, None, Mock(), Mock())


def told(run: Run, *events: Event) -> None:
    """Tells both writers."""
    run.folder.mkdir(exist_ok=True)
    with closing(JsonLines(run.log)) as first, closing(TensorBoard(run.tensorboard)) as second:
        for event in (STARTED, *events):
            first(event)
            second(event)


def test_losses_are_written_at_every_tenth_step(tmp_path: Path) -> None:
    run = Run(tmp_path / "run")
    told(run, Note("hello"), step(9, 9.0), step(10, 2.5), step(11, 2.0), step(20, 1.5, penalty=0.5))
    tags = {"Loss/classification_loss": 1.5, "Loss/localization_loss": 1.0, "learning_rate": 0.25}
    assert lines(run) == [
        {"step": 10, "Loss/total_loss": 2.5, **tags},
        {
            "step": 20, "Loss/total_loss": 1.5, **tags, "Loss/classification_loss": 0.5,
            "Loss/regularization_loss": 0.5,
        },
    ]  # fmt: skip
    assert scalars(run)["Loss/total_loss"] == [(10, 2.5), (20, 1.5)]
    assert scalars(run)["Loss/regularization_loss"] == [(20, 0.5)]


def test_numbers_are_there_as_soon_as_they_are_written(tmp_path: Path) -> None:
    run = Run(tmp_path)
    with closing(JsonLines(run.log)) as first, closing(TensorBoard(run.tensorboard)) as second:
        for event in (STARTED, step(10, 2.5)):
            first(event)
            second(event)
        assert [line["step"] for line in lines(run)] == [10]
        assert scalars(run)["Loss/total_loss"] == [(10, 2.5)]


def test_a_resumed_run_goes_on_in_the_same_log(tmp_path: Path) -> None:
    run = Run(tmp_path)
    for number in (10, 20):
        told(run, step(number, float(number)))
    assert [line["step"] for line in lines(run)] == [10, 20]
    assert scalars(run)["Loss/total_loss"] == [(10, 10.0), (20, 20.0)]


def test_a_training_that_never_starts_leaves_no_log(tmp_path: Path) -> None:
    run = Run(tmp_path)
    with closing(JsonLines(run.log)) as first, closing(TensorBoard(run.tensorboard)) as second:
        first(Note("hello"))
        second(Note("hello"))
    assert not list(tmp_path.iterdir())


class FullDisk:
    """A file that nothing can be written to any more."""

    def write(self, _: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    def flush(self) -> None: ...

    def close(self) -> None: ...


def full(writer: Any, file: str) -> None:
    getattr(writer, file).close()
    setattr(writer, file, FullDisk())


@pytest.mark.tiny
def test_a_disk_too_full_for_the_lines_is_said(tmp_path: Path) -> None:
    with closing(JsonLines(tmp_path / "log.jsonl")) as writer:
        writer(STARTED)
        full(writer, "_lines")
        with pytest.raises(SystemFaultError, match="BW902"):
            writer(step(10, 2.0))


@pytest.mark.tiny
def test_a_disk_too_full_for_events_is_said(tmp_path: Path) -> None:
    with EventFile(tmp_path) as events:
        full(events, "_records")
        with pytest.raises(SystemFaultError, match="BW902"):
            events.write(1, {"loss": 2.0})
        with pytest.raises(SystemFaultError, match="BW902"):
            events.pictures(1, {"photo": Image.new("RGB", (8, 8))})


@pytest.mark.tiny
def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "tensorboard").write_text("in the way", encoding="utf-8")
    with pytest.raises(SystemFaultError) as caught:
        TensorBoard(Run(tmp_path).tensorboard)(STARTED)
    assert caught.value.code == "BW903"
