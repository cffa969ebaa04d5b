"""The folder of a served model, with a folder for each of its versions."""

from __future__ import annotations

from pathlib import Path

from boxwright.errors import ArgumentError, ExportError
from boxwright.export.targets import TARGETS
from boxwright.inference.file_kinds import is_detector


def next_version(to: str, model: Path, out: str | Path | None) -> Path:
    """The folder of the next version of a served model: one above its highest number, or 1.

    A server of TensorFlow's serves the highest number, and takes up a new one while it runs. So no
    version is replaced, and the last one can be returned to by removing the new one.

    Args:
        to: the export target.
        model: the model's folder, which need not exist.
        out: the other place to write to, which contradicts this one.

    Raises:
        ArgumentError: BW802 `out` is given too.
        ExportError: BW411 the target is not served from versions, or `model` is itself an export.
    """
    if out is not None:
        raise ArgumentError("BW802", "--serving names the folder to write into: leave out --out.")
    if not TARGETS[to].versions:
        able = ", ".join(name for name in TARGETS if TARGETS[name].versions)
        raise ExportError("BW411", f"--serving is for --to {able}, not for {to}.")
    if is_detector(model):
        raise ExportError("BW411", "is itself a detector, not a folder of versions.", where=model)
    inside = model.iterdir() if model.is_dir() else ()
    numbers = [int(path.name) for path in inside if path.name.isdecimal()]
    return model / str(max(numbers, default=0) + 1)
