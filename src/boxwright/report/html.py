"""Self-contained HTML pages: escaped text, the parts that pages share, and a document that loads
nothing.

All names of a dataset come from strangers. They enter a page through `shown` only. Parameters that
are called HTML are inserted as they are.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from html import escape
from importlib import resources
from pathlib import Path

from boxwright import __version__
from boxwright.errors import ArgumentError, harmless, visible

MAX_SHOWN = 240  # characters of a name or message
NAME = 60  # characters of a class name
MAX_ROWS = 100  # of a table
SUFFIXES = (".html", ".htm")


def check_name(path: Path, option: str) -> None:
    """Raise ArgumentError BW804 unless `path` is the name of an HTML file."""
    if path.suffix.lower() not in SUFFIXES or path.is_dir():
        raise ArgumentError("BW804", f"{option} cannot replace '{path}'.")


def check_pair(page: Path, form: str) -> None:
    """Raise ArgumentError BW804 unless `page`, of `--out`, is the name of an HTML file and the JSON
    file beside it is free, or of this `format`."""
    check_name(page, "--out")
    beside = page.with_suffix(".json")
    if beside.exists() and not _is_of(beside, form):
        raise ArgumentError("BW804", f"--out cannot replace '{beside}', which is no {form}.")


def _is_of(path: Path, form: str) -> bool:
    try:
        known = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(known, dict) and known.get("format") == form


def shown(text: str, max_length: int = MAX_SHOWN) -> str:
    """HTML of a text of any characters; its middle is left out if it is long.

    Control characters, invisible ones and halves of surrogate pairs, as names of files may have
    them, become escapes such as `\\x1b`.
    """
    if len(text) > max_length:
        text = f"{text[: max_length // 2]} … {text[-max_length // 2 :]}"
    return escape(harmless(visible(text)).encode("utf-8", "backslashreplace").decode("utf-8"))


def place(path: str) -> str:
    """HTML of a path, whose lines break after its folders."""
    return shown(path).replace("/", "/<wbr>")


def prose(text: str) -> str:
    """HTML of a text with its commands in backticks."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", shown(text, len(text)))


def asset(name: str) -> str:
    """A file of this folder: a stylesheet or a script."""
    return resources.files(__package__).joinpath(name).read_text(encoding="utf-8")


def tile(value: str, unit: str, css: str = "") -> str:
    """HTML of a number in large print, with its unit below, for a list of class `numbers`."""
    return f'<li class="{css}"><b>{value}</b>{unit}</li>'


def table(
    heads: Sequence[str],
    rows: Sequence[Sequence[str]],
    label: str,
    pictures: Sequence[str] | None = None,
) -> str:
    """A table that scrolls sideways where it has no room; of more than MAX_ROWS rows the first.

    Args:
        heads: HTML of the head's cells.
        rows: HTML of the cells of each row; the first one is the row's head.
        label: HTML of a name for screen readers.
        pictures: an SVG for a last column, one per row.
    """
    more = f"<p>and {len(rows) - MAX_ROWS:,} more</p>" if len(rows) > MAX_ROWS else ""
    last = '<td class="bar"></td>' if pictures else ""
    body = []
    for number, (first, *cells) in enumerate(rows[:MAX_ROWS]):
        line = "".join(f"<td>{cell}</td>" for cell in cells)
        picture = f'<td class="bar">{pictures[number]}</td>' if pictures else ""
        body.append(f'<tr><th scope="row">{first}</th>{line}{picture}</tr>')
    head = "".join(f'<th scope="col">{one}</th>' for one in heads)
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{label}"><table>'
        f"<thead><tr>{head}{last}</tr></thead><tbody>{''.join(body)}</tbody></table>{more}</div>"
    )


def items(paths: Sequence[str], max_items: int) -> str:
    """A list of paths; of more than `max_items` the first."""
    rows = "".join(f"<li>{place(path)}</li>" for path in paths[:max_items])
    more = len(paths) - max_items
    return f"<ul>{rows}{f'<li>and {more:,} more</li>' if more > 0 else ''}</ul>"


def enlargeable(
    name: str, picture: str, caption: str, back: str, *, below: str = "", tags: str = ""
) -> str:
    """A figure that a click enlarges, without a script.

    Args:
        name: the element's id.
        picture: an SVG.
        caption, below: HTML.
        back: id of the element to show when it is made smaller.
        tags: HTML of further attributes.
    """
    return (
        f'<figure id="{name}"{tags}><a class="picture" href="#{name}" title="Enlarge">{picture}</a>'
        f'<figcaption>{caption} <a class="smaller" href="#{back}">Make smaller</a>{below}'
        "</figcaption></figure>"
    )


def footer(content: str) -> str:
    """The end of a page: who wrote it, and what is in it."""
    return (
        f"<footer>Written by Boxwright {__version__}. This file is complete and loads nothing. "
        f"{content}</footer>"
    )


def document(title: str, body: Iterable[str], *, style: str, script: str) -> Iterator[str]:
    """A whole page. Its policy forbids to load or run anything that is not in it.

    Args:
        title: HTML.
        body: HTML.
        style, script: a stylesheet and a script, which must not contain `</`.
    """
    policy = (
        f"default-src 'none'; img-src data:; style-src {_hash(style)}; "
        f"script-src {_hash(script)}; base-uri 'none'; form-action 'none'"
    )
    yield f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<link rel="icon" href="data:,">
<title>{title}</title>
<style>{style}</style>
</head>
<body>"""
    yield from body
    yield f"<script>{script}</script>\n</body>\n</html>\n"


def _hash(content: str) -> str:
    digest = hashlib.sha256(content.encode("utf-8")).digest()
    return f"'sha256-{base64.b64encode(digest).decode('ascii')}'"
