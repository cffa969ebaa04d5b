"""Proposals have classes of the present list, whatever was undone or left in the history."""

from __future__ import annotations

from pathlib import Path

import pytest
from label_edits import NEW, edit, voc
from label_samples import CAT, DOG, put_sample

from boxwright.studio.journal import Proposal
from boxwright.studio.store import LabeledBox, Labels, LabelStore

PROPOSALS = [Proposal("p", CAT, "cat", 0.9), Proposal("q", DOG, "dog", 0.8)]
every_act = pytest.mark.parametrize("new", ["kitty", "dog", None])  # rename, merge, delete


def classes_of(store: LabelStore, index: int = 2) -> dict[str, str]:
    return {one.key: one.label for one in store.journal.proposals(index)}


def proposing(root: Path) -> LabelStore:
    store = voc(root)
    store.journal.propose(2, PROPOSALS, 0.5)
    return store


@every_act
def test_an_edit_of_classes_that_is_undone_gives_them_back(new: str | None, tmp_path: Path) -> None:
    store = proposing(tmp_path)
    store.class_edits.move("cat", new)
    store.close()
    again = LabelStore.open(tmp_path)
    again.class_edits.undo()
    assert classes_of(again) == {"p": "cat", "q": "dog"}
    assert again.journal.counts() == {2: 2}
    again.close()


@pytest.mark.parametrize("new", ["dog", None])
def test_those_that_were_settled_or_replaced_meanwhile_stay_so(
    new: str | None, tmp_path: Path
) -> None:
    store = proposing(tmp_path)
    store.journal.propose(1, [PROPOSALS[0], Proposal("r", DOG, "cat", 0.7)], 0.5)
    store.class_edits.move("cat", new)
    store.write(2, Labels((), False, ""), store.read(2).etag, ["p", "q"])
    store.journal.propose(1, [Proposal("new", CAT, "dog", 0.6)], 0.5)
    store.class_edits.undo()
    if new:
        assert classes_of(store) == {}
        assert classes_of(store, 1) == {"new": "dog"}
    assert {*classes_of(store).values(), *classes_of(store, 1).values()} <= {*store.classes}


@every_act
def test_those_of_a_version_that_comes_back(new: str | None, tmp_path: Path) -> None:
    store = proposing(tmp_path)
    rejected = store.write(2, Labels((), False, ""), "none", ["p", "q"])
    assert classes_of(store) == {}
    store.class_edits.move("cat", new)
    store.undo(2, rejected.etag)
    expected = {"p": new, "q": "dog"} if new else {"q": "dog"}
    assert classes_of(store) == expected
    assert {*expected.values()} <= {*store.classes}
    assert "cat" not in store.classes


@every_act
def test_those_of_labels_that_were_put_into_the_history(new: str | None, tmp_path: Path) -> None:
    store = proposing(tmp_path)
    labels = edit(store, 2, NEW)
    other = LabelStore.open(tmp_path)
    theirs = edit(other, 2)
    other.close()
    mine = LabeledBox("x", DOG, "dog")
    store.shelve(2, Labels((mine, *labels.boxes), False, ""), theirs.etag)
    store.class_edits.move("cat", new)
    expected = {"p": new, "q": "dog"} if new else {"q": "dog"}
    while store.can_undo(2):
        store.undo(2, store.read(2).etag)
        assert classes_of(store) == expected
    assert "cat" not in store.classes


def test_those_of_a_class_that_another_program_has_renamed(tmp_path: Path) -> None:
    store = LabelStore.open(put_sample(tmp_path, "yolo"))
    store.journal.propose(2, PROPOSALS, 0.5)
    path = tmp_path / "data.yaml"
    path.write_text(path.read_text("utf-8").replace("cat", "kitty"), encoding="utf-8")
    store.class_edits.move("dog", "wolf")
    assert {*store.classes} == {"kitty", "wolf"}
    assert classes_of(store) == {"q": "wolf"}
    store.close()
