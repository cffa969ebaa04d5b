"""What `import boxwright` offers, in terms of the folders that do the work.

The command line calls the same functions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import reduce
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast, overload

from boxwright.datasets.convert import convert
from boxwright.datasets.convert import write_verified as write
from boxwright.datasets.frozen_split import split
from boxwright.datasets.load import load
from boxwright.datasets.merge import merge
from boxwright.errors import ArgumentError
from boxwright.formats import read
from boxwright.images.inputs import is_image_like
from boxwright.structures.dataset import Dataset

if TYPE_CHECKING:
    from boxwright.datasets.check import CheckReport
    from boxwright.evaluation.coco import Evaluation
    from boxwright.export.export import Exported
    from boxwright.images.inputs import ImageLike
    from boxwright.inference.detector import Detector
    from boxwright.structures.detections import Detections
    from boxwright.training.control import Control
    from boxwright.training.events import Event, Note, Subscriber
    from boxwright.training.recipe import Recipe

Data = str | Path | Dataset
Progress = Callable[[int, int], None]
FROM_SCRATCH_NEEDS = 10_000  # images

__all__ = [
    "Run",
    "check",
    "convert",
    "evaluate",
    "load",
    "merge",
    "predict",
    "read",
    "split",
    "train",
    "write",
]


def _silently(done: int, total: int) -> None:
    pass


@dataclass(frozen=True)
class Run:
    """A training that has ended, and what can be done with it.

        >>> run = boxwright.train("images", budget="2m", out="run-1")
        >>> print(run.evaluate().ap50)
        >>> run.export("tflite")
        >>> run.detector().predict("image.jpg")

    Every function that takes a detector's path takes a run as well; later, its folder does.

    Attributes:
        folder: where it is.
        dataset: what it was trained on, validation and test images included.
        step: the step that the kept weights are from.
        validation: how good they are on the validation images; None without any.
        interrupted: whether it was stopped before its last step.
    """

    folder: Path
    dataset: Dataset = field(repr=False)
    step: int
    validation: Evaluation | None = field(repr=False)
    interrupted: bool

    def __fspath__(self) -> str:
        return str(self.folder)

    def detector(self) -> Detector:
        """The trained detector; raises as `Detector.load`."""
        return _detector(self)

    def evaluate(self, data: Data | None = None, *, split: str = "test") -> Evaluation:
        """Measure it on its own test images, or on those of other data; see `evaluate`."""
        return evaluate(self, self.dataset if data is None else data, split=split)

    def export(self, to: str = "tflite", **options: Any) -> Exported:
        """Write it as a file that runs elsewhere; options and errors are those of `export`."""
        from boxwright.export.export import export

        return export(self, to, **{"data": self.dataset, **options})


def train(
    data: Data | Sequence[str | Path],
    *,
    out: str | Path = "run",
    budget: str | float | None = None,
    steps: int | None = None,
    weights: str | Path | None = None,
    from_scratch: bool = False,
    recipe: Recipe | None = None,
    input_size: int | None = None,
    depth_multiplier: float | None = None,
    seed: int | None = None,
    deterministic: bool = False,
    resume: bool = False,
    on_event: Subscriber | Sequence[Subscriber] = (),
    control: Control | None = None,
    started: float | None = None,
) -> Run:
    """Train a detector on labeled images.

        >>> run = boxwright.train("images", budget="2m", on_event=print)
        >>> print(run.evaluate())

    Classes, sizes and splits are read from the data. Without `budget` and `steps` it trains until
    the AP on the validation images stops rising. Ctrl-C ends it with a usable run.

    Args:
        data: a folder or file of labeled images, several of them, or a dataset.
        out: the folder to write the run to.
        budget: wall time, such as `30s`, `2m`, `1h`, or seconds.
        steps: the number of steps, instead of `budget`.
        weights: where to start from: a published model by its name, downloaded once, or a .tflite
            or a checkpoint of yours. The default is `ssd_mobilenet_v1_coco_quant`.
        from_scratch: start without pretrained weights.
        recipe: how to train; decided from the data and the budget by default.
        input_size: side of the network's input, pixels.
        depth_multiplier: of the network's filters, from scratch only.
        seed: of all random numbers, 0 by default.
        deterministic: the same data, options and machine give the same bits; needs `steps`.
        resume: continue the stopped run in `out`.
        on_event: called with each `Event`, or several such functions.
        control: stops, pauses and resumes the training from another thread.
        started: when the budget began by `time.monotonic`; now by default.

    Raises:
        ArgumentError: BW801 `budget` is not a time, BW802 arguments contradict each other.
        DataError, WeightsError, TrainingError: data, weights or run cannot be used.
        SystemFaultError: BW901 Keras or TensorFlow is not installed, BW902, BW903 the run cannot
            be written.
    """
    from boxwright.inference import run as run_folder
    from boxwright.models.weights import zoo
    from boxwright.training import loop
    from boxwright.training.budget import seconds_of
    from boxwright.training.events import Downloading, as_subscribers
    from boxwright.training.run_folder import check_options

    if budget is not None and steps is not None:
        raise ArgumentError("BW802", "give either budget or steps.")
    if from_scratch and weights is not None:
        raise ArgumentError("BW802", "from_scratch and weights exclude each other.")
    if depth_multiplier is not None and not (from_scratch or resume):
        raise ArgumentError("BW802", "depth_multiplier needs from_scratch: weights have their own.")
    if deterministic and steps is None and not resume:
        raise ArgumentError("BW802", "deterministic needs steps: time never holds the same number.")
    seconds = None if budget is None else seconds_of(budget)
    start = None
    if weights is not None:
        start = zoo.chosen(str(weights))
    elif not (from_scratch or resume):
        start = zoo.DEFAULT
    if resume:
        asked = {
            "--weights": start and _title(start),
            "--from-scratch": from_scratch or None,
            "--seed": seed,
            "--input-size": input_size,
            "--depth-multiplier": depth_multiplier,
            "--deterministic": deterministic or None,
        }
        check_options(run_folder.Run(out), asked)
        start = None

    def tell(event: Event) -> None:
        for subscriber in as_subscribers(on_event):
            subscriber(event)

    dataset = _dataset(data)
    for note in _notes(data, dataset, from_scratch=from_scratch):
        tell(note)
    if isinstance(start, zoo.Published):
        name, url = start.name, start.url
        start = zoo.fetch(start, lambda got, total: tell(Downloading(name, url, got, total)))
    outcome = loop.train(
        dataset,
        out=out,
        weights=start,
        recipe=recipe,
        seconds=seconds,
        steps=steps,
        input_size=input_size,
        depth_multiplier=depth_multiplier,
        seed=seed or 0,
        deterministic=deterministic,
        resume=resume,
        on_event=on_event,
        control=control,
        started=started,
        source=data if isinstance(data, str | Path) else None,
    )
    return Run(Path(out), dataset, outcome.step, outcome.evaluation, outcome.interrupted)


def evaluate(
    detector: str | PathLike[str] | Detector,
    data: Data,
    *,
    split: str = "test",
    classes: Sequence[str] | None = None,
    progress: Progress = _silently,
) -> Evaluation:
    """Measure a detector on labeled images: COCO's twelve metrics, VOC's AP50, AP per class.

        >>> evaluation = boxwright.evaluate("run", "images")
        >>> print(evaluation.ap, evaluation.ap50, evaluation.coco["AR100"])

    Args:
        detector: a run, an exported file, or a loaded detector.
        data: a folder or file of labeled images, or a dataset.
        split: `test`, `val`, `train` or `all` images.
        classes: class names in id order, for a file from elsewhere that has none inside.
        progress: called with how many images of how many are done.

    Raises:
        ArgumentError: BW803 there is no such `split`.
        DataError: BW193 there are no such images, and what `load` raises.
        DetectorError: what `Detector.load` raises.
        EvaluationError: BW601 no class name is shared, BW602 a box or score is not a number.
    """
    from boxwright.datasets.evaluation_set import images_of_split
    from boxwright.evaluation import coco

    opened = _detector(detector, classes)
    images = images_of_split(_dataset(data), split)
    found = []
    paths = (images.image(i) for i in range(len(images)))
    for one in opened.predict_many(paths, threshold=0):
        found.append(one)
        progress(len(found), len(images))
    return coco.evaluate(images, found)


@overload
def predict(  # type: ignore[overload-overlap]  # a str is an iterable of str, and one image
    source: ImageLike,
    detector: str | PathLike[str] | Detector,
    *,
    threshold: float | None = None,
    classes: Sequence[str] | None = None,
    bgr: bool = False,
) -> Detections: ...


@overload
def predict(
    source: Iterable[ImageLike],
    detector: str | PathLike[str] | Detector,
    *,
    threshold: float | None = None,
    classes: Sequence[str] | None = None,
    bgr: bool = False,
) -> list[Detections]: ...


def predict(
    source: ImageLike | Iterable[ImageLike],
    detector: str | PathLike[str] | Detector,
    *,
    threshold: float | None = None,
    classes: Sequence[str] | None = None,
    bgr: bool = False,
) -> Detections | list[Detections]:
    """Detect in one image, or in each of several.

        >>> detections = boxwright.predict("image.jpg", "run")
        >>> for each in boxwright.predict(["image.jpg", "other.jpg"], "run", threshold=0.3):
        ...     print(len(each))

    A detector that is loaded once, `Detector.load(path)`, starts faster from the second call on.

    Args:
        source: an image as `Detector.predict` takes it, or several: any iterable.
        detector: a run, an exported file, or a loaded detector.
        threshold: lowest score to return; None takes the detector's own, 0 returns all.
        classes: class names in id order, for a file from elsewhere that has none inside.
        bgr: whether arrays have blue first, as OpenCV reads images.

    Raises:
        DataError: BW101 there is no such image, BW102 it is damaged.
        DetectorError: BW507 it is no image, and what `Detector.load` raises.
    """
    opened = _detector(detector, classes)
    if is_image_like(source):
        return opened.predict(source, threshold=threshold, bgr=bgr)
    if isinstance(source, Iterable):
        images = cast("Iterable[ImageLike]", source)
        return list(opened.predict_many(images, threshold=threshold, bgr=bgr))
    return opened.predict(source, threshold=threshold, bgr=bgr)  # raises, and says what it is


def check(
    data: Data,
    form: str | None = None,
    *,
    input_size: int = 300,
    progress: Progress = _silently,
) -> CheckReport:
    """Look at every image, box and class of labeled images, and report all that is wrong.

        >>> report = boxwright.check("images")
        >>> for finding in report.findings:
        ...     print(finding)
        >>> report.count("error")
        0

    Nothing is changed: `boxwright check DATA --fix OUT` writes a repaired copy.

    Args:
        data: a folder, an annotation file, or a dataset as `read` returns it.
        form: the name of the format; found out if not given.
        input_size: side of the network's input to judge boxes for, pixels.
        progress: called with how many images of how many are done.

    Raises:
        DataError: BW115 there is no such folder, BW101, BW114 nothing in it can be used.
    """
    from boxwright.datasets.check import run_checks
    from boxwright.models.registry import DEFAULT, family

    reach = family(DEFAULT).reach
    return run_checks(data, form, input_size=input_size, reach=reach, progress=progress)


def _dataset(data: Data | Sequence[str | Path]) -> Dataset:
    if isinstance(data, Dataset):
        return data
    if isinstance(data, str | Path):
        return load(data)
    return reduce(Dataset.merge, map(load, data))


def _detector(
    detector: str | PathLike[str] | Detector, classes: Sequence[str] | None = None
) -> Detector:
    from boxwright.inference.detector import Detector

    if isinstance(detector, Detector):
        return detector
    return Detector.load(Path(detector), classes=classes)


def _title(start: Any) -> str:
    """What `run.json` calls the weights that a training started from."""
    from boxwright.models.weights import zoo

    return start.name if isinstance(start, zoo.Published) else zoo.title(start)


def _notes(data: Any, dataset: Dataset, *, from_scratch: bool) -> list[Note]:
    """What to say about the data before a training."""
    from boxwright.datasets.describe import counted
    from boxwright.structures.findings import summary
    from boxwright.training.events import Note

    place = data if isinstance(data, str | Path) else None
    lines = [*summary(dataset.findings, place), counted(dataset)]
    if from_scratch and len(dataset.split("train")) < FROM_SCRATCH_NEEDS:
        lines.append(
            "From scratch, with so few photos: pretrained weights would get much further. They are "
            "what training starts from without --from-scratch."
        )
    return [Note(line) for line in lines]
