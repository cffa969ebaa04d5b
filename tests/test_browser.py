"""The browser of the tests hears what a page does wrong."""

from __future__ import annotations

from pathlib import Path

from browser import Browser

WRONG = """<!doctype html><title>wrong</title><script>
console.error("said");
fetch("http://127.0.0.1:9/asked").catch(() => 0);
nowhere();
</script>"""


def test_errors_and_requests_are_heard(browser: Browser, tmp_path: Path) -> None:
    file = tmp_path / "page.html"
    file.write_text(WRONG, encoding="utf-8")
    with browser.page(file.as_uri()) as page:
        assert page.run("document.title") == "wrong"
        assert page.requests == [file.as_uri(), "http://127.0.0.1:9/asked"]
        said = " ".join(page.errors)
    assert "said" in said
    assert "nowhere is not defined" in said


def test_what_a_window_shows(browser: Browser, tmp_path: Path) -> None:
    file = tmp_path / "page.html"
    file.write_text("<!doctype html><p>small</p>", encoding="utf-8")
    with browser.page(file.as_uri(), width=360) as page:
        assert page.run("innerWidth") == 360
        assert page.screenshot().startswith(b"\x89PNG")
        page.press("Tab")
