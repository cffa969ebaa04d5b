"""Does the exported file equal its run?"""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path

from boxwright.diagnosis.case import Case
from boxwright.diagnosis.reading import Reading, failed, not_checked, passed
from boxwright.errors import BoxwrightError
from boxwright.export.diagnose import diagnose
from boxwright.export.verify import TOLERANCES, Reference
from boxwright.inference.detector import Detector
from boxwright.inference.file_kinds import kind_of
from boxwright.inference.run import Run

WHY = "what `boxwright export` accepts for this kind of file"


def read(case: Case) -> Reading:
    """Compare the detections of a file with those of the run beside it, or those of a run with all
    files in its folder."""
    if not len(case.rows):
        return not_checked("no labeled images were given")
    if case.failure:
        return not_checked("the network cannot be run")
    count = {"labeled": len(case.rows)}
    if case.run:
        reference = Reference(case.images, count, case.found)
        files = [*_files(case.path)]
        readings = [_compared(reference, Detector.load(path), path) for path in files]
        wrong = [each for each in readings if each.cause]
        return next(iter([*wrong, *readings]), not_checked("no exported file is in the run folder"))
    run = Run(case.path.absolute().parent)
    if not run.exists():
        return not_checked("the file is not in the folder of its run")
    own = Detector.load(run.folder)
    reference = Reference(case.images, count, [*own.detections_in(case.images)])
    return _compared(reference, case.detector, case.path)


def _files(folder: Path) -> Iterator[Path]:
    """The exported files in a run folder."""
    for path in sorted(folder.iterdir()):
        try:
            kind_of(path)
        except BoxwrightError:
            continue
        yield path


def _compared(reference: Reference, file: Detector, path: Path) -> Reading:
    quantize = file.artifact.provenance.get("quantize")
    tolerance = TOLERANCES.get(quantize, TOLERANCES["int8"])
    compared = reference.compare(file, tolerance)
    found = f"{path.name}: {compared}"
    if compared.passed:
        return passed(found, compared.loss, tolerance.loss, WHY)
    reasons = diagnose(reference, file, path)
    kind = f" ({quantize})" if quantize else ""
    cause = f"the file{kind} differs from the run"
    return failed(
        f"{cause}: {'; '.join(reasons)}" if reasons else cause,
        f"{found}. {'; '.join(reasons)}".rstrip(". ") + ".",
        compared.loss,
        tolerance.loss,
        why=WHY,
        remedy=f"Export it again: `boxwright export {shlex.quote(str(path.parent))}`. Int8 "
        "is calibrated on up to 100 training images and rejects a file that loses accuracy.",
    )
