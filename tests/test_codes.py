"""Every code that can be raised or found is explained, and every explained code is in use."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import boxwright
from boxwright.codes import MEANINGS, RANGES, SIGNS

pytestmark = pytest.mark.tiny

PACKAGE = Path(boxwright.__file__).parent


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
    for text in (meaning.title, meaning.cause, meaning.remedy):
        assert text == " ".join(text.split())
        assert text[0].isupper() or text[0] == "`"
    assert meaning.cause.endswith(".")
    assert meaning.remedy.endswith((".", ">", ">'"))  # a command may be copied as it is
