"""The studio's page in a browser: a folder of drawn images, and what a person does with it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image
from served import HOST, Served, serving

from boxwright.studio.journal import Proposal
from boxwright.studio.store import LabelStore
from browser import press_and_move, until

if TYPE_CHECKING:
    from playwright.sync_api import Page

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


def opened(page: Page, index: int) -> None:
    until(page, f"document.body.dataset.open === '{index}'")


def saved(page: Page) -> None:
    until(page, "document.getElementById('saved').dataset.state === 'saved'")


def text(page: Page, selector: str) -> str:
    said: str = page.evaluate(f"document.querySelector({json.dumps(selector)}).textContent")
    return said


def boxes(page: Page) -> list[list[float]]:
    """The sides in the table of boxes."""
    rows: list[list[float]] = page.evaluate(
        "[...document.querySelectorAll('.boxes tbody tr')].map(row =>"
        " [...row.querySelectorAll('input')].map(input => input.valueAsNumber))"
    )
    return rows


def drag(page: Page, *points: tuple[float, float]) -> None:
    """Drag from one pixel of the image to another."""
    left, top, scale = page.evaluate(
        f"(r => [r.x, r.y, r.width / {PICTURE}.offsetWidth])({PICTURE}.getBoundingClientRect())"
    )
    press_and_move(page, *((left + x * scale, top + y * scale) for x, y in points))


def draw(page: Page, rect: Rect) -> None:
    drag(page, rect[:2], rect[2:])


def as_floats(*rects: Rect) -> list[list[float]]:
    return [list(map(float, rect)) for rect in rects]


def propose(studio: Served, index: int, *found: tuple[str, Rect]) -> None:
    """Proposals as the assistant makes them."""
    proposals = [
        Proposal(f"p{number}", tuple(map(float, rect)), label, 0.9)
        for number, (label, rect) in enumerate(found)
    ]
    studio.studio.desk.wait_for(lambda store: store.journal.propose(index, proposals, 0.5))
