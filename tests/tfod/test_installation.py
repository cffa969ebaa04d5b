"""The installation test says what is installed, and that it works."""

from __future__ import annotations

import re

import pytest

from boxwright.errors import TfodError
from boxwright.tfod import model_builder_test
from boxwright.tfod.model_builder_test import Flags, run


@pytest.mark.usefixtures("small_network")
def test_it_passes_here() -> None:
    said: list[str] = []
    run(Flags(), said.append)
    versions, *checks, last = said
    assert versions.startswith("Python 3.")
    assert "tensorflow" in versions
    assert [line[:7] for line in checks] == ["[ OK ] "] * 3
    assert "1917 boxes" in checks[0]
    assert re.fullmatch(r"3 checks in \d+\.\d s\n\nOK", last)


def test_whatever_fails_has_a_code(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model_builder_test, "CLASSES", 0)
    with pytest.raises(TfodError, match="ValueError") as caught:
        run(Flags(), lambda line: None)
    assert caught.value.code == "BW707"
