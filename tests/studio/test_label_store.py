"""The labels of a folder are edited one image at a time, and everything else stays as it is."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from label_edits import FORMS, NEW, as_read, contents, edit, shown, voc
from label_samples import CAT, DOG, SAMPLES, A, put_sample
from PIL import Image

import boxwright
from boxwright.errors import BoxwrightError
from boxwright.studio.journal import Proposal
from boxwright.studio.store import ConflictError, Labels, LabelStore


@pytest.fixture(params=FORMS)
def form(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def store(form: str, tmp_path: Path) -> Iterator[LabelStore]:
    opened = LabelStore.open(put_sample(tmp_path, form))
    yield opened
    opened.close()


def test_labels_are_read_as_everywhere_else(store: LabelStore, form: str) -> None:
    assert store.format == form
    assert store.names == ["a 1.jpg", "bä.jpg", "c.jpg"]
    assert store.classes == ("cat", "dog")
    assert shown(store.read(0)) == [("cat", CAT), ("dog", DOG)]
    assert [(row.state, row.boxes, row.classes) for row in store.rows()] == [
        ("labeled", 2, ("cat", "dog")),
        ("labeled", 1, ("dog",)),
        ("new", 0, ()),
    ]
    assert store.rows(1, 1)[0].name == "bä.jpg"
    assert store.size(0) == (64, 48)


def test_an_edit_keeps_what_boxwright_does_not_know(store: LabelStore, form: str) -> None:
    cat, dog = store.read(0).boxes
    written = edit(store, 0, replace(cat, box=(5.0, 7.0, 31.0, 41.0)), dog, NEW)
    assert shown(written) == [("cat", (5, 7, 31, 41)), ("dog", DOG), ("dog", NEW.box)]
    assert store.read(0) == written
    store.flush()
    text = "".join(one.decode(errors="ignore") for one in contents(store.folder).values())
    for kept in SAMPLES[form].kept:
        assert kept in text
    assert as_read(store.folder)[A] == shown(written)


def test_an_edit_that_changes_nothing_writes_nothing(store: LabelStore) -> None:
    before = contents(store.folder)
    edit(store, 0, *store.read(0).boxes)
    edit(store, 2)
    store.flush()
    assert contents(store.folder) == before
    assert not store.can_undo(0)


def test_boxes_are_deleted_reordered_and_renamed(store: LabelStore) -> None:
    cat, dog = store.read(0).boxes
    assert shown(edit(store, 0, dog, replace(cat, label="owl"))) == [("dog", DOG), ("owl", CAT)]
    assert store.classes == ("cat", "dog", "owl")
    assert shown(edit(store, 0, store.read(0).boxes[1])) == [("owl", CAT)]
    assert shown(edit(store, 0)) == []
    store.close()
    again = LabelStore.open(store.folder)
    assert again.rows(0, 1)[0].state == "labeled"
    assert shown(again.read(1)) == [("dog", DOG)]
    again.close()


def test_an_image_without_labels_gets_some(store: LabelStore) -> None:
    assert shown(edit(store, 2, NEW)) == [("dog", NEW.box)]
    assert store.rows(2, 1)[0].state == "labeled"
    assert as_read(store.folder)["c.jpg"] == [("dog", NEW.box)]  # also before it is folded in
    store.flush()
    assert as_read(store.folder)["c.jpg"] == [("dog", NEW.box)]


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


def test_labels_that_changed_meanwhile_are_not_overwritten(store: LabelStore) -> None:
    stale = store.read(0)
    other = LabelStore.open(store.folder)
    theirs = edit(other, 0, NEW)
    with pytest.raises(ConflictError) as conflict:
        store.write(0, Labels((), False, ""), stale.etag)
    assert conflict.value.theirs == theirs
    assert shown(store.read(0)) == [("dog", NEW.box)]
    assert shown(store.write(0, theirs, theirs.etag)) == [("dog", NEW.box)]
    other.close()


def test_two_stores_edit_different_images(store: LabelStore) -> None:
    other = LabelStore.open(store.folder)
    edit(other, 1, NEW)
    edit(store, 2, NEW)
    edit(other, 0, NEW)
    other.close()
    store.flush()
    assert {tuple(map(str, boxes)) for boxes in as_read(store.folder).values()} == {
        (str(("dog", NEW.box)),)
    }


def test_verified_is_kept_and_forgotten_with_a_change_by_others(
    store: LabelStore, form: str
) -> None:
    assert edit(store, 2, verified=True).verified
    assert store.rows(2, 1)[0].state == "verified"
    store.close()
    again = LabelStore.open(store.folder)
    assert again.read(2).verified
    assert again.rows(2, 1)[0].state == "verified"
    assert not edit(again, 2, NEW).verified
    assert again.rows(2, 1)[0].state == "labeled"
    if form in {"voc", "createml"}:
        edit(again, 2, NEW, verified=True)
        again.flush()
        dataset = boxwright.read(store.folder)
        assert dataset.verified[dataset.names.index("c.jpg")]
    again.close()


def test_classes_are_renamed_merged_and_deleted_everywhere(store: LabelStore) -> None:
    assert store.class_edits.move("dog", "wolf", preview=True) == store.class_edits.move(
        "dog", "wolf"
    )
    assert store.classes == ("cat", "wolf")
    assert shown(store.read(1)) == [("wolf", DOG)]
    change = store.class_edits.move("wolf", "cat")
    assert (change.images, change.boxes) == (2, 2)
    assert store.classes == ("cat",)
    assert [row.classes for row in store.rows()] == [("cat",), ("cat",), ()]
    change = store.class_edits.move("cat", None)
    assert (change.images, change.boxes) == (2, 3)
    assert [row.boxes for row in store.rows()] == [0, 0, 0]
    store.close()
    again = LabelStore.open(store.folder)
    assert again.classes == ()
    for _ in range(3):
        assert again.class_edits.undo()
    assert again.class_edits.undo() is None
    assert again.classes == ("cat", "dog")
    assert shown(again.read(0)) == [("cat", CAT), ("dog", DOG)]
    assert shown(again.read(1)) == [("dog", DOG)]
    again.close()


def test_undone_class_edits_spare_images_that_were_edited_since(tmp_path: Path) -> None:
    store = voc(tmp_path)
    store.class_edits.move("dog", "cat")
    edit(store, 0, NEW)
    change = store.class_edits.undo()
    assert change
    assert (change.images, change.boxes) == (1, 1)
    assert shown(store.read(0)) == [("dog", NEW.box)]


def test_a_class_can_be_added_before_it_has_boxes(store: LabelStore) -> None:
    store.class_edits.add("owl")
    store.close()
    again = LabelStore.open(store.folder, classes=["bat"])
    assert {*again.classes} == {"cat", "dog", "owl", "bat"}
    again.close()


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("form", FORMS)
def test_boxes_are_those_of_the_oriented_image(form: str, orientation: int, tmp_path: Path) -> None:
    """The labels state 64 x 48 pixels: those of the image upright or, turned by 90°, as stored."""
    put_sample(tmp_path, form, orientation=orientation)
    store = LabelStore.open(tmp_path)
    assert store.size(0) == (64, 48)
    assert shown(store.read(0)) == as_read(tmp_path)[A]
    cat, dog = store.read(0).boxes
    moved = replace(cat, box=(2.0, 3.0, 12.0, 23.0))
    assert shown(edit(store, 0, moved, dog, NEW))[0] == ("cat", moved.box)
    store.close()
    assert as_read(tmp_path)[A] == [("cat", moved.box), ("dog", DOG), ("dog", NEW.box)]


@pytest.mark.parametrize("orientation", range(1, 9))
def test_boxes_drawn_on_the_stored_image_stay_in_its_frame(
    orientation: int, tmp_path: Path
) -> None:
    put_sample(tmp_path, "voc", orientation=orientation)
    width, height = (64, 48) if orientation < 5 else (48, 64)
    file = tmp_path / "a 1.xml"
    size = f"<width>{width // 2}</width><height>{height // 2}</height>"
    text = file.read_bytes().decode().replace("<width>64</width><height>48</height>", size)
    text = text.replace("<xmax>40<", "<xmax>20<").replace("<ymax>40<", "<ymax>20<")
    file.write_bytes(text.replace("<xmax>30<", "<xmax>20<").replace(">36<", ">22<").encode())
    store = LabelStore.open(tmp_path)
    cat, dog = store.read(0).boxes
    assert shown(store.read(0)) == as_read(tmp_path)[A]
    edit(store, 0, replace(cat, box=(2.0, 4.0, 12.0, 24.0)), dog)
    store.close()
    assert f"<width>{width // 2}<" in file.read_text("utf-8")
    read = as_read(tmp_path)[A]
    assert read == [("cat", (2.0, 4.0, 12.0, 24.0)), shown(Labels((dog,), False, ""))[0]]


@pytest.mark.parametrize(
    ("form", "flags"),
    [
        ("voc", ("difficult", "truncated", "occluded")),
        ("labelme", ("difficult", "truncated", "occluded", "crowd")),
        ("coco", ("crowd", "occluded")),
    ],
)
def test_flags_are_set_and_taken_back(form: str, flags: tuple[str, ...], tmp_path: Path) -> None:
    store = LabelStore.open(put_sample(tmp_path, form))
    assert store.holds - {"verified"} == {*flags}
    cat, dog = store.read(0).boxes
    for flag in flags:
        changed = edit(store, 0, replace(cat, **{flag: True}), dog).boxes[0]
        assert getattr(changed, flag)
        assert edit(store, 0, replace(changed, **{flag: False}), dog).boxes[0] == cat
    store.close()


@pytest.mark.parametrize("form", ["yolo", "csv", "createml"])
def test_a_flag_that_the_format_cannot_hold_is_refused(form: str, tmp_path: Path) -> None:
    store = LabelStore.open(put_sample(tmp_path, form))
    with pytest.raises(BoxwrightError, match="BW180") as refused:
        edit(store, 0, replace(NEW, difficult=True))
    assert "convert" in refused.value.remedy
    store.close()


@pytest.mark.parametrize("form", ["voc", "yolo"])
def test_an_image_may_be_replaced_by_one_of_another_size(form: str, tmp_path: Path) -> None:
    store = LabelStore.open(put_sample(tmp_path, form))
    width, height = store.size(0)
    Image.new("RGB", (2 * width, 2 * height)).save(store.path(0))
    assert store.size(0) == (2 * width, 2 * height)
    corner = replace(NEW, box=(width, height, 2 * width, 2 * height))
    edit(store, 0, corner)
    assert as_read(tmp_path)[A] == [("dog", corner.box)]
    store.close()
