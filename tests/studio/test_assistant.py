"""The assistant: when it trains, on what, and what it may change."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from functools import partial
from typing import Any

import pytest
from children import Scripted
from served import eventually

from boxwright.studio.assist import plan
from boxwright.studio.assist.assistant import Assistant
from boxwright.studio.assist.rounds import Rounds
from boxwright.studio.child import DONE, FAILED, RUNNING
from boxwright.studio.desk import Desk
from boxwright.studio.queue import next_image
from boxwright.studio.store import LabeledBox, Labels, LabelStore
from folders import VocFolder

COUNT = 40
RESULT = {"state": DONE, "result": "a run"}
STEP = {"state": RUNNING, "step": 3, "steps": 9, "loss": 1.5, "ap50": None, "seconds_left": 4.0}


def found(*images: int, score: float = 0.9) -> dict[str, Any]:
    """Proposals of one box for each of the images."""
    boxes = [[1.0, 2.0, 21.0, 22.0, "cat", score], [5.0, 5.0, 9.0, 9.0, "cat", 0.1]]
    return {"state": RUNNING, "proposals": [{"index": i, "boxes": boxes} for i in images]}


def quality(ap50: float) -> dict[str, Any]:
    return {"state": RUNNING, "quality": {"ap50": ap50, "low": 0.1, "high": 0.9, "images": 2}}


@pytest.fixture
def desk(voc_folder: VocFolder) -> Iterator[Desk]:
    for i in range(COUNT):
        voc_folder.image(f"{i:02}.jpg")
    with Desk(partial(LabelStore.open, voc_folder.root, ["cat"])) as desk:
        yield desk


def blind_ones(desk: Desk) -> list[int]:
    return sorted(desk.wait_for(lambda store: store.blind()))


def others(desk: Desk) -> list[int]:
    return sorted(set(range(COUNT)) - set(blind_ones(desk)))


def label(desk: Desk, indices: Sequence[int], boxes: int = 1) -> None:
    def write(store: LabelStore) -> None:
        for index in indices:
            box = (4.0, 6.0, 30.0, 40.0)
            new = tuple(LabeledBox(f"new-{i}", box, "cat", truncated=True) for i in range(boxes))
            store.write(index, Labels(new, True, ""), store.read(index).etag)

    desk.wait_for(write)


def shown(desk: Desk, index: int) -> list[str]:
    return desk.wait_for(lambda store: [p.key for p in store.journal.proposals(index)])


@contextmanager
def assisting(
    desk: Desk, start: Scripted, busy: Callable[[], bool] = lambda: False
) -> Iterator[tuple[Assistant, list[tuple[str, Mapping[str, Any]]]]]:
    """An assistant, and what it tells the pages."""
    told: list[tuple[str, Mapping[str, Any]]] = []
    tell = lambda name, data: told.append((name, data))  # noqa: E731
    with closing(Assistant(Rounds(desk), tell, busy, start, rest=0.01)) as assistant:
        yield assistant, told


def ended(told: Sequence[tuple[str, Mapping[str, Any]]], rounds: int = 1) -> bool:
    """True after so many rounds."""
    idle = [i for i, (_, data) in enumerate(told) if data.get("state") == "idle"]
    begun = [i for i, (_, data) in enumerate(told) if data.get("round") == rounds]
    return bool(idle and begun and idle[-1] > begun[-1])


@pytest.mark.parametrize(
    ("before", "needed"), [(0, 2), (2, 4), (5, 7), (7, 9), (50, 58), (1000, 1150)]
)
def test_a_round_needs_a_seventh_more_labels_than_the_last_one(before: int, needed: int) -> None:
    assert plan.needed(before) == needed


def test_a_round_takes_longer_with_more_images_but_never_long() -> None:
    assert plan.budget(2) < plan.budget(8) == plan.MIN_SECONDS
    assert plan.budget(8) < plan.budget(150) < plan.budget(10_000) == plan.MAX_SECONDS


def test_proposals_are_for_the_next_images_of_the_list() -> None:
    assert plan.pool([1, 4, 7, 9], current=5) == [7, 9, 1, 4]
    assert len(plan.pool(range(10_000), current=9_900)) == plan.POOL


@pytest.mark.parametrize(
    ("indices", "maximum", "chosen"),
    [([], 3, []), ([4, 7], 3, [4, 7]), (range(0, 100, 10), 4, [0, 20, 50, 70])],
)
def test_a_round_learns_from_images_all_over_a_large_folder(
    indices: Sequence[int], maximum: int, chosen: list[int]
) -> None:
    assert plan.spread(indices, maximum) == chosen


def test_scores_near_a_half_are_uncertain() -> None:
    order = [[0.5], [0.6, 0.3], [0.9, 0.5], [0.95], [], [0.01]]
    doubts = [plan.uncertainty(scores) for scores in order]
    assert doubts == sorted(doubts, reverse=True)
    assert (doubts[0], doubts[-1]) == (1, 0)


def test_training_begins_by_itself_with_a_few_labeled_images(desk: Desk) -> None:
    start = Scripted([STEP, RESULT])
    train, blind = others(desk), blind_ones(desk)
    with assisting(desk, start) as (assistant, told):
        label(desk, [*train[: plan.FIRST - 1], *blind[:3]])
        label(desk, train[-2:], boxes=0)
        assistant.see()
        reason = "Training begins after 1 more labeled image."
        eventually(lambda: assistant.state == {"state": "waiting", "reason": reason})
        assert not start.requests
        label(desk, [train[plan.FIRST - 1]])
        assistant.see()
        eventually(lambda: ended(told))
    [request] = start.requests
    assert [image["index"] for image in request["train"]] == [*train[: plan.FIRST], *train[-2:]]
    assert [image["index"] for image in request["test"]] == blind[:3]
    assert [image["index"] for image in request["unlabeled"]] == train[plan.FIRST : -2]
    assert request["train"][0]["boxes"] == [(4.0, 6.0, 30.0, 40.0)]
    assert request["train"][0]["flags"] == [2]
    states = [data["state"] for name, data in told if name == "training"]
    assert states[-3:] == ["training", "training", "idle"]
    assert set(states[:-3]) == {"waiting"}
    assert (
        "training",
        {"reason": "", "round": 1, "images": plan.FIRST} | {**STEP, "state": "training"},
    ) in [(name, {**data, "ap50": None}) for name, data in told]


def test_labels_are_counted_only_when_a_round_may_be_due(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    counts: list[int] = []
    due = Rounds.due
    monkeypatch.setattr(Rounds, "due", lambda self: (counts.append(1), due(self))[1])
    train = others(desk)
    label(desk, train[:20])
    with assisting(desk, start := Scripted([RESULT], [RESULT])) as (assistant, told):
        for done, index in enumerate(train[20:23]):
            eventually(lambda left=3 - done: f" {left} more" in str(assistant.state["reason"]))
            label(desk, [index])
            for _ in range(3):
                assistant.edited(index)
        eventually(lambda: ended(told, 2))
        assert len(start.requests) == 2
    assert len(counts) <= 5  # at the start, when due, and after each round


def test_a_round_continues_from_the_last_one(desk: Desk) -> None:
    start = Scripted([RESULT], [{**RESULT, "result": "another run"}], [RESULT])
    train = others(desk)
    with assisting(desk, start) as (assistant, told):
        for number, count in enumerate((5, 7, 9), start=1):
            label(desk, train[:count])
            assistant.see()
            eventually(lambda number=number: ended(told, number))
    assert [request["before"] for request in start.requests] == [None, "a run", "another run"]
    outs = [request["out"] for request in start.requests]
    assert outs[0] == outs[2] != outs[1]


def test_a_new_studio_continues_where_the_last_one_was(desk: Desk) -> None:
    label(desk, others(desk)[:8])
    with assisting(desk, Scripted([quality(0.5), RESULT])) as (_, told):
        eventually(lambda: ended(told))
    with assisting(desk, later := Scripted()) as (assistant, told):
        eventually(lambda: told)
        assert told[0][0] == "quality"
        eventually(lambda: assistant.state["state"] == "idle")
        assert not later.requests


def test_images_are_proposed_for_except_labeled_and_open_ones(desk: Desk) -> None:
    train = others(desk)
    label(desk, train[:8])
    start = Scripted([found(*train[6:12]), RESULT], [found(*train[8:12]), RESULT])
    with assisting(desk, start) as (assistant, told):
        assistant.opened(train[9])
        eventually(lambda: ended(told))
        assert ("proposals", {"indices": [train[8], *train[10:12]]}) in told
        assert [bool(shown(desk, index)) for index in train[6:12]] == [0, 0, 1, 0, 1, 1]
        first = shown(desk, train[10])
        assert len(first) == 1  # of two detections, one has a small score
        assistant.opened(train[10])
        label(desk, train[29:32])
        assistant.see()
        eventually(lambda: ended(told, 2))
        assert shown(desk, train[10]) == first
        assert shown(desk, train[11]) != first


def test_the_quality_line_has_a_point_for_each_round(desk: Desk) -> None:
    train = others(desk)
    with assisting(desk, Scripted([quality(0.4), RESULT], [quality(0.6), RESULT])) as (one, told):
        for number, count in enumerate((5, 7), start=1):
            label(desk, train[:count])
            one.see()
            eventually(lambda number=number: ended(told, number))
    lines = [data["points"] for name, data in told if name == "quality"]
    assert [(p["labeled"], p["ap50"]) for p in lines[-1]] == [(5, 0.4), (7, 0.6)]


def test_what_is_missing_is_said_and_labeling_goes_on(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[object] = []
    due = Rounds.due
    monkeypatch.setattr(Rounds, "due", lambda self: (looks.append(found := due(self)), found)[1])
    lacking = {"state": FAILED, "code": "BW203", "message": "No network.", "remedy": "Get one."}
    train = others(desk)
    start = Scripted([lacking], [RESULT])
    with assisting(desk, start) as (assistant, told):
        label(desk, train[:8])
        assistant.see()
        missing = {"state": "missing", "reason": "No network. Get one."}
        eventually(lambda: assistant.state == missing)
        label(desk, train[8:9])
        looks.clear()
        assistant.see()
        eventually(lambda: looks)
        assert assistant.state == missing
        assert len(start.requests) == 1
        label(desk, train[9:11])
        assistant.see()
        eventually(lambda: ended(told))  # tried again with a third more
    assert len(start.requests) == 2


def test_it_waits_while_another_step_needs_the_processor(desk: Desk) -> None:
    label(desk, others(desk)[:8])
    busy = [True]
    with assisting(desk, start := Scripted([RESULT]), lambda: busy[0]) as (assistant, told):
        assistant.see()
        assert not start.requests
        busy[0] = False
        assistant.see()
        eventually(lambda: ended(told))


def test_it_stops_for_another_step_and_goes_on_after_it(desk: Desk) -> None:
    label(desk, others(desk)[:8])
    busy = [False]

    class Interrupted(Scripted):
        def __call__(self, request: Mapping[str, Any]) -> Any:
            busy[0] = not self.requests
            return super().__call__(request)

    start = Interrupted([STEP, STEP, RESULT], [RESULT])
    with assisting(desk, start, lambda: busy[0]) as (assistant, told):
        eventually(lambda: start.closed)
        eventually(lambda: "after the present step" in str(assistant.state["reason"]))
        busy[0] = False
        assistant.see()
        eventually(lambda: ended(told))
    assert [request["before"] for request in start.requests] == [None, None]


@pytest.mark.parametrize("content", [b"", b"no image", None])
def test_damaged_images_are_left_out_of_a_round(content: bytes | None, desk: Desk) -> None:
    train = others(desk)
    path = desk.wait_for(lambda store: store.path(train[20]))
    if content is None:
        path.unlink()
    else:
        path.write_bytes(content)
    label(desk, train[:8])
    with assisting(desk, start := Scripted([RESULT])) as (_, told):
        eventually(lambda: ended(told))
    [request] = start.requests
    assert [one["index"] for one in request["unlabeled"]] == [*train[8:20], *train[21:]]


def test_a_round_is_ended_with_the_studio(desk: Desk) -> None:
    label(desk, others(desk)[:8])
    with assisting(desk, start := Scripted()) as (_, told):
        eventually(lambda: start.requests)
    assert start.closed
    assert "missing" not in [data.get("state") for _, data in told]


def test_uncertain_images_come_first_and_every_fifth_is_for_testing(desk: Desk) -> None:
    train, blind = others(desk), blind_ones(desk)
    label(desk, train[:8])
    scores = {train[8]: 0.9, train[9]: 0.5, train[10]: 0.7}
    script = [found(index, score=score) for index, score in scores.items()]
    with assisting(desk, Scripted([*script, RESULT])) as (_, told):
        eventually(lambda: ended(told))
    order = []
    for _ in range(5):
        index = desk.wait_for(lambda store: next_image(store, -1, {}))
        assert index is not None
        order.append(index)
        label(desk, [index])
    tested = [index in blind for index in order]
    assert tested == [True, True, False, True, False]  # 8 others were labeled before
    assert (order[2], order[4]) == (train[9], train[10])


def test_the_next_unlabeled_image_is_the_next_of_the_list(desk: Desk) -> None:
    label(desk, range(3, COUNT - 1))
    after = [desk.wait_for(lambda s, i=i: next_image(s, i)) for i in (0, 5, 39)]
    assert after == [1, 39, 0]
    label(desk, [0, 1, 2, 39])
    assert desk.wait_for(lambda s: next_image(s, 5)) is None


def test_images_that_were_left_without_labels_come_last(desk: Desk) -> None:
    train, blind = others(desk), blind_ones(desk)
    label(desk, [*train[:8], *blind[:4]])
    script = [found(index, score=0.5) for index in train[8:11]]
    with assisting(desk, Scripted([*script, RESULT])) as (_, told):
        eventually(lambda: ended(told))
    order: list[int] = []
    for _ in range(COUNT - 12):  # each is opened, and nothing is done
        opened = {index: i for i, index in enumerate(order, start=1)}
        after = order[-1] if order else -1
        index = desk.wait_for(lambda store, o=opened, a=after: next_image(store, a, o))
        assert index is not None
        order.append(index)
    assert len(set(order)) == len(order) == COUNT - 12
    assert {*order} == {*range(COUNT)} - {*train[:8], *blind[:4]}
    opened = {index: i for i, index in enumerate(order, start=1)}
    again = desk.wait_for(lambda store: next_image(store, order[-1], opened))
    assert again == order[0]
