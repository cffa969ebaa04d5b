"""A table in the terminal: a line for each image."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from boxwright.outputs.output import Add, Job, Output, Record

WIDTH = 40  # characters of a name, which is aligned


@contextmanager
def printed(job: Job) -> Iterator[Add]:
    """Tell for each image how many objects of each class it has, and the best score of each."""
    job.print_line(f"{'image':{WIDTH}} {'size':>11}  objects, and their best score")

    def add(record: Record) -> None:
        entry = record.entry
        name = entry["image"] if "frame" not in entry else f"{entry['image']}, {entry['frame']}"
        shown = name if len(name) <= WIDTH else f"...{name[3 - WIDTH :]}"
        size = f"{entry['width']} x {entry['height']}"
        job.print_line(f"{shown:{WIDTH}} {size:>11}  {'; '.join(_said(record))}")

    yield add


def _said(record: Record) -> Iterator[str]:
    yield _objects(record)
    if record.prediction.counts:
        total, *others = record.prediction.counts.sentences()
        yield f"until now {total}"
        yield from others


def _objects(record: Record) -> str:
    best: dict[str, float] = {}
    counts: Counter[str] = Counter()
    for name, score, _ in record.prediction.detections:
        counts[name] += 1
        best[name] = max(best.get(name, 0), score)
    parts = (f"{count} {name} ({best[name]:.2f})" for name, count in counts.most_common())
    return ", ".join(parts) or "-"


OUTPUT = Output(printed, writes=False)
