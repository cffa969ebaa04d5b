"""Label map text, in every way that people and tools write it."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from boxwright.errors import DataError
from boxwright.structures.labels import (
    closest_name,
    label_map_text,
    parse_label_map,
    read_label_map,
    spelling_key,
    write_label_map,
)

pytestmark = pytest.mark.tiny


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("item {\n  id: 1\n  name: 'raccoon'\n}", {1: "raccoon"}),
        ('item{id:1 name:"raccoon"}', {1: "raccoon"}),
        ("item: < id: 1; name: 'raccoon', >", {1: "raccoon"}),
        ("item { name: 'b' id: 2 } item { id: 1, name: 'a' }", {1: "a", 2: "b"}),
        ('# ids from 1\nitem { # the first\n id: 1 name: "#1" }', {1: "#1"}),
        ("item { name: '/m/01g317' id: 1 display_name: 'person' }", {1: "person"}),
        ("item { id: 1 name: 'a' } item { id: 90 name: 'z' }", {1: "a", 90: "z"}),
        ("item { id: 1 name: 'hard ' \"hat\" }", {1: "hard hat"}),
        (r"item { id: 1 name: 'd\'oh \"x\" \\ \303\244 \x41' }", {1: 'd\'oh "x" \\ ä A'}),
        ("item { id: 1 name: 'Waschbär' }", {1: "Waschbär"}),
        (
            "item { id: 1 name: 'a' keypoints { id: 7 label: 'nose' } ancestor_ids: [1, 2] "
            "frequency: FREQUENT }",
            {1: "a"},
        ),
        ("item { id: 1 name: 'a' }\nitem { id: 1 name: 'a' }", {1: "a"}),
        ("item: [{ id: 1 name: 'a' }, { id: 2 name: 'b' }]", {1: "a", 2: "b"}),
        ('item {\r\n  name: "a",\r\n  id: 1,\r\n},\r\n', {1: "a"}),
        ("item :{ id :1 name :'it\\'s' display_name: \"it's\" }", {1: "it's"}),
        ("item { id: 1 name: 'a' more { b { c: ']' } } words: ['x]', 'y'] }", {1: "a"}),
        ("item { id: 3 name: 'c' } item { id: 1 name: 'a' }", {1: "a", 3: "c"}),
        ("item { id: 1 name: house }", {1: "house"}),
        (
            "item { id: 2 name: 'a' } item { id: 1 name: 'b' } item { id: 3 name: 'a' } "
            "item { id: 4 name: 'a' }",
            {1: "b", 2: "a", 3: "a (2)", 4: "a (3)"},
        ),
    ],
)
def test_label_maps_as_they_are_written(text: str, expected: dict[int, str]) -> None:
    assert parse_label_map(text) == expected


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("item { id: 1 name: 'a' }\nitem { id: 0 name: 'b' }", 2, "reserved for the background"),
        ("item { id: -1 name: 'a' }", 1, "negative id -1"),
        ("item { id: one name: 'a' }", 1, "'one', not a whole number"),
        ("item { name: 'a' }", 1, "None, not a whole number"),
        ("item { id: 1 }", 1, "no name"),
        ("item { id: 1 name: 'a' }\n\nitem { id: 1 name: 'b' }", 3, "both 'a' and 'b'"),
        ("item {\n item { id: 1 name: 'a' }\n}", 1, "inside of another item"),
        ("\n<!DOCTYPE html>\n<html>", 1, "no label map, but a web page"),
        ("<html>", 1, "web page"),
        ('{"payload": {}}', 1, "no label map, but JSON"),
        ("{\\rtf1 item", 1, "formatted text"),
        ("item {\n id: 1\n name: 'toy\u2019\n}", 3, "ends with \u2019, a typographic"),
        ("item {\n id: 1\n name: 'a'\n", 4, "ends in the middle"),
        ("item { id: 1 name: 'a\n }", 1, "not label map text"),
        ("item { id: 1 name: }", 1, "value is missing"),
        ("item { : 1 }", 1, "name is missing"),
        ("node { name: 'a' }", 1, "'node' is where an item should be"),
        ("raccoon\ncat\n", 1, "outside of any item"),
        ("", None, "contains no item"),
        ("item [ id: 1 name: 'a' ]", 1, "write each item there in { and }"),
        ("item: [{ id: 1 name: 'a' }", 1, "ends in the middle"),
        ("item {\n id: 1\n name: ‘toy’\n}", 3, "typographic quotation mark"),
        ("item { 'id': 1, 'name': 'a' }", 1, "name is missing before 'id'"),
        (f"item {{ name: 'a' id: {'9' * 5000} }}", 1, "not a whole number"),
        ("item " + "{ a " * 5000, 1, "nested more than 20 levels deep"),
    ],
)
def test_what_cannot_be_used_is_refused_with_line_and_reason(
    text: str, line: int | None, reason: str
) -> None:
    with pytest.raises(DataError, match=reason) as caught:
        parse_label_map(text, where="map.pbtxt")
    assert caught.value.code == "BW116"
    assert caught.value.where == ("map.pbtxt" if line is None else f"map.pbtxt:{line}")


@given(st.text(st.sampled_from("item{}<>[]:,;'\"\\#1 0nameid\n")))
def test_no_text_makes_it_fail_in_another_way(text: str) -> None:
    with contextlib.suppress(DataError):
        parse_label_map("item { id: 1 name: 'a' }" + text)


@given(st.lists(st.text(st.characters(codec="utf-8"), min_size=1), min_size=1, unique=True))
def test_names_survive_writing_and_reading(classes: list[str]) -> None:
    assert list(parse_label_map(label_map_text(classes)).values()) == classes


def test_files_are_utf8(tmp_path: Path) -> None:
    write_label_map(tmp_path / "map.pbtxt", ["Waschbär", "猫"])
    assert read_label_map(tmp_path / "map.pbtxt") == {1: "Waschbär", 2: "猫"}
    (tmp_path / "bom.pbtxt").write_bytes("\ufeffitem{id:1 name:'a'}".encode())
    assert read_label_map(tmp_path / "bom.pbtxt") == {1: "a"}
    (tmp_path / "latin.pbtxt").write_bytes("item{id:1 name:'ä'}".encode("latin-1"))
    for unreadable, code in (("latin.pbtxt", "BW160"), ("missing.pbtxt", "BW116")):
        with pytest.raises(DataError, match=code):
            read_label_map(tmp_path / unreadable)


@pytest.mark.shared
def test_the_tutorials_label_map(shared: Path) -> None:
    path = shared / "data" / "raccoon" / "training" / "object-detection.pbtxt"
    assert read_label_map(path) == {1: "raccoon"}


@pytest.mark.parametrize(
    ("name", "known", "expected"),
    [
        ("racoon", ["cat", "raccoon"], "raccoon"),
        ("RACCOON", ["raccoon"], "raccoon"),
        ("helmet", ["cat", "raccoon"], None),
        ("cat", [], None),
    ],
)
def test_the_closest_name(name: str, known: list[str], expected: str | None) -> None:
    assert closest_name(name, known) == expected


def test_spellings_of_one_class_share_a_key() -> None:
    assert {spelling_key(name) for name in ("Straße", " STRASSE", "strasse\n")} == {"strasse"}
