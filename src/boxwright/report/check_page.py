"""The page of `boxwright check`: findings by kind, and images with their boxes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import count, groupby
from pathlib import Path
from typing import NamedTuple

from boxwright.codes import MEANINGS, SIGNS, Severity
from boxwright.io.files import write_text
from boxwright.parallel.cores import Progress
from boxwright.report.data_parts import class_details
from boxwright.report.entries import Entries
from boxwright.report.html import NAME, asset, document, footer, prose, shown, tile
from boxwright.report.pictures import Wanted, color_rules, draw_all
from boxwright.report.selection import Selection
from boxwright.structures.dataset import Dataset
from boxwright.structures.findings import Finding, counted, part_of

FOR_PICTURES = 2_900_000  # bytes of all JPEGs, in base64
PER_PICTURE = 30_000  # bytes of a JPEG
OPEN_ROWS = 12  # findings of a code that are open at first
MAX_LISTED = 200  # findings of a code, besides those with pictures
MAX_OPTIONS = 400  # classes to filter by
ALL_LISTED = "<code>boxwright check --json</code>"
CONTENT = (
    "It has reduced copies of the images shown, without what the camera wrote into them, and the "
    "names of files and classes."
)
ADVICE: dict[Severity | None, str] = {
    "error": "Fix the errors first: they stop the work or make its result worthless.",
    "warning": "Look at the warnings before you train: they cost accuracy or trust.",
    "note": "You can train. The notes are worth knowing.",
    None: "No problems found. You can train.",
}


class Written(NamedTuple):
    """A page that was written: number of images shown, and size in bytes."""

    images: int
    size: int


def write_page(
    path: str | Path,
    dataset: Dataset,
    findings: Sequence[Finding],
    progress: Progress | None = None,
) -> Written:
    """Write findings as an HTML page of at most 5 MB, with small pictures of some images.

    Args:
        path: the HTML file to write.
        dataset: the dataset as read; pictures show its images and boxes.
        findings: in display order, grouped by code.
        progress: called with the number of drawn pictures and the total.

    Raises:
        SystemFaultError: BW902, BW903 the file cannot be written.
    """
    selection = Selection(dataset, findings)
    wanted = selection.wanted()
    max_bytes = min(PER_PICTURE, FOR_PICTURES * 3 // 4 // max(1, len(wanted)))
    pictures = draw_all(dataset, wanted, max_bytes, progress)
    entries = Entries(dataset, pictures)
    name = shown(dataset.root.absolute().name, NAME)
    text = "\n".join(
        document(
            f"{name}: check",
            _body(dataset, findings, selection, entries),
            style=asset("page.css") + color_rules(),
            script=asset("page.js"),
        )
    )
    write_text(path, text)
    return Written(len(entries.images), len(text.encode("utf-8")))


def _body(
    dataset: Dataset, findings: Sequence[Finding], selection: Selection, entries: Entries
) -> Iterator[str]:
    yield from _head(dataset, findings)
    groups = [list(same) for _, same in groupby(findings, key=lambda finding: finding.code)]
    yield '<div class="columns">'
    yield from _kinds(groups)
    yield class_details(dataset, css="card")
    yield "</div>"
    sections: list[str] = []
    start = 0
    for same in groups:
        wanted = (selection.of_findings.get(i, ()) for i in count(start))
        sections += section(same, wanted, entries, ALL_LISTED)
        start += len(same)
    gallery = [*_gallery(dataset, findings, selection, entries)]
    yield from _filter(groups, entries)
    yield "<main>"
    if sections:
        yield "<h2>Findings</h2>"
    yield from sections
    yield from gallery
    yield f"""<p id="nothing" class="card" hidden>Nothing on this page is of this class and code.
{ALL_LISTED} lists all findings.</p>
</main>
{footer(CONTENT)}"""


def _head(dataset: Dataset, findings: Sequence[Finding]) -> Iterator[str]:
    severities = [MEANINGS[finding.code].severity for finding in findings]
    worst = next((one for one in SIGNS if one in severities), None)
    items = [
        _number(len(dataset), "image", "images"),
        _number(len(dataset.boxes), "box", "boxes"),
        _number(len(dataset.classes), "class", "classes"),
    ]
    for severity, sign in SIGNS.items():
        number = severities.count(severity)
        css = severity if number else "faint"
        items.append(_number(number, severity, severity + "s", f"{sign} ", css))
    yield f"""<header>
<h1>{shown(dataset.root.absolute().name)}</h1>
<ul class="numbers">{"".join(items)}</ul>
<p class="advice">{ADVICE[worst]}</p>
</header>"""


def _number(number: int, one: str, many: str, sign: str = "", css: str = "") -> str:
    unit = one if number == 1 else many
    return tile(f"{sign}{number:,}", unit, css)


def _kinds(groups: Sequence[Sequence[Finding]]) -> Iterator[str]:
    """Links to the sections."""
    if not groups:
        return
    yield '<nav class="card" aria-label="Kinds of findings"><ul class="kinds">'
    for same in groups:
        code, meaning = same[0].code, MEANINGS[same[0].code]
        yield (
            f'<li><a href="#{code}">'
            f'<span class="code {meaning.severity}">{SIGNS[meaning.severity]} {code}</span>'
            f'<span class="title">{prose(meaning.title)}</span>'
            f'<span class="times">{len(same):,}</span></a></li>'
        )
    yield "</ul></nav>"


def _filter(groups: Sequence[Sequence[Finding]], entries: Entries) -> Iterator[str]:
    """The choice of a class and a code, which needs the script."""
    options = [f'<option value="{i}">{name}</option>' for i, name in entries.options(MAX_OPTIONS)]
    codes = [
        f'<option value="{same[0].code}">{same[0].code} {prose(MEANINGS[same[0].code].title)}'
        "</option>"
        for same in groups
    ]
    yield f"""<div class="filter" role="search" aria-label="Filter" hidden>
<label>Class <select autocomplete="off"><option value="">All classes</option>
{"".join(options)}</select></label>
<label>Code <select autocomplete="off"><option value="">All codes</option>
{"".join(codes)}</select></label>
<button type="button">Show all</button>
<p role="status"></p>
</div>"""


def section(
    findings: Sequence[Finding],
    wanted: Iterable[Sequence[Wanted]],
    entries: Entries,
    all_listed: str,
) -> Iterator[str]:
    """What a code means, what to do, and its findings: first those with pictures.

    Args:
        findings: those of one code, at least one.
        wanted: the pictures of each finding.
        entries: renders them.
        all_listed: HTML; where all findings are listed.
    """
    code, meaning = findings[0].code, MEANINGS[findings[0].code]
    times = f' <span class="faint">{len(findings):,} times</span>' if len(findings) > 1 else ""
    yield f"""<section class="card" id="{code}" data-group>
<h3><span class="{meaning.severity}">{SIGNS[meaning.severity]} {code}</span>
{prose(meaning.title)}{times}</h3>
<p>{prose(meaning.cause)}</p>
<p><b>What to do:</b> {prose(meaning.remedy)}</p>"""
    figures, rows, listed = [], [], 0
    for finding, pictures in zip(findings, wanted, strict=False):
        if figure := entries.finding(finding, pictures):
            figures.append(figure)
        elif listed < MAX_LISTED and (row := entries.row(finding)):
            listed += 1
            rows.append(row)
    if figures:
        yield f'<div class="pictures">{"".join(figures)}</div>'
    rest = len(findings) - len(figures)
    if rest > len(rows):
        rows.append(f"<li>and {rest - len(rows):,} more; {all_listed} lists all</li>")
    items = f"<ul>{''.join(rows)}</ul>"
    if rest > OPEN_ROWS or (rest and figures):
        summary = f"{rest:,} more" if figures else counted(rest, "finding")
        yield f"<details data-group><summary>{summary}</summary>{items}</details>"
    elif rest:
        yield items
    yield "</section>"


def _gallery(
    dataset: Dataset, findings: Sequence[Finding], selection: Selection, entries: Entries
) -> Iterator[str]:
    """Whole images with their boxes, those with findings first."""
    codes: dict[str, dict[str, None]] = {dataset.names[i]: {} for i in selection.gallery}
    for finding in findings:
        for name in codes.keys() & finding.images:
            codes[name][finding.code] = None
    images = [entries.image(i, [*codes[dataset.names[i]]]) for i in selection.gallery]
    figures = [figure for figure in images if figure]
    if not figures:
        return
    order = ", those with findings first" if 0 < selection.affected < len(dataset) else ""
    yield f"""<section class="card" id="images" data-group>
<h2>Images</h2>
<p>{len(figures):,} of {counted(len(dataset), "image")} with their boxes{order}.
{part_of(selection.affected, len(dataset), "image", "has", "have")} findings.</p>
<div class="pictures">{"".join(figures)}</div>
</section>"""
