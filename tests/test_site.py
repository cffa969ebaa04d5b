"""The documentation as a site: links, navigation, width, and what a build gives."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

import boxwright

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
PAGES = sorted(DOCS.rglob("*.md"))
DOCUMENTS = [*sorted(ROOT.glob("*.md")), *PAGES]
WIDTH = 120  # columns
FENCED = re.compile(r"^ *```.*?^ *```", re.DOTALL | re.MULTILINE)
LINK = re.compile(r'\]\(([^)\s]+)\)|^\[[^\]]+\]: (\S+)|(?:src|href)="([^"]+)"', re.MULTILINE)


def prose(path: Path) -> str:
    """A document without its blocks of code."""
    return FENCED.sub("", path.read_text(encoding="utf-8"))


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def anchors(path: Path) -> set[str]:
    """What GitHub and the site make of headings, and of the names whose docstrings are shown."""
    text = prose(path)
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    words = (re.sub(r"\[([^\]]+)\]\([^)]+\)", r"\1", each).lower() for each in headings)
    slugs = {re.sub(r"[^\w\- ]", "", each).strip().replace(" ", "-") for each in words}
    return slugs | set(re.findall(r"^::: (\S+)$", text, re.MULTILINE))


@pytest.mark.tiny
@pytest.mark.parametrize("document", [*DOCUMENTS, DOCS / "llms.txt"], ids=name_of)
def test_links_lead_somewhere(document: Path) -> None:
    for target in ("".join(groups) for groups in LINK.findall(prose(document))):
        if "://" in target:
            continue
        place, _, anchor = target.partition("#")
        page = document.parent / place if place else document
        assert page.exists(), target
        assert not anchor or anchor in anchors(page), target


@pytest.mark.tiny
def test_every_page_has_its_place_in_the_navigation() -> None:
    site = yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))
    groups = [pages for group in site["nav"] for pages in group.values()]
    listed = [page for pages in groups if isinstance(pages, list) for page in pages]
    assert len(listed) == len(set(listed))
    folders = tuple(pages for pages in groups if isinstance(pages, str))
    pages = {path.relative_to(DOCS).as_posix() for path in PAGES}
    alone = {page for page in pages if not page.startswith(folders)}
    assert set(listed) == alone | set(site["extra"]["outside"])


@pytest.mark.tiny
@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_prose_is_not_too_wide(document: Path) -> None:
    wide = [line for line in prose(document).splitlines() if len(line) > WIDTH]
    # A row of a table is one line, and a long address cannot be broken.
    assert [line for line in wide if line[0] != "|" and len(line.split()) > 2] == []


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built without a warning."""
    folder = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)],
        cwd=ROOT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def test_the_site_fetches_nothing_from_other_hosts(site: Path) -> None:
    pages = list(site.rglob("*.html"))
    assert len(pages) > len(PAGES)
    for page in pages:
        text = page.read_text(encoding="utf-8")
        loaded = re.findall(
            r'<(?:script|img|iframe|source|link)\b[^>]*?(?:src|href)="([^"]+)', text
        )
        assert [address for address in loaded if "//" in address] == [], page
        # The theme's script asks GitHub for a repository's stars, and loads Mermaid from elsewhere.
        assert 'data-md-component="source"' not in text, page
        assert 'class="mermaid"' not in text, page
    for sheet in site.rglob("*.css"):
        assert not re.search(r"(?:url\(|@import )[\"']?(?:https?:)?//", sheet.read_text("utf-8"))


def test_the_site_documents_every_public_name(site: Path) -> None:
    text = (site / "reference" / "api" / "index.html").read_text(encoding="utf-8")
    for name in boxwright.__all__:
        assert f'id="boxwright.{name}"' in text, name


def test_the_index_for_language_models_leads_to_markdown(site: Path) -> None:
    targets = re.findall(r"\]\(([^)]+)\)", (site / "llms.txt").read_text(encoding="utf-8"))
    assert "index.md" in targets
    assert [target for target in targets if not (site / target).is_file()] == []
    for target in targets:
        text = FENCED.sub("", (site / target).read_text(encoding="utf-8"))
        links = re.findall(r"\]\(([^)#\s]+)[^)]*\)", text)
        local = [link for link in links if "://" not in link]
        assert [link for link in local if not (site / target).parent.joinpath(link).exists()] == []
