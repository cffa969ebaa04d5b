"""The public functions of `import boxwright`, built on the subpackages.

The command line calls the same functions.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from boxwright.datasets.convert import convert
from boxwright.datasets.convert import write_verified as write
from boxwright.datasets.frozen_split import split
from boxwright.datasets.load import load
from boxwright.datasets.merge import merge
from boxwright.datasets.source import paths_of
from boxwright.formats import ReadOptions, read
from boxwright.structures.dataset import Dataset

if TYPE_CHECKING:
    from boxwright.datasets.check import CheckReport
    from boxwright.evaluation.coco import Evaluation
    from boxwright.evaluation.numbers import Numbers
    from boxwright.export.export import Exported
    from boxwright.inference.detector import Detector
    from boxwright.parallel.units import Executor
    from boxwright.training.control import Control
    from boxwright.training.events import Subscriber
    from boxwright.training.processes import Processes
    from boxwright.training.recipe import Recipe

Data = str | Path | Dataset
Progress = Callable[[int, int], None]

__all__ = [
    "Run",
    "check",
    "convert",
    "evaluate",
    "load",
    "merge",
    "read",
    "split",
    "train",
    "write",
]


def _silently(done: int, total: int) -> None:
    pass


@dataclass(frozen=True)
class Run:
    """A finished training, with methods to use its detector.

        >>> run = boxwright.train("images", budget="2m", out="run-1")
        >>> print(run.evaluate().ap50)
        >>> run.export("tflite")
        >>> run.detector().predict("image.jpg")

    Every function that takes a detector's path also takes a run, or a run's folder.

    Attributes:
        folder: the run folder.
        dataset: the data, including validation and test images.
        step: the step of the kept weights.
        validation: their metrics on the validation set; None without one.
        interrupted: True if it was stopped before its last step.
        paths: the paths of the dataset.
    """

    folder: Path
    dataset: Dataset = field(repr=False)
    step: int
    validation: Evaluation | None = field(repr=False)
    interrupted: bool
    paths: tuple[Path, ...] = ()

    def __fspath__(self) -> str:
        return str(self.folder)

    def detector(self) -> Detector:
        """Return the trained detector; raises as `Detector.load`."""
        from boxwright.inference.detector import Detector

        return Detector.of(self)

    def evaluate(self, data: Data | None = None, **options: Any) -> Numbers:
        """Evaluate it on its own test images, or on those of other data; options and errors are
        those of `evaluate`."""
        if data is None:
            data = self.dataset  # its classes are chosen and renamed already
            if not options.keys() & {"classes", "exclude", "rename"}:
                options["classes"] = data.classes
        return evaluate(self, data, **options)

    def export(self, to: str = "tflite", **options: Any) -> Exported:
        """Export it to a file for deployment; options and errors are those of `export`."""
        from boxwright.export.export import export

        return export(self, to, **{"data": self.dataset, **options})


def train(
    data: Data | Sequence[str | Path] = (),
    *,
    out: str | Path = "run",
    budget: str | float | None = None,
    steps: int | None = None,
    weights: str | Path | None = None,
    from_scratch: bool = False,
    model: str | None = None,
    latency: str | None = None,
    size_limit: float | None = None,
    recipe: Recipe | Mapping[str, Any] | None = None,
    classes: Sequence[str] = (),
    exclude: Sequence[str] = (),
    rename: Mapping[str, str] | None = None,
    form: str | ReadOptions | None = None,
    input_size: int | None = None,
    depth_multiplier: float | None = None,
    seed: int | None = None,
    deterministic: bool = False,
    resume: bool = False,
    on_event: Subscriber | Sequence[Subscriber] = (),
    control: Control | None = None,
    started: float | None = None,
    devices: int | str = 1,
    processes: Processes | None = None,
    cache_dir: str | Path | None = None,
    cache_size: float | None = None,
) -> Run:
    """Train a detector on labeled images.

        >>> run = boxwright.train("images", budget="2m", on_event=print)
        >>> print(run.evaluate())

    Classes, sizes and splits are read from the data. Without `budget` and `steps` it trains until
    the validation AP stops rising. Ctrl-C ends it with a usable run.

    Args:
        data: a folder or file of labeled images, several of them, or a dataset; optional when
            resuming.
        out: the folder to write the run to.
        budget: wall time, such as `30s`, `2m`, `1h`, or seconds.
        steps: the number of steps, instead of `budget`.
        weights: the pretrained weights: a name of `boxwright models`, downloaded once, or a file
            of yours: a .tflite, a checkpoint, an .onnx or ncnn's .param. They decide the model.
        from_scratch: start without pretrained weights.
        model: the model to start from with its usual weights, such as `ssd_mobilenet_v1`; `auto`,
            the default, takes the best one.
        latency: the longest time of the exported float .tflite for an image on this machine, in
            milliseconds: `20`, on two threads `20@2`, or `fast`. It decides model and input size.
        size_limit: the largest size of that file, megabytes.
        recipe: all training settings, or some of its fields, such as
            `{"learning_rate.peak": 5e-4}`. The rest is chosen from the data and the budget.
        classes: the classes to use; all by default. Objects of other classes are ignored; they do
            not count as background.
        exclude: classes to ignore.
        rename: old class names to new ones; classes with the same new name are merged.
        form: the name of the data's format, or all options of `read`.
        input_size: side of the network's input, pixels.
        depth_multiplier: multiplier of the network's filter counts, from scratch only.
        seed: random seed, 0 by default.
        deterministic: make training reproducible to the last bit on one machine; needs `steps`.
        resume: continue the stopped run in `out`.
        on_event: called with each `Event`, or several such functions.
        control: stops, pauses and resumes the training from another thread.
        started: start of the budget by `time.monotonic`; now by default.
        devices: with JAX as the backend, the number of devices that share each batch, or `all`.
        processes: the other processes that train, which this one leads; see
            `training.processes.Cluster.joined`.
        cache_dir: folder for decoded images that do not fit into memory.
        cache_size: the most GB of decoded images to store; others are decoded each time.

    Raises:
        ArgumentError: BW801 `budget` is not a time, BW802 arguments contradict each other.
        DataError, WeightsError, TrainingError: data, weights or run cannot be used.
        SystemFaultError: BW901 Keras or TensorFlow is not installed, BW902, BW903 the run cannot
            be written.
    """
    from boxwright.bench.limits import chosen
    from boxwright.datasets.class_choice import ClassChoice
    from boxwright.training import loop
    from boxwright.training.events import Note, as_one
    from boxwright.training.request import TrainingRequest
    from boxwright.training.resources import Resources
    from boxwright.training.tools import Tools

    tell = as_one(on_event)
    resources = Resources.of(devices, processes, cache_dir, cache_size)
    asked = TrainingRequest(
        paths_of(data),
        Path(out),
        budget=budget,
        steps=steps,
        weights=weights,
        from_scratch=from_scratch,
        **chosen(latency, size_limit, model, weights, lambda text: tell(Note(text))),
        recipe=recipe,
        choice=ClassChoice.of(classes, exclude, rename),
        options=None if form is None else ReadOptions.of(form),
        input_size=input_size,
        depth_multiplier=depth_multiplier,
        seed=seed,
        deterministic=deterministic,
        resume=resume,
    )

    dataset = asked.dataset()
    for line in asked.described(dataset):
        tell(Note(line))
    family, start = asked.fetch_start(tell)
    outcome = loop.train(
        dataset,
        out=out,
        weights=start,
        model=family,
        recipe=recipe,
        resume=resume,
        on_event=on_event,
        control=control,
        started=started,
        source=asked.source,
        tools=Tools(resources=resources),
        **asked.amount(),
    )
    step, paths = outcome.step, asked.source.paths
    return Run(Path(out), dataset, step, outcome.evaluation, outcome.interrupted, paths)


def evaluate(
    detector: str | PathLike[str] | Detector,
    data: Data | Sequence[str | Path] = (),
    *,
    split: str = "test",
    classes: Sequence[str] = (),
    exclude: Sequence[str] = (),
    rename: Mapping[str, str] | None = None,
    form: str | ReadOptions | None = None,
    labels: Sequence[str] | None = None,
    aim: str | None = None,
    folds: bool = False,
    progress: Progress = _silently,
    on: str | Executor = "local",
) -> Numbers:
    """Evaluate a detector on labeled images: `Numbers` has all that is measured.

        >>> evaluation = boxwright.evaluate("run", "images")
        >>> print(evaluation.ap, evaluation.ap50, evaluation.at_threshold.recall.value)

    Args:
        detector: a run, an exported file, or a loaded detector.
        data: a folder or file of labeled images, several of them, or a dataset; the run's own by
            default.
        split: `test`, `val`, `train` or `all` images.
        classes: the classes to evaluate; those of the training by default. Objects of other
            classes are ignored, and so are detections on them.
        exclude: classes to ignore.
        rename: old class names to new ones.
        form: the name of the data's format, or all options of `read`; as in the training by
            default.
        labels: class names in id order, for a file of another tool without names.
        aim: what to choose the threshold for on the validation images: `f1`, `precision=.95` or
            `recall=.9`; the detector's own threshold by default.
        folds: without validation images, train on three folds of a run's training images to choose
            the threshold, which takes as long as three trainings.
        progress: called with the number of images done and the total.
        on: where objects are found: `local`, `ray` or `ray=ADDRESS` for a Ray cluster.

    Raises:
        ArgumentError: BW802 the detector records no data, or `folds` is for no run; BW803 there is
            no such `split` or `on`, BW807 there is no such `aim`, BW815 no cluster answers.
        DataError: BW193 the split is empty; as `load`.
        DetectorError: as `Detector.load`.
        EvaluationError: BW601 no class is in both detector and data, BW602 a box or score is NaN.
        SystemFaultError: BW901 Ray is not installed, BW906 a machine of the cluster cannot do its
            part.
    """
    from boxwright.datasets.class_choice import ClassChoice
    from boxwright.datasets.evaluation_set import evaluation_data
    from boxwright.evaluation.measuring import Options, measure
    from boxwright.evaluation.threshold import Aim
    from boxwright.inference.detector import Detector
    from boxwright.parallel.choice import executor
    from boxwright.training.folds import out_of_fold

    opened = Detector.of(detector, labels)
    choice = ClassChoice.of(classes, exclude, rename)
    options = None if form is None else ReadOptions.of(form)
    dataset = evaluation_data(opened.artifact.provenance, paths_of(data), choice, options)
    in_folds = partial(out_of_fold, detector) if folds else None
    wanted = Options(None if aim is None else Aim.parse(aim), folds=in_folds)
    with executor(on) as where:
        return measure(opened, dataset, split, wanted, progress, where)


def check(
    data: Data,
    form: str | ReadOptions | None = None,
    *,
    input_size: int = 300,
    progress: Progress = _silently,
    on: str | Executor = "local",
) -> CheckReport:
    """Check every image, box and class of labeled images, and report all mistakes.

        >>> report = boxwright.check("images")
        >>> for finding in report.findings:
        ...     print(finding)
        >>> report.count("error")
        0

    Nothing is changed: `boxwright check DATA --fix OUT` writes a repaired copy.

    Args:
        data: a folder, an archive of one, an annotation file, or a dataset as `read` returns it.
        form: the name of the format, or all options of `read`; detected by default.
        input_size: side of the network's input in pixels, for the checks of box sizes.
        progress: called with the number of images done and the total, first of those decoded, then
            of those compared with the others.
        on: where images are decoded: `local`, `ray` or `ray=ADDRESS` for a Ray cluster.

    Raises:
        ArgumentError: BW803 there is no such `on`, BW815 no cluster answers.
        DataError: BW115 there is no such folder, BW101, BW114 it has no usable images.
        SystemFaultError: BW901 Ray is not installed, BW906 a machine of the cluster cannot do its
            part.
    """
    from boxwright.datasets.check import run_checks
    from boxwright.models.registry import DEFAULT, family
    from boxwright.parallel.choice import executor

    reach = family(DEFAULT).reach
    with executor(on) as where:
        return run_checks(
            data, form, input_size=input_size, reach=reach, progress=progress, executor=where
        )
