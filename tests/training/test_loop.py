"""The training loop: what it looks at, when it ends, and how it stops."""

from __future__ import annotations

import errno
from collections import Counter
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image
from trainings import brisk

from boxwright.datasets.evaluation_set import validation_images
from boxwright.errors import BoxwrightError, SystemFaultError, TrainingError
from boxwright.inference.run import Run
from boxwright.safety import trial
from boxwright.structures.dataset import Dataset, LabeledImage, Split
from boxwright.structures.detections import Detections
from boxwright.training import loop
from boxwright.training.cache import build_cache
from boxwright.training.checkpoint import Checkpoint
from boxwright.training.recipe import Recipe
from boxwright.training.resources import Resources, Storage
from boxwright.training.validation import ValidationResult, Validator

if TYPE_CHECKING:
    from trainings import Steps

    from squares import Squares

BOX = [(0, 0, 4, 4)]


# ---- Photos ------------------------------------------------------------------------------------


def images_seen(steps: Steps, dataset: Dataset) -> list[str]:
    """The names of the photos in all batches, in order."""
    cache = build_cache(dataset, steps.batches[0][0].shape[1])
    images, *_ = cache.batch(np.arange(len(cache)))
    names = {image.tobytes(): name for image, name in zip(images, cache.dataset.names, strict=True)}
    return [names[image.tobytes()] for images, *_ in steps.batches for image in images]


def test_every_image_comes_once_before_any_comes_again(
    steps: Steps, squares: Squares, tmp_path: Path
) -> None:
    dataset = squares.dataset(train=6)
    steps.train(dataset, tmp_path / "run", steps=9)
    seen = images_seen(steps, dataset)
    assert len(seen) == 9 * 16
    epochs = [seen[start : start + 6] for start in range(0, len(seen), 6)]
    assert all(sorted(epoch) == sorted(dataset.names) for epoch in epochs)
    assert len({tuple(epoch) for epoch in epochs}) > 20, "each time in another order"


def test_images_keep_their_order_where_the_recipe_does_not_shuffle(
    steps: Steps, squares: Squares, tmp_path: Path
) -> None:
    dataset = squares.dataset(train=6)
    recipe = Recipe(64, depth_multiplier=0.1, batch_size=4, steps=3, shuffle=False, held_out=0)
    steps.train(dataset, tmp_path / "run", recipe=recipe)
    assert images_seen(steps, dataset) == [*dataset.names, *dataset.names]


def test_with_room_for_a_quarter_of_the_images_all_batches_are_the_same(
    steps: Steps, squares: Squares, tmp_path: Path
) -> None:
    data = squares.dataset(train=16, val=2)
    steps.train(data, tmp_path / "all", steps=8)
    every, steps.batches = steps.batches, []
    side = Run(tmp_path / "all").artifact.provenance["recipe"]["cache_side"]
    steps.resources = Resources(storage=Storage(max_bytes=4 * side * side * 3))
    steps.train(data, tmp_path / "quarter", steps=8)
    assert len(every) == len(steps.batches) == 8
    for one, other in zip(every, steps.batches, strict=True):
        for part, same in zip(one, other, strict=True):
            np.testing.assert_array_equal(part, same)


def test_a_seed_decides_batches_and_dice(steps: Steps, squares: Squares, tmp_path: Path) -> None:
    dataset = squares.dataset(train=6)
    for name, seed in (("first", 1), ("again", 1), ("other", 2)):
        steps.train(dataset, tmp_path / name, steps=4, seed=seed)
    first, again, other = (
        np.concatenate([random_draws for *_, random_draws in steps.batches[i : i + 4]])
        for i in (0, 4, 8)
    )
    np.testing.assert_array_equal(first, again)
    assert (first != other).all()
    seen = images_seen(steps, dataset)
    assert seen[:64] == seen[64:128] != seen[128:]
    assert first.dtype == np.float32
    assert 0 <= first.min() < 0.1
    assert 0.9 < first.max() < 1


def test_images_for_choosing_and_testing_do_not_train_and_test_images_are_not_opened(
    steps: Steps,
    squares: Squares,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    dataset = squares.dataset(train=5, val=2, test=3)  # the test photos have no file
    opened, open_image = set(), Image.open

    def opening(path: Any, *rest: Any, **options: Any) -> Any:
        opened.add(Path(path).name)
        return open_image(path, *rest, **options)

    monkeypatch.setattr(Image, "open", opening)
    outcome, listener = steps.train(dataset, tmp_path / "run", steps=3)
    assert opened == {*dataset.split("train").names, *dataset.split("val").names}
    assert set(images_seen(steps, dataset.split("train"))) == set(dataset.split("train").names)
    assert outcome.evaluation.images == 2
    assert not any("BW1" in line for line in listener.said)


def test_a_run_knows_which_training_images_it_held_out_and_files_do_not(
    steps: Steps, squares: Squares, tmp_path: Path
) -> None:
    dataset = squares.dataset(train=20)
    recipe = replace(brisk(dataset, steps=2, model="centers"), held_out=0.25, input_size=64)
    outcome, _ = steps.train(dataset, tmp_path / "run", recipe=recipe, depth_multiplier=None)
    artifact = outcome.run.artifact
    held_out = artifact.provenance["held_out"]
    assert len(held_out) == 5
    assert set(images_seen(steps, dataset)).isdisjoint(held_out)
    assert validation_images(artifact.provenance, dataset).names == tuple(
        sorted(held_out, key=dataset.names.index)
    )
    assert "held_out" not in artifact.without_paths().provenance
    chosen, _ = steps.train(squares.dataset(train=5, val=2), tmp_path / "other", steps=2)
    assert "held_out" not in chosen.run.artifact.provenance


def test_without_images_to_choose_by_the_last_weights_are_kept(
    steps: Steps, squares: Squares, tmp_path: Path
) -> None:
    outcome, _ = steps.train(squares.dataset(train=5), tmp_path / "run", steps=3)
    assert outcome.evaluation is None
    assert outcome.step == 3
    assert outcome.run.artifact.provenance["metrics"] is None


def test_the_run_needs_no_trial(
    steps: Steps, squares: Squares, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known: set[str | None] = set()
    monkeypatch.setattr(trial, "remember", known.add)
    outcome, _ = steps.train(squares.dataset(train=4), tmp_path / "run", steps=2)
    assert trial.fingerprint(outcome.run.folder, [outcome.run.weights]) in known


def test_a_damaged_image_is_said_and_left_out(
    steps: Steps, squares: Squares, tmp_path: Path
) -> None:
    dataset = squares.dataset(train=4)
    (image := dataset.root / dataset.names[1]).write_bytes(image.read_bytes()[:300])
    _, listener = steps.train(dataset, tmp_path / "run", steps=3)
    (line,) = [line for line in listener.said if "BW102" in line]
    assert dataset.names[1] in line
    counted = Counter(images_seen(steps, dataset))
    assert counted.keys() == set(dataset.names) - {dataset.names[1]}
    assert set(counted.values()) == {16}


@pytest.mark.parametrize(
    ("images", "code"),
    [
        pytest.param([LabeledImage("a.png", 8, 8, BOX, ["cat"])], "BW301", id="not marked"),
        pytest.param([LabeledImage("a.png", 8, 8, split=Split.TRAIN)], "BW302", id="not labelled"),
        pytest.param(
            [LabeledImage("a.png", 8, 8, [(0, 0, 4, 4)], ["cat"], split=Split.TRAIN)],
            "BW152",
            id="no file",
        ),
    ],
)
def test_data_that_cannot_be_learnt_from(
    images: list[LabeledImage], code: str, tmp_path: Path
) -> None:
    with pytest.raises(BoxwrightError) as caught:
        loop.train(Dataset.of(tmp_path, images), out=tmp_path / "run", weights=None, steps=1)
    assert caught.value.code == code
    assert not Run(tmp_path / "run").exists()


def test_images_that_only_choose_do_not_train(squares: Squares, tmp_path: Path) -> None:
    dataset = squares.dataset(train=0, val=3)
    with pytest.raises(TrainingError, match="the training set is empty") as caught:
        loop.train(dataset, out=tmp_path / "run", weights=None, steps=1)
    assert caught.value.code == "BW301"


# ---- The best weights --------------------------------------------------------------------------


class Told(Validator):
    """Finds what it is told, whatever the weights are."""

    scores: list[float]
    noise = 0.1  # type: ignore[assignment]

    def validate(self, _: Any) -> ValidationResult:
        score = self.scores.pop(0)
        evaluation = SimpleNamespace(
            ap=score, ap50=score, voc_ap50=score, voc07_ap50=score, coco={"AP": score},
            per_class=(), to_json=lambda: {"coco": {"AP": score}},
        )  # fmt: skip
        nothing = Detections(np.zeros((0, 4)), np.zeros(0), np.zeros(0, np.int32), ("square",))
        return ValidationResult(
            evaluation,  # type: ignore[arg-type]
            0.0,
            [nothing] * len(self),
            self.images.truth,
        )


@pytest.fixture
def judged(steps: Steps) -> list[float]:
    """What the next evaluations will find."""
    scores: list[float] = []

    def told(*given: Any) -> Validator:
        validator = Told(*given)
        validator.scores = scores
        return validator

    steps.validator = told
    return scores


@pytest.mark.parametrize(
    ("found", "step", "ap"),
    [
        pytest.param([0.1, 0.2, 0.3, 0.4, 0.5, 0.6], 19, 0.6, id="better and better"),
        pytest.param([0.1, 0.6, 0.2, 0.3, 0.4, 0.45], 10, 0.6, id="the best long ago"),
        pytest.param([0.1, 0.2, 0.3, 0.6, 0.3, 0.55], 19, 0.55, id="as good as the best"),
        pytest.param([0.5, 0.45, 0.4, 0.38, 0.35, 0.3], 13, 0.4, id="little by little worse"),
        pytest.param([0.0] * 6, 19, 0.0, id="nothing found at all"),
    ],
)
def test_later_weights_are_kept_unless_earlier_ones_are_clearly_better(
    found: list[float],
    step: int,
    ap: float,
    judged: list[float],
    steps: Steps,
    squares: Squares,
    tmp_path: Path,
) -> None:
    judged += found
    outcome, _ = steps.train(squares.dataset(train=4, val=2), tmp_path / "run", steps=19)
    assert not judged, "one evaluation per mark"
    assert (outcome.step, outcome.evaluation.ap) == (step, ap)
    origin = outcome.run.artifact.provenance
    assert (origin["step"], origin["metrics"]) == (step, {"coco": {"AP": ap}})


def test_a_resumed_run_knows_what_is_kept_already(
    judged: list[float],
    steps: Steps,
    squares: Squares,
    tmp_path: Path,
) -> None:
    dataset = squares.dataset(train=4, val=2)
    judged += [0.1, 0.7, 0.3]
    stopped, _ = steps.train(dataset, tmp_path / "run", steps=19, interrupt_at=12)
    assert (stopped.step, stopped.evaluation.ap) == (10, 0.7)
    judged += [0.7, 0.3, 0.3, 0.3, 0.4]  # the kept weights, and the marks that are left
    resumed, listener = steps.train(dataset, tmp_path / "run", resume=True)
    assert (resumed.step, resumed.evaluation.ap) == (10, 0.7)
    assert listener.reports[0].ap == 0.7


# ---- Stopping ----------------------------------------------------------------------------------


def test_ctrl_c_leaves_a_run_that_can_be_used_and_resumed(
    steps: Steps, squares: Squares, tmp_path: Path
) -> None:
    dataset = squares.dataset(train=4)
    outcome, _ = steps.train(dataset, tmp_path / "run", steps=20, interrupt_at=3)
    assert (outcome.interrupted, outcome.step) == (True, 3)
    outcome.run.build_model()
    outcome, listener = steps.train(dataset, tmp_path / "run", resume=True)
    assert (outcome.interrupted, outcome.step) == (False, 20)
    assert [report.step for report in listener.reports] == list(range(4, 21))


def test_a_resumed_run_sees_what_an_uninterrupted_one_would(
    steps: Steps, squares: Squares, tmp_path: Path
) -> None:
    dataset = squares.dataset(train=4)
    steps.train(dataset, tmp_path / "whole", steps=8)
    steps.train(dataset, tmp_path / "parts", steps=8, interrupt_at=5)
    steps.train(dataset, tmp_path / "parts", resume=True)
    assert len(steps.batches) == 16
    assert steps.rates[:8] == steps.rates[8:]
    for whole, parts in zip(steps.batches[:8], steps.batches[8:], strict=True):
        for one, other in zip(whole, parts, strict=True):
            np.testing.assert_array_equal(one, other)


def test_a_loss_that_is_no_number_names_the_images_and_leaves_what_was_good(
    steps: Steps, squares: Squares, tmp_path: Path
) -> None:
    steps.broken_at = 7
    dataset = squares.dataset(train=4)
    with pytest.raises(TrainingError) as caught:
        steps.train(dataset, tmp_path / "run", steps=10)
    assert caught.value.code == "BW303"
    assert "the class loss became nan at step 7" in caught.value.message
    assert all(name in caught.value.message for name in dataset.names)
    assert 0 < Checkpoint.load(tmp_path / "run/checkpoint.npz").step <= 7


def test_a_full_disk_leaves_the_earlier_checkpoint(
    steps: Steps,
    squares: Squares,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    dataset = squares.dataset(train=4)
    steps.train(dataset, tmp_path / "run", steps=10, interrupt_at=2)

    def full(*_: Any, **__: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(np, "savez", full)
    with pytest.raises(SystemFaultError) as caught:
        steps.train(dataset, tmp_path / "run", resume=True)
    assert caught.value.code == "BW902"
    monkeypatch.undo()
    assert Checkpoint.load(tmp_path / "run/checkpoint.npz").step == 2
