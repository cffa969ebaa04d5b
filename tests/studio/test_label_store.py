"""The labels of a folder are edited one image at a time, and everything else stays as it is."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from label_samples import CAT, DOG, SAMPLES, A, put_sample

import boxwright
from boxwright.errors import BoxwrightError
from boxwright.formats.records import sidecar
from boxwright.studio.store import ConflictError, LabeledBox, Labels, LabelStore

FORMS = list(SAMPLES)
NEW = LabeledBox("new", (1.0, 2.0, 20.0, 30.0), "dog")


@pytest.fixture(params=FORMS)
def form(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def store(form: str, tmp_path: Path) -> Iterator[LabelStore]:
    opened = LabelStore.open(put_sample(tmp_path, form))
    yield opened
    opened.close()


def voc(tmp_path: Path) -> LabelStore:
    return LabelStore.open(put_sample(tmp_path, "voc"))


def shown(labels: Labels) -> list[tuple[str, tuple[float, ...]]]:
    return [(box.label, tuple(round(side, 3) for side in box.box)) for box in labels.boxes]


def edit(store: LabelStore, index: int, *boxes: LabeledBox, verified: bool = False) -> Labels:
    return store.write(index, Labels(boxes, verified, ""), store.read(index).etag)


def contents(root: Path, *, without: str = "") -> dict[str, bytes]:
    files = (path for path in root.iterdir() if path.is_file())
    return {path.name: path.read_bytes() for path in files if path.name != without}


def as_read(root: Path) -> dict[str, list[tuple[str, tuple[float, ...]]]]:
    """The boxes by image, as `check` and `train` read them."""
    dataset = boxwright.read(root)
    return {
        name: [
            (dataset.classes[label], tuple(round(float(side), 3) for side in box))
            for box, label in zip(
                dataset.boxes[dataset.rows(i)], dataset.labels[dataset.rows(i)], strict=True
            )
        ]
        for i, name in enumerate(dataset.names)
    }


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
    assert store.rename_class("dog", "wolf", preview=True) == store.rename_class("dog", "wolf")
    assert store.classes == ("cat", "wolf")
    assert shown(store.read(1)) == [("wolf", DOG)]
    change = store.merge_class("wolf", "cat")
    assert (change.images, change.boxes) == (2, 2)
    assert store.classes == ("cat",)
    assert [row.classes for row in store.rows()] == [("cat",), ("cat",), ()]
    change = store.delete_class("cat")
    assert (change.images, change.boxes) == (2, 3)
    assert [row.boxes for row in store.rows()] == [0, 0, 0]
    store.close()
    again = LabelStore.open(store.folder)
    assert again.classes == ()
    for _ in range(3):
        assert again.undo_classes()
    assert again.undo_classes() is None
    assert again.classes == ("cat", "dog")
    assert shown(again.read(0)) == [("cat", CAT), ("dog", DOG)]
    assert shown(again.read(1)) == [("dog", DOG)]
    again.close()


def test_undone_class_edits_spare_images_that_were_edited_since(tmp_path: Path) -> None:
    store = voc(tmp_path)
    store.merge_class("dog", "cat")
    edit(store, 0, NEW)
    change = store.undo_classes()
    assert change
    assert (change.images, change.boxes) == (1, 1)
    assert shown(store.read(0)) == [("dog", NEW.box)]


def test_a_class_can_be_added_before_it_has_boxes(store: LabelStore) -> None:
    store.add_class("owl")
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


def test_an_image_is_set_aside_with_its_labels_and_taken_back(tmp_path: Path) -> None:
    store = voc(tmp_path)
    store.set_aside(0, True)
    assert store.rows(0, 1)[0].state == "aside"
    assert A not in as_read(tmp_path)
    store.close()
    again = LabelStore.open(tmp_path)
    assert again.names == store.names
    assert again.rows(0, 1)[0].state == "aside"
    assert again.path(0).is_file()
    assert shown(again.read(0)) == [("cat", CAT), ("dog", DOG)]
    again.set_aside(0, False)
    assert again.rows(0, 1)[0].state == "labeled"
    assert as_read(tmp_path)[A] == [("cat", CAT), ("dog", DOG)]
    again.close()


def test_changes_by_others_are_noticed_once(store: LabelStore) -> None:
    assert store.changed() == []
    other = LabelStore.open(store.folder)
    edit(other, 1, NEW, replace(NEW, label="owl"))
    other.close()
    assert store.changed() == [1]
    assert store.changed() == []
    assert store.rows(1, 1)[0].boxes == 2
    edit(store, 0, NEW)
    assert store.changed() == []


def test_a_file_of_another_program_beats_an_edit_that_waits(tmp_path: Path) -> None:
    """None is lost: the edit is one step of undo away."""
    store = LabelStore.open(put_sample(tmp_path, "createml"))
    edit(store, 0, NEW)
    edit(store, 1, NEW)
    file = tmp_path / "labels.json"
    entries = json.loads(file.read_text("utf-8"))
    entries[0]["annotations"] = []
    file.write_text(json.dumps(entries), encoding="utf-8")
    assert as_read(tmp_path)[A] == []
    theirs = store.read(0)
    assert shown(theirs) == []
    assert shown(store.read(1)) == [("dog", NEW.box)]
    undone = store.undo(0, theirs.etag)
    assert undone
    assert shown(undone) == [("dog", NEW.box)]
    store.close()
    assert not sidecar(file).exists()
    assert as_read(tmp_path)[A] == [("dog", NEW.box)]


def test_a_fifth_of_the_images_is_for_testing_in_the_split_file(tmp_path: Path) -> None:
    put_sample(tmp_path, "voc")
    for i in range(17):
        (tmp_path / f"more {i}.jpg").write_bytes((tmp_path / "c.jpg").read_bytes())
    store = LabelStore.open(tmp_path)
    blind = store.blind()
    assert len(blind) == 4
    edit(store, 0, NEW)
    store.close()
    (tmp_path / "more 99.jpg").write_bytes((tmp_path / "c.jpg").read_bytes())
    again = LabelStore.open(tmp_path)
    named = {store.names[i] for i in blind}
    assert named <= {again.names[i] for i in again.blind()}
    dataset = boxwright.read(tmp_path, boxwright.ReadOptions(unlabeled="background"))
    assert named <= {*dataset.split("test").names}
    again.close()


def test_a_split_of_the_folder_is_kept(tmp_path: Path) -> None:
    for split in ("train", "test"):
        (tmp_path / split).mkdir()
        put_sample(tmp_path / split, "voc")
    store = LabelStore.open(tmp_path)
    assert {store.names[i].split("/")[0] for i in store.blind()} == {"test"}
    assert not (tmp_path / "boxwright.split").exists()


def test_a_folder_that_cannot_be_written_can_be_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_sample(tmp_path, "voc")

    def refuse(*_args: object, **_kwargs: object) -> None:
        raise PermissionError(13, "read-only")

    monkeypatch.setattr(Path, "mkdir", refuse)
    monkeypatch.setattr("tempfile.mkdtemp", refuse)
    store = LabelStore.open(tmp_path)
    assert len(store.read(0).boxes) == 2
    assert store.blind() == store.blind()
    with pytest.raises(BoxwrightError, match="BW903"):
        edit(store, 0)
    store.close()


@pytest.mark.parametrize("form", ["voc", "coco"])
def test_an_edit_that_finds_the_disk_full_changes_nothing(
    form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = LabelStore.open(put_sample(tmp_path, form))
    before = store.read(0)

    def full(*_args: object, **_kwargs: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("tempfile.mkdtemp", full)
        with pytest.raises(BoxwrightError, match="BW902"):
            edit(store, 0)
    assert store.read(0) == before
    assert edit(store, 0).boxes == ()
    store.close()


def test_formats_and_places_that_cannot_be_edited_are_refused(tmp_path: Path) -> None:
    put_sample(tmp_path, "voc")
    with pytest.raises(BoxwrightError, match="BW179"):
        LabelStore.open(tmp_path / "a 1.xml")
    with pytest.raises(BoxwrightError, match="BW115"):
        LabelStore.open(tmp_path / "nowhere")
    (tmp_path / "labels").mkdir()
    with pytest.raises(BoxwrightError, match="BW114"):
        LabelStore.open(tmp_path / "labels")


def test_labels_of_two_images_in_one_file_are_refused(tmp_path: Path) -> None:
    put_sample(tmp_path, "yolo")
    (tmp_path / "a 1.png").write_bytes((tmp_path / A).read_bytes())
    store = LabelStore.open(tmp_path)
    with pytest.raises(BoxwrightError, match="BW180"):
        edit(store, store.names.index("a 1.png"), NEW)
    store.close()


def test_yolo_classes_without_names_get_a_list_with_the_first_that_is_named(
    tmp_path: Path,
) -> None:
    put_sample(tmp_path, "yolo")
    (tmp_path / "data.yaml").unlink()
    store = LabelStore.open(tmp_path)
    assert store.classes == ("class 0", "class 1")
    edit(store, 2, replace(NEW, label="owl"))
    store.rename_class("class 1", "dog")
    assert (tmp_path / "classes.txt").read_text("utf-8") == "class 0\ndog\nowl\n"
    store.close()
    assert as_read(tmp_path)[A][1] == ("dog", DOG)


def test_a_damaged_label_file_is_not_overwritten(tmp_path: Path) -> None:
    put_sample(tmp_path, "voc")
    (tmp_path / "c.xml").write_text("<annotation><object>", encoding="utf-8")
    store = LabelStore.open(tmp_path)
    with pytest.raises(BoxwrightError, match="BW110"):
        store.read(2)
    store.close()
    assert (tmp_path / "c.xml").read_text("utf-8") == "<annotation><object>"


def test_a_damaged_sidecar_is_reported(tmp_path: Path) -> None:
    put_sample(tmp_path, "coco")
    sidecar(tmp_path / "labels.json").write_text("{}", encoding="utf-8")
    with pytest.raises(BoxwrightError, match="BW110"):
        boxwright.read(tmp_path)


def test_proposals_and_small_values_survive_a_restart(tmp_path: Path) -> None:
    from boxwright.studio.journal import Proposal

    store = voc(tmp_path)
    first = Proposal("p1", (1.0, 2.0, 3.0, 4.0), "cat", 0.9)
    store.journal.propose(2, [first, replace(first, key="p2")], 0.5)
    store.journal.propose(1, [first], 0.7)
    store.journal.set("current", 2)
    store.journal.reject(2, {"p2"})
    store.close()
    again = voc(tmp_path)
    assert again.journal.proposals(2) == (first,)
    assert again.journal.counts() == {1: 1, 2: 1}
    assert again.journal.uncertain() == [1, 2]
    assert again.journal.get("current") == 2
    assert again.journal.get("keys", "labelimg") == "labelimg"
    again.close()


def test_the_journal_of_another_program_is_refused(tmp_path: Path) -> None:
    put_sample(tmp_path, "voc")
    (tmp_path / ".boxwright").mkdir()
    (tmp_path / ".boxwright" / "journal.db").write_text("not a database", encoding="utf-8")
    with pytest.raises(BoxwrightError, match="BW903"):
        LabelStore.open(tmp_path)
