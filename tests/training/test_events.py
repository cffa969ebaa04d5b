"""What a run or an evaluation writes down: TensorBoard events, and a line of JSON per report."""

from __future__ import annotations

import errno
import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from boxwright.errors import SystemFaultError
from boxwright.inference.run import Run
from boxwright.training.events import EventFile, Log


def lines(run: Run) -> list[dict[str, float]]:
    return [json.loads(line) for line in run.log.read_text(encoding="utf-8").splitlines()]


def scalars(run: Run) -> dict[str, list[tuple[int, float]]]:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(run.tensorboard)).Reload()
    return {
        tag: [(event.step, event.value) for event in events.Scalars(tag)]
        for tag in events.Tags()["scalars"]
    }


def test_numbers_are_there_as_soon_as_they_are_written(tmp_path: Path) -> None:
    run = Run(tmp_path / "run")
    with Log(run) as log:
        log.write(10, {"loss": 2.5, "AP": None})
        log.write(20, {"loss": 1.5, "AP": 0.25})
        assert lines(run) == [{"step": 10, "loss": 2.5}, {"step": 20, "loss": 1.5, "AP": 0.25}]
        assert scalars(run) == {"loss": [(10, 2.5), (20, 1.5)], "AP": [(20, 0.25)]}


def test_a_resumed_run_goes_on_in_the_same_log(tmp_path: Path) -> None:
    run = Run(tmp_path)
    for step in (1, 2):
        with Log(run) as log:
            log.write(step, {"loss": float(step)})
    assert [line["step"] for line in lines(run)] == [1, 2]
    assert scalars(run) == {"loss": [(1, 1.0), (2, 2.0)]}


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
    with Log(Run(tmp_path)) as log:
        full(log, "_lines")
        with pytest.raises(SystemFaultError, match="BW902"):
            log.write(1, {"loss": 2.0})


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
        Log(Run(tmp_path))
    assert caught.value.code == "BW903"
