"""The repairs of a dataset, as a readable patch and as a repaired copy."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from boxwright import formats
from boxwright.codes import MEANINGS
from boxwright.datasets.check import CheckReport
from boxwright.datasets.convert import check_free, taken, write_verified
from boxwright.datasets.repair import repair
from boxwright.errors import DataError
from boxwright.formats import ReadOptions
from boxwright.io.files import write_text, writing
from boxwright.structures.findings import Finding

CHANGES = "changes.txt"
NOT_IN_A_COPY = frozenset({"BW119"})  # unlisted images are unlisted in the copy too
NOT_VERIFIED = NOT_IN_A_COPY | {"BW109"}  # some formats write no annotation without boxes


@dataclass(frozen=True)
class Fixed:
    """A repaired copy.

    Attributes:
        path: its folder.
        changes: the repairs, as listed in its `changes.txt`.
        lost: data that the format cannot store, and renamed images (BW140, BW142).
    """

    path: Path
    changes: tuple[Finding, ...]
    lost: tuple[Finding, ...]


def changes(findings: Iterable[Finding]) -> list[Finding]:
    """The findings that are repaired in the copy."""
    return [one for one in findings if one.repair and one.code not in NOT_IN_A_COPY]


def patch_text(report: CheckReport) -> str:
    """Every repair, one per line: code, location, problem -> repair."""
    done = changes(report.findings)
    left = [
        one for one in report.findings if one not in done and MEANINGS[one.code].severity != "note"
    ]
    lines = [f"# Repaired in {report.dataset.root.absolute()}: {len(done)}", *map(str, done)]
    if left:
        lines += ["", f"# To review by hand: {len(left)}", *map(str, left)]
    return "".join(f"{line}\n" for line in lines)


def fix(report: CheckReport, out: str | Path, *, link: bool = False) -> Fixed:
    """Write a repaired copy of the checked dataset, with the patch in its `changes.txt`.

    The copy has the format of the original. It is read again to verify that all repairs are in it.
    The original is unchanged. After Ctrl-C or an error, nothing is left in `out`.

    Args:
        report: the result of `run_checks` for a data folder.
        out: a new or empty folder.
        link: hard-link the images instead of copying them, if the file system can.

    Raises:
        DataError: BW194 `out` exists or is inside the data folder, BW151 no usable image is left,
            BW145 the copy still needs repairs, and the errors of `formats.write`.
        SystemFaultError: BW902 the disk is full, BW903 `out` cannot be written.
    """
    out = Path(out)
    check_free(out, [report.dataset.root])
    if not len(report.repaired):
        raise DataError(
            "BW151",
            "no usable image is left for a repaired copy.",
            where=report.dataset.root.absolute(),
        )
    with writing(out, lambda beside: taken(out, beside)) as draft:
        lost = write_verified(report.repaired, draft, report.form, link=link)
        write_text(draft / CHANGES, patch_text(report))
        _check_round_trip(draft, report)
    return Fixed(out, tuple(changes(report.findings)), tuple(lost))


def _check_round_trip(copy: Path, report: CheckReport) -> None:
    """Read the copy as the check does, and verify that it needs no more repairs."""
    max_pixels = report.dataset.decoding.max_pixels
    options = ReadOptions(report.form, units="format", max_pixels=max_pixels)
    back = repair(formats.read(copy, options, tolerant=True))
    repaired = {one.code for one in changes(report.findings)} - NOT_VERIFIED
    again = [one for one in changes(back.findings) if one.code in repaired]
    if again:
        raise DataError(
            "BW145",
            f"the repaired copy still needs a repair: {again[0]}.",
            where=report.dataset.root,
        )
