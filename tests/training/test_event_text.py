"""Events print as sentences."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from boxwright.models.model import Loss
from boxwright.training.events import (
    CheckpointDue,
    Downloading,
    Evaluated,
    Event,
    Finished,
    Note,
    Started,
    Step,
)

pytestmark = pytest.mark.tiny

ANY: Any = None
SCORE: Any = SimpleNamespace(evaluation="AP 0.500, AP50 0.800 on 8 images")
LOSS = Loss(0.25, 0.2, 0.05)


@pytest.mark.parametrize(
    ("event", "text"),
    [
        (Downloading("net", "https://a.org", 1_500_000, 3_000_000), "net: 1.5 of 3.0 MB"),
        (Downloading("net", "https://a.org", 1_500_000, None), "net: 1.5 MB"),
        (Note("a sentence"), "a sentence"),
        (
            Started(0, 90, ANY, 24, 8, ANY, ANY, ANY),
            "starts after step 0 of 90: 24 training images, 8 validation images",
        ),
        (
            Started(7, None, ANY, 24, 0, ANY, ANY, ANY),
            "starts after step 7: 24 training images, 0 validation images",
        ),
        (Step(3, 0.1, LOSS, 1e-3, 9.0, 1.0, 41.2, ANY), "step 3: loss 0.250, 41 s left"),
        (Step(3, 0.1, LOSS, 1e-3, None, None, None, ANY), "step 3: loss 0.250"),
        (
            Evaluated(9, 0.5, SCORE, True, ANY, ANY),
            "evaluated step 9: AP 0.500, AP50 0.800 on 8 images, the best",
        ),
        (Evaluated(9, 0.5, None, True, ANY, ANY), "evaluated step 9"),
        (CheckpointDue(9, ANY), "checkpoint of step 9"),
        (
            Finished(9, True, 5, SCORE.evaluation),
            "stopped after step 9, weights of step 5: AP 0.500, AP50 0.800 on 8 images",
        ),
        (Finished(9, False, 9, None), "finished after step 9, weights of step 9"),
    ],
)
def test_an_event_is_a_sentence(event: Event, text: str) -> None:
    assert isinstance(event, Event)
    assert str(event) == text
