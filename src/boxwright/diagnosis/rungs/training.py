"""Has it learned its training images?"""

from __future__ import annotations

from boxwright.diagnosis.agreement import Agreement
from boxwright.diagnosis.case import Case
from boxwright.diagnosis.reading import Reading, failed, not_checked, passed
from boxwright.structures.findings import counted

MIN_AP50 = 0.4


def has_learned(own: Agreement) -> bool:
    """True if a detector finds the objects of its own training images."""
    return own.ap50 >= MIN_AP50


def read(case: Case) -> Reading:
    """Measure the detector on images that it was trained on."""
    if case.trained is None or case.learned is None:
        return not_checked(case.unknown or "the network cannot be run")
    ap50, images = case.learned.ap50, counted(len(case.trained[0]), "training image")
    steps = case.detector.artifact.provenance.get("step")
    said = f"AP50 {ap50:.2f} on {images} after {steps} steps"
    why = "a detector that has learned finds most objects of its own training images"
    if has_learned(case.learned):
        return passed(said, ap50, MIN_AP50, why)
    return failed(
        "trained too little",
        said,
        ap50,
        MIN_AP50,
        why=why,
        remedy="Train longer, such as `boxwright train DATA --budget 5m`, or continue with "
        "--resume and a larger budget.",
    )
