"""Frames of videos as JPEGs, without boxes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from boxwright.outputs.drawn import stem_of
from boxwright.outputs.output import Add, Job, Output, Record
from boxwright.outputs.own_files import fresh, save

FOLDER = "frames"


@contextmanager
def frames(job: Job) -> Iterator[Add]:
    """Write each chosen frame of a video to `frames/<video>-<number>.jpg`."""
    taken: set[str] = set()

    def add(record: Record) -> None:
        picture = record.picture
        if record.prediction.frame.video:
            name = fresh(stem_of(record), taken, job.out / FOLDER)
            job.background.run(save, picture.copy(), job.out / FOLDER / name)

    yield add
    job.background.wait()


OUTPUT = Output(frames, lambda _: "full", only="stills")
