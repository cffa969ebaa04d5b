"""The doctor's page: one file, whole, safe to open, with pictures of what was found."""

from __future__ import annotations

import base64
import io
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from boxwright.report.check_page import MAX_LISTED, PICTURES, write_page
from boxwright.structures.dataset import Dataset, LabeledImage, Split
from boxwright.structures.findings import Finding

pytestmark = pytest.mark.tiny

HOSTILE = "<script>alert(1)</script> & 'quotes'.jpg"


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    for name in ("a.png", "b.png"):
        Image.new("RGB", (640, 480), (40, 90, 160)).save(tmp_path / name)
    images = [
        LabeledImage("a.png", 640, 480, [(10, 10, 60, 60)], ["cat <b>"], split=Split.TRAIN),
        LabeledImage("b.png", 640, 480, [(10, 10, 60, 60)], ["dog"], split=Split.TEST),
    ]
    return Dataset.of(tmp_path, images)


def page(dataset: Dataset, *findings: Finding) -> str:
    target = dataset.root / "report.html"
    write_page(target, dataset, findings)
    return target.read_text(encoding="utf-8")


def pictures(text: str) -> list[np.ndarray]:
    coded = re.findall(r"data:image/jpeg;base64,([^\"]+)", text)
    return [np.asarray(Image.open(io.BytesIO(base64.b64decode(each)))) for each in coded]


def test_it_says_what_was_found_where_and_what_to_do(dataset: Dataset) -> None:
    found = Finding("BW106", "a.png, box 1", "has no area", "dropped", ("a.png",), (9, 9, 9, 9))
    text = page(dataset, found)
    for said in (
        "A box has no area",
        "a.png, box 1",
        "has no area",
        "dropped",
        "What to do",
        "cat",
    ):
        assert said in text


def test_nothing_found_is_said_too(dataset: Dataset) -> None:
    assert "No problems found" in page(dataset)


def test_names_cannot_become_markup_and_nothing_is_loaded(dataset: Dataset) -> None:
    text = page(dataset, Finding("BW101", HOSTILE, f"its photo {HOSTILE} is not here", "left out"))
    tags = []

    class Tags(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            tags.append((tag, dict(attrs)))

    Tags().feed(text)
    assert not {"script", "link", "iframe", "object"} & {tag for tag, _ in tags}
    assert all(values["src"].startswith("data:") for tag, values in tags if tag == "img")
    assert "default-src 'none'" in text
    assert "cat &lt;b&gt;" in text


@pytest.mark.parametrize(
    "box",
    [
        (10, 10, 60, 60),
        (300.0, 200.0, 300.0, 200.0),
        (60, 60, 10, 10),
        (-50, -50, 5000, 5000),
        (700, 500, 900, 600),
    ],
)
def test_every_box_gets_a_picture_with_its_frame(
    dataset: Dataset, box: tuple[float, float, float, float]
) -> None:
    (picture,) = pictures(
        page(dataset, Finding("BW103", "a.png, box 1", "odd", "", ("a.png",), box))
    )
    yellow = (picture[..., 0] > 180) & (picture[..., 2] < 110)
    assert yellow.any()


def test_images_that_belong_together_stand_side_by_side(dataset: Dataset) -> None:
    text = page(
        dataset, Finding("BW131", "a.png, b.png", "are near-duplicates", "", ("a.png", "b.png"))
    )
    assert len(pictures(text)) == 2
    assert text.count("<figure>") == 1


def test_an_image_that_cannot_be_opened_is_only_named(dataset: Dataset) -> None:
    text = page(dataset, Finding("BW102", "gone.jpg", "is damaged", "left out", ("gone.jpg",)))
    assert pictures(text) == []
    assert "gone.jpg" in text


def test_a_flood_is_counted_but_not_shown(dataset: Dataset) -> None:
    many = [Finding("BW103", f"{i}.png", "outside", "", ("a.png",)) for i in range(1000)]
    text = page(dataset, *many)
    assert len(pictures(text)) == PICTURES
    assert text.count("<li>") == MAX_LISTED + 1
    assert "1,000 times" in text
