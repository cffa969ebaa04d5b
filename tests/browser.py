"""Pages in a headless Chromium of this machine, which Playwright drives; nothing is downloaded.

The fixture `browser` of a test gives a window, and `visit` a page as Playwright has it:

    with visit(browser, address, width=360, dark=True) as page:
        assert page.title() == "Boxwright"
        assert errors(page) == []
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import pytest

import system_libraries

if TYPE_CHECKING:  # where there is no Playwright, tests are skipped
    from playwright.sync_api import BrowserContext, Dialog, Page

AXE = Path(__file__).parent / "studio" / "page" / "node_modules" / "axe-core" / "axe.min.js"
PATIENCE = 60  # seconds
REMEMBERED = 90  # requests or messages, of which Playwright forgets none
T = TypeVar("T")


@contextmanager
def launched() -> Iterator[BrowserContext]:
    """A window of a Chromium; skips the test if there is none.

    Until it is closed, an event loop runs in this thread, and `asyncio.run` does not.
    """
    chromium = system_libraries.program("chromium")
    if chromium is None:
        pytest.skip("there is no Chromium; make libraries installs it, or says how")
    playwright = pytest.importorskip(
        "playwright.sync_api",
        reason="there is no Playwright; make dev installs it where it has a wheel for the system",
        exc_type=ImportError,
    )
    with (
        playwright.sync_playwright() as started,
        started.chromium.launch_persistent_context(
            "", executable_path=chromium, args=["--disable-gpu"]
        ) as window,  # every other one would take half a second of processor
    ):
        window.set_default_timeout(1000 * PATIENCE)
        yield window


@contextmanager
def visit(
    browser: BrowserContext,
    address: str,
    *,
    width: int = 1440,
    dark: bool = False,
    javascript: bool = True,
) -> Iterator[Page]:
    """An address in a tab of `width` x 900 pixels, once it has loaded."""
    page, alerts = browser.new_page(), list[str]()

    def dismiss(dialog: Dialog) -> None:
        alerts.append(dialog.message)
        dialog.dismiss()

    page.on("dialog", dismiss)
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme="dark" if dark else "light")
    if not javascript:  # Playwright has it for whole windows
        devtools = browser.new_cdp_session(page)
        devtools.send("Emulation.setScriptExecutionDisabled", {"value": True})
    page.goto(address)
    try:
        yield page
    finally:
        page.close()
    assert not alerts, f"the page opened dialogs of the browser: {alerts}"


def errors(page: Page) -> list[str]:
    """Warnings and errors on the console of a page, and exceptions."""
    said = _every(page.console_messages(filter="all"))
    raised = _every(page.page_errors(filter="all"))
    wrong = [each.text for each in said if each.type in {"warning", "error", "assert"}]
    return [*wrong, *map(str, raised)]


def asked(page: Page) -> list[str]:
    """The addresses that a page asked for, without data in the page itself."""
    return [each.url for each in _every(page.requests())]


def _every(remembered: list[T]) -> list[T]:
    assert len(remembered) <= REMEMBERED, "Playwright may have forgotten the first ones"
    return remembered


def until(page: Page, script: str) -> None:
    """Wait until a JavaScript expression is true.

    Playwright's own function calls `eval` in the page, which our policies for pages forbid.
    """
    end = time.monotonic() + PATIENCE
    while not page.evaluate(f"!!({script})"):
        assert time.monotonic() < end, f"never true: {script}; errors: {errors(page)}"
        time.sleep(0.02)


def press_and_move(page: Page, *points: tuple[float, float]) -> None:
    """Press the mouse at the first point of the window and release it at the last one."""
    first, *rest = points
    page.mouse.move(*first)
    page.mouse.down()
    for point in rest:
        page.mouse.move(*point)
    page.mouse.up()


def violations(page: Page) -> list[str]:
    """What axe-core finds that is serious; nothing where npm has not installed it."""
    if not AXE.is_file():
        return []
    page.evaluate(AXE.read_text(encoding="utf-8") + ";0")
    found: list[str] = page.evaluate(
        "axe.run({resultTypes: ['violations']}).then(result => result.violations"
        ".filter(each => ['serious', 'critical'].includes(each.impact))"
        ".map(each => `${each.id}: ${each.nodes.map(node => node.html).join(' ')}`))"
    )
    return found
