"""The browser of the tests hears what a page does wrong, and says why it is not there."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import browser as pages
import system_libraries
from browser import asked, errors, launched, until, visit

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext

WRONG = """<!doctype html><title>wrong</title><script>
console.error("said");
fetch("http://127.0.0.1:9/asked").catch(() => 0);
nowhere();
</script>"""


def test_errors_and_requests_are_heard(browser: BrowserContext, tmp_path: Path) -> None:
    file = tmp_path / "page.html"
    file.write_text(WRONG, encoding="utf-8")
    with visit(browser, file.as_uri()) as page:
        assert page.evaluate("document.title") == "wrong"
        assert asked(page) == [file.as_uri(), "http://127.0.0.1:9/asked"]
        said = " ".join(errors(page))
    assert "said" in said
    assert "nowhere is not defined" in said


def test_what_a_window_shows(browser: BrowserContext, tmp_path: Path) -> None:
    file = tmp_path / "page.html"
    file.write_text("<!doctype html><p>small</p>", encoding="utf-8")
    with visit(browser, file.as_uri(), width=360) as page:
        assert page.evaluate("innerWidth") == 360
        assert page.screenshot().startswith(b"\x89PNG")
        page.keyboard.press("Tab")


def test_what_never_comes_true_is_told_with_the_errors(
    browser: BrowserContext, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages, "PATIENCE", 0)
    file = tmp_path / "page.html"
    file.write_text(WRONG, encoding="utf-8")
    with visit(browser, file.as_uri()) as page:
        until(page, "document.title === 'wrong'")
        with pytest.raises(AssertionError, match=r"never true: 1 === 2; errors: .*said"):
            until(page, "1 === 2")


def test_a_dialog_of_the_browser_is_a_fault(browser: BrowserContext, tmp_path: Path) -> None:
    file = tmp_path / "page.html"
    file.write_text("<!doctype html><img src=none onerror=alert('hostile')>", encoding="utf-8")
    with (
        pytest.raises(AssertionError, match="hostile"),
        visit(browser, file.as_uri()) as page,
    ):
        until(page, "document.images[0].complete")


def test_without_chromium_or_playwright_tests_are_skipped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "playwright.sync_api", None)
    for found, said in (
        (None, "there is no Chromium; make libraries installs it, or says how"),
        ("/opt/chrome", "there is no Playwright; make dev installs it"),
    ):
        monkeypatch.setattr(system_libraries, "program", {"chromium": found}.get)
        with pytest.raises(pytest.skip.Exception, match=said), launched():
            pass
