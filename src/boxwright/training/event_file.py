"""TensorBoard event files: scalars and images."""

from __future__ import annotations

import io
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from PIL import Image

from boxwright.io.faults import translating_os_errors

JPEG: dict[str, Any] = {"quality": 90, "subsampling": 0}  # thin colored lines stay sharp


class EventFile:
    """Appends scalars and images to a TensorBoard event file.

    Each report is written at once: a killed run keeps all but the last. TensorBoard's own writer
    is not used because it writes in a thread, where a full disk ends in a traceback.

    Raises:
        SystemFaultError: BW902 the disk is full, BW903 the folder cannot be written.
    """

    def __init__(self, folder: str | Path) -> None:
        from tensorboard.compat.proto.event_pb2 import Event
        from tensorboard.summary.writer.record_writer import RecordWriter

        self._folder = Path(folder)
        with translating_os_errors(self._folder):
            self._folder.mkdir(parents=True, exist_ok=True)
            name = f"events.out.tfevents.{time.time():010.0f}.boxwright"
            self._records = RecordWriter((self._folder / name).open("ab"))
        self._add(Event(wall_time=time.time(), file_version="brain.Event:2"))

    def write(self, step: int, numbers: Mapping[str, float | None]) -> None:
        """Write scalars (tag to value; None is skipped) for `step`."""
        from tensorboard.compat.proto.summary_pb2 import Summary

        known = {tag: value for tag, value in numbers.items() if value is not None}
        self._summarize(step, [Summary.Value(tag=t, simple_value=v) for t, v in known.items()])

    def pictures(self, step: int, pictures: Mapping[str, Image.Image]) -> None:
        """Write images (tag to RGB image) for `step`."""
        from tensorboard.compat.proto.summary_pb2 import Summary

        values = []
        for tag, picture in pictures.items():
            encoded = io.BytesIO()
            picture.save(encoded, "JPEG", **JPEG)
            image = Summary.Image(
                width=picture.width,
                height=picture.height,
                colorspace=3,  # RGB
                encoded_image_string=encoded.getvalue(),
            )
            values.append(Summary.Value(tag=tag, image=image))
        self._summarize(step, values)

    def _summarize(self, step: int, values: list[Any]) -> None:
        from tensorboard.compat.proto.event_pb2 import Event
        from tensorboard.compat.proto.summary_pb2 import Summary

        self._add(Event(wall_time=time.time(), step=step, summary=Summary(value=values)))

    def _add(self, event: Any) -> None:
        with translating_os_errors(self._folder):
            self._records.write(event.SerializeToString())
            self._records.flush()

    def close(self) -> None:
        with translating_os_errors(self._folder):
            self._records.close()

    def __enter__(self) -> EventFile:
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()
