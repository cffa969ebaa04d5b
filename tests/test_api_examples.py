"""The examples of the Python API run: those in docstrings, of the page about it, of the README.

They run on drawn images with a small detector family, and with steps in place of minutes.
"""

from __future__ import annotations

import doctest
import io
import re
import threading
from collections.abc import Iterator
from contextlib import redirect_stdout
from dataclasses import replace
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import pytest
from PIL import Image

import boxwright
from boxwright.openimages.sources import IMAGES_VARIABLE, LISTS_VARIABLE
from boxwright.structures.dataset import Split
from boxwright.tracking.tracker import TRACKERS
from eagerly import op_by_op
from filming import film
from misbehaving import Server
from nearest import Nearest
from offered import offer
from squares import Squares

ROOT = Path(__file__).resolve().parents[1]
HOW_TO = ROOT / "docs" / "how-to"
NAMES = (
    "python.md",
    "report.md",
    "open-images.md",
    "predict.md",
    "tiles.md",
    "track.md",
    "video.md",
)
PAGES = (*(HOW_TO / name for name in NAMES), ROOT / "README.md")
STEPS = 6
SLOW = re.compile(r'budget="\d+m"(, out="[\w-]+")?')  # what takes minutes
FAST = "from_scratch=True, recipe=small"  # what takes seconds instead
OPTIONS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


@pytest.fixture(scope="module")
def open_images(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Open Images has some squares that are called apples and oranges."""
    folder = tmp_path_factory.mktemp("open-images")
    drawn = Squares(folder / "drawn", made=900)
    images = [replace(drawn.image(), class_names=[("Apple", "Orange")[i % 2]]) for i in range(6)]
    server = Server()
    offer(boxwright.Dataset.of(drawn.root, images), server)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("no_proxy", "*")
        patch.setenv("BOXWRIGHT_CACHE", str(folder / "cache"))
        patch.setenv(LISTS_VARIABLE, server.url)
        patch.setenv(IMAGES_VARIABLE, server.url)
        yield
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="module")
def namespace(
    tmp_path_factory: pytest.TempPathFactory, open_images: None
) -> Iterator[dict[str, Any]]:
    """What examples have: `boxwright`, and a folder with images, a run and a file of it."""
    from boxwright.models import registry
    from boxwright.training.recipe import recipe_for
    from toy_family import CenterModel

    folder = tmp_path_factory.mktemp("examples")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(registry, "FAMILIES", dict(registry.FAMILIES))
        registry.register(CenterModel)
        for name in ("train", "suspects", "forecast"):
            patch.setattr(boxwright, name, op_by_op()(getattr(boxwright, name)))
        patch.chdir(folder)
        for name, counts in (("images", (24, 8, 8)), ("monday", (4, 0, 0)), ("tuesday", (4, 0, 0))):
            drawn = Squares(folder / f"{name}-drawn", made=len(name) * 100)
            images = [
                drawn.image(split if name == "images" else Split.UNASSIGNED)
                for split, count in zip((Split.TRAIN, Split.VAL, Split.TEST), counts, strict=True)
                for _ in range(count)
            ]
            boxwright.write(boxwright.Dataset.of(drawn.root, images), name, "voc")
        first, second = sorted((folder / "images-drawn").glob("test*.png"))[:2]
        Image.open(first).save("image.jpg", quality=95)
        Image.open(second).save("other.jpg", quality=95)
        film(Path("clip.mp4"))
        for name in TRACKERS:
            patch.setitem(TRACKERS, name, Nearest)  # the package has an environment of its own
        dataset = boxwright.load("images")
        small = recipe_for(
            dataset.split("train"), pretrained=False, steps=STEPS, input_size=64, model="centers"
        )
        run = boxwright.train(dataset, out="run", from_scratch=True, recipe=small)
        run.export("tflite")
        yield {
            "boxwright": boxwright,
            "small": small,
            "fresh": lambda: mkdtemp(dir=folder),
            "replace": replace,
        }


def fast(source: str) -> str:
    """The source with few steps, and a folder for a training; with one step where there are
    several trainings."""
    if "boxwright.train(" in source:
        return SLOW.sub(f"{FAST}, out=fresh()", source)
    return SLOW.sub(FAST.replace("small", "replace(small, steps=1)"), source)


def shown(source: str, namespace: dict[str, Any], mode: str) -> str:
    """What a piece of code prints."""
    written = io.StringIO()
    with redirect_stdout(written):
        exec(compile(fast(source), "<example>", mode), namespace)  # noqa: S102
    return written.getvalue()


@pytest.mark.parametrize("name", ["__doc__", *boxwright.__all__])
def test_the_example_of_a_name_runs(name: str, namespace: dict[str, Any]) -> None:
    text = boxwright.__doc__ if name == "__doc__" else getattr(boxwright, name).__doc__
    examples = doctest.DocTestParser().get_examples(text or "")
    assert examples
    own = dict(namespace)
    for example in examples:
        printed = shown(example.source, own, "single")
        if example.want:
            assert doctest.OutputChecker().check_output(example.want, printed, OPTIONS), printed


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_runs_from_top_to_bottom(page: Path, namespace: dict[str, Any]) -> None:
    blocks = re.findall(r"^```python\n(.*?)^```", page.read_text(encoding="utf-8"), re.M | re.S)
    assert blocks
    own = dict(namespace)
    for block in blocks:
        shown(block, own, "exec")
