"""`boxwright check`: the problems of a dataset, worst first, and their repairs."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from boxwright import formats
from boxwright.codes import MEANINGS, Severity
from boxwright.datasets.checks.ahead import measuring
from boxwright.datasets.checks.measure import Known, summarize_all
from boxwright.datasets.checks.registry import CHECKS, Checked
from boxwright.datasets.repair import drop_useless, leave_out_unused, straighten
from boxwright.datasets.stats import PRETRAINED_SIZE, Reach, Stats, stats_of
from boxwright.formats import ReadOptions
from boxwright.formats.folder import Folder
from boxwright.parallel.choice import here
from boxwright.parallel.cores import Progress
from boxwright.parallel.kept import kept_for
from boxwright.parallel.units import Crew, Executor
from boxwright.structures.dataset import Dataset
from boxwright.structures.findings import Finding, worst_first


@dataclass(frozen=True)
class CheckReport:
    """The result of a check.

    Attributes:
        form: the name of the source format.
        dataset: the dataset as read.
        repaired: the dataset for training: boxes repaired, unusable boxes and images left out.
        findings: worst first, grouped by code.
        stats: statistics of the repaired dataset.
        seconds: duration of the check.
    """

    form: str
    dataset: Dataset
    repaired: Dataset
    findings: tuple[Finding, ...]
    stats: Stats
    seconds: float

    def count(self, severity: Severity) -> int:
        """Number of findings of this severity."""
        return sum(MEANINGS[finding.code].severity == severity for finding in self.findings)

    def to_json(self) -> dict[str, Any]:
        return {
            "format": self.form,
            "root": str(self.dataset.root.absolute()),
            "seconds": round(self.seconds, 2),
            "stats": self.stats.to_json(),
            "findings": [
                {"severity": MEANINGS[one.code].severity, **asdict(one)} for one in self.findings
            ],
        }


def run_checks(
    data: str | Path | Dataset,
    form: str | ReadOptions | None = None,
    *,
    input_size: int = PRETRAINED_SIZE,
    reach: Reach | None = None,
    progress: Progress | None = None,
    executor: Executor | None = None,
) -> CheckReport:
    """Read a folder of labeled images and report all of its problems.

    Every image is decoded once. Of many images the measurements are kept until the check ends, so
    that after an interruption the next check continues there.

    Args:
        data: a folder, its archive, an annotation file, or a dataset as `formats.read` gives it.
        form: the name of the format; None detects it, or means VOC for a dataset.
        input_size: side of the network's input, pixels.
        reach: which boxes a detector family can learn; None skips the check.
        progress: called with the number of images done and the total, first of those decoded, then
            of those compared with the others.
        executor: where images are decoded; here by default.

    Raises:
        DataError: BW115 there is no such folder; BW101 or BW114 it contains nothing usable.
        SystemFaultError: BW906 a machine of a cluster cannot do its part.
    """
    start = time.perf_counter()
    executor, known = executor or here(), Known()
    if isinstance(data, Dataset):
        name, dataset = ReadOptions.of(form).form or "voc", data
    else:
        folder, options = Folder.scan(data), ReadOptions.of(form)
        with measuring(None if executor.elsewhere else folder, options.decoding) as measured:
            name, dataset = formats.read_named(folder, options, tolerant=True)
            known = measured()
    with kept_for(len(dataset), "check", dataset.root.absolute(), dataset.decoding) as kept:
        seen = summarize_all(straighten(dataset), Crew(executor, kept, progress), known)
        repaired = leave_out_unused(drop_useless(seen.dataset))
        checked = Checked(seen.dataset, repaired, seen, input_size, reach, progress)
        found = [finding for check in CHECKS.values() for finding in check.findings(checked)]
    findings = tuple(worst_first([*repaired.findings, *found]))
    return CheckReport(
        form=name,
        dataset=dataset,
        repaired=replace(repaired, findings=findings),
        findings=findings,
        stats=stats_of(repaired, input_size, checked.overlaps),
        seconds=time.perf_counter() - start,
    )
