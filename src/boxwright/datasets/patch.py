"""Repairs as a patch that can be read, and as a copy of the data that has them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from boxwright import formats
from boxwright.codes import MEANINGS
from boxwright.datasets.check import CheckReport
from boxwright.datasets.convert import check_free, write_verified
from boxwright.datasets.repair import repair
from boxwright.errors import DataError
from boxwright.io.files import write_text, writing
from boxwright.structures.findings import Finding

CHANGES = "changes.txt"
NOT_IN_A_COPY = frozenset({"BW119"})  # images that are in no list are in none of the copy either
NOT_VERIFIED = NOT_IN_A_COPY | {"BW109"}  # an image without boxes is one without annotation in some


@dataclass(frozen=True)
class Fixed:
    """A repaired copy.

    Attributes:
        path: its folder.
        changes: what was repaired, as `changes.txt` in it lists.
        lost: what the format has no place for (BW140, BW142).
    """

    path: Path
    changes: tuple[Finding, ...]
    lost: tuple[Finding, ...]


def changes(findings: Iterable[Finding]) -> list[Finding]:
    """The findings that a repaired copy is free of, since something was done about them."""
    return [one for one in findings if one.repair and one.code not in NOT_IN_A_COPY]


def patch_text(report: CheckReport) -> str:
    """Every change, one per line: code, place, what is there -> what is there after the repair."""
    done = changes(report.findings)
    left = [
        one for one in report.findings if one not in done and MEANINGS[one.code].severity != "note"
    ]
    lines = [f"# Repaired in {report.dataset.root.absolute()}: {len(done)}", *map(str, done)]
    if left:
        lines += ["", f"# To review by hand: {len(left)}", *map(str, left)]
    return "".join(f"{line}\n" for line in lines)


def fix(report: CheckReport, out: str | Path, *, link: bool = False) -> Fixed:
    """Write a repaired copy of what was examined, with the patch as `changes.txt` in it.

    The copy is in the format of the original, and is read again to prove that nothing is left to
    repair. The original stays as it is. Ctrl-C leaves nothing behind.

    Args:
        report: what `run_checks` said of a data folder.
        out: a folder that is not there yet, or is empty.
        link: hard-link the images instead of copying them, where the file system can.

    Raises:
        DataError: BW194 the place is taken, or lies in the data folder; BW151 nothing is left to
            copy; BW145 the copy does not read back repaired; and what `formats.write` raises.
        SystemFaultError: BW902 the disk is full, BW903 the place cannot be written.
    """
    out = Path(out)
    check_free(out, [report.dataset.root])
    if not len(report.repaired):
        raise DataError(
            "BW151",
            "no usable image is left for a repaired copy.",
            where=report.dataset.root.absolute(),
        )
    with writing(out) as draft:
        lost = write_verified(report.repaired, draft, report.form, link=link)
        write_text(draft / CHANGES, patch_text(report))
        _check_round_trip(draft, report)
    return Fixed(out, tuple(changes(report.findings)), tuple(lost))


def _check_round_trip(copy: Path, report: CheckReport) -> None:
    """Read the copy as the check does, and see that none of the repairs is needed any more."""
    back = repair(formats.read(copy, report.form, tolerant=True))
    repaired = {one.code for one in changes(report.findings)} - NOT_VERIFIED
    again = [one for one in changes(back.findings) if one.code in repaired]
    if again:
        raise DataError(
            "BW145",
            f"the repaired copy still needs a repair: {again[0]}.",
            where=report.dataset.root,
        )
