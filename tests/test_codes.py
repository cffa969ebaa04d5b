"""Every code that data can raise is explained, and every explained code can be raised."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import boxwright
from boxwright.codes import MEANINGS

pytestmark = pytest.mark.tiny


def test_codes_about_data_are_the_explained_ones() -> None:
    package = Path(boxwright.__file__).parent
    used: set[str] = set()
    for folder in ("data", "formats", "quality"):
        for source in (package / folder).rglob("*.py"):
            used.update(re.findall(r'"(BW1\d\d)"', source.read_text(encoding="utf-8")))
    assert sorted(used) == [code for code in MEANINGS if code.startswith("BW1")]
