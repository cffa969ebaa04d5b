"""Edits of records wait beside a file that other programs write meanwhile."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from label_edits import NEW, as_read, edit, shown
from label_samples import CAT, DOG, A, put_sample

import boxwright
from boxwright.formats.editors import RECORDS
from boxwright.formats.records import record_bytes, sidecar
from boxwright.studio import record_files
from boxwright.studio.store import LabeledBox, LabelStore

MOVED = (5.0, 7.0, 31.0, 41.0)
Edit = Callable[[LabeledBox, LabeledBox], list[LabeledBox]]
EDITS: dict[str, Edit] = {
    "add": lambda cat, dog: [cat, dog, NEW],
    "move": lambda cat, dog: [replace(cat, box=MOVED), dog],
    "rename": lambda cat, dog: [cat, replace(dog, label="owl")],
    "delete": lambda cat, dog: [dog],
    "add and delete": lambda cat, dog: [dog, NEW],
}
records = pytest.mark.parametrize("form", RECORDS)


def label_file(root: Path) -> Path:
    [file] = [path for path in root.iterdir() if path.suffix in {".json", ".csv"}]
    return file


def extend(file: Path) -> None:
    """Write a file as a program that adds a key, or a column, to all that it knows."""
    text = file.read_text("utf-8")
    if file.suffix == ".csv":
        head, *rows = text.splitlines()
        text = "\n".join([f"{head},foreign", *(f"{row},f{i}" for i, row in enumerate(rows)), ""])
    else:
        said = json.loads(text)
        _extend(said)
        text = json.dumps(said)
    file.write_text(text, encoding="utf-8")


def _extend(said: Any) -> None:
    for one in said if isinstance(said, list) else said.values() if isinstance(said, dict) else ():
        _extend(one)
    known = {"category_id", "file_name", "coordinates", "file_attributes", "to_name", "mine"}
    if isinstance(said, dict) and {*known, "shape_attributes"} & said.keys():
        said["foreign"] = f"f{len(said)}"


@pytest.mark.parametrize("act", EDITS)
@records
def test_an_edit_is_kept_where_another_program_extends_the_record(
    form: str, act: str, tmp_path: Path
) -> None:
    store = LabelStore.open(put_sample(tmp_path, form))
    written = shown(edit(store, 0, *EDITS[act](*store.read(0).boxes)))
    file = label_file(tmp_path)
    extend(file)
    foreign = file.read_text("utf-8").count("foreign")
    assert as_read(tmp_path)[A] == written
    assert shown(store.read(0)) == written
    store.close()
    assert not sidecar(file).exists()
    assert as_read(tmp_path)[A] == written
    gone = 1 if "delete" in act and form != "csv" else 0
    assert file.read_text("utf-8").count("foreign") == foreign - gone
    if form == "csv":
        assert ("f0" in file.read_text("utf-8")) is ("delete" not in act)


@records
def test_an_edit_of_boxes_that_another_program_changed_is_told(form: str, tmp_path: Path) -> None:
    (tmp_path / "theirs").mkdir()
    theirs = LabelStore.open(put_sample(tmp_path / "theirs", form))
    edit(theirs, 0, replace(theirs.read(0).boxes[0], box=MOVED))
    theirs.close()
    (tmp_path / "mine").mkdir()
    store = LabelStore.open(put_sample(tmp_path / "mine", form))
    edit(store, 0, NEW)
    file = label_file(tmp_path / "mine")
    file.write_bytes(label_file(tmp_path / "theirs").read_bytes())
    store.changed()
    edit(store, 2, NEW)
    store.close()
    for _ in range(2):  # also after the studio was opened again
        data = boxwright.check(tmp_path / "mine")
        assert [one for one in data.findings if one.code == "BW113" and A in one.message]
        again = LabelStore.open(tmp_path / "mine")
        assert shown(again.read(0)) == [("cat", MOVED)]
        again.close()
    again = LabelStore.open(tmp_path / "mine")
    undone = again.undo(0, again.read(0).etag)
    assert undone
    assert shown(undone) == [("dog", NEW.box)]
    again.close()
    assert not sidecar(file).exists()


def _written(record: Any) -> str:
    return hashlib.sha256(record_bytes(record)).hexdigest()[:32]


@pytest.mark.parametrize("method", ["as written", "as meant"])
@records
def test_a_sidecar_of_an_earlier_version_is_used(form: str, method: str, tmp_path: Path) -> None:
    store = LabelStore.open(put_sample(tmp_path, form))
    records = store._files._file(label_file(tmp_path).name).records  # type: ignore[union-attr]
    before = _written(records.get(A))
    written = shown(edit(store, 0, NEW))
    where = sidecar(label_file(tmp_path))
    said = json.loads(where.read_text("utf-8"))
    del said["edits"][A]["base"]
    if method == "as written":
        said["edits"][A]["before"] = before
    where.write_text(json.dumps(said), encoding="utf-8")
    again = LabelStore.open(tmp_path)
    assert as_read(tmp_path)[A] == shown(again.read(0)) == written
    again.flush()
    assert not where.exists()
    assert as_read(tmp_path)[A] == written


def test_an_edit_of_an_unknown_method_is_kept_and_told(tmp_path: Path) -> None:
    store = LabelStore.open(put_sample(tmp_path, "coco"))
    edit(store, 0, NEW)
    where = sidecar(label_file(tmp_path))
    said = json.loads(where.read_text("utf-8"))
    said["edits"][A] = {"before": "another", "record": said["edits"][A]["record"]}
    where.write_text(json.dumps(said), encoding="utf-8")
    again = LabelStore.open(tmp_path)
    assert shown(again.read(0)) == [("cat", CAT), ("dog", DOG)]
    edit(again, 1, NEW)
    again.flush()
    assert json.loads(where.read_text("utf-8"))["edits"][A]["record"]
    findings = boxwright.check(tmp_path).findings
    assert [one.where for one in findings if one.code == "BW113"] == [where.name]


@pytest.mark.parametrize("part", ["base", "record"])
@records
def test_a_damaged_edit_is_left_out_and_told(form: str, part: str, tmp_path: Path) -> None:
    store = LabelStore.open(put_sample(tmp_path, form))
    edit(store, 0, NEW)
    extend(label_file(tmp_path))
    where = sidecar(label_file(tmp_path))
    said = json.loads(where.read_text("utf-8"))
    said["edits"][A][part] = {"damaged": 1}
    where.write_text(json.dumps(said), encoding="utf-8")
    findings = boxwright.check(tmp_path).findings
    assert [one.where for one in findings if one.code == "BW113"] == [where.name]
    again = LabelStore.open(tmp_path)
    assert shown(again.read(0)) == [("cat", CAT), ("dog", DOG)]
    again.close()


class KilledError(Exception):
    """Instead of a signal."""


@records
def test_a_file_that_a_killed_process_has_written_has_no_edits_left(
    form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another program gives the number of a new box, whose edit waits, to a box of another image:
    whoever reads the sidecar has to give it another one."""
    for name in ("mine", "theirs"):
        (tmp_path / name).mkdir()
    mine, theirs = (put_sample(tmp_path / name, form) for name in ("mine", "theirs"))
    store, another = LabelStore.open(mine), LabelStore.open(theirs)
    edit(another, 2, *another.read(2).boxes, NEW)
    another.close()
    edit(store, 0, *store.read(0).boxes, NEW)
    label_file(mine).write_bytes(label_file(theirs).read_bytes())
    expected = [shown(store.read(index)) for index in (0, 2)]

    def killed(path: Path, content: bytes) -> None:
        path.write_bytes(content)
        raise KilledError

    with monkeypatch.context() as patch:
        patch.setattr(record_files, "write_bytes", killed)
        other = LabelStore.open(mine)
        assert [shown(other.read(index)) for index in (0, 2)] == expected
        with pytest.raises(KilledError):
            other.flush()
    again = LabelStore.open(mine)
    assert [shown(again.read(index)) for index in (0, 2)] == expected
    again.close()
    assert not sidecar(label_file(mine)).exists()
    assert not [one for one in boxwright.check(mine).findings if one.code == "BW113"]


@records
def test_studios_of_one_folder_know_equal_labels_by_one_etag(form: str, tmp_path: Path) -> None:
    """A sidecar has its edits in another order than they were made. An undo that took equal labels
    for others would undo the edit of another studio."""
    first = LabelStore.open(put_sample(tmp_path, form))
    second = LabelStore.open(tmp_path)

    def step(store: LabelStore, index: int, *boxes: LabeledBox) -> None:
        edit(store, index, *boxes)
        assert [first.read(i).etag for i in (0, 2)] == [second.read(i).etag for i in (0, 2)]

    owl, elk = replace(NEW, label="owl"), replace(NEW, label="elk")
    step(first, 0, *first.read(0).boxes, NEW)
    step(first, 2, *first.read(2).boxes, owl)
    step(first, 0, *first.read(0).boxes, elk)  # before the owl, in the sidecar
    step(first, 2, *first.read(2).boxes, elk)
    step(second, 2, *second.read(2).boxes, owl)
    second.flush()
    step(first, 0, *first.read(0).boxes, NEW)
    first.flush()
    step(first, 2, *first.read(2).boxes[1:])
    step(first, 0, *first.read(0).boxes[:-1])
    step(first, 2, *first.read(2).boxes, NEW)  # before the deletion of the last box, in the sidecar
    before = shown(second.read(2))
    edit(first, 2, *first.read(2).boxes, owl)
    undone = second.undo(2, second.read(2).etag)
    assert undone
    assert shown(undone) == before
    first.close()
    second.close()
