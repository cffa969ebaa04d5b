"""What a run writes down while it goes: TensorBoard events and a line of JSON per report."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import Any

from boxwright.runtime.run import Run


class Log:
    """Appends numbers to `log.jsonl` and to TensorBoard's event file.

    Lines are flushed one by one: a killed run keeps all but the last.
    """

    def __init__(self, run: Run) -> None:
        from tensorboard.summary.writer.event_file_writer import EventFileWriter

        run.tensorboard.mkdir(parents=True, exist_ok=True)
        self._lines = run.log.open("a", encoding="utf-8", newline="\n")
        self._events = EventFileWriter(str(run.tensorboard))

    def write(self, step: int, numbers: Mapping[str, float | None]) -> None:
        """Note `numbers` (tag to value; None is left out) at `step`."""
        from tensorboard.compat.proto.event_pb2 import Event
        from tensorboard.compat.proto.summary_pb2 import Summary

        known = {tag: float(value) for tag, value in numbers.items() if value is not None}
        self._lines.write(json.dumps({"step": step, **known}) + "\n")
        self._lines.flush()
        values = [Summary.Value(tag=tag, simple_value=value) for tag, value in known.items()]
        event = Event(wall_time=time.time(), step=step, summary=Summary(value=values))
        self._events.add_event(event)

    def close(self) -> None:
        self._lines.close()
        self._events.close()

    def __enter__(self) -> Log:
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()
