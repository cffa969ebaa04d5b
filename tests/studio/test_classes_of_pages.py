"""Pages hear of edits of classes, and none saves boxes of a class that is gone."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from label_samples import put_sample
from paging import address, boxes, draw, labels_of, opened, saved, text, truth
from requesting import BOX
from served import Served, serving

from boxwright.studio.store import LabelStore
from browser import errors, until, visit

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Page

ACTS: dict[str, tuple[dict[str, str], list[Any]]] = {  # and what pages are told
    "rename": ({"action": "rename", "name": "cat", "to": "kitty"}, ["cat", "kitty"]),
    "merge": ({"action": "merge", "name": "cat", "to": "dog"}, ["cat", "dog"]),
    "delete": ({"action": "delete", "name": "cat"}, ["cat", None]),
}
CLASSES = "[...document.querySelectorAll('.classes .name')].map(each => each.textContent).join()"


def change(served: Served, body: dict[str, Any]) -> Any:
    answer = served.ask("POST", "/api/classes", body)
    assert answer.status == 200, answer.body
    return answer.json


def told(served: Served, name: str) -> list[bytes]:
    """The events of this kind."""
    return [
        event for event in served.studio.hub.after(0)[1] if f"event: {name}\n".encode() in event
    ]


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize("form", ["voc", "yolo", "coco"])
def test_a_page_that_knows_the_old_classes_saves_nothing(
    form: str, act: str, tmp_path: Path
) -> None:
    put_sample(tmp_path, form)
    body, move = ACTS[act]
    with serving(partial(LabelStore.open, tmp_path)) as served:
        known = [served.get(f"/api/images/{index}") for index in range(3)]
        after = change(served, body)
        assert after["moves"] == [move]
        for image in known:
            path, tag = f"/api/images/{image['index']}", {"If-Match": image["etag"]}
            sent = {"boxes": [*image["boxes"], BOX], "verified": False}
            late = served.ask("PUT", path, sent, tag)
            assert late.status == 412
            assert late.json["theirs"] == served.get(path)
            assert {name: late.json[name] for name in ("classes", "moves")} == {
                name: after[name] for name in ("classes", "moves")
            }
            assert served.ask("POST", f"{path}/history", sent, tag).status == 412
        assert served.get("/api/rows")["classes"] == after["classes"]
        now = served.get("/api/images/2")
        undone = change(served, {"action": "undo"})
        assert len(undone["moves"]) == 2
        tag = {"If-Match": now["etag"]}
        assert served.ask("PUT", "/api/images/2", {"boxes": [BOX]}, tag).status == 412


def test_pages_are_told_of_edits_of_classes_and_not_of_previews(served: Served) -> None:
    change(served, {**ACTS["rename"][0], "preview": True})
    assert told(served, "classes") == []
    change(served, ACTS["rename"][0])
    change(served, {"action": "undo"})
    change(served, {"action": "add", "name": "owl"})
    found = [event.partition(b"data: ")[2].strip() for event in told(served, "classes")]
    assert found == [
        b'{"classes": ["kitty", "dog"], "moves": [["cat", "kitty"]]}',
        b'{"classes": ["cat", "dog"], "moves": [["cat", "kitty"], ["kitty", "cat"]]}',
        b'{"classes": ["cat", "dog", "owl"], "moves": [["cat", "kitty"], ["kitty", "cat"]]}',
    ]


@pytest.fixture
def second(studio: Served, page: Page, browser: BrowserContext) -> Iterator[Page]:
    """Another tab, with the image 0, which has a square, and the next one."""
    draw(page, truth(0))
    saved(page)
    with visit(browser, address(studio)) as second:
        opened(second, 0)
        until(second, "document.querySelector('.row .name')?.textContent === '0.jpg'")
        yield second
        assert all("412" in error for error in errors(second))


def test_another_tab_shows_the_new_classes_and_draws_with_them(
    studio: Served, second: Page
) -> None:
    for body, classes in (
        ({"action": "rename", "name": "square", "to": "rectangle"}, "rectangle,circle"),
        ({"action": "undo"}, "square,circle"),
        ({"action": "rename", "name": "square", "to": "box"}, "box,circle"),
    ):
        change(studio, body)
        until(second, f"{CLASSES} === '{classes}'")
        until(second, f"document.querySelector('.boxes').textContent.includes('{classes[:3]}')")
    draw(second, (10, 150, 60, 200))
    saved(second)
    second.keyboard.press("d")
    opened(second, 1)
    draw(second, truth(1))
    saved(second)
    assert labels_of(studio) == {
        "0": [("box", truth(0)), ("box", (10, 150, 60, 200))],
        "1": [("box", truth(1))],
    }
    assert text(second, "#notices") == ""


def test_an_edit_of_another_tab_gets_the_new_class(studio: Served, second: Page) -> None:
    """Before an event tells of it."""
    studio.studio.desk.wait_for(lambda store: store.class_edits.move("square", "box"))
    draw(second, (10, 150, 60, 200))
    saved(second)
    assert labels_of(studio)["0"] == [("box", truth(0)), ("box", (10, 150, 60, 200))]
    assert len(boxes(second)) == 2
    assert second.evaluate(CLASSES) == "box,circle"


def test_a_box_of_a_class_that_was_deleted_is_asked_about(studio: Served, second: Page) -> None:
    studio.studio.desk.wait_for(lambda store: store.class_edits.move("square", None))
    draw(second, (10, 150, 60, 200))
    until(second, "document.querySelector('dialog .versions') !== null")
    assert labels_of(studio) == {}
    second.click("dialog button.main")
    saved(second)
    assert labels_of(studio)["0"] == [("square", (10, 150, 60, 200))]
