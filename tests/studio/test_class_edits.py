"""Classes are renamed, merged and deleted in all labels, in lists of classes, and in proposals."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from operator import itemgetter
from pathlib import Path
from typing import Any, cast

import pytest
import yaml
from label_edits import FORMS, NEW, as_read, contents, edit, shown
from label_samples import CAT, COCO, DOG, A, B, put_sample
from served import serving

import boxwright
from boxwright.errors import BoxwrightError
from boxwright.formats.editors import FILE_EACH, RECORDS
from boxwright.studio import label_files, record_files
from boxwright.studio.assist.rounds import Round, Rounds
from boxwright.studio.desk import Desk
from boxwright.studio.journal import Proposal
from boxwright.studio.store import LabeledBox, LabelStore

Act = Callable[[LabelStore], Any]
ACTS: dict[str, tuple[Act, tuple[str, ...]]] = {  # and the classes that are left
    "rename": (lambda store: store.class_edits.move("cat", "kitty"), ("kitty", "dog")),
    "merge": (lambda store: store.class_edits.move("cat", "dog"), ("dog",)),
    "delete": (lambda store: store.class_edits.move("cat", None), ("dog",)),
}
every_form = pytest.mark.parametrize("form", FORMS)
every_act = pytest.mark.parametrize("act", ACTS)


def put(root: Path, form: str) -> Path:
    """A folder that lists its classes, if the format can."""
    put_sample(root, form)
    if form == "labelme":
        (root / "labels.txt").write_text("cat\ndog\n", encoding="utf-8")
    return root


def meaning(root: Path) -> dict[str, Any]:
    """What the label files say, as far as spaces, quotes and the order of rows do not matter."""
    return {
        name: _sorted(json.loads(content))
        if name.endswith(".json")
        else sorted(content.replace(b'"', b"").split())
        for name, content in contents(root).items()
        if not name.endswith(".jpg")
    }


def _sorted(said: Any) -> Any:
    if isinstance(said, dict) and "annotations" in said and "images" in said:  # COCO
        return {**said, "annotations": sorted(said["annotations"], key=lambda one: str(one["id"]))}
    return said


def labels_of(store: LabelStore) -> list[list[str]]:
    return [[box.label for box in store.read(i).boxes] for i in range(len(store.names))]


@every_act
@every_form
def test_lists_of_classes_follow_and_come_back(form: str, act: str, tmp_path: Path) -> None:
    store = LabelStore.open(put(tmp_path, form))
    before = meaning(tmp_path)
    do, classes = ACTS[act]
    do(store)
    assert store.classes == classes
    store.flush()
    gone = ("cat",) if form == "yolo" and act != "rename" else ()  # label files have its number
    assert {*boxwright.read(tmp_path).classes} == {*classes, *gone}
    assert store.class_edits.undo()
    assert store.classes == ("cat", "dog")
    assert shown(store.read(0)) == [("cat", CAT), ("dog", DOG)]
    store.close()
    assert meaning(tmp_path) == before
    again = LabelStore.open(tmp_path)
    assert again.classes == ("cat", "dog")
    again.close()


@every_act
@every_form
def test_edits_of_classes_are_undone_one_after_another(form: str, act: str, tmp_path: Path) -> None:
    store = LabelStore.open(put(tmp_path, form))
    before = meaning(tmp_path)
    ACTS[act][0](store)
    store.class_edits.move("dog", "cat")
    store.class_edits.move("cat", "owl")
    for _ in range(3):
        assert store.class_edits.undo()
    assert store.class_edits.undo() is None
    assert labels_of(store) == [["cat", "dog"], ["dog"], []]
    store.close()
    left = meaning(tmp_path)
    assert {**left, "data.yaml": 0} == {**before, "data.yaml": 0}


@pytest.mark.parametrize("act", ["merge", "delete"])
def test_a_category_without_boxes_goes_and_comes_back(act: str, tmp_path: Path) -> None:
    put_sample(tmp_path, "coco")
    owl = {"id": 5, "name": "owl", "color": "white"}
    cat, dog = cast(list[Any], COCO["categories"])
    said = {**COCO, "categories": [cat, owl, dog]}
    (tmp_path / "labels.json").write_text(json.dumps(said), encoding="utf-8")
    store = LabelStore.open(tmp_path)
    store.class_edits.move("owl", "dog" if act == "merge" else None)
    assert boxwright.read(tmp_path).classes == store.classes == ("cat", "dog")
    store.class_edits.undo()
    store.close()
    assert meaning(tmp_path)["labels.json"] == said


def test_a_class_gets_the_name_of_one_that_was_deleted(tmp_path: Path) -> None:
    store = LabelStore.open(put(tmp_path, "yolo"))
    store.class_edits.move("cat", None)
    store.class_edits.move("dog", "cat")
    assert "names: [cat, dog]" in (tmp_path / "data.yaml").read_text("utf-8")
    assert store.classes == ("cat",)
    assert labels_of(store) == [["cat"], ["cat"], []]
    store.close()
    assert LabelStore.open(tmp_path).classes == ("cat",)


@every_form
def test_a_name_that_was_given_away_is_added_and_the_rename_undone(
    form: str, tmp_path: Path
) -> None:
    store = LabelStore.open(put(tmp_path, form))
    store.class_edits.move("cat", "kitty")
    store.class_edits.add("cat")
    edit(store, 2, replace(NEW, label="cat"))
    store.class_edits.undo()
    assert {*store.classes} == {"cat", "dog"}
    assert labels_of(store)[0] == ["cat", "dog"]
    store.close()
    if form == "yolo":
        names = yaml.safe_load((tmp_path / "data.yaml").read_text("utf-8"))["names"]
        assert names == ["kitty", "dog", "cat"]


@every_act
@every_form
def test_undo_keeps_classes_that_were_added_since(form: str, act: str, tmp_path: Path) -> None:
    store = LabelStore.open(put(tmp_path, form))
    ACTS[act][0](store)
    store.class_edits.add("bird")
    store.class_edits.undo()
    assert store.classes == ("cat", "dog", "bird")
    store.close()


@every_act
@every_form
def test_an_image_that_cannot_be_opened_is_no_obstacle(form: str, act: str, tmp_path: Path) -> None:
    store = LabelStore.open(put(tmp_path, form))
    (tmp_path / A).write_bytes(b"damaged")
    (tmp_path / B).unlink()
    do, classes = ACTS[act]
    change = do(store)
    assert (change.images, change.boxes, change.left) == (1, 1, ())
    assert store.classes == classes
    assert store.rows(0, 1)[0].classes == classes


@every_act
@pytest.mark.parametrize("form", FILE_EACH)
def test_labels_that_cannot_be_changed_are_named(form: str, act: str, tmp_path: Path) -> None:
    store = LabelStore.open(put(tmp_path, form))
    edit(store, 1, *store.read(1).boxes, store.read(0).boxes[0])
    damaged = next(tmp_path.glob("a 1.[xtj][mxs]*"))
    whole = damaged.read_bytes()
    damaged.write_bytes(b"damaged <")
    if form == "yolo" and act == "rename":
        return  # the list alone is written
    change = ACTS[act][0](store)
    assert (change.images, change.boxes) == (1, 1)
    assert [text.partition(":")[0] for text in change.left] == [A]
    assert {"cat", *ACTS[act][1]} == {*store.classes}
    damaged.write_bytes(whole)
    store.class_edits.undo()
    assert labels_of(store) == [["cat", "dog"], ["dog", "cat"], []]
    assert store.classes == ("cat", "dog")
    store.close()


def test_a_record_that_cannot_be_changed_is_named(tmp_path: Path) -> None:
    store = LabelStore.open(put(tmp_path, "createml"))
    path = tmp_path / "labels.json"
    said = json.loads(path.read_bytes())
    said[0]["annotations"][0]["coordinates"] = "damaged"
    path.write_text(json.dumps(said), encoding="utf-8")
    change = store.class_edits.move("dog", "wolf")
    assert (change.images, change.boxes) == (1, 1)
    assert [text.partition(":")[0] for text in change.left] == [A]
    assert store.classes == ("cat", "wolf", "dog")
    assert "wolf" in path.read_text("utf-8")


@every_act
@every_form
def test_where_nothing_can_be_changed_nothing_is_to_be_undone(
    form: str, act: str, tmp_path: Path
) -> None:
    if form == "yolo" and act == "rename":
        return  # the list alone is written
    store = LabelStore.open(put(tmp_path, form))
    for path in tmp_path.glob("*.*"):
        if path.suffix in {".xml", ".txt", ".json", ".csv"} and path.name != "labels.txt":
            path.write_bytes(b"damaged <")
    with pytest.raises(BoxwrightError):
        ACTS[act][0](store)
    assert store.class_edits.undo() is None
    assert store.classes == ("cat", "dog")


@every_act
@every_form
def test_an_edit_that_was_interrupted_can_be_undone(
    form: str, act: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = LabelStore.open(put(tmp_path, form))
    edit(store, 1, *store.read(1).boxes, store.read(0).boxes[0])
    store.flush()
    before = meaning(tmp_path)
    count = 0
    module = record_files if form in RECORDS else label_files
    write = module.write_bytes

    def killed(path: Path, content: bytes) -> None:
        nonlocal count
        count += 1
        write(path, content)
        if count == 1:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(module, "write_bytes", killed)
        if form == "yolo" and act == "rename":
            ACTS[act][0](store)
        else:
            with pytest.raises(KeyboardInterrupt):
                ACTS[act][0](store)
    again = LabelStore.open(tmp_path)
    assert again.class_edits.undo()
    assert again.classes == ("cat", "dog")
    assert labels_of(again) == [["cat", "dog"], ["dog", "cat"], []]
    again.close()
    assert meaning(tmp_path) == before


@every_act
@pytest.mark.parametrize("form", RECORDS)
def test_a_file_with_many_records_is_written_once(
    form: str, act: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = LabelStore.open(put(tmp_path, form))
    edit(store, 1, *store.read(1).boxes, store.read(0).boxes[0])
    store.flush()
    written = []

    def counted(name: str) -> Callable[..., None]:
        write = getattr(record_files, name)

        def call(path: Path, content: Any) -> None:
            written.append(name)
            write(path, content)

        return call

    for name in ("write_bytes", "write_edits"):
        monkeypatch.setattr(record_files, name, counted(name))
    for do in (ACTS[act][0], lambda store: store.class_edits.undo()):
        do(store)
        assert written == ["write_bytes"]
        written.clear()


@pytest.mark.parametrize("into", ["cat", None])
def test_annotations_of_images_that_are_not_here_keep_their_class(
    into: str | None, tmp_path: Path
) -> None:
    put_sample(tmp_path, "coco")
    path = tmp_path / "labels.json"
    said = json.loads(path.read_text("utf-8"))
    dog = next(one["id"] for one in said["categories"] if one["name"] == "dog")
    gone = {"id": 900, "image_id": 90, "category_id": dog, "bbox": [1, 2, 3, 4]}
    said["images"].append({"id": 90, "file_name": "gone.jpg", "width": 9, "height": 9})
    said["annotations"].append(gone)
    path.write_text(json.dumps(said), "utf-8")
    store = LabelStore.open(tmp_path)
    store.class_edits.move("dog", into)
    assert gone in json.loads(path.read_text("utf-8"))["annotations"]
    assert store.classes == ("cat",)
    store.class_edits.undo()
    store.close()
    after = json.loads(path.read_text("utf-8"))
    key = itemgetter("id")
    assert sorted(after["annotations"], key=key) == sorted(said["annotations"], key=key)
    assert after["categories"] == said["categories"]


@every_act
def test_proposals_follow(act: str, tmp_path: Path) -> None:
    store = LabelStore.open(put(tmp_path, "voc"))
    store.journal.propose(2, [Proposal("p", CAT, "cat", 0.9), Proposal("q", DOG, "dog", 0.8)], 0.5)
    do, classes = ACTS[act]
    do(store)
    expected = {"rename": ["kitty", "dog"], "merge": ["dog", "dog"], "delete": ["dog"]}[act]
    assert [one.label for one in store.journal.proposals(2)] == expected
    assert store.journal.counts() == {2: len(expected)}
    store.class_edits.undo()
    assert {one.key: one.label for one in store.journal.proposals(2)} == {"p": "cat", "q": "dog"}
    if act == "rename":
        return
    do(store)
    boxes = tuple(LabeledBox(one.key, one.box, one.label) for one in store.journal.proposals(2))
    edit(store, 2, *boxes)
    assert store.classes == classes


@every_act
def test_a_round_that_knows_the_old_classes_proposes_the_new_ones(act: str, tmp_path: Path) -> None:
    expected = {"rename": ["kitty", "dog"], "merge": ["dog", "dog"], "delete": ["dog"]}[act]
    with Desk(lambda: LabelStore.open(put(tmp_path, "voc"))) as desk:
        rounds, begun = Rounds(desk), Round(1, 2, None)
        desk.wait_for(lambda store: store.class_edits.move("dog", "wolf"))
        rounds.request(begun)
        desk.wait_for(lambda store: store.class_edits.move("wolf", "dog"))
        desk.wait_for(ACTS[act][0])
        boxes = [[*CAT, "cat", 0.9], [*DOG, "wolf", 0.8]]
        assert rounds.propose(begun, [{"index": 2, "boxes": boxes}]) == [(2, len(expected))]
        found = desk.wait_for(lambda store: store.journal.proposals(2))
    assert [one.label for one in found] == expected


def test_a_class_that_has_left_the_list(tmp_path: Path) -> None:
    put(tmp_path, "yolo")
    with serving(lambda: LabelStore.open(tmp_path)) as studio:
        path = tmp_path / "data.yaml"
        path.write_text(path.read_text("utf-8").replace("cat", "kitty"), encoding="utf-8")
        body = {"action": "rename", "name": "cat", "to": "owl"}
        answer = studio.ask("POST", "/api/classes", body)
        assert answer.status == 200
        change = {"images": 0, "boxes": 0, "left": [], "moves": []}
        assert answer.json == {**change, "classes": ["dog", "kitty"]}


@every_act
@every_form
def test_verified_labels_stay_verified(form: str, act: str, tmp_path: Path) -> None:
    store = LabelStore.open(put(tmp_path, form))
    edit(store, 0, *store.read(0).boxes, verified=True)
    ACTS[act][0](store)
    assert store.read(0).verified
    store.class_edits.undo()
    assert store.read(0).verified
    assert as_read(tmp_path)[A] == [("cat", CAT), ("dog", DOG)]
