"""Images set aside, changes by others, images for testing, and folders that cannot be edited."""

from __future__ import annotations

import json
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from label_edits import NEW, as_read, edit, shown, voc
from label_samples import CAT, DOG, A, B, C, put_sample
from PIL import Image

import boxwright
from boxwright.errors import BoxwrightError, DataError
from boxwright.formats.records import sidecar
from boxwright.studio import aside as aside_module
from boxwright.studio.store import LabelStore
from folders import VocFolder


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


@pytest.mark.parametrize("taken", ["c.jpg", "c.xml"])
def test_no_file_is_replaced_when_an_image_is_set_aside_or_taken_back(
    taken: str, tmp_path: Path
) -> None:
    store = voc(tmp_path)
    edit(store, 2, NEW)
    for aside, place in ((True, tmp_path / "_aside_" / taken), (False, tmp_path / taken)):
        before = {path: path.read_bytes() for path in tmp_path.rglob("c.*")}
        place.parent.mkdir(exist_ok=True)
        place.write_bytes(b"another one")
        with pytest.raises(BoxwrightError, match=r"BW180 .*would replace another file"):
            store.set_aside(2, aside)
        assert place.read_bytes() == b"another one"
        place.unlink()
        assert {path: path.read_bytes() for path in tmp_path.rglob("c.*")} == before
        store.set_aside(2, aside)
    store.close()


def test_an_image_that_was_taken_back_has_its_labels(tmp_path: Path) -> None:
    store = voc(tmp_path)
    store.set_aside(0, True)
    moved: list[str] = []

    def move(source: Path, target: Path) -> None:
        moved.append(target.suffix)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(aside_module, "move", move)
        store.set_aside(0, False)
    assert moved == [".xml", ".jpg"]  # killed between the two, it is still aside


def test_an_image_aside_whose_label_file_is_that_of_another_stops_nothing(tmp_path: Path) -> None:
    store = LabelStore.open(put_sample(tmp_path, "yolo"))
    store.set_aside(0, True)
    store.close()
    Image.new("RGB", (64, 48)).save(tmp_path / Path(A).with_suffix(".png"))
    again = LabelStore.open(tmp_path)
    assert len(again.names) == 4
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


@pytest.mark.parametrize(
    ("splits", "blind"), [("train test", "test"), ("train val test", "test"), ("train val", "val")]
)
def test_a_split_of_the_folder_is_kept(splits: str, blind: str, tmp_path: Path) -> None:
    for split in splits.split():
        (tmp_path / split).mkdir()
        put_sample(tmp_path / split, "voc")
    store = LabelStore.open(tmp_path)
    assert {store.names[i].split("/")[0] for i in store.blind()} == {blind}
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
    store.class_edits.move("class 1", "dog")
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


def test_a_damaged_journal_is_refused_with_its_name(tmp_path: Path) -> None:
    put_sample(tmp_path, "voc")
    (tmp_path / ".boxwright").mkdir()
    (tmp_path / ".boxwright" / "journal.db").write_text("not a database", encoding="utf-8")
    with pytest.raises(BoxwrightError, match=r"BW110 .*journal\.db"):
        LabelStore.open(tmp_path)


@pytest.mark.parametrize("form", [None, "yolo"])
@pytest.mark.parametrize("splits", ["", "train: images\nval: images\n"])
def test_a_new_yolo_project_is_labeled_by_its_list_of_classes(
    form: str | None, splits: str, voc_folder: VocFolder
) -> None:
    image = "images/a.jpg" if splits else "a.jpg"
    voc_folder.image(image)
    voc_folder.text("data.yaml", f"names: [cat, dog]\nnc: 2\n{splits}")
    (voc_folder.root / "labels").mkdir()
    store = LabelStore.open(voc_folder.root, format=form)
    assert (store.format, store.classes) == ("yolo", ("cat", "dog"))
    edit(store, 0, NEW, replace(NEW, label="owl"))
    store.close()
    labels = voc_folder.root / image.replace("images/", "labels/").replace(".jpg", ".txt")
    assert [line.split()[0] for line in labels.read_text("utf-8").splitlines()] == ["1", "2"]
    assert "owl" in (voc_folder.root / "data.yaml").read_text("utf-8")
    assert as_read(voc_folder.root)[image] == [("dog", NEW.box), ("owl", NEW.box)]


def test_a_folder_that_is_gone_is_not_made_anew(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    store = voc(tmp_path / "images")
    labels = store.read(0)
    (tmp_path / "images").rename(tmp_path / "elsewhere")
    with pytest.raises(BoxwrightError, match="BW115"):
        store.write(0, replace(labels, boxes=()), labels.etag)
    assert not (tmp_path / "images").exists()
    (tmp_path / "elsewhere").rename(tmp_path / "images")
    store.close()


@pytest.mark.parametrize("names", [[A, B], [A, B, C]])
def test_a_folder_whose_labeled_images_are_all_aside_is_opened(
    form: str, names: list[str], tmp_path: Path
) -> None:
    store = LabelStore.open(put_sample(tmp_path, form))
    for name in names:
        store.set_aside(store.names.index(name), True)
    store.close()
    again = LabelStore.open(tmp_path)
    assert (again.format, {*again.classes}) == (form, {"cat", "dog"})
    states = [row.state for row in again.rows()]
    assert states == ["aside", "aside", "aside" if C in names else "new"]
    assert shown(again.read(0)) == [("cat", CAT), ("dog", DOG)]
    for name in names:
        again.set_aside(again.names.index(name), False)
    edit(again, 2, NEW)
    again.close()
    assert as_read(tmp_path) == {
        A: [("cat", CAT), ("dog", DOG)],
        B: [("dog", DOG)],
        C: [("dog", NEW.box)],
    }


def test_a_folder_without_labels_whose_images_are_all_aside_is_opened(tmp_path: Path) -> None:
    Image.new("RGB", (64, 48)).save(tmp_path / C)
    for is_aside in (True, False):
        store = LabelStore.open(tmp_path)
        store.set_aside(0, is_aside)
        store.close()
    assert (tmp_path / C).is_file()


LISTS = {
    "data/data.yaml": "names: [cat, dog, owl]\n",
    "data/notes.json": '{"categories": [{"id": 0, "name": "cat"}, {"id": 1, "name": "dog"}]}',
    "label_map.pbtxt": "item { id: 1 name: 'cat' }\nitem { id: 2 name: 'dog' }\n",
    "classes.txt": "cat\ndog\n",
}


@pytest.mark.parametrize("path", LISTS)
def test_labels_are_edited_whose_class_names_are_elsewhere(tmp_path: Path, path: str) -> None:
    root = tmp_path / "data"
    root.mkdir()
    put_sample(root, "yolo")
    (root / "data.yaml").unlink()
    (tmp_path / path).write_text(LISTS[path], encoding="utf-8")
    store = LabelStore.open(root)
    assert shown(store.read(0)) == [("cat", CAT), ("dog", DOG)]
    edit(store, 2, replace(NEW, label="dog"))
    assert not (root / "classes.txt").exists()
    store.class_edits.move("cat", "lynx")
    edit(store, 1, replace(NEW, label="bear"))
    store.close()
    assert (tmp_path / path).read_text("utf-8") == LISTS[path]
    assert as_read(root)[A] == [("lynx", CAT), ("dog", DOG)]
    assert [name for name, _ in as_read(root)["bä.jpg"]] == ["bear"]
    assert [name for name, _ in as_read(root)["c.jpg"]] == ["dog"]
    again = LabelStore.open(root)
    assert {*again.classes} >= {"lynx", "dog", "bear"}
    again.close()


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("", ["class 0", "class 1"]),
        ("\n\n", ["class 0", "class 1"]),
        ("cat\ndog\n", ["cat", "dog"]),
        ("# mine\ncat\ndog\n", None),  # its first line would be class 0
    ],
)
def test_a_list_of_classes_counts_as_its_reader_takes_it(
    text: str, names: list[str] | None, tmp_path: Path
) -> None:
    Image.new("RGB", (100, 80)).save(tmp_path / "a.jpg")
    (tmp_path / "a.txt").write_text("0 .5 .5 .2 .2\n1 .5 .5 .4 .2\n", encoding="utf-8")
    (tmp_path / "classes.txt").write_text(text, encoding="utf-8")
    with closing(LabelStore.open(tmp_path)) as store:
        if names is None:
            with pytest.raises(DataError, match="class 0 is not one of the 0 classes"):
                store.read(0)
        else:
            assert [box.label for box in store.read(0).boxes] == names
