"""Classes that nobody looked for in an image: unknown, neither there nor absent, from the files to
the step and to the numbers. Their loss and its gradient are tested in test_step_jax.py."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from boxwright import download_openimages, formats, load
from boxwright.datasets.class_choice import ClassChoice
from boxwright.datasets.convert import write_verified
from boxwright.evaluation import coco, openimages
from boxwright.evaluation.confusion import confusion
from boxwright.evaluation.matching import gather
from boxwright.openimages.sources import IMAGES_VARIABLE, LISTS_VARIABLE
from boxwright.structures.dataset import Dataset, LabeledImage, Split
from boxwright.structures.detections import Detections
from folders import VocFolder, lay
from misbehaving import Server
from offered import offer

if TYPE_CHECKING:
    from trainings import Steps

    from squares import Squares

BOX = (2.0, 2.0, 20.0, 20.0)


def image(name: str, *names: str, verified: tuple[str, ...] | None) -> LabeledImage:
    boxes = [BOX] * len(names)
    return LabeledImage(name, 96, 80, boxes, names, split=Split.TRAIN, verified_classes=verified)


def fruit() -> Dataset:
    """Cherries have no box; in the third image all classes were looked for."""
    images = [
        image("a.jpg", "apple", verified=("orange",)),
        image("b.jpg", "orange", verified=()),
        image("c.jpg", verified=None),
        image("d.jpg", verified=("apple",)),
    ]
    return Dataset.of("fruit", images, ("apple", "orange", "cherry"))


TABLE = [[1, 1, 0], [0, 1, 0], [1, 1, 1], [1, 0, 0]]


# ---- In the dataset ------------------------------------------------------------------------------


@pytest.mark.tiny
def test_a_box_is_verified_and_so_is_what_is_named() -> None:
    verified = fruit().verified_classes
    assert verified is not None
    assert verified.astype(int).tolist() == TABLE
    assert Dataset.of("x", [image("a.jpg", "apple", verified=None)]).verified_classes is None


@pytest.mark.tiny
def test_images_keep_them() -> None:
    chosen = fruit().select([3, 0])
    assert chosen.verified_classes is not None
    assert chosen.verified_classes.astype(int).tolist() == [TABLE[3], TABLE[0]]
    assert fruit().fingerprint() != replace(fruit(), verified_classes=None).fingerprint()
    with pytest.raises(ValueError, match="row per image"):
        replace(fruit(), verified_classes=np.ones((4, 2), np.bool_))


@pytest.mark.tiny
@pytest.mark.parametrize("swapped", [False, True])
def test_merged_with_data_without_them_the_others_know_all(swapped: bool) -> None:
    other = Dataset.of("other", [image("e.jpg", "kiwi", verified=None)])
    first, second = (other, fruit()) if swapped else (fruit(), other)
    merged = first.merge(second)
    assert merged.verified_classes is not None
    rows = dict(zip(merged.names, merged.verified_classes, strict=True))
    columns = [merged.classes.index(name) for name in ("apple", "orange", "cherry", "kiwi")]
    found = [row[columns].astype(int).tolist() for name, row in rows.items() if "e.jpg" not in name]
    assert found == [[*row, 0] for row in TABLE]
    (known,) = (row for name, row in rows.items() if "e.jpg" in name)
    assert known.all()
    assert other.merge(other).verified_classes is None


@pytest.mark.tiny
@pytest.mark.parametrize(
    ("choice", "classes", "expected"),
    [
        (ClassChoice(classes=("orange",)), ("orange",), [[1], [1], [1], [0]]),
        (ClassChoice(exclude=("apple",)), ("orange", "cherry"), [[1, 0], [1, 0], [1, 1], [0, 0]]),
        (
            ClassChoice(rename={"apple": "fruit", "cherry": "fruit"}),
            ("fruit", "orange"),
            [[1, 1], [0, 1], [1, 1], [0, 0]],  # an apple is a fruit; no apple may be a cherry
        ),
    ],
)
def test_chosen_and_merged_classes(
    choice: ClassChoice, classes: tuple[str, ...], expected: list[list[int]]
) -> None:
    chosen = choice.apply(fruit())
    assert chosen.classes == classes
    assert chosen.verified_classes is not None
    assert chosen.verified_classes.astype(int).tolist() == expected


# ---- In files ------------------------------------------------------------------------------------

HEADER = "ImageID,Source,LabelName,Confidence"
BOXES = HEADER + ",XMin,XMax,YMin,YMax,IsOccluded,IsTruncated,IsGroupOf,IsDepiction,IsInside\n"
OTHERS = ("0c,verification,/m/014j1m", "0d,verification,/m/014j1m", "ff,verification,/m/1")
NAMES = "/m/014j1m,Apple\n/m/0cyhj_,Orange\n"


def official(folder: VocFolder, *labels: str) -> Dataset:
    row = "xclick,/m/014j1m,1,0.25,0.5,0.25,0.75,0,0,0,0,0"
    other = row.replace("014j1m", "0cyhj_")
    lay(
        folder,
        {
            **{f"train/{name}.jpg": "" for name in ("0a", "0b", "0c", "0d")},
            "class-descriptions-boxable.csv": NAMES,
            "train-annotations-bbox.csv": f"{BOXES}0a,{row}\n0b,{other}\n",
            "train-annotations-human-imagelabels-boxable.csv": "\n".join([HEADER, *labels, ""]),
        },
    )
    return formats.read(folder.root)


@pytest.mark.tiny
@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        ([], None),
        (["0a,verification,/m/0cyhj_,0"], {"0a": [1, 1], "0b": [1, 1]}),  # no row says nothing
        (
            ["0a,verification,/m/014j1m,1", "0b,crowdsource-verification,/m/014j1m,0"],
            {"0a": [1, 0], "0b": [1, 1]},
        ),
        (["0a,verification,/m/0cyhj_,1"], {"0a": [1, 0], "0b": [1, 1]}),  # there, but without box
        (["0a,machine,/m/0cyhj_,0", "0a,verification,/m/0cyhj_,0.4", "0a,x"], None),
        (
            [
                "0c,verification,/m/014j1m,0",
                "0d,verification,/m/014j1m,1",
                "ff,verification,/m/1,0",
            ],
            {"0a": [1, 1], "0b": [1, 1], "0c": [1, 0]},
        ),
    ],
)
def test_official_labels_of_images(
    voc_folder: VocFolder, labels: list[str], expected: dict[str, list[int]] | None
) -> None:
    dataset = official(voc_folder, *labels)
    verified = dataset.verified_classes
    assert dataset.classes == ("Apple", "Orange")
    assert (verified is None) == (expected is None)
    if verified is not None:
        rows = zip(dataset.names, verified.astype(int).tolist(), strict=True)
        assert {Path(name).stem: row for name, row in rows} == expected


@pytest.mark.tiny
def test_written_and_read_again_they_are_the_same(voc_folder: VocFolder, tmp_path: Path) -> None:
    labels = ["0a,verification,/m/014j1m,1", "0b,verification,/m/014j1m,0"]
    dataset = official(voc_folder, *labels, "0c,verification,/m/0cyhj_,0")
    assert not write_verified(dataset, tmp_path / "again", "openimages")
    back = formats.read(tmp_path / "again")
    assert back.verified_classes is not None
    found = {
        Path(name).stem: {back.classes[i] for i in np.flatnonzero(row)}
        for name, row in zip(back.names, back.verified_classes, strict=True)
    }
    assert found == {"0a": {"Apple"}, "0b": {"Apple", "Orange"}, "0c": {"Orange"}}
    lost = write_verified(dataset, tmp_path / "coco", "coco")
    assert "that a class is unknown in an image, not absent (2)" in " ".join(
        finding.message for finding in lost
    )


# ---- In training ---------------------------------------------------------------------------------


def twins(squares: Squares) -> Dataset:
    """Squares, half of them called twins; nobody looked for the other kind."""
    dataset = squares.dataset(24)
    half = np.arange(24) % 2
    verified = np.eye(2, dtype=np.bool_)[half]
    return replace(
        dataset,
        classes=("square", "twin"),
        labels=half.astype(np.int32),
        verified_classes=verified,
    )


def test_a_step_is_told_of_them(squares: Squares, steps: Steps, tmp_path: Path) -> None:
    steps.train(twins(squares), tmp_path / "run", steps=3)
    for batch in steps.batches:
        labels, verified = np.asarray(batch[2]), np.asarray(batch[-1])
        assert verified.tolist() == np.eye(2)[labels[:, 0]].tolist()


def test_a_step_without_them_gets_no_more_than_before(
    squares: Squares, steps: Steps, tmp_path: Path
) -> None:
    steps.train(squares.dataset(8), tmp_path / "run", steps=2)
    assert {len(batch) for batch in steps.batches} == {5}


def test_a_download_can_be_trained_on_as_it_is(
    squares: Squares, server: Server, small_trainer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    data, home = twins(squares), squares.root.parent
    offer(data, server)
    monkeypatch.setenv("BOXWRIGHT_CACHE", str(home / "cache"))
    for variable in (LISTS_VARIABLE, IMAGES_VARIABLE):
        monkeypatch.setenv(variable, server.url)
    download_openimages(["square", "twin"], home / "fruit")
    downloaded = load(home / "fruit")
    assert downloaded.verified_classes is not None
    assert downloaded.verified_classes.tolist() == data.verified_classes.tolist()
    outcome, _ = small_trainer(downloaded, home / "run", steps=3)
    assert outcome.run.artifact.classes == ("square", "twin")


# ---- In evaluation -------------------------------------------------------------------------------


def found_everywhere(dataset: Dataset) -> list[Detections]:
    """A detection of each class in each image, the false ones first."""
    count = len(dataset.classes)
    labels = np.arange(count, dtype=np.int32)
    result = []
    for index in range(len(dataset)):
        own = set(dataset.labels[dataset.rows(index)].tolist())
        scores = np.array([0.5 if label in own else 0.9 for label in range(count)], np.float32)
        boxes = np.tile(np.array(BOX, np.float32), (count, 1))
        result.append(Detections(boxes, scores, labels, dataset.classes))
    return result


@pytest.mark.tiny
def test_detections_of_unknown_classes_count_nowhere() -> None:
    data = fruit().select([0, 1])
    found = found_everywhere(data)
    weights = np.ones((1, len(data)))
    absent = replace(data, verified_classes=None)
    for truth, apple in ((data, 1.0), (absent, 0.5)):
        columns = gather(truth, found)
        numbers = coco.evaluate(truth, found, resamples=0)
        per_class = {score.name: score for score in numbers.per_class}
        assert per_class["apple"].ap50 == pytest.approx(apple, abs=0.01)
        assert per_class["apple"].voc_ap50 == pytest.approx(apple)
        challenge = openimages.ap50_per_class(truth, columns, weights)
        assert challenge[0, 0] == pytest.approx(apple)
        # An orange was looked for in the first image: that one is false in any case.
        assert per_class["orange"].ap50 == pytest.approx(0.5, abs=0.01)
        alarms = confusion(truth, columns, [0.0] * 3).counts[-1]
        assert alarms.sum() == (1 if truth is data else 4)
