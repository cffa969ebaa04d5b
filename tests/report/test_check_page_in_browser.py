"""The page of `check` in a browser: narrow and wide, dark and light, with and without scripts."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from boxwright.report.check_page import write_page
from boxwright.structures.dataset import Dataset, LabeledImage
from boxwright.structures.findings import Finding
from browser import Browser, Page, violations

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
def page(request: pytest.FixtureRequest, browser: Browser, address: str) -> Iterator[Page]:
    width, dark = request.param
    with browser.page(address, width=width, dark=dark) as page:
        yield page
        assert page.errors == []
        assert page.requests == [address]
        assert page.run("document.title") == f"{Path(address).parent.name}: check"


def choose(page: Page, name: str, text: str) -> None:
    """Choose the option of a filter that begins with this text."""
    page.run(
        f"""{{
        const filter = [...document.querySelectorAll("select")].find(
            each => each.labels[0].textContent.trim().startsWith({json.dumps(name)}));
        filter.value = [...filter.options].find(
            each => each.text.startsWith({json.dumps(text)})).value;
        filter.dispatchEvent(new Event("change", {{bubbles: true}}));
        }}"""
    )


def test_it_is_not_wider_than_the_window(page: Page) -> None:
    width = page.run("innerWidth")
    assert page.run("document.documentElement.scrollWidth") == width
    page.run("document.querySelectorAll('details').forEach(each => each.open = true)")
    page.run("document.querySelector('.picture').click()")  # enlarged
    assert page.run("document.documentElement.scrollWidth") == width
    ends = "[...document.querySelectorAll('body *:not(svg *)')].map(each => each.getClientRects())"
    assert page.run(f"Math.max(...{ends}.flatMap(each => [...each].map(rect => rect.right)))") <= (
        width
    )


def test_filters_hide_and_show(page: Page) -> None:
    everything = page.run(SEEN)
    assert sorted(everything) == sorted(
        ["BW102", "BW106", "BW106", "BW131", "BW106 BW131", "BW106", "BW131"]
    )
    choose(page, "Code", "BW131")
    assert page.run(SEEN) == ["BW131", "BW106 BW131", "BW131"]
    assert not page.run("document.getElementById('BW106').checkVisibility()")
    choose(page, "Class", "cat")
    assert page.run(SEEN) == ["BW131", "BW106 BW131"]
    assert page.run("document.querySelector('[role=status]').textContent") == (
        "Shown: 1 finding, 1 image"
    )
    choose(page, "Class", '">')
    assert page.run(SEEN) == []
    assert page.run("document.getElementById('nothing').checkVisibility()")
    page.run("document.querySelector('.filter button').click()")
    assert page.run(SEEN) == everything
    assert not page.run("document.getElementById('nothing').checkVisibility()")


def test_keys_are_enough(page: Page) -> None:
    for _ in range(40):
        page.press("Tab")
        if page.run("document.activeElement.tagName") == "SELECT":
            break
    before = page.run(SEEN)
    page.press("ArrowDown")
    assert page.run("document.activeElement.selectedIndex") == 1
    assert page.run(SEEN) != before
    assert page.run("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    page.run("document.querySelector('figure:not([hidden]) > .picture').focus()")
    page.press("Enter")
    assert page.run("document.querySelector('figure:target .smaller').checkVisibility()")


def test_pictures_and_fields_have_names(page: Page) -> None:
    nameless = page.run(
        """[...document.querySelectorAll("svg[role=img], a, select, button, summary")].filter(
        each => !(each.getAttribute("aria-label") || each.textContent.trim()
        || each.querySelector("[aria-label]") || each.labels?.length)).length"""
    )
    assert nameless == 0
    assert page.run("document.querySelectorAll('main, h1').length") == 2


def test_axe_core_finds_nothing_serious(page: Page) -> None:
    page.run("document.querySelectorAll('details').forEach(each => each.open = true)")
    assert violations(page) == []


def test_dark_and_light_differ(browser: Browser, address: str) -> None:
    levels = []
    for dark in (False, True):
        with browser.page(address, dark=dark) as page:
            color = page.run("getComputedStyle(document.body).backgroundColor.match(/\\d+/g)")
            levels.append(max(map(int, color)))
    assert levels[0] > 200
    assert levels[1] < 60


def test_without_scripts_all_is_shown(browser: Browser, address: str) -> None:
    with browser.page(address, javascript=False) as page:
        assert len(page.run(SEEN)) == page.run(f"{ENTRIES}.length") == 7
        assert not page.run("document.querySelector('.filter').checkVisibility()")
        assert page.errors == []
