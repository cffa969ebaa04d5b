"""Self-contained HTML pages: escaped text, and a document that loads nothing.

All names of a dataset come from strangers. They enter a page through `shown` only.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable, Iterator
from html import escape
from importlib import resources

from boxwright.errors import harmless, visible

MAX_SHOWN = 240  # characters of a name or message


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
