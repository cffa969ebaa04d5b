"""Codes of the machine that Boxwright runs on, and of Boxwright itself."""

from __future__ import annotations

from boxwright.codes.meaning import Meaning

SYSTEM: dict[str, Meaning] = {
    "BW901": Meaning(
        "error",
        "A package is missing",
        "Training, exporting and evaluating a run need Keras and TensorFlow, which come with the "
        "extra `train`. ONNX and OpenVINO files, videos, `Detections.to_pandas`, `to_fiftyone` and "
        "`to_supervision` need further packages, and `--on ray` needs Ray.",
        "KERAS_BACKEND is {engine}: unset it, or install the packages that it needs.",
        "Install it with: pip install {package}",
    ),
    "BW902": Meaning(
        "error",
        "The disk is full",
        "There is no room for the output, or your disk quota is used up.",
        "The environment variable {variable} chooses another folder.",
        "Free some space or write to another disk, then run the command again. No half-written "
        "file was left.",
    ),
    "BW903": Meaning(
        "error",
        "The output cannot be written",
        "The folder is read-only or belongs to another user, a file has its name, the system does "
        "not allow such a name, or another program has the file open.",
        "The environment variable {variable} chooses another folder.",
        "Check that the folder exists and is writable, and that no other program has the file "
        "open; or give another path.",
    ),
    "BW904": Meaning(
        "error",
        "The output cannot be printed",
        "Standard output is a file on a full disk, or a device that takes nothing.",
        "Free some space, or send the output elsewhere. Only what was to be printed is lost: the "
        "files that the command wrote are whole.",
    ),
    "BW905": Meaning(
        "error",
        "The address cannot be used",
        "Another program listens at this port, perhaps a studio or a server that is still open, or "
        "the address is not one of this computer.",
        "Stop the other program, or give another `--port`.",
    ),
    "BW907": Meaning(
        "error",
        "An environment variable cannot be read",
        "Its value is not what the variable is for. TF_CONFIG is JSON with the addresses of a "
        "training's hosts: "
        '{"cluster": {"chief": ["host0:7000"], "worker": ["host1:7000"]}, '
        '"task": {"type": "worker", "index": 0}}.',
        "Correct {name}, or unset it to train in this process alone.",
    ),
    "BW906": Meaning(
        "error",
        "A machine of the cluster cannot do its part",
        "Each machine reads the images itself, and the detector that runs on them, so it must see "
        "them under the same path, and have the same version of Boxwright. Work on up to 1,000 "
        "images that fails is begun again three times; one that needs more memory than a machine "
        "has fails each time.",
        "Mount {path} at the same place on every machine.",
        "Install version {version} on every machine.",
        "Then run the same command again: it does only what is left. With --keep-going, images "
        "that cannot be processed are left out.",
    ),
    "BW999": Meaning(
        "error",
        "Internal error",
        "Boxwright has a bug that caused this failure.",
        "Please report it with {log}, which records the error and its place.",
    ),
}
