"""Does the exported file equal its run?"""

from __future__ import annotations

from pathlib import Path

from boxwright.diagnosis.case import Case
from boxwright.diagnosis.reading import Reading, failed, not_checked, passed
from boxwright.export.diagnose import diagnose
from boxwright.export.verify import TOLERANCES, Reference
from boxwright.inference.detector import Detector
from boxwright.inference.file_kinds import is_detector
from boxwright.inference.run import Run
from boxwright.io.shell import quoted

MIN_PART = 0.5  # of the recorded AP50
HALF = "other images of the same kind change AP50 by less than half"
WHY = "`boxwright export` accepts it for this kind of file, and the 95 % interval must be above it"


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
        files = [path for path in sorted(case.path.iterdir()) if is_detector(path)]
        readings = [_compared(reference, Detector.load(path), path) for path in files]
        wrong = [each for each in readings if each.cause]
        return next(iter([*wrong, *readings]), not_checked("no exported file is in the run folder"))
    run = Run(case.path.absolute().parent)
    if not run.exists():
        return _recorded(case)
    own = Detector.load(run.folder)
    reference = Reference(case.images, count, [*own.detections_in(case.images)])
    return _compared(reference, case.detector, case.path)


def _recorded(case: Case) -> Reading:
    """Compare a file alone with the AP50 that its run had."""
    said = case.detector.artifact.provenance
    metrics, comparison = said.get("metrics"), said.get("comparison")
    values = []
    if isinstance(metrics, dict) and isinstance(metrics.get("coco"), dict):
        values.append(metrics["coco"].get("AP50"))
    if isinstance(comparison, dict) and isinstance(comparison.get("table"), dict):
        values.append(comparison["table"].get("AP50", {}).get("run"))
    known = [value for value in values if isinstance(value, float)]
    if not known:
        return not_checked("the file is not in the folder of its run, and records no AP50")
    before, now = known[-1], case.agreement.ap50
    found = f"AP50 is {now:.2f} on these images, and was {before:.2f} on those of its run"
    if now >= MIN_PART * before:
        return passed(found, now, MIN_PART * before, HALF)
    return failed(
        "the file is worse than its run was",
        found,
        now,
        MIN_PART * before,
        why=HALF,
        remedy="Evaluate the run on the same images: `boxwright evaluate RUN DATA`. If it is good, "
        "export it again; if not, these images are unlike those of the training.",
    )


def _compared(reference: Reference, file: Detector, path: Path) -> Reading:
    quantize = file.artifact.provenance.get("quantize")
    tolerance = TOLERANCES.get(quantize, TOLERANCES["int8"])
    compared = reference.compare(file, tolerance)
    found = f"{path.name}: {compared}"
    # On fewer images than the export had: the loss must be shown to exceed what that accepts.
    least = compared.loss if compared.interval is None else compared.interval[0]
    if least <= tolerance.loss and compared.agreeing >= compared.wanted:
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
        remedy=f"Export it again: `boxwright export {quoted(path.parent)}`. Int8 "
        "is calibrated on up to 100 training images and rejects a file that loses accuracy.",
    )
