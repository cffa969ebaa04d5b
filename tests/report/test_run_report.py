"""What a report says: on its page and in its JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from reported import Planted, drawn, report_of, scene

from boxwright.errors import ArgumentError, DataError, DetectorError
from boxwright.evaluation.mistakes import KINDS, NOTE
from boxwright.images.preprocessing import Preprocessing
from boxwright.inference.artifact import Artifact
from boxwright.inference.inspection import Description
from boxwright.inference.run import Run
from boxwright.io.files import write_json
from boxwright.report import facts
from boxwright.report.run_report import Report, report
from boxwright.structures.dataset import Dataset, LabeledImage, Split
from boxwright.structures.findings import Finding

pytestmark = pytest.mark.tiny

DOCS = Path(__file__).parents[2] / "docs" / "reference" / "report.md"
HOSTILE = '"><img src=x onerror=alert(1)></script><script>alert(1)</script>'
RECIPE = {"model": "ssd", "input_size": 320, "reasons": {"input_size": "small boxes"}}
LOSS = {"run": 0.51, "file": 0.50}
COMPARISON = {
    "split": "test",
    "table": {"AP": LOSS, "AP50": LOSS},
    "images": {"test": 7},
    "loss": 0.0123,
    "interval": [0.001, 0.02],
    "tolerance": 0.01,
    "compared": 20,
    "agreeing": 18,
    "wanted": 16,
    "accepted": True,
}


@pytest.fixture
def planted(tmp_path: Path) -> tuple[Dataset, Planted]:
    return scene(tmp_path / "images")


Make = Callable[..., Report]


@pytest.fixture
def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Make:
    """Report the planted detections as those of a run with this provenance."""

    def make(*planted: Any, **options: Any) -> Report:
        return report_of(Run(tmp_path / "run"), monkeypatch, *planted, **options)

    return make


def text_of(written: Report) -> str:
    return written.page.read_text("utf-8")


def section(written: Report, name: str) -> str:
    found = re.search(rf'<section class="card" id="{name}">.*?</section>', text_of(written), re.S)
    return found[0] if found else ""


def cells(html: str) -> list[list[str]]:
    """The cells of each row of a table, without tags."""
    rows = re.findall(r"<tr>(.*?)</tr>", html, re.S)
    return [[re.sub("<.*?>", "", one) for one in re.findall(r"<t[hd].*?</t[hd]>", r)] for r in rows]


def test_the_first_sentence_says_what_happens_at_the_threshold(
    planted: tuple[Dataset, Planted], make: Make
) -> None:
    written = make(*planted)
    assert re.fullmatch(
        r"At the score threshold 0\.5 it finds 79 of 100 objects \(95 %: \d+ to \d+\), "
        r"with 57 false alarms per 100 images \(95 %: \d+ to \d+\)\.",
        written.says,
    )
    assert f'<p class="lead">{written.says}</p>' in text_of(written)
    assert "Measured on 7 test images with 14 objects." in text_of(written)
    assert "The threshold is chosen for f1 on 2 validation images." in text_of(written)
    assert "A baseline that predicts the same boxes for every image has AP50 1.000" in (
        text_of(written)
    )


@pytest.mark.parametrize("kind", ["class", "location", "duplicate", "background", "missed"])
def test_the_worst_image_of_a_kind_is_the_one_with_the_mistake(
    kind: str, planted: tuple[Dataset, Planted], make: Make
) -> None:
    written = make(*planted)
    assert [one["image"] for one in written.content["worst"][kind]] == [f"{kind}.png"]
    figures = re.findall(rf'<figure id="{kind}\d".*?</figure>', section(written, "worst"), re.S)
    assert len(figures) == 1
    for drawn_there in ("data:image/jpeg", f"<b>{kind}.png</b>", 'class="truth"', 'class="k'):
        assert drawn_there in figures[0]
    assert ('class="missed"' in figures[0]) == (kind == "missed")
    said = {"class": "dog 0.90 (truth: cat)", "location": "cat 0.90", "missed": "1 cat"}
    assert said.get(kind, "") in figures[0]


def test_the_worst_images_come_first(tmp_path: Path, make: Make) -> None:
    dataset, found = scene(tmp_path / "images")
    for number in range(9):
        name = f"more{number}.png"
        drawn(dataset.root, name, 200 + number)
        found.found[name] = [((80, 0, 100, 20), 0.5 + number / 20, "dog")]
    more = [LabeledImage(f"more{n}.png", 200, 160, split=Split.TEST) for n in range(9)]
    written = make(Dataset.of(dataset.root, more, dataset.classes), found)
    shown = [one["image"] for one in written.content["worst"]["background"]]
    assert shown == [f"more{n}.png" for n in (8, 7, 6, 5, 4, 3)]


def test_mistakes_have_their_cost_and_the_sentence_that_costs_do_not_add_up(
    planted: tuple[Dataset, Planted], make: Make
) -> None:
    html = section(make(*planted), "mistakes")
    assert NOTE in html
    assert [row[1] for row in cells(html)[1:]] == ["1", "1", "0", "1", "1", "1"]


def test_a_leak_of_the_split_is_found_and_scores_are_given_without_it(
    planted: tuple[Dataset, Planted], make: Make
) -> None:
    dataset, found = planted
    written = make(dataset, found)
    assert written.content["leaks"] == {"training_images": 6, "images": ["leak.png"]}
    html = section(written, "leaks")
    assert "1 of 7 images are near-duplicates of one of the 6 training images" in html
    assert [row[1] for row in cells(html)[1:]] == ["1", "6"]
    without = make(dataset.select([n != "leak.png" for n in dataset.names]), found)
    leaked, others = (
        one for one in written.content["numbers"]["slices"] if one["by"] == "split leak"
    )
    assert leaked["AP50"]["value"] == pytest.approx(1)
    assert others["AP50"]["value"] == pytest.approx(without.numbers and without.numbers.ap50)
    assert "None of these images" in section(without, "leaks")


def test_a_training_is_reported_from_validation_images_only(
    planted: tuple[Dataset, Planted], make: Make
) -> None:
    dataset, found = planted
    written = make(dataset, found, split="val")
    assert set(found.seen) == {"train4.png", "train5.png"}
    assert written.content["leaks"]["training_images"] == 4
    assert "Validation images choose weights and threshold" in text_of(written)
    assert re.search(r"<pre>boxwright report \S+run DATA</pre>", section(written, "next"))
    written = make(dataset.split("val"), found, split="val")
    assert "<pre>boxwright split DATA --anew</pre>" in section(written, "next")


def test_images_that_the_training_held_out_are_its_validation_images(
    planted: tuple[Dataset, Planted], make: Make
) -> None:
    dataset, found = planted
    plain = replace(dataset, splits=np.where(dataset.splits == Split.VAL, 0, dataset.splits))
    make(plain, found, split="val", held_out=["train1.png", "train3.png"])
    assert set(found.seen) == {"train1.png", "train3.png"}


def test_without_validation_images_it_says_so(planted: tuple[Dataset, Planted], make: Make) -> None:
    dataset, found = planted
    written = make(dataset.split("test"), found, split="val", recipe=RECIPE)
    assert written.numbers is None
    assert written.content["numbers"] is None
    assert "Not measured: there are no validation images" in text_of(written)
    assert section(written, "recipe")
    assert section(written, "data")
    assert not section(written, "threshold")


def test_the_recipe_has_its_reasons_and_the_training_its_curves(
    planted: tuple[Dataset, Planted], make: Make, tmp_path: Path
) -> None:
    lines = [{"step": step, "Loss/total_loss": 9 / (step + 1)} for step in range(0, 500, 10)]
    lines += [{"step": 400, "DetectionBoxes_Precision/mAP@.50IOU": 0.5}]
    (tmp_path / "run").mkdir()
    log = "".join(json.dumps(line) + "\n" for line in lines) + '{"step": 4'  # cut off by a crash
    (tmp_path / "run" / "log.jsonl").write_text(log, "utf-8")
    written = make(*planted, recipe=RECIPE)
    (row,) = [row for row in cells(section(written, "recipe")) if row[0] == "input_size"]
    assert row[1:] == ["the input size is 320 x 320 pixels", "small boxes"]
    assert len(written.content["training"]) == 51
    assert section(written, "training").count("<svg viewBox") == 2


def test_losses_of_exported_files_and_times_are_shown_where_they_are_known(
    planted: tuple[Dataset, Planted],
    make: Make,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    known = Artifact({}, ("cat", "dog"), Preprocessing(32), 0.5, {"comparison": COMPARISON})

    def described(path: Path) -> Description:
        if path.name != "served":
            raise DetectorError("BW501", "is no detector")
        return Description(path, ".tflite", 12_300_000, known)

    monkeypatch.setattr(facts, "inspect", described)
    (tmp_path / "run" / "served").mkdir(parents=True)
    median = {"median": 12.34, "p95": 20.5}
    timing = {"threads": 2, "whole": median, "network": None, "postprocess": None}
    measured = {"timings": [timing], "prepare": median, "images_per_second": 33.3}
    times = {"served": measured | {"peak_bytes": 123456789, "machine": "2 cores"}}
    write_json(tmp_path / "run" / "bench.json", times)
    written = make(*planted)
    assert cells(section(written, "exports"))[1] == [
        *("served", "12.3", "float", "1.23 (0.10 to 2.00)", "1.0", "18 of 20"),
        "no, kept on request",
    ]
    assert cells(section(written, "bench"))[1] == [
        *("served", "2", "12.3", "12.3", "20.5", "33.3", "123", "2 cores")
    ]
    assert written.content["bench"] == times


def test_files_of_others_in_a_run_folder_do_no_harm(
    planted: tuple[Dataset, Planted], make: Make, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    run.mkdir()
    bad = {"a": 1, HOSTILE: {"timings": [{"threads": HOSTILE}]}, "b": {"timings": {}}}
    write_json(run / "bench.json", bad)
    (run / "log.jsonl").write_bytes(
        b'[1]\n{"step": "x"}\n{"step": 1, "Loss/total_loss": NaN}\n\xff'
    )
    written = make(*planted, recipe={"model": [], "steps": HOSTILE}, held_out=7)
    assert "alert(1)</script>" not in text_of(written)
    for part in ("bench", "training", "recipe"):
        assert not section(written, part)


def test_problems_of_the_data_are_listed(planted: tuple[Dataset, Planted], make: Make) -> None:
    dataset, found = planted
    finding = Finding("BW106", "a.png, box 1", "the box has no area", "dropped", ("a.png",))
    html = section(make(replace(dataset, findings=(finding,) * 5), found), "data")
    for said in ("BW106", "A box has no area", "a.png, box 1: the box has no area", "2 more"):
        assert said in html
    assert cells(html)[1][:5] == ["cat", "4", "2", "7", "13"]
    assert "13 images, 26 boxes: 4 train, 2 val, 7 test. 0 without objects." in html


class Tags(HTMLParser):
    """The tags of a page with their attributes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))


def test_names_stay_text(tmp_path: Path, make: Make) -> None:
    plain = {tag for tag, _ in Tags(text_of(make(*scene(tmp_path / "plain")))).tags}
    hostile = make(*scene(tmp_path / HOSTILE.replace("/", ""), (HOSTILE, "dog")))
    tags = Tags(text_of(hostile)).tags
    assert {tag for tag, _ in tags} == plain
    assert [tag for tag, _ in tags].count("script") == 1
    for _, attributes in tags:
        assert not [name for name in attributes if name.startswith("on") or name == "style"]
        for link in {"src", "href"} & attributes.keys():
            assert re.match(r"#[\w-]+$|data:(image/jpeg;base64)?,", str(attributes[link]))


def test_the_page_of_many_classes_and_noisy_images_is_below_5_mb(
    tmp_path: Path, make: Make
) -> None:
    rng = np.random.default_rng(0)
    classes = tuple(f"class {i} {'x' * 40}" for i in range(150))
    images, found = [], {}
    noise = Image.fromarray(rng.integers(0, 255, (480, 640, 3), np.uint8))
    noise.save(tmp_path / "0.png", compress_level=0)
    for number in range(20):
        name = f"{number}.png"
        if number:
            (tmp_path / name).hardlink_to(tmp_path / "0.png")
        corners = rng.integers(0, 400, (60, 2)).astype(float)
        boxes = [(x, y, x + 60, y + 60) for x, y in corners]
        names = [classes[i] for i in rng.integers(0, 150, 60)]
        images.append(LabeledImage(name, 640, 480, boxes, names, split=Split.TEST))
        guessed = [classes[i] for i in rng.integers(0, 150, 60)]
        shifts = rng.integers(0, 60, 60)
        found[name] = [
            ((x + s, y, x2 + s, y2), float(score), guess)
            for (x, y, x2, y2), s, score, guess in zip(
                boxes, shifts, rng.uniform(0.4, 1, 60), guessed, strict=True
            )
        ]
    written = make(Dataset.of(tmp_path, images, classes), Planted(found, classes))
    assert 1_000_000 < written.size == written.page.stat().st_size <= 5_000_000
    shown = [kind for kind in KINDS if f'id="{kind}5"' in text_of(written)]
    assert {"class", "location", "background", "missed"} <= set(shown)
    assert "Most frequent confusions" in text_of(written)


def test_every_key_of_the_json_is_documented(planted: tuple[Dataset, Planted], make: Make) -> None:
    table = re.findall(r"^\| (`.*?) \|", DOCS.read_text("utf-8"), re.MULTILINE)
    documented = [name for cell in table for name in re.findall(r"`(\w+)`", cell)]
    written = make(*planted)
    assert json.loads(written.json.read_text("utf-8")) == json.loads(json.dumps(written.content))
    assert documented == list(written.content)


@pytest.mark.parametrize(
    ("options", "error", "code"),
    [
        ({"out": "page.txt"}, ArgumentError, "BW804"),
        ({"out": "labels.html"}, ArgumentError, "BW804"),
        ({"split": "test", "data": ()}, ArgumentError, "BW802"),
        ({"split": "sideways"}, ArgumentError, "BW803"),
        ({"split": "val", "data": "only-test"}, DataError, "BW193"),
        ({"detections": "results.json"}, ArgumentError, "BW802"),
    ],
)
def test_what_is_refused(
    options: dict[str, Any],
    error: type[Exception],
    code: str,
    planted: tuple[Dataset, Planted],
    make: Make,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from boxwright import formats

    dataset, found = planted
    make(dataset, found)
    monkeypatch.chdir(tmp_path)
    Path("labels.json").write_text("[]", "utf-8")
    formats.write(dataset.split("test"), "only-test")
    with pytest.raises(error, match=code):
        report(**{"detector": tmp_path / "run", "data": dataset, **options})
    assert Path("labels.json").read_text("utf-8") == "[]"
