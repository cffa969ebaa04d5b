"""Every code that can be raised or found is explained, every explained code is in use, and raise
sites give the facts that the remedy of their code speaks of."""

from __future__ import annotations

import ast
import copy
import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

import boxwright
from boxwright.codes import MEANINGS, RANGES, SIGNS
from boxwright.codes.meaning import FACT, Meaning
from boxwright.errors import DataError, ExportError
from boxwright.export import child

pytestmark = pytest.mark.tiny

PACKAGE = Path(boxwright.__file__).parent
CODE = re.compile(r"BW[0-9]{3}")


class Site(NamedTuple):
    """A place in the program where an error is made."""

    place: str
    code: str
    facts: frozenset[str]


def sites() -> Iterator[Site]:
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
                code, kind = node.args[0].value, ast.unparse(node.func)
                names = [
                    keyword.arg or f"**{ast.unparse(keyword.value)}" for keyword in node.keywords
                ]
                if CODE.fullmatch(str(code)) and kind.endswith("Error") and kind != "UnusableError":
                    place = f"{path.relative_to(PACKAGE).as_posix()}:{node.lineno}"
                    yield Site(place, code, frozenset(names) - {"where"})


SITES = tuple(sites())


def test_the_codes_in_use_are_the_explained_ones() -> None:
    used: set[str] = set()
    for source in PACKAGE.rglob("*.py"):
        if source.parent.name != "codes":
            used.update(re.findall(r'"(BW[0-9]{3})"', source.read_text(encoding="utf-8")))
    assert sorted(used) == sorted(MEANINGS)


def test_codes_are_listed_in_order_and_by_range() -> None:
    assert list(MEANINGS) == sorted(MEANINGS)
    assert {code[:3] for code in MEANINGS} == set(RANGES)


@pytest.mark.parametrize("code", MEANINGS)
def test_a_meaning_is_a_title_and_whole_sentences(code: str) -> None:
    meaning = MEANINGS[code]
    assert meaning.severity in SIGNS
    assert not meaning.title.endswith(".")
    for text in (meaning.title, meaning.cause, *meaning.sentences):
        assert text == " ".join(text.split())
        assert text[0].isupper() or text[0] == "`"
    assert meaning.cause.endswith(".")
    *others, last = meaning.sentences
    assert last.endswith((".", "?", "}", "'"))  # a command may be copied as it is
    assert all(sentence.endswith((".", "?")) for sentence in others)


@pytest.mark.parametrize("site", [site for site in SITES if "*" not in "".join(site.facts)])
def test_an_error_gives_the_facts_of_its_remedy(site: Site) -> None:
    meaning = MEANINGS[site.code]
    assert site.facts <= meaning.facts, site.place
    assert any(site.facts >= set(FACT.findall(one)) for one in meaning.sentences), site.place


@pytest.mark.parametrize("code", [code for code in MEANINGS if MEANINGS[code].facts])
def test_each_sentence_is_said_somewhere(code: str) -> None:
    given = [site.facts for site in SITES if site.code == code]
    computed = any(fact.startswith("*") for facts in given for fact in facts)
    for sentence in MEANINGS[code].sentences:
        assert computed or any(facts >= set(FACT.findall(sentence)) for facts in given), sentence


def test_a_sentence_is_said_where_its_facts_are_known(monkeypatch: pytest.MonkeyPatch) -> None:
    sentences = ("Did you mean {nearest}?", "Write item { id: 1 } into {file} or {place}.", "Look.")
    meaning = Meaning("error", "Title", "Cause.", *sentences)
    monkeypatch.setitem(MEANINGS, "BW101", meaning)
    said = "Did you mean <nearest>? Write item { id: 1 } into <file> or <place>. Look."
    assert meaning.remedy == said
    assert meaning.facts == {"nearest", "file", "place"}
    assert DataError("BW101", "is odd.", nearest=Path("{file}")).remedy == (
        "Did you mean {file}? Look."
    )
    assert DataError("BW101", "is odd.", nearest=None, file="", place=0).remedy == "Look."
    every = DataError("BW101", "is odd.", where="a.xml", nearest="b", file="f", place=0)
    assert str(every) == (
        "BW101 a.xml: is odd. Did you mean b? Write item { id: 1 } into f or 0. Look."
    )


def test_where_no_fact_is_known_the_remedy_is_what_explain_says() -> None:
    meaning = Meaning("error", "Title", "Cause.", "Choose among: {choices}.")
    assert meaning.remedy_for({}) == "Choose among: <choices>."


def test_an_error_crosses_from_one_process_to_another(monkeypatch: pytest.MonkeyPatch) -> None:
    error = ExportError("BW407", "is a folder.", where=Path("a.tflite"), place=Path("b"))
    assert str(copy.deepcopy(error)) == str(error)  # by what pickle calls too
    said = json.dumps({"error": "ExportError", **vars(error)})
    answered = subprocess.CompletedProcess([], 0, said, "")
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: answered)
    with pytest.raises(ExportError) as caught:
        child.export_in_child(print)
    assert vars(caught.value) == vars(error)
    assert str(caught.value) == str(error)
