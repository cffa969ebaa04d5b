"""The law of editing: an edit changes what it is about, and everything else stays as it was."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

import boxwright
from boxwright.structures.dataset import Dataset, LabeledImage
from boxwright.studio.store import ConflictError, LabeledBox, Labels, LabelStore

STORED = (64, 48)  # width and height of the image files
FILE_EACH = ["voc", "yolo", "labelme"]
RECORDS = ["coco", "createml", "csv", "labelstudio", "via"]
NAMES = ["a", "two words", "grün 猫", "a&<b>'c", "back\\slash", "a.b", "e\u0301 (1)", "100%"]
CLASSES = ["cat", "Müller & <Söhne>", "two words", "\N{SNOWMAN}"]
FLAGS = ("difficult", "truncated", "occluded", "crowd")
BOM = b"\xef\xbb\xbf"
KEPT = re.compile(r"kept [0-9]+")
LISTS = {"classes.txt", "data.yaml", "labels.txt"}

sides = st.tuples(st.integers(0, 20), st.integers(0, 20), st.integers(22, 48), st.integers(22, 48))
boxes = st.lists(st.tuples(sides, st.sampled_from(CLASSES)), min_size=1, max_size=3)
edits = st.sampled_from(["keep", "keep", "move", "name", "flag", "delete"])


@dataclass
class World:
    """A folder of labeled images.

    Attributes:
        form: its format.
        names: stems of the images.
        boxes: of each image, with their classes.
        orientation: the EXIF value of the images.
        as_stored: True if annotations state the size of the image as it is stored.
        line_end, mark: of the label files.
    """

    form: str
    names: list[str]
    boxes: list[list[tuple[tuple[int, int, int, int], str]]]
    orientation: int
    as_stored: bool
    line_end: str
    mark: bytes

    def write(self, root: Path) -> Path:
        """Write the folder; returns its path."""
        source, folder = root / "source", root / "images"
        source.mkdir()
        images = []
        width, height = STORED if self.orientation < 5 else STORED[::-1]
        exif = Image.Exif()
        exif[0x0112] = self.orientation
        for name, found in zip(self.names, self.boxes, strict=True):
            Image.new("L", STORED).save(source / f"{name}.jpg", exif=exif)
            drawn, classes = zip(*found, strict=True)
            images.append(LabeledImage(f"{name}.jpg", width, height, drawn, classes))
        boxwright.write(Dataset.of(source, images), folder, self.form)
        for path in label_files(folder):
            path.write_bytes(self._foreign(path.read_bytes().decode(), path.suffix))
        return folder

    def _foreign(self, text: str, suffix: str) -> bytes:
        """A label file as other tools might have written it."""
        count = iter(range(1000))
        if suffix == ".xml":
            text = re.sub(
                "</object>", lambda _: f"<extra a='1'>kept {next(count)}</extra></object>", text
            )
            text = text.replace("</size>", "</size><!-- a comment --><source><x/></source>")
            if self.as_stored and self.orientation >= 5:
                text = text.replace("<width>48<", "<width>64<").replace("height>64<", "height>48<")
        elif suffix == ".json":
            said = json.loads(text)
            _mark(said, lambda: f"kept {next(count)}")
            text = json.dumps(said, indent=3, ensure_ascii=False)
        elif suffix == ".csv":
            head, *rows = text.splitlines()
            text = "\n".join([f"{head},note", *(f"{row},kept {next(count)}" for row in rows), ""])
        elif suffix == ".txt":
            text = re.sub(r"(?m)^([0-9]+) (?=0\.)", r"\1   ", text)
        return self.mark + text.replace("\n", self.line_end).encode()


def _mark(said: Any, mark: Callable[[], str]) -> None:
    """Give each box in JSON a key that no format has."""
    if isinstance(said, list):
        for one in said:
            _mark(one, mark)
    elif isinstance(said, dict):
        for one in said.values():
            _mark(one, mark)
        if {"label", "category_id", "shape_attributes", "from_name"} & said.keys():
            said["unknown"] = mark()


def label_files(folder: Path) -> list[Path]:
    return [
        path
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.suffix != ".jpg" and ".boxwright" not in path.parts
    ]


def worlds(form: str) -> st.SearchStrategy[World]:
    names = st.lists(st.sampled_from(NAMES), min_size=2, max_size=3, unique=True)
    return names.flatmap(
        lambda chosen: st.builds(
            World,
            st.just(form),
            st.just(chosen),
            st.lists(boxes, min_size=len(chosen), max_size=len(chosen)),
            st.integers(1, 8),
            st.booleans() if form == "voc" else st.just(False),
            st.sampled_from(["\n", "\r\n"]),
            st.sampled_from([b"", BOM]),
        )
    )


def edited(data: st.DataObject, labels: Labels, holds: frozenset[str]) -> Labels:
    """Other labels, drawn."""
    found: list[LabeledBox] = []
    for box in labels.boxes:
        edit = data.draw(edits)
        if edit == "move":
            found.append(replace(box, box=tuple(map(float, data.draw(sides)))))
        elif edit == "name":
            found.append(replace(box, label=data.draw(st.sampled_from([*CLASSES, "new class"]))))
        elif edit == "flag" and (flags := sorted(holds & set(FLAGS))):
            found.append(replace(box, **{data.draw(st.sampled_from(flags)): True}))
        elif edit != "delete":
            found.append(box)
    for i, (drawn, label) in enumerate(
        data.draw(st.lists(st.tuples(sides, st.just("new")), max_size=2))
    ):
        found.append(LabeledBox(f"new-{i}", tuple(map(float, drawn)), label))
    verified = "verified" in holds and data.draw(st.booleans())
    return Labels(tuple(data.draw(st.permutations(found))), verified, labels.etag)


def seen(labels: Labels) -> tuple[list[Any], bool]:
    """All about labels that is stored; sides to a hundredth of a pixel."""
    rows = [
        (
            box.label,
            tuple(round(side, 2) for side in box.box),
            *(getattr(box, flag) for flag in FLAGS),
        )
        for box in labels.boxes
    ]
    return rows, labels.verified


def as_read(folder: Path, name: str) -> list[Any]:
    """The boxes of an image as `boxwright.read` has them, sorted."""
    dataset = boxwright.read(folder)
    [image] = [i for i, each in enumerate(dataset.names) if each.endswith(f"{name}.jpg")]
    rows = dataset.rows(image)
    return sorted(
        (dataset.classes[label], tuple(round(float(side), 2) for side in box))
        for label, box in zip(dataset.labels[rows], dataset.boxes[rows], strict=True)
    )


def kept(text: str) -> Counter[str]:
    return Counter(KEPT.findall(text))


@pytest.mark.parametrize("form", [*FILE_EACH, *RECORDS])
def test_an_edit_changes_what_it_is_about(form: str) -> None:
    @settings(max_examples=12, deadline=None, database=None, derandomize=True)
    @given(world=worlds(form), data=st.data())
    def law(world: World, data: st.DataObject) -> None:
        with TemporaryDirectory() as root:
            _check(world, world.write(Path(root)), data)

    law()


def _check(world: World, folder: Path, data: st.DataObject) -> None:
    files = {path: path.read_bytes() for path in label_files(folder)}
    with closing(LabelStore.open(folder)) as store:
        assert store.format == world.form
        index = data.draw(st.integers(0, len(store.names) - 1))
        others = {i: store.read(i) for i in range(len(store.names)) if i != index}
        first = store.read(index)
        wanted = edited(data, first, store.holds)

        after = store.write(index, wanted, first.etag)
        assert seen(after) == seen(wanted)
        assert store.read(index) == after
        assert (after.etag == first.etag) == (seen(wanted) == seen(first))
        name = Path(store.names[index]).stem
        boxes = sorted((label, drawn) for label, drawn, *_ in seen(after)[0])
        assert as_read(folder, name) == boxes
        with pytest.raises(ConflictError) as conflict:
            store.write(index, first, "another")
        assert conflict.value.theirs == after
        assert {i: store.read(i) for i in others} == others
        store.flush()
        assert as_read(folder, name) == boxes
        assert store.read(index) == after
        drawn_anew = sum(box.key.startswith("new") for box in wanted.boxes)
        removed = len(first.boxes) + drawn_anew - len(wanted.boxes)
        _check_files(world, files, removed, changed=after != first)

        if after.etag != first.etag:
            assert store.undo(index, after.etag) == first
            assert store.redo(index, first.etag) == after
            assert seen(store.undo(index, after.etag) or first) == seen(first)
    if world.form in FILE_EACH:
        now = {path: path.read_bytes() for path in files}
        lists = {path for path in files if path.name in LISTS}
        assert {path for path in files if now[path] != files[path]} <= lists


def _check_files(world: World, before: dict[Path, bytes], removed: int, *, changed: bool) -> None:
    """The label files have what the edit was not about."""
    touched = [path for path in before if path.read_bytes() != before[path]]
    labels = [path for path in touched if path.name not in LISTS]
    assert len(labels) <= (1 if changed else 0)
    for path in touched:
        now = path.read_bytes()
        assert now.startswith(BOM) == bool(world.mark)
        ends = now.count(b"\n") if world.line_end == "\r\n" else 0
        assert path.suffix == ".json" or now.count(b"\r\n") == ends
    for path in labels:
        old, new = before[path].decode(), path.read_bytes().decode()
        if path.suffix != ".txt":
            assert kept(new) <= kept(old)
            assert kept(old).total() - kept(new).total() == removed
        assert old.count("<!-- a comment -->") == new.count("<!-- a comment -->")
        assert old.count("<source><x/></source>") == new.count("<source><x/></source>")


def test_a_line_that_is_not_edited_stays_as_it_is() -> None:
    with TemporaryDirectory() as root:
        folder = Path(root)
        Image.new("L", STORED).save(folder / "a.jpg")
        (folder / "classes.txt").write_text("cat\n", encoding="utf-8")
        (folder / "a.txt").write_bytes(b"0  .5 0.50 0.2500001 .1\r\n0 0.1 0.1 0.1 0.1\r\n")
        with closing(LabelStore.open(folder)) as store:
            labels = store.read(0)
            new = LabeledBox("new-0", (16.0, 12.0, 48.0, 36.0), "cat")
            store.write(0, replace(labels, boxes=(labels.boxes[0], new)), labels.etag)
        lines = b"0  .5 0.50 0.2500001 .1\r\n0 0.5 0.5 0.5 0.5\r\n"
        assert (folder / "a.txt").read_bytes() == lines
