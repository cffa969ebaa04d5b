"""The page of a server in a browser."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from red_server import BLUE, RED, SIZE, WIDTH, Client, model, picture, png, serving

from browser import asked, errors, until, violations, visit

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Page

SAID = "document.querySelector('#try [role=status]')?.textContent"
CANVAS = "document.querySelector('#try canvas')"


def drop(page: Page, content: bytes, name: str = "image.png") -> None:
    """Drop a file onto the page."""
    page.evaluate(
        f"""(() => {{
          const data = new DataTransfer();
          data.items.add(new File([new Uint8Array({list(content)})], {json.dumps(name)}));
          const event = new DragEvent("drop", {{ dataTransfer: data, cancelable: true }});
          document.getElementById("try").dispatchEvent(event);
        }})()"""
    )


@pytest.fixture(scope="module")
def two() -> Iterator[Client]:
    with serving(model("one"), model("two")) as client:
        yield client


def test_an_image_is_dropped(client: Client, browser: BrowserContext) -> None:
    with visit(browser, f"{client.url}/") as page:
        until(page, "document.getElementById('name').textContent === 'colors'")
        assert page.evaluate("document.getElementById('classes').textContent") == "redblue"
        drop(page, png())
        until(page, f"{SAID} === '1 object with a score of 0.50 or more'")
        assert page.evaluate(f"{CANVAS}.getAttribute('aria-label')") == "red 0.90"
        assert page.evaluate(f"[{CANVAS}.width, {CANVAS}.height]") == list(SIZE)
        page.evaluate(
            "(r => { r.value = '0.05'; r.dispatchEvent(new Event('input')); })"
            "(document.querySelector('#try input[type=range]'))"
        )
        assert page.evaluate(f"{CANVAS}.getAttribute('aria-label')") == "red 0.90, blue 0.40"
        command = page.evaluate("document.querySelector('#try pre').textContent")
        assert command == f"curl --data-binary @image.png {client.url}/detect"
        assert errors(page) == []
        assert all(each.startswith((client.url, "blob:")) for each in asked(page))


def test_boxes_are_drawn_where_the_objects_are(
    client: Client, browser: BrowserContext, tmp_path: Path
) -> None:
    file = tmp_path / "it's mine.png"
    picture().save(file)
    with visit(browser, f"{client.url}/") as page:
        page.set_input_files("#try input[type=file]", file)
        until(page, f"{SAID} === '1 object with a score of 0.50 or more'")
        command = page.evaluate("document.querySelector('#try pre').textContent")
        assert command.startswith("curl --data-binary '@it'\\''s mine.png' ")
        row = page.evaluate(
            f"(c => [...c.getContext('2d').getImageData(0, {(RED[1] + RED[3]) // 2}, "
            f"{WIDTH}, 1).data])({CANVAS})"
        )
        dull = [90, 90, 90, 255]
        outside = [i for i in range(WIDTH) if row[4 * i : 4 * i + 4] != dull]
        assert RED[0] - 5 <= min(outside) <= RED[0]
        assert RED[2] <= max(i for i in outside if i < BLUE[0] - 5) <= RED[2] + 5


def test_what_is_no_image_is_said(client: Client, browser: BrowserContext) -> None:
    with visit(browser, f"{client.url}/") as page:
        drop(page, png())
        until(page, f"{SAID}?.startsWith('1 object')")
        drop(page, b"no image")
        until(page, f"{SAID}?.includes('not an image')")
        assert page.evaluate(f"{CANVAS}") is None


def test_one_of_several_models_is_chosen(two: Client, browser: BrowserContext) -> None:
    with visit(browser, f"{two.url}/") as page:
        until(page, "!document.getElementById('model-field').hidden")
        page.evaluate(
            "(s => { s.value = 'two'; s.dispatchEvent(new Event('change')); })"
            "(document.getElementById('model'))"
        )
        drop(page, png())
        until(page, f"{SAID}?.startsWith('1 object')")
        assert "model=two" in page.evaluate("document.querySelector('#try pre').textContent")


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [360, 1440])
def test_it_suits_everybody(width: int, dark: bool, two: Client, browser: BrowserContext) -> None:
    with visit(browser, f"{two.url}/", width=width, dark=dark) as page:
        drop(page, png())
        until(page, f"{SAID}?.startsWith('1 object')")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert violations(page) == []


def test_a_browser_without_scripts_gets_the_words(client: Client) -> None:
    page = client.get("/")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "default-src 'self'" in page.headers["content-security-policy"]
    assert "needs JavaScript" in page.body.decode()
    for name in ("/page/main.js", "/web/page/try.js", "/web/page/base.css"):
        assert client.get(name).status == 200
    for name in ("/page/../app.py", "/page/%2e%2e%2fapp.py", "/page/none.js"):
        assert client.get(name).status == 404
