"""Benchmark: time, memory, size and accuracy of several detector files.

The files take turns, so that other load on the machine affects them equally.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from itertools import cycle, islice
from os import PathLike
from pathlib import Path
from typing import Any

from boxwright.bench import throughput, timing
from boxwright.bench.memory import peak_bytes
from boxwright.bench.samples import draw_samples
from boxwright.bench.timing import Latency, Timing
from boxwright.datasets.evaluation_set import images_of_split
from boxwright.datasets.load import load
from boxwright.errors import EvaluationError
from boxwright.images.files import ImageFile
from boxwright.inference.detector import Detector
from boxwright.inference.inspection import Description, inspect
from boxwright.io.scratch import scratch_folder
from boxwright.structures.dataset import Dataset

MAX_IMAGES, MIN_IMAGES = 64, 32  # per throughput round; fewer images are repeated
ROUNDS = 20

__all__ = ["Latency", "Measured", "Timing", "bench"]


@dataclass(frozen=True)
class Measured:
    """Measurements of a detector file.

    Attributes:
        path: the file or folder.
        kind, size: its format, and its size in bytes.
        input_size: side of the network's input, pixels.
        arithmetic: `integer`, `float` or `mixed`; None if unknown.
        prepare: time from an image file to the network's input.
        timings: network and post-processing, for each number of threads.
        images_per_second: throughput on many images, from files to detections.
        peak_bytes: peak memory of a process that only loads and runs it; None if it could not be
            measured.
        ap, ap50: COCO AP and AP50 on labeled images; None without.
        note: the reason for a missing AP although there are labeled images.
    """

    path: Path
    kind: str
    size: int
    input_size: int
    arithmetic: str | None
    prepare: Latency
    timings: tuple[Timing, ...]
    images_per_second: float
    peak_bytes: int | None
    ap: float | None
    ap50: float | None
    note: str | None

    def to_json(self) -> dict[str, Any]:
        return asdict(self) | {"path": str(self.path)}


def bench(
    detectors: Sequence[str | PathLike[str]],
    *,
    data: str | Path | Dataset | None = None,
    images: Sequence[ImageFile] = (),
    threads: Sequence[int] = (1, 2),
    classes: Sequence[str] | None = None,
    rounds: int = ROUNDS,
    trust: bool = False,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> list[Measured]:
    """Measure time, memory, size and accuracy of several detector files.

        >>> for one in boxwright.bench(["run", "run/detector.tflite"], data="images", rounds=5):
        ...     print(one.kind, one.ap50, one.timings[-1].whole.median)

    The files take turns, so that other load on the machine affects them equally.

    Args:
        detectors: runs, SavedModels, .tflite files and so on.
        data: labeled images to measure AP on: the test images of a path, or all of a dataset.
            Without any, AP is not measured.
        images: images for timing; by default those of `data`, or drawn ones.
        threads: numbers of threads for .tflite files; other formats use their default.
        classes: class names in id order, for files without names.
        rounds: number of timing rounds.
        trust: as in `Detector.load`.
        progress: called with the number of finished steps and the total.

    Raises:
        DetectorError: BW501 to BW506 a file cannot be run.
        DataError: BW102 an image cannot be read, BW193 there are no test images; errors of `load`.
    """
    if data is not None and not isinstance(data, Dataset):
        data = images_of_split(load(data))
    paths = [Path(each) for each in detectors]
    done, total = 0, rounds + len(paths) * (1 + (data is not None)) + throughput.TURNS

    def step() -> None:
        nonlocal done
        done += 1
        progress(done, total)

    described = [inspect(path, trust=trust) for path in paths]
    with scratch_folder() as scratch:
        drawn = draw_samples(scratch)
        given = list(images) or [data.image(i) for i in range(len(data or ())) if data]
        count = min(max(len(given), MIN_IMAGES), MAX_IMAGES)
        shown: list[ImageFile] = list(islice(cycle(given or drawn), count))
        loaded = [
            [timing.Subject(_load(each, classes, n, trust)) for n in _useful(each, threads)]
            for each in described
        ]
        prepares, timings = timing.take_turns(loaded, shown, rounds, step)
        whole = [some[-1].detector for some in loaded]
        rates = throughput.take_turns(whole, shown, step)
        peaks = []
        for path in paths:
            peaks.append(peak_bytes(path, drawn[0], trust=trust))
            step()
    results = []
    for i, each in enumerate(described):
        ap, ap50, note = _accuracy(whole[i], data)
        if data is not None:
            step()
        results.append(
            Measured(
                each.path,
                each.kind,
                each.size,
                whole[i].artifact.preprocessing.size,
                each.graph.arithmetic if each.graph else None,
                prepares[i],
                timings[i],
                rates[i],
                peaks[i],
                ap,
                ap50,
                note,
            )
        )
    return results


def _load(
    described: Description, names: Sequence[str] | None, threads: int | None, trust: bool
) -> Detector:
    """The detector, with `names` or placeholders if it has no class names."""
    given = names if described.artifact is None else None
    return Detector.load(described.path, classes=given, threads=threads, unnamed=True, trust=trust)


def _useful(described: Description, threads: Sequence[int]) -> Sequence[int | None]:
    return threads if described.kind == ".tflite" else (None,)


def _accuracy(
    detector: Detector, data: Dataset | None
) -> tuple[float | None, float | None, str | None]:
    """AP, AP50, and the reason if they are missing although there is data."""
    if data is None:
        return None, None, None
    from boxwright.evaluation import coco

    found = list(detector.detections_in(data))
    try:
        evaluation = coco.evaluate(data, found, resamples=0)
    except EvaluationError as error:
        return None, None, f"{error.code}: {error.message}"
    return evaluation.ap, evaluation.ap50, None
