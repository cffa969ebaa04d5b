"""How fast the studio's page is: the first image, the next one, and a pointer that draws.

    cd ../shared/data/raccoon
    python benchmarks/studio_page.py images/raccoon-1.jpg --images 100000 --labeled 100000

Makes a folder of hard links to one image, and another one with an image of 20 megapixels. Opens
them in a headless Chromium and measures in the page: from the first request until the first image
is shown, from a key until the next image is decoded and drawn, and the time of the main thread for
each movement of a pointer that draws a box.
"""

from __future__ import annotations

import argparse
import os
import resource
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

sys.path += [str(Path(__file__).parents[1] / name) for name in ("tests", "tests/studio", "tools")]

from served import HOST, Served, serving
from studio_folder import XML

from boxwright.studio.store import LabelStore
from browser import launched, until, visit

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, CDPSession, Page

MEGAPIXELS_20 = (5472, 3648)
LINKS = 50_000  # to a file, at most
OPEN = "document.body.dataset.open"
# From a key to the frame in which the image is drawn.
TIMED = """
window.times = [];
let pressed = 0;
addEventListener("keydown", () => { pressed = performance.now(); }, true);
new MutationObserver(() => requestAnimationFrame(() => times.push(performance.now() - pressed)))
  .observe(document.body, {attributes: true, attributeFilter: ["data-open"]});
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("image", type=Path)
    parser.add_argument("--images", type=int, default=100_000)
    parser.add_argument("--labeled", type=int, default=0, help="of them, in VOC files")
    parser.add_argument("--steps", type=int, default=100, help="keys, and movements")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        with launched() as browser:
            many_images(browser, folder / "many", given)
            large_image(browser, folder / "large", given.steps)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"the server's memory at its highest: {peak:.0f} MB")


def many_images(browser: BrowserContext, folder: Path, given: argparse.Namespace) -> None:
    """Time to the first image and to the next ones, in a folder of many."""
    folder.mkdir()
    for number in range(given.images):
        path, linked = folder / f"{number}.jpg", folder / f"{number - number % LINKS}.jpg"
        if path == linked:
            path.write_bytes(given.image.read_bytes())
        else:
            os.link(linked, path)
        if number < given.labeled:
            text = XML.format(f"{number}.jpg")
            (folder / f"{number}.xml").write_text(text, encoding="utf-8")
    began, used = time.perf_counter(), time.process_time()
    with serving(lambda: LabelStore.open(folder, ("object",))) as studio:
        opened = time.perf_counter()
        with visit(browser, address(studio)) as page:
            until(page, f"{OPEN} === '0'")
            shown = time.perf_counter()
            print(f"{given.images} images, {given.labeled} labeled: opened in "
                  f"{opened - began:.2f} s, first image after {shown - began:.2f} s, of which "
                  f"{time.process_time() - used:.2f} s of the server's processor")  # fmt: skip
            page.evaluate(TIMED)
            for key, step in (("d", 1), ("a", -1)):
                for _ in range(given.steps):
                    here = int(page.evaluate(OPEN))
                    page.keyboard.press(key)
                    until(page, f"{OPEN} === '{here + step}'")
                print(f"{key}: {percentiles(page.evaluate('times.splice(0)'))} to the next image")


def large_image(browser: BrowserContext, folder: Path, steps: int) -> None:
    """Time of the main thread while a box is drawn on an image of 20 megapixels."""
    folder.mkdir()
    ground = np.random.default_rng(0).integers(0, 256, (36, 54, 3), np.uint8)
    Image.fromarray(ground).resize(MEGAPIXELS_20).save(folder / "large.jpg", quality=90)
    with (
        serving(lambda: LabelStore.open(folder, ("object",))) as studio,
        visit(browser, address(studio)) as page,
    ):
        until(page, f"{OPEN} === '0'")
        devtools = page.context.new_cdp_session(page)
        devtools.send("Performance.enable", {"timeDomain": "threadTicks"})  # of the thread itself
        left, top, width, height = page.evaluate(
            "(box => [box.x, box.y, box.width, box.height])"
            "(document.querySelector('#stage > img').getBoundingClientRect())"
        )
        page.mouse.move(left + width / 10, top + height / 10)
        page.mouse.down()
        idle = [task_ms(page, devtools, None) for _ in range(steps)]
        moves = []
        for number in range(steps):
            share = 0.1 + 0.8 * (number + 1) / steps
            to = left + width * share, top + height * share
            moves.append(task_ms(page, devtools, to))
        page.mouse.up()
        print(f"a frame without a movement: {percentiles(idle)} of the main thread")
        print(f"a movement on 20 megapixels: {percentiles(moves)} of the main thread")


def address(studio: Served) -> str:
    return f"http://{HOST}:{studio.port}/?token={studio.door.token}"


def task_ms(page: Page, devtools: CDPSession, to: tuple[float, float] | None) -> float:
    """Time of the main thread for a movement and the frame that shows it."""
    before = task_seconds(devtools)
    if to is not None:
        page.mouse.move(*to)
    page.evaluate("new Promise(done => requestAnimationFrame(() => setTimeout(done)))")
    return 1000 * (task_seconds(devtools) - before)


def task_seconds(devtools: CDPSession) -> float:
    metrics = devtools.send("Performance.getMetrics")["metrics"]
    return next(each["value"] for each in metrics if each["name"] == "TaskDuration")


def percentiles(times: list[float]) -> str:
    return f"{np.median(times):.1f} ms, p95 {np.percentile(times, 95):.1f} ms"


if __name__ == "__main__":
    main()
