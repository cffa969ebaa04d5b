"""MOT text: the objects of each video, as MOTChallenge and its tools read them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from boxwright.io.files import growing
from boxwright.ops.boxes import corner_and_sides
from boxwright.outputs.output import Add, Job, Output, Record
from boxwright.outputs.own_files import fresh, video_stem
from boxwright.structures.detections import Detections

FOLDER = "mot"
REST = ",-1,-1,-1\n"  # ends each line: places in the world, which are not known


@contextmanager
def mot(job: Job) -> Iterator[Add]:
    """Write a line `frame,id,x,y,w,h,conf,-1,-1,-1` to `mot/<video>.txt` for each object, as soon
    as its frame is processed. Frames are numbered from 1. Objects without identity are left out; if
    nothing is tracked, all have the id -1, as the format has it for detections."""
    taken: set[str] = set()
    name, write = "", None
    with ExitStack() as current:

        def add(record: Record) -> None:
            nonlocal name, write
            frame = record.prediction.frame
            if write is None or frame.name != name:
                current.close()
                name = frame.name
                file = fresh(video_stem(name), taken, job.out / FOLDER, ".txt", _is_own)
                write = current.enter_context(growing(job.out / FOLDER / file))
            lines = _lines((frame.number or 0) + 1, record.prediction.detections)
            write("".join(lines))

        yield add


def _lines(frame: int, found: Detections) -> Iterator[str]:
    tracked = found.track_ids is not None
    identities = found.track_ids.tolist() if found.track_ids is not None else [-1] * len(found)
    boxes = corner_and_sides(found.boxes).tolist()
    for identity, box, score in zip(identities, boxes, found.scores.tolist(), strict=True):
        if identity >= 0 or not tracked:
            sides = ",".join(f"{value:.2f}" for value in box)
            yield f"{frame},{identity},{sides},{score:.4f}{REST}"


def _is_own(path: Path) -> bool:
    with suppress(Exception), path.open(encoding="utf-8") as file:  # whatever it contains
        first = file.readline()
        return not first or (first.endswith(REST) and first.count(",") == 9)
    return False


OUTPUT = Output(mot, only="videos")
