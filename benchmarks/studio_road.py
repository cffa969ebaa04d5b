"""Walk from unlabeled images to an exported detector in the studio, and take its pictures.

    cd ../shared/data/raccoon && python benchmarks/studio_road.py images annotations

Copies the images without their labels, runs `boxwright label`, and opens the page in a headless
Chromium. By real events of mouse and keys it draws boxes as the annotations say, until the
assistant proposes boxes, accepts or corrects those, trains, exports a .tflite and tries it on an
image. It prints what it did and when, and writes screenshots.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import defusedxml.ElementTree

sys.path += [str(Path(__file__).parents[1] / name) for name in ("tests", "tools")]

from browser import errors, launched, press_and_move, until, visit

if TYPE_CHECKING:
    from playwright.sync_api import Page

PICTURE = "document.querySelector('#stage > img')"
OPEN = "document.body.dataset.open"
OFFER = "document.getElementById('offer')"
PATIENCE = 900.0  # seconds for a training
Box = tuple[str, list[float]]
BEGAN = time.monotonic()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("images", type=Path)
    parser.add_argument("annotations", type=Path, help="folder of Pascal VOC files")
    parser.add_argument("--by-hand", type=int, default=14, help="images to draw")
    parser.add_argument("--assisted", type=int, default=6, help="images to accept or correct")
    parser.add_argument("--budget", default="2m", help="of the training, as the page has it")
    parser.add_argument("--out", type=Path, default=Path("road"))
    given = parser.parse_args()
    given.out.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made) / "images"
        shutil.copytree(given.images, folder)
        with (
            labeling(folder) as address,
            launched() as browser,
            visit(browser, address) as page,
        ):
            label(page, given)
            finish(page, given, next(iter(sorted(folder.glob("*.jpg")))))
        files = sorted(Path(made).glob("images-run/*.tflite"))
        say(f"written: {', '.join(f'{file.name}, {file.stat().st_size} bytes' for file in files)}")


@contextmanager
def labeling(folder: Path) -> Iterator[str]:
    """The address of `boxwright label` for a folder."""
    command = [sys.executable, "-m", "boxwright", "label", str(folder), "--classes", "raccoon"]
    with subprocess.Popen(
        [*command, "--json", "--port", "8799"], stdout=subprocess.PIPE, env=os.environ
    ) as studio:
        assert studio.stdout
        text = ""
        while "}" not in text:
            text += studio.stdout.readline().decode()
        try:
            yield json.loads(text)["address"]
        finally:
            studio.terminate()


def label(page: Page, given: argparse.Namespace) -> None:
    """Draw boxes until proposals come, then accept or correct these."""
    until(page, f"{OPEN} !== undefined")
    for number in range(given.by_hand):
        for _, sides in truth(page, given.annotations):
            page.keyboard.press("w")
            drag(page, sides)
        saved(page)
        if number == 2:
            shoot(page, given.out / "label.png")
        go(page, "n")
    say(f"{given.by_hand} images labeled by hand")
    wait(
        page, "[...document.querySelectorAll('.notes')].some(x => /proposals/.test(x.textContent))"
    )
    say("the assistant proposes boxes")
    go(page, "Enter")
    accepted = 0
    for _ in range(given.assisted):
        boxes = truth(page, given.annotations)
        if page.evaluate(f"{OFFER}.hidden"):
            for _, sides in boxes:
                page.keyboard.press("w")
                drag(page, sides)
        else:
            accepted += 1
            if accepted == 2:
                shoot(page, given.out / "proposals.png")
        saved(page)
        go(page, "Enter")
    say(f"{given.assisted} more images, {accepted} with proposals")
    wait(page, "/AP50/.test(document.getElementById('assist').textContent)")
    say(page.evaluate("document.getElementById('assist').textContent"))
    shoot(page, given.out / "quality.png")
    page.keyboard.press("Alt+2")
    wait(page, "/open of|No findings/.test(document.querySelector('#findings').textContent)")
    time.sleep(1)
    shoot(page, given.out / "review.png")
    say(page.evaluate("document.querySelector('#findings [role=status]').textContent"))


def finish(page: Page, given: argparse.Namespace, image: Path) -> None:
    """Train, report, export, and try an image."""
    page.keyboard.press("Alt+3")
    page.select_option("#budget", given.budget)
    for part in ("train", "report", "export"):
        wait(page, f"!document.querySelector('#finish-{part} button.main').disabled")
        time.sleep(2)  # until the studio has ended the step before
        page.click(f"#finish-{part} button.main")
        said = f"document.querySelector('#finish-{part} .output').textContent"
        wait(page, f"/Written|BW/.test({said}) || document.querySelector('#finish-{part} .error')")
        say(page.evaluate(f"{said}.slice(0, 300)"))
    page.set_input_files("#try input[type=file]", image)
    wait(page, "document.querySelector('.tried canvas') !== null")
    say(page.evaluate("document.querySelector('#try .output').textContent"))
    page.evaluate("document.getElementById('finish').scrollTo(0, 0)")
    shoot(page, given.out / "finish.png")
    for error in errors(page):
        say(f"error on the console: {error}")


def truth(page: Page, annotations: Path) -> list[Box]:
    """What the annotation of the open image says."""
    name = page.evaluate("document.getElementById('name').textContent")
    tree = defusedxml.ElementTree.parse(annotations / f"{Path(name).stem}.xml")
    sides = ("xmin", "ymin", "xmax", "ymax")
    return [
        (
            element.findtext("name") or "",
            [float(element.findtext(f"bndbox/{s}") or 0) for s in sides],
        )
        for element in tree.iter("object")
    ]


def drag(page: Page, sides: list[float]) -> None:
    left, top, scale = page.evaluate(
        f"(r => [r.x, r.y, r.width / {PICTURE}.offsetWidth])({PICTURE}.getBoundingClientRect())"
    )
    x1, y1, x2, y2 = sides
    press_and_move(
        page, (left + x1 * scale, top + y1 * scale), (left + x2 * scale, top + y2 * scale)
    )


def saved(page: Page) -> None:
    until(page, "document.getElementById('saved').dataset.state === 'saved'")


def go(page: Page, key: str) -> None:
    """Press a key that opens another image, and wait until it has."""
    before = page.evaluate(OPEN)
    page.keyboard.press(key)
    until(page, f"{OPEN} !== '{before}'")
    time.sleep(0.3)  # so that pictures are of what is at rest


def wait(page: Page, script: str) -> None:
    end = time.monotonic() + PATIENCE
    while not page.evaluate(f"!!({script})"):
        assert time.monotonic() < end, script
        time.sleep(0.5)


def shoot(page: Page, path: Path) -> None:
    page.screenshot(path=path)


def say(text: str) -> None:
    print(f"{time.monotonic() - BEGAN:6.1f} s  {text}", flush=True)


if __name__ == "__main__":
    main()
