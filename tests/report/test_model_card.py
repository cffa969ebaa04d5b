"""A model card says what was measured and on which images, and gives no image and no path away."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from reported import Planted, report_of, scene
from typer.testing import CliRunner

from boxwright.cli.main import app
from boxwright.errors import DetectorError, ExportError
from boxwright.export.verify import Comparison, Row
from boxwright.inference.run import Run
from boxwright.report import card as module
from boxwright.report.card import Card, write_card
from boxwright.report.facts import ExportedFile
from boxwright.report.run_report import Report
from boxwright.structures.dataset import Dataset

pytestmark = pytest.mark.tiny

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "model-card.md"
HOSTILE = '<img src=x onerror="alert(1)">|`[a](javascript:b)`\n# c *d* _e_'
RECIPE = {"model": "ssd", "input_size": 320, "reasons": {"input_size": "small | boxes"}}


@pytest.fixture
def planted(tmp_path: Path) -> tuple[Dataset, Planted]:
    return scene(tmp_path / "secret home" / "my images")


@pytest.fixture
def run(tmp_path: Path) -> Run:
    folder = tmp_path / "secret home" / "run"
    folder.mkdir(parents=True)
    (folder / "best.weights.h5").write_bytes(b"weights")
    os.utime(folder / "best.weights.h5", (0, 0))
    return Run(folder)


Reported = Callable[..., Report]


@pytest.fixture
def reported(run: Run, monkeypatch: pytest.MonkeyPatch) -> Reported:
    """Report planted detections as those of the run, which was trained on the same folder."""

    def reported(dataset: Dataset, found: Planted, split: str = "test", **more: Any) -> Report:
        data = {"path": dataset.root.as_posix(), "fingerprint": "5e857f9b32036c20"}
        known = {"data": data, "boxwright": "0.2.0", "weights": None, "recipe": RECIPE, **more}
        return report_of(run, monkeypatch, dataset, found, split, **known)

    return reported


def change_report(run: Run, **keys: Any) -> None:
    path = run.report.with_suffix(".json")
    path.write_text(json.dumps(json.loads(path.read_text("utf-8")) | keys), "utf-8")


def text_of(card: Card) -> str:
    return card.path.read_text("utf-8")


def rows(text: str, first: str) -> list[list[str]]:
    """The cells of the table whose first title is `first`, without the titles."""
    (table,) = re.findall(rf"^\| {first} \|.*\n((?:\|.*\n)+)", text, re.MULTILINE)
    return [
        [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        for line in table.splitlines()[1:]
    ]


def test_the_metadata_has_what_the_hub_reads(
    planted: tuple[Dataset, Planted], run: Run, reported: Reported
) -> None:
    """The keys that huggingface_hub needs: with 2.4.0, `ModelCard.load(path).data` has the license
    and the pipeline tag, and in `eval_results` the five metrics with names, data and split."""
    numbers = reported(*planted).content["numbers"]
    card = write_card(run.folder, name="pets", license="apache-2.0")
    _, block, _ = text_of(card).split("---\n", 2)
    metadata = yaml.safe_load(block)
    assert metadata == card.metadata
    assert metadata["license"] == "apache-2.0"
    assert metadata["pipeline_tag"] == "object-detection"
    assert metadata["library_name"] == "boxwright"
    assert metadata["tags"] == ["boxwright", "object-detection", "ssd"]
    (entry,) = metadata["model-index"]
    (result,) = entry["results"]
    assert entry["name"] == "pets"
    assert result["task"]["type"] == "object-detection"
    assert result["dataset"] == {"type": "my-images", "name": "my images", "split": "test"}
    measured = {one["type"]: one["value"] for one in result["metrics"]}
    at = numbers["at_threshold"]
    assert measured == {
        "map": round(numbers["coco"]["AP"], 4),
        "map_50": round(numbers["coco"]["AP50"], 4),
        **{name: round(at[name]["value"], 4) for name in ("precision", "recall", "f1")},
    }
    assert all(one["name"] for one in result["metrics"])


def keys(value: Any) -> Any:
    """The structure of a value: its keys, without what they hold."""
    if isinstance(value, dict):
        return {name: keys(inside) for name, inside in value.items()}
    return [keys(value[0])] if isinstance(value, list) else None


def test_the_page_shows_such_metadata(
    planted: tuple[Dataset, Planted], run: Run, reported: Reported
) -> None:
    reported(*planted)
    (block,) = re.findall(r"```yaml\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    assert keys(yaml.safe_load(block)) == keys(write_card(run.folder).metadata)


def test_it_says_what_was_measured_with_intervals_and_baseline(
    planted: tuple[Dataset, Planted], run: Run, reported: Reported
) -> None:
    written = reported(*planted)
    text = text_of(write_card(run.folder))
    assert "Measured on 7 test images with 14 objects, from the folder my images." in text
    assert written.says in text.replace("\\", "")
    table = {row[0]: row[1:] for row in rows(text, "metric")}
    low, high = written.content["numbers"]["interval_95"]["AP50"]
    value = written.content["numbers"]["coco"]["AP50"]
    assert table["AP50"] == [f"{value:.3f}", f"{low:.3f} to {high:.3f}", "1.000"]
    assert [row[:2] for row in rows(text, "class")] == [["cat", "7"], ["dog", "7"]]
    assert "1 of the measured images are near-duplicates of training images" in text
    assert "my images: 13 images (4 train, 2 val, 7 test)." in text
    assert "It began with random weights." in text
    settings = {row[0]: row[1:] for row in rows(text, "setting")}
    assert settings["`input_size`"] == ["320", "small \\| boxes"]
    assert [row[0] for row in rows(text, "part")] == ["code", "weights", "images"]
    assert "The author has not chosen a license" in text


@pytest.mark.parametrize(
    ("split", "caveat"),
    [
        ("val", "Validation images choose weights and threshold"),
        ("train", "The detector learned from some of these images"),
        ("all", "The detector learned from some of these images"),
    ],
)
def test_numbers_of_other_splits_have_a_caveat(
    split: str, caveat: str, planted: tuple[Dataset, Planted], run: Run, reported: Reported
) -> None:
    reported(*planted)
    change_report(run, split=split)
    text = text_of(write_card(run.folder))
    assert f"{caveat}, so expect less on other images." in text


def test_numbers_of_other_data_are_not_mixed_with_the_training(
    planted: tuple[Dataset, Planted], run: Run, reported: Reported
) -> None:
    reported(*planted, data={"path": "/somewhere/else/cats"})
    text = text_of(write_card(run.folder))
    assert "from the folder my images." in text
    assert "It was trained on labeled images from the folder cats.\n" in text
    assert "13 images" not in text


def test_a_run_without_numbers_says_so(
    planted: tuple[Dataset, Planted], run: Run, reported: Reported
) -> None:
    reported(*planted)
    change_report(run, numbers=None)
    card = write_card(run.folder)
    assert "model-index" not in card.metadata
    assert "Not measured: there are no validation images." in text_of(card)


def test_no_path_and_no_image_is_inside(
    planted: tuple[Dataset, Planted], run: Run, reported: Reported, tmp_path: Path
) -> None:
    dataset, _ = planted
    (dataset.root / "LICENSE").write_text("CC0", "utf-8")
    reported(*planted)
    text = text_of(write_card(run.folder))
    assert "see my images/LICENSE" in text
    for secret in (str(tmp_path), tmp_path.as_posix(), "secret home", "data:", "!["):
        assert secret not in text
    assert not any(name in text for name in dataset.names)


def test_names_are_text(tmp_path: Path, run: Run, reported: Reported) -> None:
    dataset, found = scene(tmp_path / "images", (HOSTILE, "dog"))
    reported(dataset, found)
    text = text_of(write_card(run.folder, name=HOSTILE))
    assert "---\n" not in text.split("---\n", 2)[2]
    body = re.sub(r"\\.", "", text.split("---\n", 2)[2])
    for sign in ("<", "](javascript", "*d*", "_e_", "\n# c"):
        assert sign not in body, sign
    assert all(len(row) == 4 for row in rows(text, "class"))
    assert yaml.safe_load(text.split("---\n", 2)[1])["model-index"][0]["name"] == HOSTILE


def test_exported_files_are_listed_and_published_without_the_rest(
    planted: tuple[Dataset, Planted],
    run: Run,
    reported: Reported,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    reported(*planted)
    table = (Row("AP", 0.51, 0.5), Row("AP50", 0.8, 0.8))
    comparison = Comparison("test", table, {"test": 7}, 0.01, None, 0.01, 9, 9, 8)
    files = [
        ExportedFile("a_b.tflite", 1_700_000, "int8", comparison),
        ExportedFile("saved_model", 9_000_000, None, comparison),
    ]
    monkeypatch.setattr(module, "exports_of", lambda folder: files)
    (run.folder / "a_b.tflite").touch()
    (run.folder / "saved_model").mkdir()
    (run.folder / "labels.txt").touch()
    result = CliRunner().invoke(app, ["card", str(run.folder)])
    assert result.exit_code == 0, result.output
    assert "--include README.md --include a_b.tflite --include 'saved_model/*'" in result.stdout
    assert "--include labels.txt" in result.stdout
    assert "the run folder has images of yours" in result.output
    text = (run.folder / "README.md").read_text("utf-8")
    assert ["a\\_b.tflite", "1.7 MB", "0.510", "0.500"] in rows(text, "file")
    assert "boxwright predict a_b.tflite image.jpg" in text
    answer = json.loads(CliRunner().invoke(app, ["card", str(run.folder), "--json"]).stdout)
    assert answer["files"] == ["a_b.tflite", "saved_model/*", "labels.txt"]


def without(run: Run) -> None:
    run.report.with_suffix(".json").unlink()


def damaged(run: Run) -> None:
    run.report.with_suffix(".json").write_text("[1", "utf-8")


def of_another_kind(run: Run) -> None:
    run.report.with_suffix(".json").write_text("{}", "utf-8")


def newer(run: Run) -> None:
    change_report(run, schema=2)


def trained_again(run: Run) -> None:
    later = run.report.with_suffix(".json").stat().st_mtime + 5
    os.utime(run.weights, (later, later))


def other_threshold(run: Run) -> None:
    run.describe(replace(run.artifact, threshold=0.3))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (without, "has no report.json."),
        (damaged, "cannot be read"),
        (of_another_kind, "cannot be read"),
        (newer, "of another version"),
        (trained_again, "was trained after"),
        (other_threshold, "measured at the score threshold 0.5, and now has 0.3."),
    ],
)
def test_a_report_of_other_weights_is_refused(
    change: Callable[[Run], None],
    said: str,
    planted: tuple[Dataset, Planted],
    run: Run,
    reported: Reported,
) -> None:
    reported(*planted)
    change(run)
    with pytest.raises(ExportError, match=re.escape(said)) as caught:
        write_card(run.folder)
    assert caught.value.code == "BW413"
    assert not (run.folder / "README.md").exists()


def test_an_edited_card_is_not_replaced(
    planted: tuple[Dataset, Planted], run: Run, reported: Reported, tmp_path: Path
) -> None:
    reported(*planted)
    card = write_card(run.folder)
    assert write_card(run.folder) == card, "the same is no conflict"
    card.path.write_text("# Mine\n", "utf-8")
    with pytest.raises(ExportError) as caught:
        write_card(run.folder)
    assert caught.value.code == "BW412"
    assert text_of(card) == "# Mine\n"
    assert write_card(run.folder, tmp_path / "card.md").path == tmp_path / "card.md"


def test_what_is_no_run_gets_none(tmp_path: Path) -> None:
    with pytest.raises(DetectorError) as caught:
        write_card(tmp_path)
    assert caught.value.code == "BW501"
