"""The page of `check` in a browser: narrow and wide, dark and light, with and without scripts."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from boxwright.report.check_page import write_page
from boxwright.structures.dataset import Dataset, LabeledImage
from boxwright.structures.findings import Finding
from browser import asked, errors, violations, visit

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Page

HOSTILE = '"><img src=x onerror="document.title=1"></script><script>document.title=1</script>'
LONG = "averyveryverylongnamewithoutanyblank" * 4
SIZE = (160, 120)
ENTRIES = "[...document.querySelectorAll('[data-codes]')]"
SEEN = f"{ENTRIES}.filter(entry => entry.checkVisibility()).map(entry => entry.dataset.codes)"


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A page with three images, findings of two codes, and hostile and long names."""
    folder = tmp_path_factory.mktemp("data")
    classes = {"cat.png": "cat", "dog.png": HOSTILE, f"{LONG}.png": LONG}
    images = []
    for name, label in classes.items():
        Image.new("RGB", SIZE, (90, 160, 40)).save(folder / name)
        images.append(LabeledImage(name, *SIZE, [(10, 10, 60, 60)], [label]))
    findings = [
        Finding("BW102", HOSTILE, LONG, HOSTILE),
        Finding("BW106", "cat.png, box 1", LONG, "", ("cat.png",), (9, 9, 9, 9), ("cat",)),
        Finding("BW106", "dog.png", HOSTILE, "", ("dog.png",), (9, 9, 50, 50), (HOSTILE,)),
        Finding("BW131", LONG, "are duplicates", "", ("cat.png", f"{LONG}.png")),
    ]
    target = folder / "page.html"
    write_page(target, Dataset.of(folder, images), findings)
    return target.as_uri()


@pytest.fixture(params=[(360, False), (1440, True)], ids=["narrow-light", "wide-dark"])
def page(request: pytest.FixtureRequest, browser: BrowserContext, address: str) -> Iterator[Page]:
    width, dark = request.param
    with visit(browser, address, width=width, dark=dark) as page:
        yield page
        assert errors(page) == []
        assert asked(page) == [address]
        assert page.evaluate("document.title") == f"{Path(address).parent.name}: check"


def choose(page: Page, name: str, text: str) -> None:
    """Choose the option of a filter that begins with this text."""
    page.evaluate(
        f"""{{
        const filter = [...document.querySelectorAll("select")].find(
            each => each.labels[0].textContent.trim().startsWith({json.dumps(name)}));
        filter.value = [...filter.options].find(
            each => each.text.startsWith({json.dumps(text)})).value;
        filter.dispatchEvent(new Event("change", {{bubbles: true}}));
        }}"""
    )


def test_it_is_not_wider_than_the_window(page: Page) -> None:
    width = page.evaluate("innerWidth")
    assert page.evaluate("document.documentElement.scrollWidth") == width
    page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
    page.evaluate("document.querySelector('.picture').click()")  # enlarged
    assert page.evaluate("document.documentElement.scrollWidth") == width
    ends = "[...document.querySelectorAll('body *:not(svg *)')].map(each => each.getClientRects())"
    right = f"Math.max(...{ends}.flatMap(each => [...each].map(rect => rect.right)))"
    assert page.evaluate(right) <= width


def test_filters_hide_and_show(page: Page) -> None:
    everything = page.evaluate(SEEN)
    assert sorted(everything) == sorted(
        ["BW102", "BW106", "BW106", "BW131", "BW106 BW131", "BW106", "BW131"]
    )
    choose(page, "Code", "BW131")
    assert page.evaluate(SEEN) == ["BW131", "BW106 BW131", "BW131"]
    assert not page.evaluate("document.getElementById('BW106').checkVisibility()")
    choose(page, "Class", "cat")
    assert page.evaluate(SEEN) == ["BW131", "BW106 BW131"]
    assert page.evaluate("document.querySelector('[role=status]').textContent") == (
        "Shown: 1 finding, 1 image"
    )
    choose(page, "Class", '">')
    assert page.evaluate(SEEN) == []
    assert page.evaluate("document.getElementById('nothing').checkVisibility()")
    page.evaluate("document.querySelector('.filter button').click()")
    assert page.evaluate(SEEN) == everything
    assert not page.evaluate("document.getElementById('nothing').checkVisibility()")


def test_keys_are_enough(page: Page) -> None:
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.tagName") == "SELECT":
            break
    before = page.evaluate(SEEN)
    page.keyboard.press("ArrowDown")
    assert page.evaluate("document.activeElement.selectedIndex") == 1
    assert page.evaluate(SEEN) != before
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    page.evaluate("document.querySelector('figure:not([hidden]) > .picture').focus()")
    page.keyboard.press("Enter")
    assert page.evaluate("document.querySelector('figure:target .smaller').checkVisibility()")


def test_pictures_and_fields_have_names(page: Page) -> None:
    nameless = page.evaluate(
        """[...document.querySelectorAll("svg[role=img], a, select, button, summary")].filter(
        each => !(each.getAttribute("aria-label") || each.textContent.trim()
        || each.querySelector("[aria-label]") || each.labels?.length)).length"""
    )
    assert nameless == 0
    assert page.evaluate("document.querySelectorAll('main, h1').length") == 2


def test_axe_core_finds_nothing_serious(page: Page) -> None:
    page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
    assert violations(page) == []


def test_dark_and_light_differ(browser: BrowserContext, address: str) -> None:
    levels = []
    for dark in (False, True):
        with visit(browser, address, dark=dark) as page:
            color = page.evaluate("getComputedStyle(document.body).backgroundColor.match(/\\d+/g)")
            levels.append(max(map(int, color)))
    assert levels[0] > 200
    assert levels[1] < 60


def test_without_scripts_all_is_shown(browser: BrowserContext, address: str) -> None:
    with visit(browser, address, javascript=False) as page:
        assert len(page.evaluate(SEEN)) == page.evaluate(f"{ENTRIES}.length") == 7
        assert not page.evaluate("document.querySelector('.filter').checkVisibility()")
        assert errors(page) == []
