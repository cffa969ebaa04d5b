"""Objects are counted once, where they cross, and where they are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from boxwright.structures.detections import Detections
from boxwright.tracking import counting
from boxwright.tracking.counting import Counts, Line, ObjectCounter, Zone

pytestmark = pytest.mark.tiny

CLASSES = ("cat", "dog")
MIDDLE = Line(((0, 50), (100, 50)))
LEFT = Zone(((0, 0), (50, 0), (50, 100), (0, 100)))


def frame(*objects: tuple[int, float, float, int]) -> Detections:
    """Objects by identity, center and class, in boxes of different sizes."""
    boxes = [(x - i - 1, y - 3, x + i + 1, y + 3) for i, (_, x, y, _) in enumerate(objects)]
    return Detections(
        boxes,
        [0.9] * len(objects),
        [label for *_, label in objects],
        CLASSES,
        (100, 100),
        np.array([identity for identity, *_ in objects]),
    )


def counted(frames: Sequence[Detections], **places: Any) -> Counts:
    counter = ObjectCounter(**places)
    return [counter.add(each) for each in frames][-1]


def test_an_object_counts_once_in_all_frames() -> None:
    frames = [frame((0, 10, 10, 0), (7, 50, 10, 1)), frame((0, 20, 10, 0)), frame((8, 1, 1, 1))]
    assert counted(frames).objects == {"cat": 1, "dog": 2}


def test_an_object_is_what_it_was_most_often() -> None:
    counter = ObjectCounter()
    seen = [counter.add(frame((3, 10, 10, label))).objects for label in (1, 0, 0, 1, 1)]
    assert seen == [{"dog": 1}, {"dog": 1}, {"cat": 1}, {"dog": 1}, {"dog": 1}], "at first a dog"


def test_without_an_identity_nothing_counts() -> None:
    assert counted([frame((-1, 10, 10, 0), (-1, 60, 10, 0))], zones=[LEFT]).objects == {}
    with pytest.raises(ValueError, match="not tracked"):
        ObjectCounter().add(Detections([], [], [], CLASSES))


def test_each_crossing_counts_on_the_side_it_leads_to() -> None:
    rows = [(0, 10, 20, 0), (0, 10, 80, 0), (0, 10, 20, 0), (0, 10, 80, 0)]
    (line,) = counted([frame(row) for row in rows], lines=[MIDDLE]).lines
    assert (line.line, line.to_right, line.to_left) == (MIDDLE, {"cat": 2}, {"cat": 1})


def test_an_object_crosses_while_it_is_not_seen() -> None:
    frames = [frame((0, 10, 20, 0)), frame(), frame((1, 90, 60, 1)), frame((0, 10, 80, 0))]
    (line,) = counted(frames, lines=[MIDDLE]).lines
    assert (line.to_right, line.to_left) == ({"cat": 1}, {})


def test_a_new_object_beyond_the_line_has_not_crossed_it() -> None:
    (line,) = counted([frame((0, 10, 80, 0)), frame((1, 10, 20, 0))], lines=[MIDDLE]).lines
    assert (line.to_right, line.to_left) == ({}, {})


def test_a_zone_has_what_is_inside_now_and_what_was() -> None:
    frames = [
        frame((0, 10, 10, 0), (1, 20, 10, 1), (2, 80, 10, 1)),
        frame((0, 60, 10, 0), (1, 20, 10, 1), (2, 80, 10, 1)),
        frame((0, 10, 10, 0), (1, 20, 10, 1), (2, 49, 10, 1)),
        frame((1, 20, 10, 1)),
    ]
    counter = ObjectCounter(zones=[LEFT])
    zones = [counter.add(each).zones[0] for each in frames]
    assert [zone.inside for zone in zones] == [
        {"cat": 1, "dog": 1},
        {"dog": 1},
        {"cat": 1, "dog": 2},
        {"dog": 1},
    ]
    assert zones[-1].in_all == {"cat": 1, "dog": 2}


def test_counts_are_said_and_written() -> None:
    frames = [frame((0, 10, 20, 0), (1, 70, 60, 1)), frame((0, 10, 80, 0), (1, 70, 60, 1))]
    counts = counted(frames, lines=[MIDDLE, Line(((0, 99), (9, 99)))], zones=[LEFT])
    assert list(counts.sentences()) == [
        "1 cat, 1 dog",
        "line 1: 0 to the left, 1 cat to the right",
        "line 2: 0 to the left, 0 to the right",
        "zone 1: 1 cat inside, 1 cat in all",
    ]
    assert counts.to_json() == {
        "objects": {"cat": 1, "dog": 1},
        "lines": [{"to_left": {}, "to_right": {"cat": 1}}, {"to_left": {}, "to_right": {}}],
        "zones": [{"inside": {"cat": 1}, "in_all": {"cat": 1}}],
    }


def test_memory_is_that_of_the_last_frames(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counting, "MEMORY", 5)
    counter = ObjectCounter(lines=[MIDDLE])
    for identity in range(100):
        counts = counter.add(frame((identity, 10, 20, 0), (1000, 60, 20, 1)))
    assert counts.objects == {"cat": 100, "dog": 1}
    assert len(counter._objects) == 7
    assert counter.add(frame((0, 10, 20, 0))).objects == {"cat": 101, "dog": 1}


@pytest.mark.parametrize(
    ("kind", "text", "points"),
    [
        (Line, "0,200,640,200", ((0, 200), (640, 200))),
        (Line, " 1.5, 2 ,3,-4", ((1.5, 2), (3, -4))),
        (Zone, "0,0,9,0,9,9", ((0, 0), (9, 0), (9, 9))),
        (Zone, "0,0,9,0,9,9,0,9", ((0, 0), (9, 0), (9, 9), (0, 9))),
    ],
)
def test_places_are_written_as_numbers(kind: Any, text: str, points: Any) -> None:
    assert kind.parse(text).points == points


@pytest.mark.parametrize(
    ("kind", "text", "problem"),
    [
        (Line, "", "not a list of numbers"),
        (Line, "a,b,c,d", "not a list of numbers"),
        (Line, "0,0,9", "not a list of points"),
        (Line, "0,0,9,nan", "not a list of points"),
        (Line, "0,0,0,0", "two different ends"),
        (Line, "0,0,9,0,9,9", "two different ends"),
        (Zone, "0,0,9,0", "three or more corners"),
        (Zone, "0,0,9,0,0,0", "three or more corners"),
    ],
)
def test_a_place_that_is_none_is_refused(kind: Any, text: str, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        kind.parse(text)
