"""Codes of labels that detectors doubt."""

from __future__ import annotations

from boxwright.codes.meaning import Meaning

SUSPECTS: dict[str, Meaning] = {
    "BW181": Meaning(
        "note",
        "A detector sees an object without a label",
        "Detectors that did not learn from the image found an object where there is no box. It was "
        "overlooked, or it is something that only resembles an object.",
        "Look at the image, and label the object if it is one. A detector learns that unlabeled "
        "objects are background.",
    ),
    "BW182": Meaning(
        "note",
        "A detector sees another class",
        "Detectors that did not learn from the image see an object of another class in the box. "
        "The label is wrong, or the two classes are hard to tell apart.",
        "Look at the image, and correct the class if it is wrong.",
    ),
    "BW183": Meaning(
        "note",
        "A box fits its object badly",
        "Detectors that did not learn from the image put the box elsewhere, or make it larger or "
        "smaller, by more than is usual for the class.",
        "Look at the image, and move the edges of the box to those of the object.",
    ),
    "BW184": Meaning(
        "error",
        "A list of suspects cannot be read",
        "The file is not the JSON that `boxwright suspects` writes beside its page, is damaged, or "
        "is of a later version.",
        "Write it again: `boxwright suspects DATA`.",
    ),
}
