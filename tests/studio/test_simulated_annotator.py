"""The annotator of `benchmarks/labelling.py`: what it does with proposals, and what that takes."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from boxwright.structures.dataset import Dataset, LabeledImage
from boxwright.studio.assist import plan
from boxwright.studio.assist.rounds import Rounds
from boxwright.studio.child import DONE, RUNNING
from boxwright.studio.desk import Desk
from boxwright.studio.journal import Proposal
from boxwright.studio.store import LabelStore
from folders import VocFolder

COUNT = 40
TRUTH = (10.0, 10.0, 30.0, 30.0)


@pytest.fixture(scope="module")
def labelling() -> Iterator[ModuleType]:
    folder = Path(__file__).parents[2] / "benchmarks"
    if not folder.is_dir():
        pytest.skip("the folder benchmarks is not here")
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(folder)
        import labelling

        yield labelling
        del sys.modules["labelling"]


@pytest.fixture
def truth(voc_folder: VocFolder) -> Dataset:
    images = []
    for i in range(COUNT):
        voc_folder.image(f"{i:02}.jpg")
        images.append(LabeledImage(f"{i:02}.jpg", 64, 48, [TRUTH], ["cat"]))
    return Dataset.of(voc_folder.root, images)


@pytest.mark.parametrize(
    ("proposals", "seconds"),
    [
        ([], 2 + 7),
        ([TRUTH], 2),
        ([(10, 10, 30, 28)], 2),  # IoU .9
        ([(10, 10, 30, 25)], 2 + 4),  # .75
        ([(10, 10, 30, 19)], 2 + 7 + 1.5),  # .45
        ([TRUTH, (40, 5, 60, 25)], 2 + 1.5),
        ([(10, 10, 30, 25), TRUTH], 2 + 1.5),  # two on one object
    ],
)
def test_what_an_image_takes(
    proposals: list[tuple[float, ...]], seconds: float, labelling: ModuleType
) -> None:
    made = [Proposal(f"p{i}", box, "cat", 0.5) for i, box in enumerate(proposals)]  # type: ignore[arg-type]
    overlaps, kept, left = labelling.matched(made, [list(TRUTH)], ["cat"], False)
    visit = labelling.Visit(0, 1, overlaps, bool(made))
    assert visit.seconds(labelling.USUAL) == seconds
    assert len(kept) + len(left) == 1


def test_a_proposal_of_another_class_is_none(labelling: ModuleType) -> None:
    made = [Proposal("p", TRUTH, "dog", 0.5)]
    overlaps, kept, left = labelling.matched(made, [list(TRUTH)], ["cat"], False)
    assert (overlaps, kept, left) == ((0.0,), [], [0])


@pytest.mark.parametrize("credulous", [False, True])
def test_a_session_labels_all_and_blind_images_by_hand(
    labelling: ModuleType, truth: Dataset, credulous: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The detector of this test finds every object beside its place."""
    beside = [TRUTH[0] + 15, TRUTH[1], TRUTH[2] + 15, TRUTH[3], "cat", 0.9]
    requests: list[dict[str, Any]] = []

    def trained(request: dict[str, Any]) -> tuple[float, list[dict[str, Any]]]:
        requests.append(request)
        found = [{"index": each["index"], "boxes": [beside]} for each in request["unlabeled"]]
        ended = {"state": DONE, "result": "a run"}
        return 20.0, [{"state": RUNNING, "proposals": found}, ended]

    monkeypatch.setattr(labelling, "trained", trained)
    with Desk(partial(LabelStore.open, truth.root, truth.classes)) as desk:
        annotator = labelling.Annotator(desk, truth, credulous=credulous)
        made = labelling.session(desk, annotator, Rounds(desk))
    assert len(made.visits) == COUNT
    assert len(requests[0]["train"]) == plan.FIRST
    for name, labels in made.labels.items():
        [box] = labels.boxes
        if name in made.blind or not credulous:
            assert box.box == TRUTH
    fooled = [name for name, labels in made.labels.items() if labels.boxes[0].box != TRUTH]
    assert bool(fooled) is credulous
    for request in requests:  # what the quality line is measured on
        assert all(image["boxes"] == [TRUTH] for image in request["test"])
    shown = [visit for visit in made.visits if visit.assisted]
    assert shown
    assert made.by_hand() == COUNT * (2 + 7)
    expected = 0 if credulous else len(shown) * 1.5
    drawn = len(made.visits) - (len(shown) if credulous else 0)
    assert made.seconds() == COUNT * 2 + drawn * 7 + expected
