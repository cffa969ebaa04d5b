"""Memory of decoding: bounded for one image, and over all threads together."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from boxwright.errors import DataError
from boxwright.images import decoding
from boxwright.images.decoding import decoded, read_header, read_image
from boxwright.images.memory import PixelBudget
from boxwright.images.options import MAX_PIXELS, DecodeOptions
from boxwright.images.preprocessing import read_square

SIDES = (4000, 3000)
BYTES = 12  # a pixel
MEASURE = """
import resource, sys
from boxwright.datasets.checks.measure import summarize
from boxwright.images.decoding import read_image
from boxwright.images.options import DecodeOptions, DepthRange
from boxwright.images.preprocessing import read_square

what, small, large = sys.argv[1:]
options = DecodeOptions(depth_range=DepthRange(0, 4095))
run = {
    "read": lambda path: read_image(path, options),
    "square": lambda path: read_square(path, 300, options),
    "check": lambda path: summarize(path, options),
}[what]
run(small)  # imports
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
run(large)
scale = 1 if sys.platform == "darwin" else 1024
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * scale)
"""


def saved(path: Path, kind: str, size: tuple[int, int]) -> Path:
    gray = np.linspace(0, 255, size[0]).astype(np.uint8)[None].repeat(size[1], 0)
    exif = Image.Exif()
    exif[0x0112] = 6
    layers = {"jpg": 3, "alpha.png": 4}.get(kind, 1)
    values = np.dstack([gray] * layers).squeeze()
    if kind == "16.png":
        values = values.astype(np.uint16) * 16
    elif kind == "float.tif":
        values = values.astype(np.float32)
    path = path / f"{size[0]}.{kind}"
    fast = {"compress_level": 1} if kind.endswith("png") else {}
    Image.fromarray(values).save(path, exif=exif, **fast)
    return path


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no peak of memory in resource")
@pytest.mark.parametrize("what", ["read", "square", "check"])
@pytest.mark.parametrize("kind", ["alpha.png", "16.png", "float.tif", "jpg"])
def test_an_image_takes_less_than_12_bytes_a_pixel(tmp_path: Path, kind: str, what: str) -> None:
    small, large = (saved(tmp_path, kind, size) for size in ((80, 60), SIDES))
    command = [sys.executable, "-c", MEASURE, what, str(small), str(large)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert int(done.stdout) / (SIDES[0] * SIDES[1]) < BYTES


@pytest.mark.tiny
def test_all_threads_together_keep_the_bound() -> None:
    budget, lock, held, most = PixelBudget(100), threading.Lock(), [0], [0]

    def work(pixels: int) -> None:
        with budget.hold(pixels):
            with lock:
                held[0] += pixels
                most[0] = max(most[0], held[0])
            time.sleep(0.002)
            with lock:
                held[0] -= pixels

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(work, [30, 60, 10, 99] * 20))
    assert 60 <= most[0] <= 100
    with ThreadPoolExecutor(16) as pool:  # larger than the budget: alone
        list(pool.map(work, [500, 10, 500, 90] * 5))
    assert most[0] == 500
    with pytest.raises(ValueError, match="no"), budget.hold(100):
        raise ValueError("no")
    with budget.hold(100):  # an error gave it back
        pass


@pytest.mark.tiny
def test_decoding_holds_the_budget(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As many 100 x 100 images at once as fit, also while they are resized."""
    monkeypatch.setattr(decoding, "DECODING", PixelBudget(20_000))
    paths = [tmp_path / f"{i}.png" for i in range(12)]
    for path in paths:
        Image.new("RGB", (100, 100)).save(path)
    inside, most, lock = [0], [0], threading.Lock()

    def work(path: Path) -> None:
        with decoded(path):
            with lock:
                inside[0] += 1
                most[0] = max(most[0], inside[0])
            time.sleep(0.005)
            with lock:
                inside[0] -= 1

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, paths))
        squares = list(pool.map(lambda path: read_square(path, 8), paths))
    assert most[0] == 2
    assert len(squares) == 12


BOMB = (MAX_PIXELS // 10_000 + 1, 10_000)


@pytest.fixture
def bomb(tmp_path: Path) -> Path:
    """A small file of more pixels than the usual limit."""
    Image.new("1", BOMB).save(tmp_path / "bomb.png")
    return tmp_path / "bomb.png"


def test_more_pixels_than_pillow_allows_are_refused_with_the_limit(bomb: Path) -> None:
    for read in (read_header, read_image, lambda path: read_image(path, DecodeOptions(9))):
        with pytest.raises(DataError, match=f"{BOMB[0]} x {BOMB[1]} = ") as caught:
            read(bomb)
        assert caught.value.code == "BW168"
    assert "--max-pixels" in caught.value.remedy
    with pytest.raises(DataError, match="the limit is 178,956,970"):
        read_header(bomb)


def test_a_higher_limit_opens_them_and_leaves_pillows_limit_alone(bomb: Path) -> None:
    usual = Image.MAX_IMAGE_PIXELS
    assert read_header(bomb, 2 * MAX_PIXELS).width == BOMB[0]
    with decoded(bomb, DecodeOptions(2 * MAX_PIXELS)) as image:
        assert image.picture.size == BOMB
    assert usual == Image.MAX_IMAGE_PIXELS
