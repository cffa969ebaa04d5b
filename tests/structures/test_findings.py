"""Findings."""

from __future__ import annotations

import pytest

from boxwright.structures.findings import Finding

pytestmark = pytest.mark.tiny


def test_a_finding_is_one_line_whatever_names_it_has() -> None:
    finding = Finding("BW107", "class '\n cat'", "is\u200b 'cat\r\n'", "renamed")
    assert str(finding) == "BW107 class '\\n cat': is\\u200b 'cat\\r\\n' -> renamed"
