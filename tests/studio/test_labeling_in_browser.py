"""Labeling in the studio's page, by real events of mouse, keys and fingers, on the real server."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from paging import (
    IMAGES,
    PICTURE,
    SIZE,
    Rect,
    address,
    as_floats,
    boxes,
    drag,
    draw,
    draw_images,
    labeling,
    labels_of,
    opened,
    propose,
    saved,
    text,
    truth,
)
from PIL import Image
from served import Served, serving

from boxwright.studio.store import LabelStore
from browser import errors, until, visit

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Page


def test_boxes_are_drawn_changed_and_undone_by_mouse(studio: Served, page: Page) -> None:
    draw(page, truth(0))
    assert boxes(page) == as_floats((40, 30, 140, 110))
    saved(page)
    assert labels_of(studio) == {"0": [("square", (40, 30, 140, 110))]}
    drag(page, (90, 70), (100, 80))  # moves it; what follows soon is the same edit
    drag(page, (150, 120), (170, 130))  # its corner
    assert boxes(page) == as_floats((50, 40, 170, 130))
    saved(page)
    page.click(".classes li:nth-child(2) button")
    saved(page)
    assert labels_of(studio) == {"0": [("circle", (50, 40, 170, 130))]}
    page.click("[data-action=undo]")
    until(page, "document.querySelector('.boxes select').value === 'square'")
    page.click("[data-action=undo]")
    until(page, "document.querySelector('.boxes input').valueAsNumber === 40")
    page.click("[data-action=redo]")
    until(page, "document.querySelector('.boxes input').valueAsNumber === 50")
    saved(page)
    page.click("[data-action=extreme]")
    for point in ((220, 150), (200, 170), (260, 165), (230, 200)):
        drag(page, point)
    assert boxes(page)[1:] == as_floats((200, 150, 260, 200))
    page.click(".boxes tbody tr:nth-child(2) button")
    page.click("[data-action=verify]")
    page.click("[data-action=next]")
    opened(page, 1)
    assert "1 of 10 images labeled" in text(page, "#images")
    assert labels_of(studio) == {"0": [("square", (50, 40, 170, 130))]}


def test_ten_images_are_labeled_by_keys_alone(studio: Served, page: Page) -> None:
    page.evaluate(
        "window.pointed = 0;"
        "for (const kind of ['pointerdown', 'mousedown', 'click'])"
        " addEventListener(kind, event => { if (event.detail) pointed += 1; }, true)"
    )
    for number in range(IMAGES):
        opened(page, number)
        by_keys(page, (SIZE[0] // 2, SIZE[1] // 2), truth(number))
        if number == 3:
            by_keys(page, truth(3)[2:], (2, 2, 32, 22))
        page.keyboard.press(" ")
        saved(page)
        if number + 1 < IMAGES:
            page.keyboard.press("d")
    labels = labels_of(studio)
    assert sum(map(len, labels.values())) == IMAGES + 1
    for number in range(IMAGES):
        assert labels[str(number)][0] == ("square", truth(number))
    page.keyboard.press("e")
    page.keyboard.press("2")
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    press(page, "Alt", "ArrowDown", 2)
    page.keyboard.press("Control+d")
    page.keyboard.press("Delete")
    saved(page)
    x1, y1, x2, y2 = truth(9)
    assert labels_of(studio)["9"] == [("circle", (x1 + 3, y1, x2 + 3, y2 + 2))]
    for _ in range(8):  # on a busy machine, the keys are several edits
        if boxes(page) != as_floats(truth(9)):
            page.keyboard.press("Control+z")
            saved(page)
    assert boxes(page) == as_floats(truth(9))
    assert page.evaluate("pointed") == 0


def by_keys(page: Page, at: tuple[int, int], rect: Rect) -> None:
    """Draw a box by keys, from where the cross is."""
    x, y = at
    page.keyboard.press("w")
    for to_x, to_y in (rect[:2], rect[2:]):
        move_cross(page, "ArrowRight" if to_x > x else "ArrowLeft", abs(to_x - x))
        move_cross(page, "ArrowDown" if to_y > y else "ArrowUp", abs(to_y - y))
        page.keyboard.press("Enter")
        x, y = to_x, to_y


def move_cross(page: Page, arrow: str, pixels: int) -> None:
    """Shift and an arrow move it by 50 pixels of the screen, Alt and an arrow by one of the
    image."""
    scale = page.evaluate(f"{PICTURE}.getBoundingClientRect().width") / SIZE[0]
    far, near = divmod(pixels, round(50 / scale))
    press(page, "Shift", arrow, far)
    press(page, "Alt", arrow, near)


def press(page: Page, held: str, key: str, times: int) -> None:
    page.keyboard.down(held)
    for _ in range(times):
        page.keyboard.press(key)
    page.keyboard.up(held)


def test_proposals_are_accepted_taken_over_and_rejected(studio: Served, page: Page) -> None:
    blind = studio.studio.desk.wait_for(lambda store: store.blind())
    first, second, third, *_ = (index for index in range(1, IMAGES) if index not in blind)
    propose(studio, first, ("square", truth(first)), ("circle", (2, 2, 32, 22)))
    propose(studio, second, ("square", truth(second)), ("circle", (2, 2, 32, 22)))
    propose(studio, third, ("square", truth(third)))
    page.click(f"#row-{first}")
    opened(page, first)
    assert text(page, "#offer span").startswith("2 proposals")
    propose(studio, first, ("circle", (200, 100, 300, 200)))  # not shown: the image is open
    studio.studio.hub.tell("proposals", {"counts": [[first, 1]]})
    page.keyboard.press("Enter")
    until(page, f"document.body.dataset.open !== '{first}'")
    assert labels_of(studio)[str(first)] == [
        ("square", truth(first)),
        ("circle", (2, 2, 32, 22)),
    ]
    page.click(f"#row-{second}")
    opened(page, second)
    x1, y1, x2, y2 = truth(second)
    drag(page, (x1 + 50, y1 + 40), (x1 + 53, y1 + 40))  # makes it a box
    assert boxes(page) == as_floats((x1 + 3, y1, x2 + 3, y2))
    page.keyboard.press("e")
    page.keyboard.press("Backspace")
    until(page, "document.getElementById('offer').hidden")
    saved(page)
    assert labels_of(studio)[str(second)] == [("square", (x1 + 3, y1, x2 + 3, y2))]
    assert studio.studio.desk.wait_for(lambda store: store.journal.proposals(second)) == ()
    page.click(f"#row-{third}")
    opened(page, third)
    page.keyboard.press("e")
    page.keyboard.press("Backspace")
    until(page, "document.getElementById('offer').hidden")
    page.keyboard.press("Control+z")
    until(page, "!document.getElementById('offer').hidden")
    saved(page)
    page.click("#offer button")
    until(page, f"document.body.dataset.open !== '{third}'")
    assert labels_of(studio)[str(third)] == [("square", truth(third))]


def test_test_images_are_labeled_blind_with_a_sign(studio: Served, page: Page) -> None:
    blind = studio.studio.desk.wait_for(lambda store: store.blind())
    for index in (min(blind), min(set(range(IMAGES)) - blind)):
        propose(studio, index, ("square", truth(index)))
        page.click(f"#row-{index}")
        opened(page, index)
        assert page.evaluate("document.getElementById('blind').hidden") is (index not in blind)
        assert page.evaluate("document.getElementById('offer').hidden") is (index in blind)


def test_the_first_box_asks_for_a_new_class(tmp_path: Path, browser: BrowserContext) -> None:
    draw_images(tmp_path / "images", ["0.jpg"])
    with labeling(tmp_path / "images") as studio, visit(browser, address(studio)) as page:
        opened(page, 0)
        draw(page, truth(0))
        page.keyboard.insert_text("raccoon")
        page.keyboard.press("Enter")
        until(page, "document.querySelectorAll('.boxes tbody tr').length === 1")
        saved(page)
        assert labels_of(studio) == {"0": [("raccoon", truth(0))]}
        assert errors(page) == []


def test_fingers_draw_and_enlarge(studio: Served, page: Page) -> None:
    devtools = page.context.new_cdp_session(page)  # Playwright has one finger, which only taps

    def touch(kind: str, *points: tuple[float, float]) -> None:
        fingers = [{"x": x, "y": y, "id": number} for number, (x, y) in enumerate(points)]
        devtools.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": fingers})

    left, top, width, height = page.evaluate(
        "(r => [r.x, r.y, r.width, r.height])"
        "(document.getElementById('stage').getBoundingClientRect())"
    )
    x, y = left + width / 2, top + height / 2
    touch("touchStart", (x, y))
    touch("touchMove", (x + 60, y + 60))
    touch("touchEnd")
    assert len(boxes(page)) == 1
    before = page.evaluate(f"{PICTURE}.getBoundingClientRect().width")
    touch("touchStart", (x - 40, y))
    touch("touchStart", (x - 40, y), (x + 40, y))
    touch("touchMove", (x - 80, y), (x + 80, y))
    touch("touchEnd")
    after = page.evaluate(f"{PICTURE}.getBoundingClientRect().width")
    assert after == pytest.approx(2 * before, rel=0.02)
    assert len(boxes(page)) == 1


STORED = {  # EXIF orientation -> how its pixels are stored
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


def test_boxes_agree_with_turned_images(tmp_path: Path, browser: BrowserContext) -> None:
    folder = tmp_path / "images"
    draw_images(folder, ["1.jpg"])
    with Image.open(folder / "1.jpg") as upright:
        for orientation, stored in STORED.items():
            exif = Image.Exif()
            exif[0x0112] = orientation
            upright.transpose(stored).save(folder / f"{orientation}.jpg", exif=exif)
    with labeling(folder, "square") as studio, visit(browser, address(studio)) as page:
        for index in range(8):
            opened(page, index)
            assert page.evaluate(f"[{PICTURE}.naturalWidth, {PICTURE}.naturalHeight]") == list(SIZE)
            draw(page, truth(0))
            saved(page)
            x1, y1, x2, y2 = truth(0)
            inside = page.evaluate(COLOR % ((x1 + x2) // 2, (y1 + y2) // 2))
            outside = page.evaluate(COLOR % (x2 + 20, y2 + 20))
            assert inside[0] > 200 > 130 > outside[0], index
            page.keyboard.press("d")
        assert set(map(tuple, labels_of(studio).values())) == {(("square", truth(0)),)}


COLOR = f"""
(() => {{
  const canvas = Object.assign(document.createElement("canvas"), {{width: 320, height: 240}});
  const context = canvas.getContext("2d");
  context.drawImage({PICTURE}, 0, 0);
  return [...context.getImageData(%d, %d, 1, 1).data];
}})()
"""


def test_keys_of_another_tool_stay_chosen(
    studio: Served, page: Page, browser: BrowserContext
) -> None:
    page.keyboard.press("Shift+?")
    page.keyboard.press("ArrowDown")  # from LabelImg to VoTT
    page.keyboard.press("Escape")
    page.keyboard.press("s")
    opened(page, 1)
    page.keyboard.press("w")
    opened(page, 0)
    with visit(browser, address(studio)) as another:
        opened(another, 0)
        another.keyboard.press("s")
        opened(another, 1)


def test_keys_of_a_file_replace_others(tmp_path: Path, browser: BrowserContext) -> None:
    draw_images(tmp_path / "images", ["0.jpg", "1.jpg"])
    open_store = partial(LabelStore.open, tmp_path / "images")
    own = {"next": ["J"], "jump": ["y"]}
    with serving(open_store, keys=own) as studio, visit(browser, address(studio)) as page:
        opened(page, 0)
        until(page, "document.getElementById('notices').textContent.includes('jump')")
        page.keyboard.press("d")
        page.keyboard.press("j")
        opened(page, 1)
        assert errors(page) == []


def test_accepted_findings_are_remembered(
    studio: Served, page: Page, browser: BrowserContext
) -> None:
    for _ in range(2):  # the same box twice
        page.keyboard.press("w")
        draw(page, truth(0))
    saved(page)
    done = "document.querySelectorAll('.findings .done').length"
    page.keyboard.press("Alt+2")
    until(page, "document.querySelector('.findings button[aria-current=true]') !== null")
    assert page.evaluate(done) == 0
    page.keyboard.press("Enter")
    until(page, f"{done} === 1")
    with visit(browser, address(studio)) as another:
        opened(another, 0)
        another.keyboard.press("Alt+2")
        until(another, f"{done} === 1")


def test_classes_are_renamed_and_deleted_everywhere_and_back(studio: Served, page: Page) -> None:
    for index in (0, 1):
        opened(page, index)
        draw(page, truth(index))
        saved(page)
        page.keyboard.press("d")
    page.click("#classes .buttons button:last-child")
    page.click(".managed li:nth-child(1) input")
    page.keyboard.press("Control+a")
    page.keyboard.insert_text("rectangle")
    page.keyboard.press("Enter")
    until(page, "document.querySelectorAll('dialog').length === 2")
    assert "2 boxes in 2 images will change" in text(page, "dialog:last-of-type")
    page.keyboard.press("Enter")
    until(page, "document.querySelector('.classes .name').textContent === 'rectangle'")
    assert labels_of(studio)["1"] == [("rectangle", truth(1))]
    page.click("dialog .answers button")  # undo
    until(page, "document.querySelector('.classes .name').textContent === 'square'")
    assert labels_of(studio)["1"] == [("square", truth(1))]


def test_images_are_searched_and_set_aside(studio: Served, page: Page) -> None:
    shown = "[...document.querySelectorAll('.row .name')].map(each => each.textContent).join()"
    page.keyboard.press("Control+p")
    page.keyboard.insert_text("7")
    until(page, f"{shown} === '7.jpg'")
    page.keyboard.press("Enter")
    opened(page, 7)
    page.keyboard.press("Escape")
    page.keyboard.press("Shift+s")
    until(page, "document.querySelector('.row').classList.contains('aside')")
    assert studio.studio.desk.wait_for(lambda store: store.rows(7, 1)[0].state) == "aside"
    page.keyboard.press("Shift+s")
    until(page, "document.querySelector('.row').classList.contains('new')")
    assert studio.studio.desk.wait_for(lambda store: store.rows(7, 1)[0].state) == "new"


def test_what_was_set_aside_is_taken_back_by_undo(studio: Served, page: Page) -> None:
    def state() -> str:
        return studio.studio.desk.wait_for(lambda store: store.state(0))

    page.keyboard.press("d")
    opened(page, 1)
    draw(page, truth(1))
    saved(page)
    page.keyboard.press("a")
    for take_back in (
        lambda: page.keyboard.press("Control+z"),
        lambda: page.click(".notice:has(.small:nth-child(3)) .small"),
    ):
        opened(page, 0)
        page.keyboard.press("Shift+s")
        opened(page, 1)
        assert state() == "aside"
        take_back()
        opened(page, 0)
        assert state() == "new"
    assert labels_of(studio) == {"1": [("square", truth(1))]}
