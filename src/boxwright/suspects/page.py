"""The page of `boxwright suspects`: pictures of labels that may be wrong, the likeliest first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain, repeat

from boxwright.report.check_page import CONTENT, section
from boxwright.report.entries import Entries
from boxwright.report.html import NAME, asset, document, footer, shown, tile
from boxwright.report.pictures import Wanted, color_rules, draw_all
from boxwright.structures.dataset import Dataset
from boxwright.structures.findings import counted
from boxwright.suspects.agreement import Agreement
from boxwright.suspects.scoring import KINDS, Suspect

PER_KIND = 36  # pictures
FOR_PICTURES = 2_900_000  # bytes of all JPEGs, in base64
PER_PICTURE = 30_000  # bytes of a JPEG
TITLES = {
    "missed": ("object without a label", "objects without a label"),
    "wrong class": ("wrong class", "wrong classes"),
    "loose": ("loose box", "loose boxes"),
}
ALL_LISTED = "the JSON file beside this page"
CAUTION = (
    "Detectors that did not learn from an image doubt its labels. That is a suspicion and no "
    "verdict: look before you change a label. In the pictures, labels have the colors of their "
    "classes, and the object as it was detected is red."
)


def page(images: Dataset, ranked: Sequence[Suspect], agreement: Agreement | None) -> Iterator[str]:
    """The HTML page of suspects, the most suspicious of each kind first."""
    name = shown(images.root.absolute().name, NAME)
    return document(
        f"{name}: suspect labels",
        _body(name, images, ranked, agreement),
        style=asset("page.css") + color_rules(),
        script=asset("page.js"),
    )


def said(images: Dataset, ranked: Sequence[Suspect]) -> str:
    """How many suspects there are, in one sentence."""
    parts = [counted(n, *TITLES[kind]) for kind, n in _counts(ranked).items() if n]
    labels = counted(len(images.boxes), "label")
    if not parts:
        return f"No suspects among {labels} in {counted(len(images), 'image')}."
    listed = f"{', '.join(parts[:-1])}{' and ' if parts[1:] else ''}{parts[-1]}"
    return (
        f"{counted(len(ranked), 'suspect')} among {labels} in {counted(len(images), 'image')}: "
        f"{listed}."
    )


def _counts(ranked: Sequence[Suspect]) -> dict[str, int]:
    return {kind: sum(one.kind == kind for one in ranked) for kind in KINDS}


def _body(
    name: str, images: Dataset, ranked: Sequence[Suspect], agreement: Agreement | None
) -> Iterator[str]:
    by_kind = {kind: [one for one in ranked if one.kind == kind] for kind in KINDS}
    shown_ones = {
        kind: [Wanted(one.image, one.box) for one in some[:PER_KIND]]
        for kind, some in by_kind.items()
    }
    wanted = [*dict.fromkeys(chain(*shown_ones.values()))]
    max_bytes = min(PER_PICTURE, FOR_PICTURES * 3 // 4 // max(1, len(wanted)))
    entries = Entries(images, draw_all(images, wanted, max_bytes))
    tiles = [tile(f"{n:,}", TITLES[kind][n != 1]) for kind, n in _counts(ranked).items()]
    line = f'<p class="faint">{shown(str(agreement))}</p>' if agreement else ""
    yield f"""<header>
<p class="faint">Suspect labels</p>
<h1>{name}</h1>
<p class="lead">{shown(said(images, ranked))}</p>
<p class="faint">{CAUTION}</p>
{line}
<ul class="numbers">{"".join(tiles)}</ul>
</header>
<main>
<h2>The most suspicious</h2>"""
    for kind, some in by_kind.items():
        if some:
            findings = [one.finding(images) for one in some]
            pictures = chain(([one] for one in shown_ones[kind]), repeat([]))
            yield from section(findings, pictures, entries, ALL_LISTED)
    yield f"</main>{footer(CONTENT)}"
