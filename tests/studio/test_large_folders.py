"""Of a large folder with a label file for each image, files are read when they are needed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from label_edits import as_read, edit, shown
from PIL import Image

from boxwright.formats import by_name
from boxwright.formats.voc import editor as voc_editor
from boxwright.studio.store import LabeledBox, LabelStore

COUNT = 30
XML = (
    "<annotation><filename>{}</filename><size><width>64</width><height>48</height></size><object>"
    "<name>{}</name><bndbox><xmin>1</xmin><ymin>2</ymin><xmax>30</xmax><ymax>40</ymax></bndbox>"
    "</object></annotation>"
)
BOX = (1.0, 2.0, 30.0, 40.0)


@pytest.fixture(autouse=True)
def _large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(by_name, "LARGE", COUNT - 5)
    monkeypatch.setattr(by_name, "SAMPLED", 3)


def name_of(number: int) -> str:
    return f"{number:02}.jpg"


def put_images(folder: Path) -> Path:
    folder.mkdir(parents=True)
    for number in range(COUNT):
        Image.new("L", (64, 48)).save(folder / name_of(number))
    return folder


def put_voc(folder: Path) -> None:
    """Labels of all images but the last one; every second one is a dog, and one is an owl."""
    folder.mkdir(exist_ok=True)
    for number in range(COUNT - 1):
        label = "owl" if number == 5 else ("cat", "dog")[number % 2]
        text = XML.format(name_of(number), label)
        (folder / f"{number:02}.xml").write_text(text, encoding="utf-8")


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The label files that the editor reads."""
    paths: list[str] = []
    labeled = voc_editor.Editor.labeled

    def noting(self: voc_editor.Editor, content: bytes | None, path: str) -> object:
        paths.append(path)
        return labeled(self, content, path)

    monkeypatch.setattr(voc_editor.Editor, "labeled", noting)
    return paths


@pytest.mark.parametrize("labels", [".", "../Annotations"], ids=["beside", "mirrored"])
def test_label_files_are_read_when_they_are_needed(
    labels: str, tmp_path: Path, read: list[str]
) -> None:
    put_voc(put_images(tmp_path / "JPEGImages") / labels)
    with closing(LabelStore.open(tmp_path)) as store:
        assert (store.format, read) == ("voc", [])
        assert [store.state(index) for index in (0, COUNT - 1)] == ["labeled", "new"]
        assert shown(store.read(4)) == [("cat", BOX)]
        assert len({*read}) == 1
        assert "owl" not in store.classes
        assert [row.classes for row in store.rows(4, 2)] == [("cat",), ("owl",)]
        assert "owl" in store.classes
        assert len({*read}) == 2
        assert store.class_edits.move("dog", "wolf").images == (COUNT - 1) // 2 - 1
        assert {row.classes for row in store.rows()} == {(), ("cat",), ("owl",), ("wolf",)}
    assert as_read(tmp_path)["JPEGImages/01.jpg"] == [("wolf", BOX)]


def test_a_large_folder_is_edited_as_any_other(tmp_path: Path) -> None:
    put_voc(put_images(tmp_path / "images"))
    with closing(LabelStore.open(tmp_path / "images")) as store:
        new = LabeledBox("new", (5.0, 6.0, 20.0, 30.0), "cat")
        edit(store, 3, *store.read(3).boxes, new)
        edit(store, COUNT - 1, new)
        (tmp_path / "images" / "07.xml").write_text(XML.format("07.jpg", "elk"), encoding="utf-8")
        assert store.changed() == [7]
        store.set_aside(9, True)
        states = [row.state for row in store.rows()]
        assert (states[9], states.count("labeled")) == ("aside", COUNT - 1)
        assert store.rows(7, 1)[0].classes == ("elk",)
    assert as_read(tmp_path / "images")["29.jpg"] == [("cat", new.box)]
    assert as_read(tmp_path / "images")["03.jpg"] == [("dog", BOX), ("cat", new.box)]


@pytest.mark.parametrize("form", ["yolo", "labelme"])
def test_other_formats_with_a_file_for_each_image(form: str, tmp_path: Path) -> None:
    folder = put_images(tmp_path / "images" / "train")
    put_voc(folder)
    import boxwright

    boxwright.write(boxwright.read(tmp_path), tmp_path / form, form)
    whole = by_name.read_annotations(by_name.Folder.scan(tmp_path / form), form)
    with closing(LabelStore.open(tmp_path / form)) as store:
        assert len(store._known.unread) == COUNT - 1
        assert store.format == form
        found = {name: store.read(index) for index, name in enumerate(store.names)}
        boxes = {name: shown(one) for name, one in found.items() if one.boxes}
        assert boxes == {
            name: [(one.names[0], BOX)] for name, one in whole.own.paired.items() if one.names
        }
        assert {*store.classes} == {"cat", "dog", "owl"}


def test_files_that_state_other_images_are_all_read(tmp_path: Path) -> None:
    """Each image then has the labels that `check` and `train` read."""
    folder = put_images(tmp_path / "images")
    put_voc(folder)
    text = XML.format(name_of(COUNT - 1), "cat")
    (folder / "12.xml").write_text(text, encoding="utf-8")
    with closing(LabelStore.open(folder)) as store:
        assert store.state(12) == "labeled"  # its file has not been read
        store.read(12)
        assert store._known.unread == set()
        read = as_read(folder)
        assert {name: shown(store.read(i)) for i, name in enumerate(store.names)} == {
            name: read.get(name, []) for name in store.names
        }


def test_damaged_files_are_those_of_images_that_cannot_be_edited(tmp_path: Path) -> None:
    folder = put_images(tmp_path / "images")
    put_voc(folder)
    (folder / "12.xml").write_text("<annotation>", encoding="utf-8")
    with closing(LabelStore.open(folder)) as store:
        assert [row.state for row in store.rows(12, 1)] == ["new"]
        with pytest.raises(Exception, match="not well-formed"):
            store.read(12)


@pytest.mark.parametrize(
    "change",
    ["another name", "twice", "also csv", "damaged sample"],
)
def test_all_files_are_read_where_names_do_not_tell(change: str, tmp_path: Path) -> None:
    folder = put_images(tmp_path / "images")
    put_voc(folder)
    if change == "another name":
        (folder / "00.xml").rename(folder / "zero.xml")
    if change == "twice":
        (folder / "more").mkdir()
        (folder / "00.xml").rename(folder / "more" / "00.xml")
        (folder / "00.xml").write_text(XML.format("00.jpg", "cat"), encoding="utf-8")
    if change == "also csv":
        rows = "filename,width,height,class,xmin,ymin,xmax,ymax\n29.jpg,64,48,cat,1,2,30,40\n"
        (folder / "labels.csv").write_text(rows, encoding="utf-8")
    if change == "damaged sample":
        (folder / "00.xml").write_text("<annotation>", encoding="utf-8")
    assert by_name.chosen_by_name(by_name.Folder.scan(folder)) is None
    with closing(LabelStore.open(folder)) as store:
        read = as_read(folder) if change != "damaged sample" else None
        for index, name in enumerate(store.names):
            if read is not None:
                assert shown(replace(store.read(index))) == read.get(name, [])
