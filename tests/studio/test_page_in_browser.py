"""What the studio's page does when things go wrong, its last steps, and whom it suits."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from children import Scripted
from paging import (
    IMAGES,
    SIZE,
    Rect,
    address,
    as_floats,
    boxes,
    draw,
    draw_images,
    labeling,
    labels_of,
    opened,
    propose,
    rounded,
    saved,
    text,
    truth,
)
from served import Served, eventually, serving

from boxwright.errors import SystemFaultError
from boxwright.inference.run import Run
from boxwright.studio.store import LabeledBox, Labels, LabelStore
from browser import asked, errors, until, violations, visit

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Page


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("both", [(200, 100, 300, 200), (40, 30, 140, 110)]),
        ("mine", [(40, 30, 140, 110)]),
        ("theirs", [(200, 100, 300, 200)]),
    ],
)
def test_two_versions_of_labels(
    answer: str, expected: list[Rect], studio: Served, browser: BrowserContext
) -> None:
    with visit(browser, address(studio)) as page:
        opened(page, 0)
        theirs = LabeledBox("new-1", (200.0, 100.0, 300.0, 200.0), "square")

        def write(store: LabelStore) -> None:
            etag = store.read(0).etag
            store.write(0, Labels((theirs,), False, etag), etag)

        studio.studio.desk.wait_for(write)
        draw(page, truth(0))
        until(page, "document.querySelector('dialog .versions') !== null")
        assert "Yours: 1 box" in text(page, ".versions")
        page.click(f"dialog button[value={answer}]")
        saved(page)
        assert labels_of(studio)["0"] == [("square", rect) for rect in expected]
        assert boxes(page) == as_floats(*expected)
        other = truth(0) if answer == "theirs" else rounded(theirs.box)
        page.keyboard.press("Control+z")
        rows = "[...document.querySelectorAll('.boxes tbody tr')]"
        first = f"{rows}[0].querySelector('input').valueAsNumber"
        until(page, f"{rows}.length === 1 && {first} === {other[0]}")
        saved(page)
        assert labels_of(studio)["0"] == [("square", other)]


SLOW = """
  const asked = window.fetch;
  window.fetch = async (path, options) => {
    const answer = await asked(path, options);
    if (options.method !== "GET") await new Promise((resolve) => setTimeout(resolve, 400));
    return answer;
  };
  0
"""


def test_boxes_that_are_drawn_while_the_server_answers_stay(
    studio: Served, browser: BrowserContext
) -> None:
    first, second, third, fourth = (
        (10, 10, 60, 60),
        (80, 20, 140, 90),
        (200, 150, 300, 220),
        (10, 150, 60, 220),
    )
    with visit(browser, address(studio)) as page:
        opened(page, 0)
        index = min({1, 2} - studio.studio.desk.wait_for(lambda store: store.blind()))
        propose(studio, index, ("square", truth(0)))
        page.click(f"#row-{index}")
        opened(page, index)
        page.evaluate(SLOW)
        page.keyboard.press("e")
        page.keyboard.press("Backspace")
        until(page, "document.getElementById('saved').dataset.state === 'saving'")
        draw(page, first)
        draw(page, second)
        saved(page)
        assert boxes(page) == as_floats(first, second)
        draw(page, third)
        saved(page)
        page.keyboard.press("Control+z")
        until(page, "document.getElementById('saved').dataset.state === 'saving'")
        draw(page, fourth)
        until(page, "document.querySelectorAll('.boxes tbody tr').length === 3")
        saved(page)
        expected = (first, second, fourth)
        assert boxes(page) == as_floats(*expected)
        assert labels_of(studio) == {str(index): [("square", rect) for rect in expected]}
        assert errors(page) == []


def full(*_: object) -> None:
    raise SystemFaultError("BW902", "the disk is full.")


def test_edits_that_cannot_be_saved_stay(studio: Served, browser: BrowserContext) -> None:
    with visit(browser, address(studio)) as page:
        opened(page, 0)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(LabelStore, "write", full)
            draw(page, truth(0))
            until(page, "document.getElementById('saved').dataset.state === 'stuck'")
            assert "1 image not saved" in text(page, "#saved")
            assert "full" in text(page, ".notice.problem")
            page.keyboard.press("d")
            opened(page, 1)
            page.keyboard.press("a")
            opened(page, 0)
            assert boxes(page) == as_floats(truth(0))
        page.click("#saved button")
        saved(page)
        assert labels_of(studio) == {"0": [("square", truth(0))]}


def test_names_with_any_characters_are_text(tmp_path: Path, browser: BrowserContext) -> None:
    name = "<img src=x onerror=alert(1)>&quot; ü.jpg"
    label = "<b onclick=alert(1)>\"'&amp;"
    draw_images(tmp_path / "images", [name])
    with labeling(tmp_path / "images", label) as studio, visit(browser, address(studio)) as page:
        opened(page, 0)
        draw(page, truth(0))
        saved(page)
        assert text(page, "#name") == name
        assert text(page, "#row-0 .name") == name
        assert text(page, ".classes .name") == label
        page.keyboard.press("/")
        assert text(page, ".options li") == label
        page.keyboard.press("Escape")
        assert page.evaluate("document.querySelectorAll('main b[onclick], [onerror]').length") == 0
        assert list(labels_of(studio).values()) == [[(label, truth(0))]]
        assert errors(page) == []


def test_tabs_share_one_stream_of_events(studio: Served, browser: BrowserContext) -> None:
    with visit(browser, address(studio)) as first, visit(browser, address(studio)) as second:
        for page in (first, second):
            opened(page, 0)
        eventually(lambda: studio.studio.assistant.state["reason"])  # it says nothing later
        studio.studio.hub.tell("training", {"state": "training", "round": 3, "images": 12})
        for page in (first, second):
            until(page, "document.getElementById('assist').textContent.includes('round 3')")
        addresses = [url for page in (first, second) for url in asked(page)]
        assert len([url for url in addresses if url.endswith("/api/events")]) == 1
        with visit(browser, address(studio)) as third:
            until(third, "document.getElementById('assist').textContent.includes('round 3')")


def steps_of(page: Page, part: str, by: str) -> str:
    """What a part of the last steps says once it is done."""
    button = f"#finish-{part} button.main"
    until(page, f"!document.querySelector('{button}').disabled")
    if by == "keys":
        while not page.evaluate(f"document.activeElement.matches('{button}')"):
            page.keyboard.press("Tab")
        page.keyboard.press("Enter")
    else:
        page.click(button)
    for words in ("boxwright", "Written"):
        said = f"document.querySelector('#finish-{part} .output').textContent"
        until(page, f"{said}.includes('{words}')")
    return text(page, f"#finish-{part} .output")


@pytest.mark.parametrize("by", ["mouse", "keys"])
def test_the_last_steps_show_their_commands_and_curves(
    by: str, tmp_path: Path, browser: BrowserContext
) -> None:
    draw_images(tmp_path / "images", ["0.jpg"])
    losses = [{"state": "running", "step": step, "loss": 3 / step} for step in (1, 2, 3)]
    found = [{"box": truth(0), "label": "square", "score": score} for score in (0.9, 0.2)]
    measured = {"state": "running", "step": 3, "ap50": 0.5}
    children = Scripted(
        [*losses, measured, {"state": "done", "result": "run", "text": "Trained."}],
        [{"state": "done", "result": "run/detector.tflite"}],
        [{"state": "done", "width": SIZE[0], "height": SIZE[1], "boxes": found}],
    )
    with serving(lambda: LabelStore.open(tmp_path / "images", ("square",)), children) as studio:
        Run(tmp_path / "images-run").folder.mkdir()
        with pytest.MonkeyPatch.context() as patch, visit(browser, address(studio)) as page:
            patch.setattr(Run, "exists", lambda run: run.folder.exists())
            opened(page, 0)
            eventually(lambda: studio.studio.hub._listeners)  # or it would get only the last event
            page.keyboard.press("Alt+3")
            said = steps_of(page, "train", by)
            assert re.match(r"boxwright train \S+images --budget 2m --out \S+images-run-2", said)
            assert page.evaluate("document.querySelectorAll('#finish-train svg .line').length") == 2
            page.evaluate("document.getElementById('export-to').value = 'tflite'")
            assert "--to tflite" in steps_of(page, "export", by)
            assert [each["work"] for each in children.requests] == ["train", "export"]
            try_image(page, tmp_path / "images" / "0.jpg")
            assert "boxwright predict" in text(page, "#try .output")
            assert "1 object with a score of 0.50 or more" in text(page, "#try .output")
            assert page.evaluate("document.querySelector('.tried canvas').width") == SIZE[0]
            assert errors(page) == []


def try_image(page: Page, path: Path) -> None:
    """Choose a file in the page."""
    page.set_input_files("#try input[type=file]", path)
    until(page, "document.querySelector('.tried canvas') !== null")


VIEWS = {"label": "Alt+1", "review": "Alt+2", "finish": "Alt+3"}


@pytest.mark.parametrize(
    ("width", "dark"), [(360, True), (820, False), (1440, True), (1440, False)]
)
def test_every_view_fits_and_is_accessible(
    width: int, dark: bool, studio: Served, browser: BrowserContext
) -> None:
    blind = studio.studio.desk.wait_for(lambda store: store.blind())
    index = min(set(range(1, IMAGES)) - blind)
    propose(studio, index, ("circle", (2, 2, 32, 22)))
    with visit(browser, address(studio), width=width, dark=dark) as page:
        opened(page, 0)
        draw(page, truth(0))
        saved(page)
        for name, key in VIEWS.items():
            page.keyboard.press(key)
            until(page, f"document.body.dataset.view === '{name}'")
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            assert violations(page) == []
        page.keyboard.press("Alt+1")
        page.keyboard.press("Shift+?")
        assert violations(page) == []
        assert errors(page) == []
