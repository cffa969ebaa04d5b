"""The page of a report in a browser: narrow and wide, dark and light, on paper, without scripts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from reported import scene

from boxwright.images.preprocessing import Preprocessing
from boxwright.inference.artifact import Artifact
from boxwright.inference.detector import Detector
from boxwright.report.html import asset
from boxwright.report.run_report import report
from browser import asked, errors, violations, visit

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Page

LONG = "averyveryverylongnamewithoutanyblank" * 2
RECIPE = {"model": "ssd", "input_size": 320, "reasons": {"input_size": f"of {LONG}"}}
AT = "document.querySelector('.slider output').textContent"


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("reported")
    dataset, found = scene(folder / "images", (LONG, "dog"))
    artifact = Artifact({}, dataset.classes, Preprocessing(32), 0.5, {"recipe": RECIPE})
    detector = Detector(lambda images: [], artifact)  # type: ignore[arg-type]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Detector, "detections_in", lambda _, images: found.detections_in(images))
        return report(detector, dataset, out=folder / "page.html").page.as_uri()


@pytest.fixture(params=[(360, False), (1440, True)], ids=["narrow-light", "wide-dark"])
def page(request: pytest.FixtureRequest, browser: BrowserContext, address: str) -> Iterator[Page]:
    width, dark = request.param
    with visit(browser, address, width=width, dark=dark) as page:
        yield page
        assert errors(page) == []
        assert asked(page) == [address]


def test_it_is_not_wider_than_the_window(page: Page) -> None:
    width = page.evaluate("innerWidth")
    page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
    assert page.evaluate("document.documentElement.scrollWidth") == width
    page.evaluate("document.querySelector('.picture').click()")  # enlarged
    assert page.evaluate("document.documentElement.scrollWidth") == width


def test_a_slider_shows_what_happens_at_another_threshold(page: Page) -> None:
    assert page.evaluate(AT).startswith("At 0.50: finds 79 of 100, 57 false alarms per 100 images")
    before = page.evaluate("document.querySelector('#pr .dot').getAttribute('cx')")
    page.evaluate(
        """{
        const range = document.querySelector(".slider input");
        range.value = 85;
        range.dispatchEvent(new Event("input", {bubbles: true}));
        }"""
    )
    assert page.evaluate(AT).startswith("At 0.85: finds 29 of 100, 43 false alarms per 100 images")
    assert page.evaluate("document.querySelector('#pr .dot').getAttribute('cx')") != before
    page.evaluate(
        """{
        const select = document.querySelector(".slider select");
        select.selectedIndex = [...select.options].findIndex(each => each.text === "dog");
        select.dispatchEvent(new Event("input", {bubbles: true}));
        }"""
    )
    assert page.evaluate(AT).startswith("At 0.85: finds 0 of 100, 29 false alarms per 100 images")


def test_the_slider_moves_by_keys(page: Page) -> None:
    page.evaluate("document.querySelector('.slider input').focus()")
    page.keyboard.press("ArrowDown")
    assert page.evaluate(AT).startswith("At 0.49")
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"


def test_everything_has_a_name_for_screen_readers(page: Page) -> None:
    nameless = page.evaluate(
        """[...document.querySelectorAll(
            "svg[role=img], a, select, input, summary, th, [role=region]")].filter(
        each => !(each.getAttribute("aria-label") || each.textContent.trim() || each.labels?.length
        || document.getElementById(each.getAttribute("aria-labelledby")?.split(" ")[0]))).length"""
    )
    assert nameless == 0
    unseen = "svg:not([role=img]):not([aria-hidden]):not(svg svg)"
    assert page.evaluate(f"document.querySelectorAll('{unseen}').length") == 0
    regions = page.evaluate(
        "[...document.querySelectorAll('[role=region]')].map(each => each.ariaLabel)"
    )
    assert len(regions) == len(set(regions)) > 5
    levels = page.evaluate(
        "[...document.querySelectorAll('h1, h2, h3')].map(h => Number(h.tagName[1]))"
    )
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    ids = page.evaluate("[...document.querySelectorAll('[id]')].map(each => each.id)")
    assert len(ids) == len(set(ids))
    links = page.evaluate("[...document.querySelectorAll('a')].map(each => each.hash.slice(1))")
    assert set(links) <= set(ids)


def test_axe_core_finds_nothing_serious(page: Page) -> None:
    page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
    assert violations(page) == []


def test_on_paper_nothing_is_cut_or_closed(browser: BrowserContext, address: str) -> None:
    with visit(browser, address, dark=True) as page:
        page.emulate_media(media="print")
        page.evaluate("dispatchEvent(new Event('beforeprint'))")
        style = "getComputedStyle(document.querySelector('{}')).{}"
        for part in (".chart", ".pictures figure", "tr"):
            assert page.evaluate(style.format(part, "breakInside")) == "avoid"
        ink = page.evaluate(style.format("h1", "color"))
        assert max(map(int, re.findall(r"\d+", ink))) < 80, "dark on paper"
        assert not page.evaluate("document.querySelector('.slider').checkVisibility()")
        assert page.evaluate("document.querySelectorAll('details:not([open])').length") == 0
        assert page.evaluate(style.format(".scroll", "overflowX")) == "visible"


def test_without_scripts_all_but_the_slider_is_there(browser: BrowserContext, address: str) -> None:
    with visit(browser, address, javascript=False) as page:
        assert not page.evaluate("document.querySelector('.slider').checkVisibility()")
        assert page.evaluate("document.querySelectorAll('#threshold .dot').length") == 4
        assert page.evaluate("document.querySelectorAll('#threshold tbody tr').length") >= 9
        assert errors(page) == []


def test_the_script_is_small() -> None:
    assert len(asset("page.js").encode("utf-8")) <= 20_000


def test_the_page_is_a_file_of_its_own(address: str) -> None:
    text = Path(address.removeprefix("file://")).read_text("utf-8")
    assert not re.search(r"https?://", text)
