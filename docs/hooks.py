"""What mkdocs.yml cannot say: pages of files outside docs, whole folders, and raw Markdown."""

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
    """Put all pages of a folder in its place, and give headings the anchors that GitHub gives."""
    config.mdx_configs["toc"]["slugify"] = slugify(case="lower")
    config.nav = [
        {title: pages_of(pages) if isinstance(pages, str) else pages}
        for group in config.nav or []
        for title, pages in group.items()
    ]
    return config


def pages_of(folder: str) -> list[str | dict[str, str]]:
    """The folder's README, then each page that its table names by its number and a short title."""
    place = ROOT / "docs" / folder
    pages: list[str | dict[str, str]] = [f"{folder}README.md"]
    for number, title in ROW.findall((place / "README.md").read_text(encoding="utf-8")):
        (path,) = place.glob(f"{number}-*.md")
        pages.append({f"{int(number)}. {title.replace('`', '')}": f"{folder}{path.name}"})
    return pages


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that are elsewhere in the repository, and the index for language models."""
    if copied := files.get_file_from_path(INDEX):
        files.remove(copied)
    outside: dict[str, str] = {**config.extra["outside"], INDEX: f"docs/{INDEX}"}
    for page, source in outside.items():
        text = linked((ROOT / source).read_text(encoding="utf-8"), source, page, config)
        files.append(File.generated(config, page, content=text))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Let links lead out of docs; write the Markdown beside the HTML, where INDEX leads."""
    name = page.file.src_uri
    if name not in config.extra["outside"]:
        markdown = linked(markdown, f"docs/{name}", name, config)
    # GitHub wants a bar in a row's code escaped; Python-Markdown shows the backslash.
    markdown = CODE_IN_ROW.sub(lambda code: code[0].replace("\\|", "|"), markdown)
    written = Path(config.site_dir, name)
    written.parent.mkdir(parents=True, exist_ok=True)
    written.write_text(markdown, encoding="utf-8", newline="\n")
    return markdown


def linked(text: str, source: str, page: str, config: MkDocsConfig) -> str:
    """`text` of the repository's file `source`, with links that work from the site's `page`."""
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
