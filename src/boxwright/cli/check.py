"""`boxwright check`"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from boxwright.cli.options import (
    BoxUnits,
    Depth,
    Format,
    KeepGoing,
    MaxPixels,
    On,
    UnlabeledImages,
    read_options,
)
from boxwright.console import FAILED, plain, say, show, show_json
from boxwright.io.shell import quoted

if TYPE_CHECKING:
    from boxwright.datasets.check import CheckReport
    from boxwright.structures.findings import Finding


def check(
    data: Annotated[
        Path,
        typer.Argument(
            metavar="DATA", help="A folder of labeled images, its archive, or an annotation file."
        ),
    ],
    fix: Annotated[
        Path | None,
        typer.Option(metavar="OUT", help="Write a repaired copy and a list of every change."),
    ] = None,
    html: Annotated[
        Path | None,
        typer.Option(metavar="PAGE.html", help="Write a page with images, boxes and findings."),
    ] = None,
    form: Format = None,
    unlabeled: UnlabeledImages = None,
    units: BoxUnits = None,
    max_pixels: MaxPixels = None,
    depth_range: Depth = None,
    input_size: Annotated[
        int,
        typer.Option(
            min=64, max=2048, help="Side of the network's input, for the checks of box sizes."
        ),
    ] = 300,
    link: Annotated[
        bool, typer.Option("--link", help="Hard-link images into OUT instead of copying them.")
    ] = False,
    on: On = "local",
    keep_going: KeepGoing = False,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Find mistakes in labeled images, and repair a copy.

    Checks every image, box and class for damaged files, labeling mistakes, and near-duplicates
    on both sides of the split. The exit code is 1 if there are errors, and 0 if there are only
    warnings and notes. DATA itself is never changed.

    \b
    Examples:
      boxwright check images
      boxwright check images --html report.html
      boxwright check images --fix repaired
      boxwright check /shared/images --on ray=10.0.0.1:6379
    """
    from boxwright import api
    from boxwright.cli.describe import say_findings
    from boxwright.cli.progress import counting, waiting, working
    from boxwright.datasets.convert import check_free
    from boxwright.datasets.patch import CHANGES
    from boxwright.datasets.patch import fix as write_fixed
    from boxwright.report.check_page import write_page
    from boxwright.report.html import check_name

    if html:
        check_name(html, "--html")  # fail at once, not after minutes of checking
    if fix:
        check_free(fix, [data])
    options = read_options(form, unlabeled, units, max_pixels, depth_range)
    with (
        working(on, keep_going=keep_going) as executor,
        counting("Checking images", "Comparing images") as progress,
    ):
        report = api.check(data, options, input_size=input_size, progress=progress, on=executor)
    if json:
        show_json(report.to_json())
    else:
        for line in _lines(data, report):
            show(line)
    if html:
        with counting("Drawing the page") as progress:
            page = write_page(html, report.dataset, report.findings, progress)
        shown = f"{page.images} of {len(report.dataset)} images, {page.size / 1e6:.1f} MB"
        say(f"Page: {plain(html)} ({shown})")
        say(f"Open it in a browser: {plain(html.absolute().as_uri())}")
    if fix:
        with waiting("Writing the repaired copy"):
            fixed = write_fixed(report, fix, link=link)
        say(f"Copy with {_repairs(fixed.changes)}: {plain(fix)} (list: {plain(fix / CHANGES)})")
        say_findings(fixed.lost)
    if not json:
        _say_next(data, report, html, fix)
    if report.count("error"):
        raise typer.Exit(FAILED)


def _lines(data: Path, report: CheckReport) -> Iterator[str]:
    """One line for the dataset, then every code with its places and remedy."""
    from boxwright.cli.describe import described
    from boxwright.codes import SIGNS
    from boxwright.datasets.describe import counted

    yield f"[bold]{plain(data)}[/]: {plain(counted(report.dataset))}"
    for _, same in groupby(report.findings, key=lambda finding: finding.code):
        yield from described(list(same))
    counts = [(report.count(severity), severity) for severity in SIGNS]
    said = ", ".join(f"{n} {word}{'s' * (n != 1)}" for n, word in counts if n)
    yield f"\n{said or 'All checks passed'}."


def _say_next(data: Path, report: CheckReport, html: Path | None, fix: Path | None) -> None:
    from boxwright.datasets.patch import changes

    place, usable = quoted(data), not report.count("error")
    done = changes(report.findings)
    steps = []
    if report.findings and not html:
        steps.append(f"See pictures of them: boxwright check {place} --html report.html")
    if done and not fix:
        steps.append(f"Write a copy with {_repairs(done)}: boxwright check {place} --fix repaired")
    if fix:
        steps.append(f"Train: boxwright train {quoted(fix)}")
    elif usable:
        same = " with the same repairs" if done else ""
        steps.append(f"Train{same}: boxwright train {place}")
    for step in steps:
        say(f"[dim]{plain(step)}[/]")


def _repairs(changes: Sequence[Finding]) -> str:
    return f"{len(changes)} repair{'s' * (len(changes) != 1)}"
