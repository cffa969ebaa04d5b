"""Edits of labels are undone and redone, whatever else happens meanwhile."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from label_edits import NEW, contents, edit, shown
from label_samples import CAT, DOG, put_sample

from boxwright.errors import BoxwrightError
from boxwright.studio.journal import Proposal
from boxwright.studio.store import Labels, LabelStore


def test_undo_and_redo_survive_a_restart(store: LabelStore) -> None:
    before = contents(store.folder)
    first = edit(store, 0, NEW)
    second = edit(store, 0)
    store.close()
    again = LabelStore.open(store.folder)
    assert again.can_undo(0)
    assert again.undo(0, second.etag) == first
    undone = again.undo(0, first.etag)
    assert undone
    assert shown(undone) == [("cat", CAT), ("dog", DOG)]
    assert again.undo(0, undone.etag) is None
    assert again.redo(0, undone.etag) == first
    again.undo(0, first.etag)
    again.close()
    after = contents(store.folder)
    for name, content in before.items():
        assert sorted(re.findall(rb"[\w.-]+", after[name])) == sorted(
            re.findall(rb"[\w.-]+", content)
        )


def test_undo_goes_back_past_edits_of_other_images(store: LabelStore) -> None:
    begin = shown(store.read(0))
    edit(store, 0, NEW)
    edit(store, 0)
    edit(store, 1, NEW)  # in COCO it takes the numbers of the boxes that are gone
    back = []
    while store.can_undo(0):
        undone = store.undo(0, store.read(0).etag)
        back.append(undone and shown(undone))
    assert back == [[("dog", NEW.box)], begin]
    while store.can_redo(0):
        store.redo(0, store.read(0).etag)
    assert shown(store.read(0)) == []


def test_a_box_by_mistake_does_not_say_that_nothing_is_there(store: LabelStore) -> None:
    before = contents(store.folder)
    edit(store, 2, NEW)
    edit(store, 2)
    assert store.rows(2, 1)[0].state == "new"
    store.flush()
    if store.format in ("voc", "yolo", "labelme"):
        assert contents(store.folder) == before
    edit(store, 0)  # someone had labeled this one
    assert store.rows(0, 1)[0].state == "labeled"
    edit(store, 2, verified=True)
    assert store.rows(2, 1)[0].state == "verified"


def test_a_full_disk_is_found_before_the_labels_change(
    store: LabelStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = shown(store.read(0))
    pages = store.journal._database._connection
    pages.execute(f"PRAGMA max_page_count = {pages.execute('PRAGMA page_count').fetchone()[0]}")
    many = [replace(NEW, key=f"new-{i}") for i in range(1000)]
    with pytest.raises(BoxwrightError, match="BW902"):
        edit(store, 0, *many)
    assert shown(store.read(0)) == before
    pages.execute("PRAGMA max_page_count = 1000000")
    edit(store, 0, NEW)
    assert shown(store.undo(0, store.read(0).etag) or store.read(0)) == before


def test_an_edit_that_is_not_written_is_no_version(
    store: LabelStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    edit(store, 0, NEW)
    with monkeypatch.context() as patch:
        patch.setattr(store._files, "put", lambda *_: [][1])
        with pytest.raises(IndexError):
            edit(store, 0)
    assert not store.can_redo(0)
    undone = store.undo(0, store.read(0).etag)
    assert undone
    assert shown(undone) == [("cat", CAT), ("dog", DOG)]


def test_that_an_image_is_verified_is_undone_like_an_edit_of_boxes(store: LabelStore) -> None:
    boxes = edit(store, 0, NEW).boxes
    edit(store, 0, *boxes, verified=True)
    edit(store, 0, verified=True)
    found = []
    for step in (store.undo, store.undo, store.undo, store.redo, store.redo, store.redo):
        labels = step(0, store.read(0).etag)
        assert labels
        found.append((len(labels.boxes), labels.verified))
        assert (store.state(0) == "verified") is labels.verified
    assert found == [(1, True), (1, False), (2, False), (1, False), (1, True), (0, True)]


def test_a_step_that_was_killed_loses_no_version(store: LabelStore) -> None:
    labels = [edit(store, 0, *[replace(NEW, key=f"new-{i}") for i in range(n)]) for n in (1, 2, 3)]
    before = store.undo(0, labels[-1].etag)
    assert before
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(store.journal, "move_to", lambda *_: [][1])
        with pytest.raises(IndexError):
            store.undo(0, before.etag)
    counts = []
    while redone := store.redo(0, store.read(0).etag):
        counts.append(len(redone.boxes))
    assert counts == [2, 3]


def test_proposals_of_a_version_that_was_forgotten_do_not_come_back(store: LabelStore) -> None:
    proposals = [Proposal(key, NEW.box, "dog", 0.9) for key in ("p1", "p2")]
    store.journal.propose(2, proposals, 0.5)
    one = store.write(2, Labels((replace(NEW, key="p1"),), False, ""), "none", ["p1"])
    store.undo(2, one.etag)
    both = tuple(replace(NEW, key=each.key) for each in proposals)
    store.write(2, Labels(both, False, ""), store.read(2).etag, ["p1", "p2"])
    other = LabelStore.open(store.folder)
    edit(other, 2, replace(NEW, label="owl"))
    other.close()
    undone = store.undo(2, store.read(2).etag)
    assert undone
    assert len(undone.boxes) == 2
    assert store.journal.proposals(2) == ()


def test_a_box_by_mistake_that_got_another_class_is_none(store: LabelStore) -> None:
    labels = edit(store, 2, NEW)
    labels = store.write(
        2, replace(labels, boxes=(replace(labels.boxes[0], label="cat"),)), labels.etag
    )
    store.write(2, replace(labels, boxes=()), labels.etag)
    assert store.rows(2, 1)[0].state == "new"


@pytest.mark.parametrize("form", ["yolo", "csv"])  # which cannot say it themselves
def test_labels_that_others_have_changed_are_no_longer_verified(form: str, tmp_path: Path) -> None:
    store = LabelStore.open(put_sample(tmp_path, form))
    verified = edit(store, 0, NEW, verified=True)
    other = LabelStore.open(tmp_path)
    edit(other, 0)
    other.close()
    assert store.changed() == [0]
    assert store.state(0) == "labeled"
    undone = store.undo(0, store.read(0).etag)
    assert undone
    assert (len(undone.boxes), undone.verified) == (len(verified.boxes), True)
    store.close()


def test_an_edit_after_an_undo_forgets_what_was_undone(store: LabelStore) -> None:
    first = edit(store, 0, NEW)
    undone = store.undo(0, first.etag)
    assert undone
    assert store.can_redo(0)
    store.write(0, Labels((), False, ""), undone.etag)
    assert not store.can_redo(0)
