"""TIDE's six kinds: equal to tidecv, whose values tools/golden_mistakes.py made."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from boxwright.evaluation.matching import gather
from boxwright.evaluation.mistakes import KINDS, NOTE, mistakes
from boxwright.structures.dataset import CROWD, Dataset, LabeledImage
from boxwright.structures.detections import Detections

pytestmark = pytest.mark.tiny
GOLDEN = json.loads(Path(__file__).with_name("golden_mistakes.json").read_text("utf-8"))
CLASSES = ("a", "b", "c")
BOX = (10, 10, 50, 50)


def read(images: list[dict[str, Any]]) -> tuple[Dataset, list[Detections]]:
    truth, found = [], []
    for number, image in enumerate(images):
        rows = image["truth"]
        truth.append(
            LabeledImage(
                f"{number}.jpg",
                400,
                400,
                [row[1:5] for row in rows],
                [CLASSES[row[0]] for row in rows],
                [CROWD * row[5] for row in rows],
            )
        )
        found.append(
            Detections(
                [row[1:5] for row in image["found"]],
                [row[5] for row in image["found"]],
                [row[0] for row in image["found"]],
                CLASSES,
            )
        )
    return Dataset.of("images", truth, CLASSES), found


def measured(truth: Dataset, found: list[Detections], threshold: float = 0) -> Any:
    columns = gather(truth, found)
    return mistakes(truth, columns, [threshold] * len(truth.classes))


@pytest.mark.parametrize("golden", GOLDEN, ids=range(len(GOLDEN)))
def test_equals_tidecv(golden: dict[str, Any]) -> None:
    mine = measured(*read(golden["images"]))
    assert mine.ap50 == pytest.approx(golden["ap50"], abs=1e-6)
    assert [one.loss for one in mine.kinds] == pytest.approx(golden["losses"], abs=1e-6)


@pytest.mark.parametrize(
    ("box", "label", "kind"),
    [
        (BOX, 1, "class"),
        ((30, 10, 70, 50), 0, "location"),
        ((30, 10, 70, 50), 1, "both"),
        (BOX, 0, "duplicate"),
        ((200, 200, 240, 240), 0, "background"),
    ],
)
def test_each_kind(box: tuple[int, ...], label: int, kind: str) -> None:
    found = [[0, *BOX, 0.9]] if kind == "duplicate" else []
    mine = measured(*read([{"truth": [[0, *BOX, 0]], "found": [*found, [label, *box, 0.5]]}]))
    assert [one.kind for one in mine.kinds if one.count and one.kind != "missed"] == [kind]
    missed = {one.kind: one.count for one in mine.kinds}["missed"]
    assert missed == (kind in {"both", "background"})


def test_they_do_not_add_up_and_that_is_said() -> None:
    assert measured(*read(GOLDEN[0]["images"])).to_json()["note"] == NOTE
    assert [one.kind for one in measured(*read(GOLDEN[0]["images"])).kinds] == list(KINDS)


def test_they_are_counted_at_the_threshold() -> None:
    images = [{"truth": [[0, *BOX, 0]], "found": [[0, *BOX, 0.4], [1, *BOX, 0.3]]}]
    counts = {one.kind: one.count for one in measured(*read(images), threshold=0.5).kinds}
    assert counts == dict.fromkeys(KINDS, 0) | {"missed": 1}
    assert measured(*read(images), threshold=0.35).kinds[-1].count == 0


def test_nothing_to_measure() -> None:
    assert measured(*read([{"truth": [], "found": []}])).ap50 is None
