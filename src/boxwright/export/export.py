"""Export of a trained run to a file that runs elsewhere; it is verified before it is kept."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from os import PathLike
from pathlib import Path
from typing import NamedTuple, get_args

from boxwright.backend import framework
from boxwright.datasets.source import DataSource, choice_of, known_paths, options_of, source_of
from boxwright.errors import DetectorError, ExportError, check_choice
from boxwright.export.child import export_in_child
from boxwright.export.conversion import Quantization
from boxwright.export.diagnose import diagnose
from boxwright.export.golden import golden_pair
from boxwright.export.int8_search import Attempt, Retrain, write_best_int8
from boxwright.export.labels import write_labels
from boxwright.export.targets import TARGETS, Quantized
from boxwright.export.verify import TOLERANCES, Comparison, Reference
from boxwright.export.versions import next_version
from boxwright.inference.artifact import MAX_DETECTIONS, Artifact
from boxwright.inference.detector import Detector
from boxwright.inference.engines import KerasEngine
from boxwright.inference.file_kinds import admit, remember
from boxwright.inference.tiling import Tiling
from boxwright.io.files import writing
from boxwright.models.model import FAMILY_KEY, DetectionModel
from boxwright.models.registry import DEFAULT
from boxwright.ops.postprocess import NmsConfig
from boxwright.structures.dataset import Dataset

RAW = "raw"  # in the default name
Say = Callable[[str], None]


def _silently(line: str) -> None:
    pass


class Exported(NamedTuple):
    """An exported detector, accepted by every function that takes a detector's path.

    Attributes:
        path: the file or folder.
        comparison: the comparison with the run.
    """

    path: Path
    comparison: Comparison

    def __fspath__(self) -> str:
        return str(self.path)


def export(
    run: str | PathLike[str],
    to: str = "tflite",
    out: str | Path | None = None,
    data: str | Path | Dataset | None = None,
    quantize: Quantized | None = None,
    accept_loss: bool = False,
    say: Say = _silently,
    golden_image: str | Path | None = None,
    raw: bool = False,
    max_detections: int = NmsConfig.max_total,
    serving: str | Path | None = None,
) -> Exported:
    """Export a run's detector to a file or folder that works without the run.

        >>> path, comparison = boxwright.export("run", "tflite", quantize="int8")
        >>> print(path.name, comparison.passed)
        detector-int8.tflite True

    If Keras uses another backend than TensorFlow, a child process does the export.

    Args:
        run: the run folder of a training.
        to: the export target, a key of `TARGETS`.
        out: path of the export, or an existing folder to put it into; None puts it into the run.
        data: labeled images for calibration and comparison; None takes the training data.
        quantize: quantization; None for float32.
        accept_loss: keep the file even if it is less accurate than its run.
        say: called with progress messages.
        golden_image: an image to store in the file, which is checked with it at each loading; None
            for a drawn pattern, so that the file contains none of your images.
        raw: end the file before suppression, with all boxes and scores; ONNX only.
        max_detections: the number of rows of the outputs, the largest number of detections in an
            image; a `raw` file has all boxes.
        serving: the folder of a model that TensorFlow Serving serves, instead of `out`: a
            SavedModel becomes its next version, such as `serving/1`.

    Returns:
        The path of the export and its comparison with the run. `labels.txt` is written beside it,
        or inside for Triton, and a label map beside frozen graphs and SavedModels; see
        `export.labels`.

    Raises:
        DataError: BW101 the `golden_image` does not exist, BW102 it is damaged.
        ExportError: BW401 the file is less accurate than the run, BW402 there are no images to
            compare on, BW403 it needs an operator that phones lack, BW404 it cannot be converted,
            BW405 there are too few calibration images, BW406 the target has no such quantization,
            BW407 `out` does not fit the target, BW410 it is not for the run's detector family,
            BW411 `serving` does not fit the target, or is no folder of versions.
        ArgumentError: BW802 both `out` and `serving` are given, BW803 `to` or `quantize` is
            unknown.
        DetectorError: BW501 `run` is no run, BW502 it is damaged, BW513 loading it ends the
            process, BW521 the target has no raw form.
        ValueError: `max_detections` is not 1 to 10,000.
    """
    from boxwright.inference.run import Run

    check_choice("to", to, TARGETS)
    check_choice("quantize", quantize, (None, *get_args(Quantized)))
    if quantize and not TARGETS[to].quantized:
        raise ExportError(
            "BW406",
            f"{to} files are float32 only, not {quantize}.",
        )
    if raw and TARGETS[to].write_raw is None:
        raise DetectorError("BW521", f"{to} files always have the suppression inside.")
    if serving is not None:
        out = next_version(to, Path(serving), out)
    if not 0 < max_detections <= MAX_DETECTIONS:
        raise ValueError(f"max_detections must be 1 to {MAX_DETECTIONS:,}, not {max_detections}")
    artifact = Run(Path(run)).artifact
    if not raw:
        artifact = replace(artifact, max_detections=max_detections)
    admit(Path(run))
    _check_family(to, artifact.model.get(FAMILY_KEY, DEFAULT))
    if framework.engine() != "tensorflow":
        path, comparison = export_in_child(
            say,
            run=Path(run),
            to=to,
            out=out,
            data=_paths(artifact, data) if isinstance(data, Dataset) else data,
            quantize=quantize,
            accept_loss=accept_loss,
            golden_image=golden_image,
            raw=raw,
            max_detections=max_detections,
        )
        return Exported(path, comparison)
    folder = Path(run)
    target = destination(folder, to, out, RAW if raw else quantize)
    if not isinstance(data, Dataset):
        data = _source(artifact, folder, data).load(strict=False)
    from boxwright.training.qat import train_quantization_aware

    model = Run(folder).build_model()
    comparison = write_verified(
        target,
        to,
        model,
        artifact,
        data,
        quantize=quantize,
        accept_loss=accept_loss,
        say=say,
        retrain=(lambda: train_quantization_aware(model, artifact, data))
        if model.quantization_aware
        else None,
        golden_image=None if golden_image is None else Path(golden_image),
        raw=raw,
    )
    return Exported(target, comparison)


def write_verified(
    target: Path,
    to: str,
    model: DetectionModel,
    artifact: Artifact,
    dataset: Dataset,
    *,
    quantize: Quantized | None = None,
    accept_loss: bool = False,
    say: Say = _silently,
    retrain: Retrain | None = None,
    golden_image: Path | None = None,
    raw: bool = False,
) -> Comparison:
    """Write a detector to a temporary file, compare it with `model` on `dataset`, and then move it
    to `target`. Raises the errors of `export` and leaves `target` unchanged in that case.

    The comparison and a golden pair are stored in the file, and the class names beside it.

    Args:
        target: the file or folder to write.
        to: the export target.
        model: of any family.
        artifact: description to store in the file.
        dataset: labeled images.
        quantize, accept_loss, say, golden_image, raw: as in `export`.
        retrain: fine-tunes the network with QAT if int8 loses too much; None for never.
    """
    kind, tolerance, artifact = TARGETS[to], TOLERANCES[quantize], artifact.without_paths()
    engine = KerasEngine(model, artifact.preprocessing, artifact.nms_config)
    run = Detector(engine, artifact, tiling=Tiling.trained(artifact))
    given = None if golden_image is None else run.prepare(golden_image).pixels
    attempts: list[Attempt] = []
    say(f"writing {target.name}")
    with writing(target) as draft:
        if quantize == "int8":
            attempts = write_best_int8(draft, model, artifact, dataset, run, say, retrain)
        elif quantize:
            kind.write(draft, model, artifact, Quantization(quantize))
        else:
            write = kind.write_raw if raw and kind.write_raw else kind.write
            write(draft, model, artifact)
        remember(draft)
        say("comparing it with the run")
        file = Detector.load(draft)
        reference = Reference.of(run, dataset)
        comparison = reference.compare(file, tolerance)
        if not comparison.passed:
            if not accept_loss:
                raise _refused(target, comparison, diagnose(reference, file, draft))
            comparison = replace(comparison, accepted=True)
        said = {
            "comparison": comparison.to_json(),
            "quantize": quantize,
            "attempts": [*map(list, attempts)],
        }
        provenance = artifact.provenance | said
        golden = golden_pair(file, given, say)
        kind.describe(draft, replace(artifact, provenance=provenance, golden=golden))
        remember(draft)
        Detector.load(draft)  # includes the check of the golden pair
    if not kind.labels_inside:
        for path in write_labels(target, artifact.classes, label_map=kind.label_map):
            say(f"class names: {path}")
    return comparison


def _check_family(to: str, family: str) -> None:
    families = TARGETS[to].families
    if families is not None and family not in families:
        raise ExportError(
            "BW410",
            f"{to} files are for the family {', '.join(sorted(families))}, not {family}.",
        )


def destination(folder: Path, to: str, out: str | Path | None, form: str | None = None) -> Path:
    """The path that `export` writes to; `form` is the quantization, or RAW.

    Raises ExportError BW407 if the name does not fit the target, or if an existing folder contains
    anything but an export of this kind."""
    kind = TARGETS[to]
    name = Path(kind.default_name)
    if form:
        name = name.with_stem(f"{name.stem}-{form}")
    target = folder / name if out is None else Path(out)
    if out is not None and target.is_dir() and not kind.is_own(target):
        target /= name.name
    if target.is_dir() and not kind.is_own(target):
        raise _misnamed(target, f"contains other files, which the {to} export would replace")
    if target.suffix != name.suffix and target.suffix and not target.is_dir():
        expected = f"files end in {name.suffix}" if name.suffix else "exports are folders"
        raise _misnamed(target, f"has the wrong ending: {to} {expected}")
    return target


def _misnamed(target: Path, what: str) -> ExportError:
    return ExportError("BW407", f"{what}.", where=target)


def _refused(target: Path, comparison: Comparison, reasons: list[str]) -> ExportError:
    because = "".join(f" Likely cause: {reason}." for reason in reasons)
    return ExportError(
        "BW401",
        f"the export is rejected and removed: {comparison}.{because}",
        where=target.name,
    )


def _paths(artifact: Artifact, dataset: Dataset) -> list[str]:
    """The folders of a dataset: those of the run, if it is the run's own."""
    known = known_paths(artifact.provenance)
    own = known and known[0] == dataset.root.absolute()
    return [str(path) for path in (known if own else (dataset.root,))]


def _source(
    artifact: Artifact, run_folder: Path, data: str | Path | Sequence[str | Path] | None
) -> DataSource:
    """The given data, or the run's own, with the run's choice of classes."""
    if data is not None:
        given, provenance = DataSource.of(data), artifact.provenance
        return replace(given, choice=choice_of(provenance), options=options_of(provenance))
    source = source_of(artifact.provenance)
    if source and all(path.exists() for path in source.paths):
        return source
    gone = [path for path in source.paths if not path.exists()] if source else [None]
    raise ExportError(
        "BW402",
        "the exported file cannot be compared with the run: the training data is no longer "
        f"at {gone[0]}.",
        where=run_folder,
    )
