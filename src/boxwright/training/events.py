"""What a run writes down while it goes: TensorBoard events and a line of JSON per report."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import Any

from boxwright.files import translating_os_errors
from boxwright.runtime.run import Run


class Log:
    """Appends numbers to `log.jsonl` and to an event file of TensorBoard's.

    Each report is written at once: a killed run keeps all but the last. TensorBoard's own writer
    is not used: it writes in a thread, where a full disk ends in a traceback.

    Raises:
        SystemFaultError: BW902 the disk is full, BW903 the folder cannot be written.
    """

    def __init__(self, run: Run) -> None:
        from tensorboard.compat.proto.event_pb2 import Event
        from tensorboard.summary.writer.record_writer import RecordWriter

        self._place = run.folder
        with translating_os_errors(self._place):
            run.tensorboard.mkdir(parents=True, exist_ok=True)
            self._lines = run.log.open("a", encoding="utf-8", newline="\n")
            name = f"events.out.tfevents.{time.time():010.0f}.boxwright"
            self._events = RecordWriter((run.tensorboard / name).open("ab"))
            self._add(Event(wall_time=time.time(), file_version="brain.Event:2"))

    def write(self, step: int, numbers: Mapping[str, float | None]) -> None:
        """Note `numbers` (tag to value; None is left out) at `step`."""
        from tensorboard.compat.proto.event_pb2 import Event
        from tensorboard.compat.proto.summary_pb2 import Summary

        known = {tag: float(value) for tag, value in numbers.items() if value is not None}
        values = [Summary.Value(tag=tag, simple_value=value) for tag, value in known.items()]
        with translating_os_errors(self._place):
            self._lines.write(json.dumps({"step": step, **known}) + "\n")
            self._lines.flush()
            self._add(Event(wall_time=time.time(), step=step, summary=Summary(value=values)))

    def _add(self, event: Any) -> None:
        self._events.write(event.SerializeToString())
        self._events.flush()

    def close(self) -> None:
        with translating_os_errors(self._place):
            self._lines.close()
            self._events.close()

    def __enter__(self) -> Log:
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()
