"""Codes of the machine that Boxwright runs on, and of Boxwright itself."""

from __future__ import annotations

from boxwright.codes.meaning import Meaning

SYSTEM: dict[str, Meaning] = {
    "BW901": Meaning(
        "error",
        "A package is missing",
        "Training, exporting and evaluating need Keras, TensorFlow and pycocotools, which `pip "
        "install boxwright` alone does not bring along; .onnx files and OpenVINO folders need "
        "more. `Detections.to_pandas` and `to_supervision` need the package that they are for.",
        "KERAS_BACKEND is {engine}: unset it, or install what it needs.",
        "Install it with: pip install {package}",
    ),
    "BW902": Meaning(
        "error",
        "The disk is full",
        "There is no room for what was to be written, or your share of the disk is used up.",
        "Free some space or write to another disk, then run the command again. Nothing was left "
        "half-written.",
    ),
    "BW903": Meaning(
        "error",
        "A place cannot be written",
        "The folder is not yours, is read-only, or has a file of that name, or another program "
        "has the file open.",
        "Check that the folder exists, is yours, and that no other program has the file open; or "
        "write elsewhere.",
    ),
    "BW999": Meaning(
        "error",
        "Boxwright itself failed",
        "Something happened that was not foreseen: a mistake in Boxwright.",
        "Please report it with the file {log}, which says what happened where.",
    ),
}
