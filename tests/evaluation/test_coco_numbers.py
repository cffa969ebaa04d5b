"""COCO's numbers are pycocotools' numbers, and the intervals around them mean something."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from boxwright.errors import EvaluationError
from boxwright.evaluation.coco import Evaluation, evaluate, of_matches
from boxwright.evaluation.matching import gather, match
from boxwright.structures.dataset import CROWD, DIFFICULT, Dataset, LabeledImage
from boxwright.structures.detections import Detections

pytestmark = pytest.mark.tiny
SIZES = ("small", "medium", "large")
NAMES = ["AP", "AP50", "AP75", *(f"AP{size}" for size in SIZES)]
NAMES += ["AR1", "AR10", "AR100", *(f"AR{size}" for size in SIZES)]


def pycocotools_itself(
    truth: Dataset, detections: Sequence[Detections]
) -> tuple[list[float | None], list[float | None]]:
    """The twelve numbers and AP per class as pycocotools computes them, by its public road."""
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    def loaded(annotations: list[dict[str, Any]]) -> COCO:
        coco = COCO()
        coco.dataset = {
            "images": [{"id": i} for i in range(len(truth))],
            "categories": [{"id": i, "name": name} for i, name in enumerate(truth.classes)],
            "annotations": [
                {"id": number, "area": a["bbox"][2] * a["bbox"][3], "iscrowd": 0} | a
                for number, a in enumerate(annotations, start=1)
            ],
        }
        coco.createIndex()
        return coco

    def annotation(image: int, label: int, box: Any, **more: Any) -> dict[str, Any]:
        xmin, ymin, xmax, ymax = (float(v) for v in box)
        sides = [xmin, ymin, xmax - xmin, ymax - ymin]
        return {"image_id": image, "category_id": label, "bbox": sides} | more

    wanted = [
        annotation(p, int(label), box, iscrowd=int(flag & CROWD > 0))
        for p, label, box, flag in zip(
            truth.image_of_box, truth.labels, truth.boxes, truth.flags, strict=True
        )
    ]
    found = [
        annotation(p, truth.classes.index(name), box, score=score)
        for p, image in enumerate(detections)
        for name, score, box in image
    ]
    evaluation = COCOeval(loaded(wanted), loaded(found), "bbox")
    evaluation.evaluate()
    evaluation.accumulate()
    evaluation.summarize()
    per_class = evaluation.eval["precision"][:, :, :, 0, 2].mean(axis=(0, 1))
    measured = [float(v) for v in (*evaluation.stats, *per_class)]
    numbers = [None if v == -1 else v for v in measured]
    return numbers[:12], numbers[12:]


def random_data(
    images: int, *, seed: int = 0, classes: Sequence[str] = ("cat", "dog")
) -> tuple[Dataset, list[Detections]]:
    """Photos with up to 4 boxes each, and for each some good, poor and doubled detections."""
    rng = np.random.default_rng(seed)
    truth, detections = [], []
    for index in range(images):
        count = rng.integers(0, 5)
        corner = rng.uniform(0, 300, (count, 2))
        boxes = np.hstack([corner, corner + rng.uniform(10, 200, (count, 2))])
        labels = rng.integers(len(classes), size=count)
        truth.append(LabeledImage(f"{index}.jpg", 500, 500, boxes, [classes[i] for i in labels]))
        source = rng.integers(count, size=2 * count) if count else np.zeros(0, int)
        shaken = boxes[source] + rng.normal(0, 12, (2 * count, 4))
        detections.append(Detections(shaken, rng.random(2 * count), labels[source], tuple(classes)))
    return Dataset.of("photos", truth, classes), detections


@st.composite
def small_worlds(draw: st.DrawFn) -> tuple[Dataset, list[Detections]]:
    """Few photos, with what breaks ties and averages: equal scores, crowds, absent classes."""
    classes = ("a", "b", "c")[: draw(st.integers(1, 3))]
    corner, side = st.integers(0, 120), st.integers(0, 130)

    def boxes(most: int) -> Any:
        row = st.tuples(corner, corner, side, side, st.sampled_from(range(len(classes))))
        rows = draw(st.lists(row, max_size=most))
        return [(x, y, x + w, y + h) for x, y, w, h, _ in rows], [row[4] for row in rows]

    truth, detections = [], []
    for index in range(draw(st.integers(1, 4))):
        wanted, labels = boxes(4)
        flags = [draw(st.sampled_from([0, 0, DIFFICULT, CROWD])) for _ in labels]
        truth.append(
            LabeledImage(f"{index}.jpg", 250, 250, wanted, [classes[i] for i in labels], flags)
        )
        found, ids = boxes(6)
        near = [np.add(box, draw(st.integers(0, 9))) for box in wanted]
        scores = [draw(st.sampled_from([0.25, 0.5, 0.75])) for _ in [*found, *near]]
        detections.append(Detections([*found, *near], scores, [*ids, *labels], classes))
    return Dataset.of("photos", truth, classes), detections


def assert_equals_pycocotools(truth: Dataset, detections: list[Detections]) -> None:
    mine = evaluate(truth, detections, resamples=0)
    twelve, per_class = pycocotools_itself(truth, detections)
    assert list(mine.coco) == NAMES
    assert list(mine.coco.values()) == pytest.approx(twelve, abs=1e-12)
    assert [score.ap for score in mine.per_class] == pytest.approx(per_class, abs=1e-12)


@given(small_worlds())
@settings(max_examples=60, deadline=None)
def test_equals_pycocotools_on_small_worlds(world: tuple[Dataset, list[Detections]]) -> None:
    assert_equals_pycocotools(*world)


@pytest.mark.parametrize("seed", range(50))
def test_equals_pycocotools_on_random_sets(seed: int) -> None:
    """Crowds, images without truth, without detections, empty ones, a class without truth."""
    rng = np.random.default_rng(seed)
    truth, detections = random_data(10, seed=seed, classes=("cat", "dog"))
    truth = replace(truth, flags=np.where(rng.random(len(truth.flags)) < 0.1, CROWD, 0))
    truth = replace(truth, classes=(*truth.classes, "yak"))
    blank = Detections([], [], [], truth.classes)
    strange = Detections(
        detections[0].boxes, detections[0].scores, detections[0].labels * 0 + 2, truth.classes
    )
    detections[int(rng.integers(10))] = blank
    detections[int(rng.integers(10))] = strange
    assert_equals_pycocotools(truth, detections)


def test_more_than_a_hundred_detections_of_a_class_are_cut_as_coco_cuts_them() -> None:
    rng = np.random.default_rng(0)
    corner = rng.uniform(0, 100, (150, 2))
    boxes = np.hstack([corner, corner + 20])
    truth = Dataset.of("photos", [LabeledImage("a.jpg", 200, 200, boxes, ["cat"] * 150)])
    found = Detections(boxes, rng.random(150), np.zeros(150), ("cat",))
    assert_equals_pycocotools(truth, [found])
    assert evaluate(truth, [found], resamples=0).coco["AR100"] < 0.7


@pytest.mark.shared
def test_golden_numbers_of_the_object_detection_api(shared: Path) -> None:
    golden = np.load(shared / "golden" / "eval_metrics.npz")
    truth, detections = golden_images(golden)
    mine = evaluate(truth, detections, resamples=0)
    theirs = [f"Precision/mAP{iou}" for iou in ("", "@.50IOU", "@.75IOU")]
    theirs += [f"Precision/mAP ({size})" for size in SIZES]
    theirs += [f"Recall/AR@{most}" for most in (1, 10, 100)]
    theirs += [f"Recall/AR@100 ({size})" for size in SIZES]
    expected = [float(golden[f"coco/DetectionBoxes_{name}"]) for name in theirs]
    shown = [-1 if value is None else value for value in mine.coco.values()]
    assert shown == pytest.approx(expected, abs=1e-9)
    assert mine.voc_ap50 == pytest.approx(
        float(golden["pascal/PascalBoxes_Precision/mAP@0.5IOU"]), abs=1e-9
    )
    for score in mine.per_class:
        name = f"pascal/PascalBoxes_PerformanceByCategory/AP@0.5IOU/{score.name}"
        assert score.voc_ap50 == pytest.approx(float(golden[name]), abs=1e-9)


def golden_images(golden: Any) -> tuple[Dataset, list[Detections]]:
    classes = ("a", "b")
    images, detections = [], []
    for i in range(12):
        labels = golden[f"gt_classes_{i}"] - 1
        flags = np.where(golden[f"gt_difficult_{i}"], DIFFICULT, 0).tolist()
        boxes = golden[f"gt_boxes_{i}"][:, [1, 0, 3, 2]]
        images.append(
            LabeledImage(f"{i}.jpg", 300, 300, boxes, [classes[k] for k in labels], flags)
        )
        detections.append(
            Detections(
                golden[f"det_boxes_{i}"][:, [1, 0, 3, 2]],
                golden[f"det_scores_{i}"],
                golden[f"det_classes_{i}"] - 1,
                classes,
            )
        )
    return Dataset.of("photos", images, classes), detections


def in_other_order(detections: list[Detections], classes: tuple[str, ...]) -> list[Detections]:
    """The same detections from a detector that numbers its classes as `classes` does."""
    return [
        Detections(d.boxes, d.scores, [classes.index(d.classes[i]) for i in d.labels], classes)
        for d in detections
    ]


def test_classes_are_matched_by_name_whatever_their_order() -> None:
    truth, detections = random_data(12)
    reordered = in_other_order(detections, ("zebra", "dog", "person", "cat"))
    assert evaluate(truth, reordered) == evaluate(truth, detections)


def test_what_is_said_of_classes_the_data_lacks_is_left_out() -> None:
    truth, detections = random_data(12)
    talkative = [
        Detections(
            np.vstack([d.boxes, [[0, 0, 400, 400]]]),
            [*d.scores, 1.0],
            [*d.labels, 2],
            ("cat", "dog", "zebra"),
        )
        for d in detections
    ]
    assert evaluate(truth, talkative) == evaluate(truth, detections)


def test_a_class_the_detector_does_not_know_scores_zero() -> None:
    truth, detections = random_data(12)
    cats = [Detections(*_only(d, 0), ("cat",)) for d in detections]
    scores = {score.name: score for score in evaluate(truth, cats, resamples=0).per_class}
    assert scores["dog"].ap == 0
    assert scores["cat"] == evaluate(truth, detections, resamples=0).per_class[0]


def _only(found: Detections, label: int) -> tuple[Any, Any, Any]:
    keep = found.labels == label
    return found.boxes[keep], found.scores[keep], found.labels[keep]


def test_no_shared_class_is_said_with_both_names() -> None:
    truth, detections = random_data(3)
    foreign = [Detections(d.boxes, d.scores, d.labels, ("Cat", "Dog")) for d in detections]
    with pytest.raises(EvaluationError, match=r'BW601.*"Cat", "Dog".*"cat", "dog"'):
        evaluate(truth, foreign)


def test_numbers_that_are_none_are_refused_with_the_image() -> None:
    truth, detections = random_data(3)
    detections[1] = Detections([[0, 0, np.nan, 9]], [0.5], [0], ("cat", "dog"))
    with pytest.raises(EvaluationError, match=r"BW602 .*1\.jpg"):
        evaluate(truth, detections)


def nothing(images: int, classes: tuple[str, ...] = ("cat", "dog")) -> list[Detections]:
    return [Detections([], [], [], classes)] * images


def without_boxes(images: int) -> Dataset:
    return Dataset.of(
        "photos", [LabeledImage(f"{i}.jpg", 9, 9) for i in range(images)], ("cat", "dog")
    )


@pytest.mark.parametrize(
    ("truth", "detections", "ap"),
    [
        pytest.param(random_data(5)[0], nothing(5), 0.0, id="nothing found"),
        pytest.param(without_boxes(5), random_data(5)[1], None, id="nothing to find"),
        pytest.param(without_boxes(5), nothing(5), None, id="neither"),
        pytest.param(Dataset.of("photos", []), [], None, id="no photos"),
        pytest.param(
            Dataset.of("p", [LabeledImage("a.jpg", 9, 9)]), nothing(1), None, id="no classes"
        ),
    ],
)
def test_with_nothing_on_one_side(
    truth: Dataset, detections: list[Detections], ap: float | None
) -> None:
    result = evaluate(truth, detections)
    assert (result.ap, result.ap50, result.voc_ap50) == (ap, ap, ap)
    assert result.ap_interval == (None if ap is None else (0.0, 0.0))
    assert (result.images, result.boxes) == (len(truth), len(truth.boxes))
    assert len(result.per_class) == len(truth.classes)


def test_an_image_without_detections_entry_is_a_mistake_of_the_caller() -> None:
    truth, detections = random_data(3)
    with pytest.raises(ValueError, match="2 images for a truth of 3"):
        evaluate(truth, detections[:2])


@given(st.lists(st.integers(0, 3), min_size=8, max_size=8), st.integers(0, 50))
@settings(max_examples=25, deadline=None)
def test_an_image_of_weight_w_counts_as_w_copies_of_it(weights: list[int], seed: int) -> None:
    truth, detections = random_data(8, seed=seed)
    index = np.repeat(np.arange(8), weights)
    copies = evaluate(truth.select(index), [detections[i] for i in index], resamples=0)
    found = gather(truth, detections)
    weighted = of_matches(truth, found, match(truth, found), np.array([weights], float))
    for name, value in [*copies.coco.items(), ("voc", copies.voc_ap50)]:
        mine = weighted.coco.get(name, weighted.voc_ap50)
        assert (mine is None) == (value is None), name
        assert mine == value or mine == pytest.approx(value, abs=1e-12), name
    assert weighted.voc07_ap50 == pytest.approx(copies.voc07_ap50, abs=1e-12, nan_ok=True)
    for one, other in zip(weighted.per_class, copies.per_class, strict=True):
        assert (one.ap is None) == (other.ap is None)


def width(interval: tuple[float, float] | None) -> float:
    assert interval is not None
    return interval[1] - interval[0]


def test_the_interval_holds_the_number_and_shrinks_with_more_images() -> None:
    few, many = (evaluate(*random_data(images)) for images in (20, 320))
    for result in (few, many):
        measured = {name: value for name, value in result.coco.items() if value}
        assert {"AP", "AP50", "AP75", "APmedium", "APlarge", "AR1", "AR100"} <= measured.keys()
        for name, value in measured.items():
            low, high = result.intervals[name]
            assert low < value < high, name
    assert width(many.ap_interval) < 0.5 * width(few.ap_interval)


def test_the_interval_is_as_wide_as_fresh_images_scatter() -> None:
    """The one promise a bootstrap makes, held against data that really is drawn again."""
    scatter = np.std([evaluate(*random_data(60, seed=s), resamples=0).ap50 for s in range(60)])
    claimed = np.median([width(evaluate(*random_data(60, seed=s)).ap50_interval) for s in range(8)])
    assert claimed == pytest.approx(2 * 1.96 * scatter, rel=0.3)


def test_without_sizes_only_the_six_numbers_by_size_are_missing() -> None:
    truth, detections = random_data(12)
    whole, light = evaluate(truth, detections), evaluate(truth, detections, sizes=False)
    by_size = {name for name in NAMES if name.endswith(SIZES)}
    assert light.coco == {n: None if n in by_size else v for n, v in whole.coco.items()}
    assert (light.per_class, light.ap_interval) == (whole.per_class, whole.ap_interval)


def test_the_seed_alone_decides_the_interval() -> None:
    truth, detections = random_data(20)
    assert evaluate(truth, detections, seed=1) == evaluate(truth, detections, seed=1)
    assert evaluate(truth, detections, seed=1) != evaluate(truth, detections, seed=2)


def test_json_holds_every_number_and_null_for_what_could_not_be_measured() -> None:
    result: Evaluation = evaluate(*random_data(6))
    again = json.loads(json.dumps(result.to_json()))
    assert list(again["coco"]) == NAMES
    assert again["coco"]["AP"] == result.ap
    assert again["interval_95"]["AP50"] == list(result.ap50_interval)
    assert again["per_class"]["dog"]["boxes"] == result.per_class[1].boxes
    assert (again["images"], again["boxes"]) == (6, result.boxes)
    nowhere = evaluate(without_boxes(2), nothing(2)).to_json()
    assert nowhere["coco"] == dict.fromkeys(NAMES)
    assert nowhere["interval_95"] == dict.fromkeys([*NAMES, "voc_ap50", "voc07_ap50"])


def test_nothing_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    evaluate(*random_data(3))
    assert capsys.readouterr() == ("", "")


def test_the_numbers_need_no_pycocotools(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pycocotools", None)
    assert evaluate(*random_data(2), resamples=0).ap is not None
