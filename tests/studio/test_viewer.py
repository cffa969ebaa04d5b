"""The studio where labels are only shown, as `boxwright tfod main.py visualizer` opens it."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from children import Scripted
from paging import address, boxes, drag, draw_images, opened
from served import Served, eventually, serving

from boxwright.studio.app import PAGE
from boxwright.studio.store import LabelStore
from browser import asked, errors, until, visit
from folders import VocFolder
from misbehaving import files_in

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Page

CHANGES = [
    ("PUT", "/api/images/0"),
    ("POST", "/api/images/0/undo"),
    ("POST", "/api/images/0/redo"),
    ("POST", "/api/images/0/aside"),
    ("POST", "/api/images/0/history"),
    ("POST", "/api/review"),
    ("POST", "/api/classes"),
    ("POST", "/api/current"),
    ("POST", "/api/keys"),
    ("POST", "/api/finish/train"),
    ("POST", "/api/finish/export"),
    ("POST", "/api/finish/report"),
    ("POST", "/api/try"),
]
NAMES = [f"{number:016x}" for number in range(3)]
BOTH = NAMES[1]  # of an image with both classes, which the ToolKit downloads twice


def labeled(folder: Path, image: str, *lines: str) -> None:
    place = folder / "Label" / f"{image}.txt"
    place.parent.mkdir(exist_ok=True)
    place.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    """The ToolKit's folders: two images of apples, one of them also of an orange; one image whose
    labels are not there."""
    root = tmp_path / "OID" / "Dataset"
    apples, oranges = (root / "validation" / name for name in ("Apple", "Orange"))
    apples.parent.mkdir(parents=True)
    draw_images(apples, [f"{name}.jpg" for name in NAMES])
    oranges.mkdir()
    shutil.copy(apples / f"{BOTH}.jpg", oranges)
    labeled(apples, NAMES[0], "Apple 40.0 30.0 140.0 110.0")
    labeled(apples, BOTH, "Apple 50.5 35.0 150.0 115.0")
    labeled(oranges, BOTH, "Orange 1.0 2.0 31.0 42.0")
    return root


@pytest.fixture
def viewer(dataset: Path) -> Iterator[Served]:
    open_store = partial(LabelStore.open, dataset, format="openimages", read_only=True)
    with serving(open_store) as viewer:
        yield viewer


def visible(page: Page) -> set[str]:
    """The actions whose buttons are seen."""
    found: list[str] = page.evaluate(
        "[...document.querySelectorAll('button[data-action]')]"
        ".filter(each => each.checkVisibility()).map(each => each.dataset.action)"
    )
    return set(found)


def test_the_labels_of_the_folders_are_shown_and_nothing_is_written(
    dataset: Path, viewer: Served
) -> None:
    folder = viewer.get("/api/folder")
    assert (folder["read_only"], folder["keys"], folder["images"]) == (True, "viewing", 3)
    assert sorted(folder["classes"]) == ["Apple", "Orange"]
    rows = viewer.get("/api/rows")["rows"]
    assert [row["name"] for row in rows] == [f"validation/Apple/{name}.jpg" for name in NAMES]
    assert [row["boxes"] for row in rows] == [1, 2, 0]
    image = viewer.get("/api/images/1")
    assert {(box["label"], *box["box"]) for box in image["boxes"]} == {
        ("Apple", 50.5, 35.0, 150.0, 115.0),
        ("Orange", 1.0, 2.0, 31.0, 42.0),
    }
    viewer.get("/api/review")
    assert {Path(name).suffix for name in files_in(dataset)} == {".jpg", ".txt"}
    assert len(files_in(dataset)) == 4 + 3


@pytest.mark.parametrize(("method", "path"), CHANGES)
def test_every_change_is_refused(dataset: Path, viewer: Served, method: str, path: str) -> None:
    before = {name: (dataset / name).read_bytes() for name in files_in(dataset)}
    etag = viewer.get("/api/images/0")["etag"]
    body = {"boxes": [], "verified": True, "aside": True, "action": "add", "name": "x"}
    body |= {"preset": "vott", "index": 2, "budget": "1m", "to": "onnx"}
    answer = viewer.ask(method, path, body, {"If-Match": etag})
    assert (answer.status, answer.json["code"]) == (403, "BW185")
    assert {name: (dataset / name).read_bytes() for name in files_in(dataset)} == before


def test_the_table_has_every_change() -> None:
    """Each request of the page that is not a read is tried above, but for the end."""
    source = (PAGE.parent / "app.py").read_text(encoding="utf-8").partition("changes = [")[2]
    listed = source.partition("]\n    if")[0].count("Route(")
    assert listed == len(CHANGES)


def test_labels_that_are_edited_have_no_end_in_the_page(studio: Served) -> None:
    assert studio.ask("POST", "/api/quit", {}).status == 404


def test_the_keys_of_the_toolkit(viewer: Served, browser: BrowserContext) -> None:
    """d is the next image, a the previous one, and q the end."""
    with visit(browser, address(viewer)) as page:
        opened(page, 0)
        assert boxes(page) == [[40, 30, 140, 110]]
        page.keyboard.press("d")
        opened(page, 1)
        assert sorted(boxes(page)) == [[1, 2, 31, 42], [50.5, 35, 150, 115]]
        page.keyboard.press("d")
        page.keyboard.press("d")
        opened(page, 2)
        page.keyboard.press("a")
        opened(page, 1)
        for key in ("w", "Delete", " ", "Control+z", "1", "Enter", "Control+v"):
            page.keyboard.press(key)
        drag(page, (10, 10), (90, 90))
        assert sorted(boxes(page)) == [[1, 2, 31, 42], [50.5, 35, 150, 115]]
        assert page.evaluate("document.querySelectorAll('.notice.problem, dialog').length") == 0
        assert visible(page) == {
            "previous",
            "next",
            "zoom-out",
            "fit",
            "zoom-in",
            "hide",
            "help",
            "quit",
        }
        assert (
            page.evaluate(
                "document.querySelectorAll('#panels :is(input, select):not(:disabled)').length"
            )
            == 0
        )
        page.keyboard.press("q")
        until(page, "document.body.textContent.includes('The studio has ended')")
        assert errors(page) == []
        addresses = [each for each in asked(page) if not each.endswith((".js", ".css", ".svg"))]
        assert not [each for each in addresses if "current" in each or "keys" in each]
    eventually(lambda: not listens(viewer))


def listens(viewer: Served) -> bool:
    try:
        viewer.ask("GET", "/")
    except OSError:
        return False
    return True


@pytest.mark.parametrize("read_only", [False, True])
def test_no_detector_is_trained_for_whoever_only_looks(tmp_path: Path, read_only: bool) -> None:
    folder = VocFolder(tmp_path / "images")
    for number in range(12):
        folder.image(f"{number}.jpg")
        folder.xml(f"{number}.xml")
    children = Scripted()
    with serving(partial(LabelStore.open, folder.root, read_only=read_only), children):
        if read_only:
            time.sleep(0.5)  # it would begin at once
        else:
            eventually(lambda: children.requests)
        assert bool(children.requests) != read_only
