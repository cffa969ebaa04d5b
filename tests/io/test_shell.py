"""Paths in command lines that are shown to be copied."""

from __future__ import annotations

from pathlib import PureWindowsPath
from types import SimpleNamespace

import pytest

from boxwright.io import shell

pytestmark = pytest.mark.tiny


@pytest.mark.parametrize(
    ("system", "word", "shown"),
    [
        ("posix", "raccoon", "raccoon"),
        ("posix", "my images", "'my images'"),
        ("posix", "it's", "'it'\"'\"'s'"),
        ("posix", "a;rm -rf b", "'a;rm -rf b'"),
        ("nt", "raccoon", "raccoon"),
        ("nt", PureWindowsPath("C:/my images/cam 1"), '"C:\\my images\\cam 1"'),
        ("nt", "it's", "it's"),
    ],
)
def test_a_word_is_quoted_for_the_shell(
    monkeypatch: pytest.MonkeyPatch, system: str, word: str | PureWindowsPath, shown: str
) -> None:
    monkeypatch.setattr(shell, "os", SimpleNamespace(name=system))
    assert shell.quoted(str(word)) == shown
