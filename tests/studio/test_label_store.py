"""The labels of a folder are edited one image at a time, and everything else stays as it is."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from label_edits import FORMS, NEW, as_read, contents, edit, shown, voc
from label_samples import CAT, DOG, SAMPLES, A, put_sample
from PIL import Image

import boxwright
from boxwright.errors import BoxwrightError
from boxwright.studio.store import ConflictError, Labels, LabelStore


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
