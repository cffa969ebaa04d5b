"""The studio's page in a browser, by real events of mouse and keys, on the real server."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from children import Scripted
from PIL import Image
from served import HOST, Served, serving

from boxwright.errors import SystemFaultError
from boxwright.inference.run import Run
from boxwright.studio.finish import Finish
from boxwright.studio.journal import Proposal
from boxwright.studio.store import LabeledBox, Labels, LabelStore
from browser import Browser, Page

AXE = Path(__file__).parent / "page" / "node_modules" / "axe-core" / "axe.min.js"
IMAGES = 10
SIZE = (320, 240)
PICTURE = "document.querySelector('#stage > img')"
Rect = tuple[int, int, int, int]


def truth(number: int) -> Rect:
    """Where the square of an image is."""
    x, y = 40 + 10 * number, 30 + 5 * number
    return (x, y, x + 100, y + 80)


def draw_images(folder: Path, names: list[str]) -> None:
    folder.mkdir()
    for number, name in enumerate(names):
        ground = np.random.default_rng(number).integers(60, 120, (12, 16, 3), np.uint8)
        picture = Image.fromarray(ground).resize(SIZE, Image.Resampling.NEAREST)
        picture.paste((230, 40, 40), truth(number))
        picture.save(folder / name)


@contextmanager
def labeling(folder: Path, *classes: str) -> Iterator[Served]:
    """A studio for a folder, whose assistant does nothing."""
    with serving(lambda: LabelStore.open(folder, classes)) as studio:
        yield studio


def address(studio: Served) -> str:
    """An address that lets one more browser in."""
    return f"http://{HOST}:{studio.port}/?token={studio.door.token}"


def labels_of(studio: Served) -> dict[str, list[tuple[str, Rect]]]:
    """What is stored: the objects of each labeled image, by its stem."""

    def read(store: LabelStore) -> dict[str, list[tuple[str, Rect]]]:
        every = {name: store.read(index).boxes for index, name in enumerate(store.names)}
        return {
            name.removesuffix(".jpg"): [(each.label, rounded(each.box)) for each in boxes]
            for name, boxes in every.items()
            if boxes
        }

    return studio.studio.desk.wait_for(read)


def rounded(box: tuple[float, ...]) -> Rect:
    xmin, ymin, xmax, ymax = map(round, box)
    return xmin, ymin, xmax, ymax


@pytest.fixture
def studio(tmp_path: Path) -> Iterator[Served]:
    draw_images(tmp_path / "images", [f"{number}.jpg" for number in range(IMAGES)])
    with labeling(tmp_path / "images", "square", "circle") as studio:
        yield studio


@pytest.fixture
def page(studio: Served, browser: Browser) -> Iterator[Page]:
    with browser.page(address(studio)) as page:
        opened(page, 0)
        yield page
        assert page.errors == []


def opened(page: Page, index: int) -> None:
    page.until(f"document.body.dataset.open === '{index}'")


def saved(page: Page) -> None:
    page.until("document.getElementById('saved').dataset.state === 'saved'")


def text(page: Page, selector: str) -> str:
    said: str = page.run(f"document.querySelector({json.dumps(selector)}).textContent")
    return said


def boxes(page: Page) -> list[list[float]]:
    """The sides in the table of boxes."""
    rows: list[list[float]] = page.run(
        "[...document.querySelectorAll('.boxes tbody tr')].map(row =>"
        " [...row.querySelectorAll('input')].map(input => input.valueAsNumber))"
    )
    return rows


def drag(page: Page, *points: tuple[float, float]) -> None:
    """Drag from one pixel of the image to another."""
    left, top, scale = page.run(
        f"(r => [r.x, r.y, r.width / {PICTURE}.offsetWidth])({PICTURE}.getBoundingClientRect())"
    )
    page.drag(*((left + x * scale, top + y * scale) for x, y in points))


def draw(page: Page, rect: Rect) -> None:
    drag(page, rect[:2], rect[2:])


def as_floats(*rects: Rect) -> list[list[float]]:
    return [list(map(float, rect)) for rect in rects]


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
    page.until("document.querySelector('.boxes select').value === 'square'")
    page.click("[data-action=undo]")
    page.until("document.querySelector('.boxes input').valueAsNumber === 40")
    page.click("[data-action=redo]")
    page.until("document.querySelector('.boxes input').valueAsNumber === 50")
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
    page.run(
        "window.pointed = 0;"
        "for (const kind of ['pointerdown', 'mousedown', 'click'])"
        " addEventListener(kind, event => { if (event.detail) pointed += 1; }, true)"
    )
    for number in range(IMAGES):
        opened(page, number)
        by_keys(page, (SIZE[0] // 2, SIZE[1] // 2), truth(number))
        if number == 3:
            by_keys(page, truth(3)[2:], (2, 2, 32, 22))
        page.press(" ")
        saved(page)
        if number + 1 < IMAGES:
            page.press("d")
    labels = labels_of(studio)
    assert sum(map(len, labels.values())) == IMAGES + 1
    for number in range(IMAGES):
        assert labels[str(number)][0] == ("square", truth(number))
    page.press("e")
    page.press("2")
    page.press("ArrowRight", 3)
    page.press("Alt+ArrowDown", 2)
    page.press("Ctrl+d")
    page.press("Delete")
    saved(page)
    x1, y1, x2, y2 = truth(9)
    assert labels_of(studio)["9"] == [("circle", (x1 + 3, y1, x2 + 3, y2 + 2))]
    page.press("Ctrl+z")
    page.until(f"document.querySelector('.boxes input').valueAsNumber === {x1}")
    assert page.run("pointed") == 0


def by_keys(page: Page, at: tuple[int, int], rect: Rect) -> None:
    """Draw a box by keys, from where the cross is."""
    x, y = at
    page.press("w")
    for to_x, to_y in (rect[:2], rect[2:]):
        move_cross(page, "ArrowRight" if to_x > x else "ArrowLeft", abs(to_x - x))
        move_cross(page, "ArrowDown" if to_y > y else "ArrowUp", abs(to_y - y))
        page.press("Enter")
        x, y = to_x, to_y


def move_cross(page: Page, arrow: str, pixels: int) -> None:
    """Shift and an arrow move it by 50 pixels of the screen, Alt and an arrow by one of the
    image."""
    scale = page.run(f"{PICTURE}.getBoundingClientRect().width") / SIZE[0]
    far, near = divmod(pixels, round(50 / scale))
    page.press(f"Shift+{arrow}", far)
    page.press(f"Alt+{arrow}", near)


def propose(studio: Served, index: int, *found: tuple[str, Rect]) -> None:
    """Proposals as the assistant makes them."""
    proposals = [
        Proposal(f"p{number}", tuple(map(float, rect)), label, 0.9)
        for number, (label, rect) in enumerate(found)
    ]
    studio.studio.desk.wait_for(lambda store: store.journal.propose(index, proposals, 0.5))


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
    studio.studio.hub.tell("proposals", {"indices": [first]})
    page.press("Enter")
    page.until(f"document.body.dataset.open !== '{first}'")
    assert labels_of(studio)[str(first)] == [
        ("square", truth(first)),
        ("circle", (2, 2, 32, 22)),
    ]
    page.click(f"#row-{second}")
    opened(page, second)
    x1, y1, x2, y2 = truth(second)
    drag(page, (x1 + 50, y1 + 40), (x1 + 53, y1 + 40))  # makes it a box
    assert boxes(page) == as_floats((x1 + 3, y1, x2 + 3, y2))
    page.press("e")
    page.press("Backspace")
    page.until("document.getElementById('offer').hidden")
    saved(page)
    assert labels_of(studio)[str(second)] == [("square", (x1 + 3, y1, x2 + 3, y2))]
    assert studio.studio.desk.wait_for(lambda store: store.journal.proposals(second)) == ()
    page.click(f"#row-{third}")
    opened(page, third)
    page.click("#offer button")
    page.until(f"document.body.dataset.open !== '{third}'")
    assert labels_of(studio)[str(third)] == [("square", truth(third))]


def test_test_images_are_labeled_blind_with_a_sign(studio: Served, page: Page) -> None:
    blind = studio.studio.desk.wait_for(lambda store: store.blind())
    for index in (min(blind), min(set(range(IMAGES)) - blind)):
        propose(studio, index, ("square", truth(index)))
        page.click(f"#row-{index}")
        opened(page, index)
        assert page.run("document.getElementById('blind').hidden") is (index not in blind)
        assert page.run("document.getElementById('offer').hidden") is (index in blind)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("both", [(200, 100, 300, 200), (40, 30, 140, 110)]),
        ("mine", [(40, 30, 140, 110)]),
        ("theirs", [(200, 100, 300, 200)]),
    ],
)
def test_two_versions_of_labels(
    answer: str, expected: list[Rect], studio: Served, browser: Browser
) -> None:
    with browser.page(address(studio)) as page:
        opened(page, 0)
        theirs = LabeledBox("new-1", (200.0, 100.0, 300.0, 200.0), "square")

        def write(store: LabelStore) -> None:
            etag = store.read(0).etag
            store.write(0, Labels((theirs,), False, etag), etag)

        studio.studio.desk.wait_for(write)
        draw(page, truth(0))
        page.until("document.querySelector('dialog .versions') !== null")
        assert "Yours: 1 box" in text(page, ".versions")
        page.click(f"dialog button[value={answer}]")
        saved(page)
        assert labels_of(studio)["0"] == [("square", rect) for rect in expected]
        assert boxes(page) == as_floats(*expected)


def full(*_: object) -> None:
    raise SystemFaultError("BW902", "the disk is full.")


def test_edits_that_cannot_be_saved_stay(studio: Served, browser: Browser) -> None:
    with browser.page(address(studio)) as page:
        opened(page, 0)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(LabelStore, "write", full)
            draw(page, truth(0))
            page.until("document.getElementById('saved').dataset.state === 'stuck'")
            assert "1 image not saved" in text(page, "#saved")
            assert "full" in text(page, ".notice.problem")
            page.press("d")
            opened(page, 1)
            page.press("a")
            opened(page, 0)
            assert boxes(page) == as_floats(truth(0))
        page.click("#saved button")
        saved(page)
        assert labels_of(studio) == {"0": [("square", truth(0))]}


def test_names_with_any_characters_are_text(tmp_path: Path, browser: Browser) -> None:
    name = "<img src=x onerror=alert(1)>&quot; ü.jpg"
    label = "<b onclick=alert(1)>\"'&amp;"
    draw_images(tmp_path / "images", [name])
    with labeling(tmp_path / "images", label) as studio, browser.page(address(studio)) as page:
        opened(page, 0)
        draw(page, truth(0))
        saved(page)
        assert text(page, "#name") == name
        assert text(page, "#row-0 .name") == name
        assert text(page, ".classes .name") == label
        page.press("/")
        assert text(page, ".options li") == label
        page.press("Escape")
        assert page.run("document.querySelectorAll('main b[onclick], [onerror]').length") == 0
        assert list(labels_of(studio).values()) == [[(label, truth(0))]]
        assert page.errors == []


def test_the_first_box_asks_for_a_new_class(tmp_path: Path, browser: Browser) -> None:
    draw_images(tmp_path / "images", ["0.jpg"])
    with labeling(tmp_path / "images") as studio, browser.page(address(studio)) as page:
        opened(page, 0)
        draw(page, truth(0))
        page.write("raccoon")
        page.press("Enter")
        page.until("document.querySelectorAll('.boxes tbody tr').length === 1")
        saved(page)
        assert labels_of(studio) == {"0": [("raccoon", truth(0))]}
        assert page.errors == []


def test_fingers_draw_and_enlarge(studio: Served, page: Page) -> None:
    def touch(kind: str, *points: tuple[float, float]) -> None:
        fingers = [{"x": x, "y": y, "id": number} for number, (x, y) in enumerate(points)]
        page.call("Input.dispatchTouchEvent", type=kind, touchPoints=fingers)

    left, top, width, height = page.run(
        "(r => [r.x, r.y, r.width, r.height])"
        "(document.getElementById('stage').getBoundingClientRect())"
    )
    x, y = left + width / 2, top + height / 2
    touch("touchStart", (x, y))
    touch("touchMove", (x + 60, y + 60))
    touch("touchEnd")
    assert len(boxes(page)) == 1
    before = page.run(f"{PICTURE}.getBoundingClientRect().width")
    touch("touchStart", (x - 40, y))
    touch("touchStart", (x - 40, y), (x + 40, y))
    touch("touchMove", (x - 80, y), (x + 80, y))
    touch("touchEnd")
    after = page.run(f"{PICTURE}.getBoundingClientRect().width")
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


def test_boxes_agree_with_turned_images(tmp_path: Path, browser: Browser) -> None:
    folder = tmp_path / "images"
    draw_images(folder, ["1.jpg"])
    with Image.open(folder / "1.jpg") as upright:
        for orientation, stored in STORED.items():
            exif = Image.Exif()
            exif[0x0112] = orientation
            upright.transpose(stored).save(folder / f"{orientation}.jpg", exif=exif)
    with labeling(folder, "square") as studio, browser.page(address(studio)) as page:
        for index in range(8):
            opened(page, index)
            assert page.run(f"[{PICTURE}.naturalWidth, {PICTURE}.naturalHeight]") == list(SIZE)
            draw(page, truth(0))
            saved(page)
            x1, y1, x2, y2 = truth(0)
            inside = page.run(COLOR % ((x1 + x2) // 2, (y1 + y2) // 2))
            outside = page.run(COLOR % (x2 + 20, y2 + 20))
            assert inside[0] > 200 > 130 > outside[0], index
            page.press("d")
        assert set(map(tuple, labels_of(studio).values())) == {(("square", truth(0)),)}


COLOR = f"""
(() => {{
  const canvas = Object.assign(document.createElement("canvas"), {{width: 320, height: 240}});
  const context = canvas.getContext("2d");
  context.drawImage({PICTURE}, 0, 0);
  return [...context.getImageData(%d, %d, 1, 1).data];
}})()
"""


def test_tabs_share_one_stream_of_events(studio: Served, browser: Browser) -> None:
    with browser.page(address(studio)) as first, browser.page(address(studio)) as second:
        for page in (first, second):
            opened(page, 0)
        studio.studio.hub.tell("training", {"state": "training", "round": 3, "images": 12})
        for page in (first, second):
            page.until("document.getElementById('assist').textContent.includes('round 3')")
        asked = [url for page in (first, second) for url in page.requests]
        assert len([url for url in asked if url.endswith("/api/events")]) == 1
        with browser.page(address(studio)) as third:
            third.until("document.getElementById('assist').textContent.includes('round 3')")


def test_keys_of_another_tool_stay_chosen(studio: Served, page: Page, browser: Browser) -> None:
    page.press("Shift+?")
    page.press("ArrowDown")  # from LabelImg to VoTT
    page.press("Escape")
    page.press("s")
    opened(page, 1)
    page.press("w")
    opened(page, 0)
    with browser.page(address(studio)) as another:
        opened(another, 0)
        another.press("s")
        opened(another, 1)


def test_classes_are_renamed_and_deleted_everywhere_and_back(studio: Served, page: Page) -> None:
    for index in (0, 1):
        opened(page, index)
        draw(page, truth(index))
        saved(page)
        page.press("d")
    page.click("#classes .buttons button:last-child")
    page.click(".managed li:nth-child(1) input")
    page.press("Ctrl+a")
    page.write("rectangle")
    page.press("Enter")
    page.until("document.querySelectorAll('dialog').length === 2")
    assert "2 boxes in 2 images will change" in text(page, "dialog:last-of-type")
    page.press("Enter")
    page.until("document.querySelector('.classes .name').textContent === 'rectangle'")
    assert labels_of(studio)["1"] == [("rectangle", truth(1))]
    page.click("dialog .answers button")  # undo
    page.until("document.querySelector('.classes .name').textContent === 'square'")
    assert labels_of(studio)["1"] == [("square", truth(1))]


def test_images_are_searched_and_set_aside(studio: Served, page: Page) -> None:
    shown = "[...document.querySelectorAll('.row .name')].map(each => each.textContent).join()"
    page.press("Ctrl+p")
    page.write("7")
    page.until(f"{shown} === '7.jpg'")
    page.press("Enter")
    opened(page, 7)
    page.press("Escape")
    page.press("Shift+s")
    page.until("document.querySelector('.row').classList.contains('aside')")
    assert studio.studio.desk.wait_for(lambda store: store.rows(7, 1)[0].state) == "aside"
    page.press("Shift+s")
    page.until("document.querySelector('.row').classList.contains('new')")
    assert studio.studio.desk.wait_for(lambda store: store.rows(7, 1)[0].state) == "new"


def steps_of(page: Page, part: str, by: str) -> str:
    """What a part of the last steps says once it is done."""
    button = f"#finish-{part} button.main"
    page.until(f"!document.querySelector('{button}').disabled")
    if by == "keys":
        while not page.run(f"document.activeElement.matches('{button}')"):
            page.press("Tab")
        page.press("Enter")
    else:
        page.click(button)
    for words in ("boxwright", "Written"):
        said = f"document.querySelector('#finish-{part} .output').textContent"
        page.until(f"{said}.includes('{words}')")
    return text(page, f"#finish-{part} .output")


@pytest.mark.parametrize("by", ["mouse", "keys"])
def test_the_last_steps_show_their_commands_and_curves(
    by: str, tmp_path: Path, browser: Browser
) -> None:
    draw_images(tmp_path / "images", ["0.jpg"])
    losses = [{"state": "running", "step": step, "loss": 3 / step} for step in (1, 2, 3)]
    measured = {"state": "running", "step": 3, "ap50": 0.5}
    children = Scripted(
        [*losses, measured, {"state": "done", "result": "run", "text": "Trained."}],
        [{"state": "done", "result": "run/detector.tflite"}],
    )
    with serving(lambda: LabelStore.open(tmp_path / "images", ("square",)), children) as studio:
        Run(tmp_path / "images-run").folder.mkdir()
        with pytest.MonkeyPatch.context() as patch, browser.page(address(studio)) as page:
            patch.setattr(Run, "exists", lambda run: run.folder.exists())
            patch.setattr(Finish, "detect", lambda _, image: detected(image))
            opened(page, 0)
            page.press("Alt+3")
            said = steps_of(page, "train", by)
            assert re.match(r"boxwright train \S+images --budget 2m --out \S+images-run-2", said)
            assert page.run("document.querySelectorAll('#finish-train svg .line').length") == 2
            page.run("document.getElementById('export-to').value = 'tflite'")
            assert "--to tflite" in steps_of(page, "export", by)
            assert [each["work"] for each in children.requests] == ["train", "export"]
            try_image(page, tmp_path / "images" / "0.jpg")
            assert "boxwright predict" in text(page, "#try .output")
            assert "1 object with a score of 0.50 or more" in text(page, "#try .output")
            assert page.run("document.querySelector('.tried canvas').width") == SIZE[0]
            assert page.errors == []


def detected(image: bytes) -> dict[str, object]:
    """The detections of a detector that is certain of one object."""
    width, height = Image.open(BytesIO(image)).size
    found = [{"box": truth(0), "label": "square", "score": score} for score in (0.9, 0.2)]
    command = "boxwright predict run IMAGE"
    return {"width": width, "height": height, "boxes": found, "command": command}


def try_image(page: Page, path: Path) -> None:
    """Choose a file in the page."""
    root = page.call("DOM.getDocument")["root"]["nodeId"]
    node = page.call("DOM.querySelector", nodeId=root, selector="#try input[type=file]")
    page.call("DOM.setFileInputFiles", files=[str(path)], nodeId=node["nodeId"])
    page.until("document.querySelector('.tried canvas') !== null")


VIEWS = {"label": "Alt+1", "review": "Alt+2", "finish": "Alt+3"}


@pytest.mark.parametrize(
    ("width", "dark"), [(360, True), (820, False), (1440, True), (1440, False)]
)
def test_every_view_fits_and_is_accessible(
    width: int, dark: bool, studio: Served, browser: Browser
) -> None:
    blind = studio.studio.desk.wait_for(lambda store: store.blind())
    index = min(set(range(1, IMAGES)) - blind)
    propose(studio, index, ("circle", (2, 2, 32, 22)))
    with browser.page(address(studio), width=width, dark=dark) as page:
        opened(page, 0)
        draw(page, truth(0))
        saved(page)
        for name, key in VIEWS.items():
            page.press(key)
            page.until(f"document.body.dataset.view === '{name}'")
            assert page.run("document.documentElement.scrollWidth") <= width
            assert violations(page) == []
        page.press("Alt+1")
        page.press("Shift+?")
        assert violations(page) == []
        assert page.errors == []


def violations(page: Page) -> list[str]:
    """What axe-core finds that is serious; nothing where npm has not installed it."""
    if not AXE.is_file():
        return []
    page.run(AXE.read_text(encoding="utf-8") + ";0")
    found: list[str] = page.run(
        "axe.run({resultTypes: ['violations']}).then(result => result.violations"
        ".filter(each => ['serious', 'critical'].includes(each.impact))"
        ".map(each => `${each.id}: ${each.nodes.map(node => node.html).join(' ')}`))"
    )
    return found
