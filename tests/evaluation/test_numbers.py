"""Each number beside a case that can be checked by hand."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from boxwright.errors import ArgumentError, EvaluationError
from boxwright.evaluation import openimages
from boxwright.evaluation.bootstrap import resampled_images, weightings
from boxwright.evaluation.calibration import calibration
from boxwright.evaluation.confusion import confusion
from boxwright.evaluation.matching import gather, match
from boxwright.evaluation.numbers import How, numbers
from boxwright.evaluation.outcomes import Outcomes, Rates
from boxwright.evaluation.slices import Seen
from boxwright.evaluation.threshold import FIXED, Aim, Threshold, choose
from boxwright.evaluation.voc import Ranking, ap50_per_class
from boxwright.structures.dataset import CROWD, Dataset, LabeledImage
from boxwright.structures.detections import Detections

pytestmark = pytest.mark.tiny
CLASSES = ("cat", "dog")
BOX, NEAR, FAR = (10, 10, 50, 50), (10, 10, 50, 46), (60, 60, 90, 90)


def scene(*images: tuple[list, list]) -> tuple[Dataset, list[Detections]]:  # type: ignore[type-arg]
    """Truth `(box, class, flag)` and detections `(box, class, score)` of each image."""
    truth = [
        LabeledImage(
            f"{i % 2}/{i}.png",
            100,
            100,
            [one[0] for one in rows],
            [CLASSES[one[1]] for one in rows],
            [one[2] for one in rows],
        )
        for i, (rows, _) in enumerate(images)
    ]
    found = [
        Detections([r[0] for r in rows], [r[2] for r in rows], [r[1] for r in rows], CLASSES)
        for _, rows in images
    ]
    return Dataset.of("images", truth, CLASSES), found


TWO = scene(
    ([(BOX, 0, 0), (FAR, 1, 0)], [(BOX, 0, 0.9), (FAR, 0, 0.8)]),
    ([(BOX, 0, 0)], [(NEAR, 0, 0.7), (FAR, 1, 0.3)]),
)


def test_confusion_pairs_by_overlap_and_only_then_asks_for_the_class() -> None:
    truth, found = TWO
    counts = confusion(truth, gather(truth, found), (0.5, 0.5)).counts
    assert counts.tolist() == [[2, 0, 0], [1, 0, 0], [0, 0, 0]]
    low = confusion(truth, gather(truth, found), (0.5, 0.1)).counts
    assert low.tolist() == [[2, 0, 0], [1, 0, 0], [0, 1, 0]]  # the low one is a false alarm


def test_confusion_of_one_box_found_twice_and_of_a_crowd() -> None:
    truth, found = scene(([(BOX, 0, 0)], [(NEAR, 0, 0.9), (BOX, 1, 0.5)]))
    counts = confusion(truth, gather(truth, found), (0.1, 0.1)).counts
    assert counts.tolist() == [[0, 1, 0], [0, 0, 0], [1, 0, 0]]  # the better box is the pair
    truth, found = scene(([(BOX, 0, CROWD)], [(NEAR, 0, 0.9)]))
    assert not confusion(truth, gather(truth, found), (0.1, 0.1)).counts.any()


def outcomes(truth: Dataset, found: list[Detections]) -> Outcomes:
    per_class = match(truth, gather(truth, found), ("all",))["all"]
    return Outcomes.together([Outcomes.of(one) for one in per_class], len(truth))


def test_rates_at_a_threshold() -> None:
    rates = Rates.of(outcomes(*TWO).above(0.5), weightings(2, 100))
    shown = {name: one["value"] for name, one in rates.to_json().items()}
    assert shown == pytest.approx(
        {
            "precision": 2 / 3,
            "recall": 2 / 3,
            "f1": 2 / 3,
            "false_alarms_per_100_images": 50,
            "count_error": 0,
        }
    )
    assert rates.recall.n == 3
    assert rates.recall.interval == pytest.approx((0.5, 1))


def test_calibration_of_a_detector_that_is_always_half_sure() -> None:
    images = [([(BOX, 0, 0)], [(BOX, 0, 0.55), (FAR, 0, 0.55)]) for _ in range(4)]
    measured = calibration(outcomes(*scene(*images)), weightings(4, 100))
    assert measured.ece.value == pytest.approx(0.05)
    assert measured.ece.interval == pytest.approx((0.05, 0.05))
    assert [one.count for one in measured.bins] == [0] * 5 + [8] + [0] * 4


@pytest.mark.parametrize(
    ("hits", "wanted", "area", "levels"),
    [
        ([1, 1], 2, 1, 1),
        ([1, 0], 2, 1 / 2, 6 / 11),  # recalls 0 to 0.5
        ([0, 1], 1, 1 / 2, 1 / 2),
        ([1, 0, 1], 3, (1 + 2 / 3) / 3, (4 + 3 * 2 / 3) / 11),
        ([1] * 3, 10, 0.3, 4 / 11),  # 3 / 10 reaches the level 0.3
        ([], 1, 0, 0),
    ],
)
def test_voc_by_a_table(hits: list[int], wanted: int, area: float, levels: float) -> None:
    hit = np.array(hits, np.bool_)
    ranking = Ranking(np.zeros(len(hits), np.int64), hit, np.array([wanted]))
    once, twice, never = ranking.average_precision(np.array([[1.0], [2], [0]]))
    assert once == pytest.approx((area, levels))
    assert twice == pytest.approx(once)
    assert np.isnan(never).all()


def test_voc_of_both_years_is_per_class() -> None:
    truth, found = TWO
    years = ap50_per_class(truth, gather(truth, found), np.ones((1, len(truth))))
    later, early = (ap[:, 0] for ap in years)
    assert later.tolist() == pytest.approx([(1 + 2 / 3) / 2, 0])
    assert early.tolist() == pytest.approx([(6 + 5 * 2 / 3) / 11, 0])


TREE = {"LabelName": "animal", "Subcategory": [{"LabelName": "cat"}, {"LabelName": "dog"}]}


def test_open_images_groups_and_hierarchy() -> None:
    truth, found = scene(
        ([(BOX, 0, CROWD)], [((12, 12, 20, 20), 0, 0.9), ((30, 30, 40, 40), 0, 0.8)]),
        ([(BOX, 0, 0)], [(FAR, 0, 0.7), (BOX, 0, 0.6)]),
    )
    once = np.ones((1, len(truth)))
    ap = openimages.ap50_per_class(truth, gather(truth, found), once)[:, 0]
    assert ap[0] == pytest.approx((1 + 2 / 3) / 2)  # the group once, a mistake, the box
    above = openimages.parents(TREE)
    assert above == {"animal": set(), "cat": {"animal"}, "dog": {"animal"}}
    animals = replace(truth, classes=("cat", "animal"))
    found = [Detections(d.boxes, d.scores, d.labels + 1, animals.classes) for d in found]
    expanded = openimages.ap50_per_class(animals, gather(animals, found), once, above)
    of_cats, of_animals = expanded[:, 0]
    assert (of_cats, of_animals) == pytest.approx((0, ap[0]))


def test_near_duplicates_are_drawn_together() -> None:
    drawn = resampled_images(3, 50, 0, np.array([0, 0, 1]))
    assert (drawn[:, 0] == drawn[:, 1]).all()
    assert set(drawn[:, 0] + drawn[:, 2]) == {2}


FOUR = (
    ([(BOX, 0, 0)], [(BOX, 0, 0.9)]),
    ([(BOX, 0, 0)], [(BOX, 0, 0.6), (FAR, 0, 0.7)]),
    ([(BOX, 1, 0)], [(BOX, 1, 0.4), (FAR, 1, 0.5)]),
    ([(FAR, 1, 0)], []),
)
AIMS = scene(*FOUR)


@pytest.mark.parametrize(
    ("aim", "times", "value", "met"),
    [
        ("f1", 1, 0.25, True),
        ("precision=.95", 110, 0.8, True),
        ("precision=.95", 100, 0.8, False),  # 100 of 100 right ones do not show it
        ("precision=1", 110, 0.8, False),  # cannot be shown
        ("precision=.6", 110, 0.55, True),  # 2 of 3 are right
        ("precision=.6", 40, 0.8, True),
        ("recall=.4", 80, 0.55, True),  # 1 of 2 is found
        ("recall=.49", 60, 0.205, True),
        ("recall=.9", 60, 0.205, False),  # a box is not found at all
    ],
)
def test_aims(aim: str, times: int, value: float, met: bool) -> None:
    chosen, each = (
        choose(*scene(*FOUR * times), Aim.parse(aim), per_class=per_class)
        for per_class in (False, True)
    )
    assert chosen is not None
    assert each is not None
    assert (chosen.value, chosen.met) == (pytest.approx(value), met)
    assert chosen.validated
    assert set(each.per_class) == set(CLASSES)
    assert each.value == chosen.value
    # Of dogs, every other one is found, each after a false alarm.
    assert each.met == (met and aim in {"f1", "recall=.4"})


def test_images_are_the_units_of_the_margin() -> None:
    """101 of 105 detections are right. The four wrong ones in one image say less than in four."""
    right = [([(BOX, 0, 0)], [(BOX, 0, 0.9)])] * 100 + [([(BOX, 0, 0)], [(BOX, 0, 0.7)])]
    apart = [([], [(FAR, 0, 0.8)])] * 4
    together = [([], [(FAR, 0, 0.8)] * 4)]
    chosen = [
        choose(*scene(*right, *wrong), Aim.parse("precision=.89")) for wrong in (apart, together)
    ]
    assert [one.value for one in chosen if one] == pytest.approx([0.355, 0.85])


@pytest.mark.parametrize("text", ["", "f2", "f1=.5", "precision", "recall=2", "recall=x"])
def test_an_aim_that_is_none(text: str) -> None:
    with pytest.raises(ArgumentError, match="BW807"):
        Aim.parse(text)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"LabelName": "a", "Subcategory": ["b"]}'])
def test_a_hierarchy_that_is_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "tree.json").write_text(text, "utf-8")
    with pytest.raises(EvaluationError, match="BW606"):
        openimages.read_hierarchy(tmp_path / "tree.json")
    (tmp_path / "tree.json").write_text(json.dumps(TREE), "utf-8")
    assert openimages.read_hierarchy(tmp_path / "tree.json")["cat"] == {"animal"}


def photos(folder: Path, images: Dataset) -> Dataset:
    for i, name in enumerate(images.names):
        (folder / name).parent.mkdir(exist_ok=True)
        noise = np.random.default_rng(i).integers(0, 60 + 30 * i, (100, 100, 3), np.uint8)
        Image.fromarray(noise).save(folder / name)
    return replace(images, root=folder)


def test_all_numbers_with_slices_and_baseline(tmp_path: Path) -> None:
    truth, found = AIMS
    truth = photos(tmp_path, truth)
    table = tmp_path / "weather.csv"
    table.write_text("image,weather\n0,sun\n1,rain\n2.png,sun\n1/3.png,rain\n", "utf-8")
    measured = numbers(
        truth,
        found,
        Threshold(0.5, FIXED, per_class={"dog": 0.3}),
        seen=Seen.of(truth),
        baseline=found,
        how=How(resamples=50, table=table),
    )
    value = measured.to_json()
    assert json.loads(json.dumps(value))["schema"] == 1
    slices = {(one.by, one.name): one for one in measured.slices}
    assert [by for by, _ in slices] == ["size"] * 2 + ["brightness"] * 3 + ["folder"] * 2 + [
        "weather"
    ] * 2
    assert slices["weather", "sun"].images == 2
    assert slices["weather", "sun"].recall.value == 1
    assert slices["folder", "1"].recall.value == pytest.approx(1 / 2)
    assert slices["size", "medium"].precision is None
    assert sum(slices["size", size].boxes for size in ("small", "medium")) == 4
    assert value["curves"]["cat"]["right"][65] == 1
    assert value["curves"]["cat"]["wrong"][65] == 1
    assert measured.baseline is not None
    assert measured.baseline.ap == measured.ap


@pytest.mark.parametrize("text", ["", "image\n0\n", "image,weather\nother,sun\n"])
def test_a_table_that_does_not_fit(tmp_path: Path, text: str) -> None:
    table = tmp_path / "weather.csv"
    table.write_text(text, "utf-8")
    with pytest.raises(EvaluationError, match="BW603"):
        numbers(*AIMS, Threshold(0.5, FIXED), how=How(resamples=0, table=table))


def test_images_that_cannot_be_decoded_are_alone(tmp_path: Path) -> None:
    images = photos(tmp_path, AIMS[0])
    (tmp_path / images.names[1]).write_bytes((tmp_path / images.names[0]).read_bytes())
    (tmp_path / images.names[3]).write_bytes(b"no image")
    seen = Seen.of(images)
    assert seen.groups[0] == seen.groups[1]
    assert len(set(seen.groups.tolist())) == 3
    assert np.isnan(seen.brightness).tolist() == [False, False, False, True]
