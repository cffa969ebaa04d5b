"""MkDocs hooks: pages from files outside docs, navigation by folder, and raw Markdown."""

from __future__ import annotations

import posixpath
import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page
from pymdownx.slugs import slugify

ROOT = Path(__file__).resolve().parents[1]
SOURCES = "https://github.com/boxwright/boxwright/blob/main/"
INDEX = "llms.txt"
ROW = re.compile(r"^\| \[(\d+)\] \| (.+?) \|", re.MULTILINE)
CODE_IN_ROW = re.compile(r"`[^`\n]*\\\|[^`\n]*`")
LINK = re.compile(r'(\]\(|(?:src|href)=")([^)"#\s]+)')


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Expand folders in the navigation, and create heading anchors like GitHub's."""
    config.mdx_configs["toc"]["slugify"] = slugify(case="lower")
    config.nav = [
        {title: pages_of(pages) if isinstance(pages, str) else pages}
        for group in config.nav or []
        for title, pages in group.items()
    ]
    return config


def pages_of(folder: str) -> list[str | dict[str, str]]:
    """Return the README of a folder, then the numbered pages in its table with short titles."""
    place = ROOT / "docs" / folder
    pages: list[str | dict[str, str]] = [f"{folder}README.md"]
    for number, title in ROW.findall((place / "README.md").read_text(encoding="utf-8")):
        (path,) = place.glob(f"{number}-*.md")
        pages.append({f"{int(number)}. {title.replace('`', '')}": f"{folder}{path.name}"})
    return pages


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add pages from elsewhere in the repository, and the index for language models."""
    if copied := files.get_file_from_path(INDEX):
        files.remove(copied)
    outside: dict[str, str] = {**config.extra["outside"], INDEX: f"docs/{INDEX}"}
    for page, source in outside.items():
        text = linked((ROOT / source).read_text(encoding="utf-8"), source, page, config)
        files.append(File.generated(config, page, content=text))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Rewrite links out of docs, and write the Markdown beside the HTML, for links of INDEX."""
    name = page.file.src_uri
    if name not in config.extra["outside"]:
        markdown = linked(markdown, f"docs/{name}", name, config)
    # GitHub needs an escaped bar in a table's code; Python-Markdown would show the backslash.
    markdown = CODE_IN_ROW.sub(lambda code: code[0].replace("\\|", "|"), markdown)
    written = Path(config.site_dir, name)
    written.parent.mkdir(parents=True, exist_ok=True)
    written.write_text(markdown, encoding="utf-8", newline="\n")
    return markdown


def linked(text: str, source: str, page: str, config: MkDocsConfig) -> str:
    """Return `text` of the repository's file `source`, with links that work from `page`."""
    pages = {source: page for page, source in config.extra["outside"].items()}

    def replaced(match: re.Match[str]) -> str:
        start, target = match.groups()
        path = posixpath.normpath(posixpath.join(posixpath.dirname(source), target))
        if "://" in target or not (ROOT / path).exists():
            return match[0]
        if path not in pages and not path.startswith("docs/"):
            return start + SOURCES + path
        there = pages.get(path, path.removeprefix("docs/"))
        return start + posixpath.relpath(there, posixpath.dirname(page) or ".")

    return LINK.sub(replaced, text)
