"""Exports: a trained run becomes a file that runs elsewhere, proven before it gets its name."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from boxwright.data.dataset import Dataset
from boxwright.errors import ExportError
from boxwright.export.child import export_in_child
from boxwright.export.onnx import write_onnx
from boxwright.export.openvino import write_openvino
from boxwright.export.savedmodel import write_savedmodel
from boxwright.export.tflite import write_tflite
from boxwright.export.verify import Proof, verify
from boxwright.files import writing
from boxwright.models import framework
from boxwright.runtime.artifact import Artifact
from boxwright.runtime.detector import Detector
from boxwright.runtime.engines import KerasEngine
from boxwright.runtime.engines.openvino import NETWORK_NAME

Kind = Literal["tflite", "savedmodel", "onnx", "openvino"]
WRITERS = {
    "tflite": write_tflite,
    "savedmodel": write_savedmodel,
    "onnx": write_onnx,
    "openvino": write_openvino,
}
DEFAULT_NAMES = {
    "tflite": "detector.tflite",
    "savedmodel": "saved_model",
    "onnx": "detector.onnx",
    "openvino": "openvino",
}
INSIDE = {"savedmodel": "saved_model.pb", "openvino": NETWORK_NAME}  # what a kind of folder has

__all__ = ["Kind", "Proof", "export", "verify", "write_proven"]


def export(
    run_folder: str | Path,
    to: Kind = "tflite",
    out: str | Path | None = None,
    data: str | Path | None = None,
) -> tuple[Path, Proof]:
    """Write a run's detector as one file or folder that runs without the run.

    Where Keras is not on TensorFlow, a child process does it.

    Args:
        run_folder: what a training wrote.
        to: the kind of file.
        out: its name, or an existing folder to put it into; None puts it into the run.
        data: labelled photos for the proof; None takes those that the run was trained on.

    Returns:
        Where the detector is, and how it compares with the run.

    Raises:
        ExportError: BW401 the file was not as good as the run, BW402 there are no photos to tell
            by, BW403 it needs an operator that phones lack, BW404 it cannot be converted.
    """
    from boxwright.quality import load
    from boxwright.runtime.run import Run

    if framework.engine() != "tensorflow":
        return export_in_child(run_folder, to, out, data)
    folder = Path(run_folder)
    run = Run(folder)
    dataset = load(_data_folder(run.artifact, folder) if data is None else data)
    from boxwright.models import ssd

    anchors = ssd.anchors(ssd.ModelSpec.from_json(run.artifact.model))
    target = destination(folder, to, out)
    return target, write_proven(target, to, run.build_model(), anchors, run.artifact, dataset)


def write_proven(
    target: Path,
    to: Kind,
    model: Any,
    anchors: NDArray[np.float32],
    artifact: Artifact,
    dataset: Dataset,
) -> Proof:
    """Write a detector under a temporary name, compare it with `model` on `dataset`, and only
    then give it its name. Raises as `export`; whatever was at `target` then stays as it was.

    Args:
        target: the file or folder to write.
        to: the kind of file.
        model: Keras model of `models.ssd.build`'s interface.
        anchors: `(A, 4)` normalised yxyx.
        artifact: what the file says about itself.
        dataset: labelled photos.
    """
    run = Detector(KerasEngine(model, anchors, artifact.preprocessing), artifact)
    with writing(target) as draft:
        WRITERS[to](draft, model, anchors, artifact)
        return verify(draft, run, dataset)


def destination(folder: Path, to: Kind, out: str | Path | None) -> Path:
    """Where `export` writes: see there."""
    if out is None:
        return folder / DEFAULT_NAMES[to]
    target = Path(out)
    if target.is_dir() and not (to in INSIDE and (target / INSIDE[to]).is_file()):
        return target / DEFAULT_NAMES[to]
    return target


def _data_folder(artifact: Artifact, run_folder: Path) -> Path:
    data = artifact.provenance.get("data")
    path = data.get("path") if isinstance(data, dict) else None
    if isinstance(path, str) and Path(path).exists():
        return Path(path)
    raise ExportError(
        "BW402",
        "the written file cannot be compared with the run: the photos that it was trained on "
        f"are no longer in {path}.",
        where=run_folder,
        remedy="Name a folder of labelled photos with --data.",
    )
