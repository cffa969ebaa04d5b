"""The meaning of each code: the table behind `boxwright explain`."""

from __future__ import annotations

from boxwright.codes.archives import ARCHIVES
from boxwright.codes.arguments import ARGUMENTS
from boxwright.codes.commands import COMMANDS
from boxwright.codes.configs import CONFIGS
from boxwright.codes.detecting import DETECTING
from boxwright.codes.downloads import DOWNLOADS
from boxwright.codes.editing import EDITING
from boxwright.codes.fitness import FITNESS
from boxwright.codes.images import IMAGES
from boxwright.codes.meaning import SIGNS, Meaning, Severity
from boxwright.codes.reading import READING
from boxwright.codes.suspects import SUSPECTS
from boxwright.codes.system import SYSTEM
from boxwright.codes.tfod import TFOD
from boxwright.codes.tools import TOOLS
from boxwright.codes.training import TRAINING

__all__ = ["MEANINGS", "RANGES", "SIGNS", "Meaning", "Severity"]

_BY_SUBJECT: dict[str, Meaning] = {
    **READING,
    **FITNESS,
    **TOOLS,
    **IMAGES,
    **ARCHIVES,
    **DOWNLOADS,
    **EDITING,
    **SUSPECTS,
    **COMMANDS,
    **TRAINING,
    **DETECTING,
    **TFOD,
    **CONFIGS,
    **ARGUMENTS,
    **SYSTEM,
}
MEANINGS = dict(sorted(_BY_SUBJECT.items()))
RANGES = {
    "BW1": "Images, annotations and datasets",
    "BW2": "Pretrained weights",
    "BW3": "Training",
    "BW4": "Export",
    "BW5": "Detector files",
    "BW6": "Evaluation",
    "BW7": "Commands and configs of the Object Detection API",
    "BW8": "Arguments",
    "BW9": "The machine",
}
