"""The findings of `boxwright check` as one self-contained HTML page with embedded pictures."""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Iterator, Sequence
from html import escape
from itertools import groupby
from pathlib import Path

from PIL import Image, ImageDraw

from boxwright.codes import MEANINGS, SIGNS, Severity
from boxwright.datasets.stats import count_classes
from boxwright.errors import DataError
from boxwright.images.decoding import read_image
from boxwright.io.files import write_text
from boxwright.structures.dataset import Dataset
from boxwright.structures.findings import Finding

PICTURES = 12  # per code; the other findings are listed as text
SIDE_BY_SIDE = 4  # images of one finding
MAX_LISTED = 200  # listed per code
SIDE = 220  # pixels of a picture's longer side, twice what the page shows
CONTEXT = 0.6  # margin around a box, in sides of the box
PLURALS: dict[Severity, str] = {"error": "errors", "warning": "warnings", "note": "notes"}

STYLE = """
:root { color-scheme: light dark; --ink: #1d2330; --faint: #667085; --line: #d9dee7; --card: #fff;
  --ground: #f5f6f8; --error: #c0362c; --warning: #b26a00; --note: #3b6ea5; --bar: #56b4e9; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e9ef; --faint: #98a2b3; --line: #344054;
  --card: #1c2230; --ground: #12161f; --error: #ff8a80; --warning: #ffb74d; --note: #90caf9; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 70rem; padding: 2rem 1.2rem 5rem; background: var(--ground);
  color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.6rem; margin: 0; overflow-wrap: anywhere; }
h2 { font-size: 1.1rem; margin: 0; }
.faint, figcaption { color: var(--faint); }
.cards { display: flex; flex-wrap: wrap; gap: .8rem; margin: 1.2rem 0; }
.card, section { background: var(--card); border: 1px solid var(--line); border-radius: .6rem; }
.card { padding: .6rem 1.1rem; min-width: 7rem; }
.card b { display: block; font-size: 1.5rem; font-variant-numeric: tabular-nums; }
section { padding: 1rem 1.2rem; margin: 1rem 0; }
section > p { margin: .3rem 0; max-width: 48rem; }
.error { color: var(--error); } .warning { color: var(--warning); } .note { color: var(--note); }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
td, th { padding: .15rem .8rem .15rem 0; text-align: right; white-space: nowrap; }
td:first-child, th:first-child { text-align: left; white-space: normal; overflow-wrap: anywhere; }
th { color: var(--faint); font-weight: 400; }
td.bar { width: 50%; }
td.bar i { display: block; height: .7rem; border-radius: .2rem; background: var(--bar); }
.pictures { display: grid; grid-template-columns: repeat(auto-fill, minmax(180px, 1fr));
  gap: .9rem; margin-top: .8rem; }
figure { margin: 0; font-size: .8rem; line-height: 1.3; overflow-wrap: anywhere; }
figcaption { margin-top: .3rem; }
figure img { max-width: 100%; max-height: 180px; border-radius: .3rem; display: inline-block; }
.side-by-side { display: flex; flex-wrap: wrap; gap: .3rem; }
.side-by-side img:not(:only-child) { max-width: calc(50% - .15rem); max-height: 100px; }
details { margin-top: .6rem; } li { font-size: .85rem; overflow-wrap: anywhere; }
code { background: var(--ground); padding: 0 .3em; border-radius: .25em; }
"""


def write_page(path: str | Path, dataset: Dataset, findings: Sequence[Finding]) -> None:
    """Write findings as an HTML page, with pictures of the images that have them.

    Args:
        path: the HTML file to write.
        dataset: the dataset as read; pictures show its images.
        findings: in display order, grouped by code.
    """
    write_text(path, "\n".join(_page(dataset, findings)))


def _page(dataset: Dataset, findings: Sequence[Finding]) -> Iterator[str]:
    name = escape(dataset.root.absolute().name)
    yield f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy"
  content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<title>{name}: check</title><style>{STYLE}</style></head><body>
<h1>{name}</h1>
<p class="faint">{escape(str(dataset.root.absolute()))}</p>"""
    yield _cards(dataset, findings)
    yield _classes(dataset)
    if not findings:
        yield "<section><h2>No problems found.</h2></section>"
    album = Album(dataset)
    for code, same in groupby(findings, key=lambda finding: finding.code):
        yield from _section(code, list(same), album)
    yield "</body></html>\n"


def _cards(dataset: Dataset, findings: Sequence[Finding]) -> str:
    cards = [(f"{len(dataset):,}", "images"), (f"{len(dataset.boxes):,}", "boxes")]
    cards.append((f"{len(dataset.classes):,}", "classes"))
    cells = [f'<div class="card"><b>{count}</b>{what}</div>' for count, what in cards]
    severities = [MEANINGS[finding.code].severity for finding in findings]
    for severity in SIGNS:
        count, what = severities.count(severity), PLURALS[severity]
        cells.append(f'<div class="card {severity}"><b>{SIGNS[severity]} {count:,}</b>{what}</div>')
    return f'<div class="cards">{"".join(cells)}</div>'


def _classes(dataset: Dataset) -> str:
    """Table of boxes per class, and per split if the dataset has several."""
    counted = count_classes(dataset)
    splits = counted[0].splits if counted else {}
    heads = [*splits] if len(splits) > 1 else []
    rows = []
    for one in counted:
        cells = [f"<td>{one.splits[split]:,}</td>" for split in heads]
        share = 100 * one.boxes / max(1, counted[0].boxes)
        rows.append(
            f"<tr><td>{escape(one.name)}</td>{''.join(cells)}<td>{one.boxes:,}</td>"
            f'<td class="bar"><i style="width:{share:.1f}%"></i></td></tr>'
        )
    head = "".join(f"<th>{word}</th>" for word in ("class", *heads, "boxes", ""))
    return f"<section><table><tr>{head}</tr>{''.join(rows)}</table></section>"


def _section(code: str, findings: Sequence[Finding], album: Album) -> Iterator[str]:
    meaning = MEANINGS[code]
    times = f"{len(findings):,} times" if len(findings) > 1 else "once"
    yield f"""<section id="{code}"><h2 class="{meaning.severity}">{SIGNS[meaning.severity]}
{escape(meaning.title)} <code>{code}</code> <span class="faint">{times}</span></h2>
<p>{_prose(meaning.cause)}</p><p><b>What to do:</b> {_prose(meaning.remedy)}</p>"""
    figures = [_figure(finding, album) for finding in findings[:PICTURES] if finding.images]
    if figures:
        yield f'<div class="pictures">{"".join(figures)}</div>'
    listed = [one for i, one in enumerate(findings) if i >= PICTURES or not one.images]
    if listed:
        is_open = " open" if len(listed) <= PICTURES else ""
        yield f"<details{is_open}><summary>{len(listed):,} without a picture</summary><ul>"
        yield from (f"<li>{_said(finding)}</li>" for finding in listed[:MAX_LISTED])
        if len(listed) > MAX_LISTED:
            more = len(listed) - MAX_LISTED
            yield f"<li>and {more:,} more; <code>boxwright check --json</code> lists all</li>"
        yield "</ul></details>"
    yield "</section>"


def _prose(text: str) -> str:
    """HTML of a text with its commands in backticks."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text))


def _said(finding: Finding) -> str:
    done = f" → {escape(finding.repair)}" if finding.repair else ""
    return f"<b>{escape(finding.where)}</b> {escape(finding.message)}{done}"


def _figure(finding: Finding, album: Album) -> str:
    images = "".join(f'<img src="{each}" alt="">' for each in album.pictures(finding))
    side_by_side = f'<div class="side-by-side">{images}</div>'
    return f"<figure>{side_by_side}<figcaption>{_said(finding)}</figcaption></figure>"


class Album:
    """Pictures of findings as data URIs."""

    def __init__(self, dataset: Dataset) -> None:
        self._root, self._decoding = dataset.root, dataset.decoding
        self._sources = {name: dataset.image(i) for i, name in enumerate(dataset.names)}

    def pictures(self, finding: Finding) -> Iterator[str]:
        """A crop around the finding's box, or its first images; skips unreadable images."""
        for name in finding.images[: 1 if finding.box else SIDE_BY_SIDE]:
            source = self._sources.get(name, self._root / name)
            try:
                image = read_image(source, self._decoding, at_least=None if finding.box else SIDE)
            except DataError:
                continue
            picture = Image.fromarray(image)
            if finding.box:
                picture = _around(picture, finding.box)
            picture.thumbnail((SIDE, SIDE))
            coded = io.BytesIO()
            picture.save(coded, "JPEG", quality=80)
            yield f"data:image/jpeg;base64,{base64.b64encode(coded.getvalue()).decode()}"


def _around(image: Image.Image, box: tuple[float, float, float, float]) -> Image.Image:
    """A crop with the box drawn in it, even if the box is tiny or outside of the image."""
    left, top, right, bottom = (
        min(max(value, 0.0), limit) for value, limit in zip(box, image.size * 2, strict=True)
    )
    left, right, top, bottom = *sorted((left, right)), *sorted((top, bottom))
    room = max(CONTEXT * max(right - left, bottom - top), max(image.size) / 8)
    frame = (
        max(0, int(left - room)),
        max(0, int(top - room)),
        min(image.width, int(right + room) + 1),
        min(image.height, int(bottom + room) + 1),
    )
    part = image.crop(frame)
    scale = SIDE / max(part.size)
    part = part.resize((max(1, round(part.width * scale)), max(1, round(part.height * scale))))
    x1, x2 = ((value - frame[0]) * scale for value in (left, right))
    y1, y2 = ((value - frame[1]) * scale for value in (top, bottom))
    # Keeps boxes of one pixel and boxes around the whole image visible.
    corners = [max(0, x1 - 4), max(0, y1 - 4), x2 + 4, y2 + 4]
    corners[2:] = [min(side - 1, end) for side, end in zip(part.size, corners[2:], strict=True)]
    pen = ImageDraw.Draw(part)
    pen.rectangle(corners, outline=(0, 0, 0), width=5)
    pen.rectangle(corners, outline=(255, 214, 10), width=3)
    return part
