"""Meaning: a code in words."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal

Severity = Literal["error", "warning", "note"]
SIGNS: dict[Severity, str] = {"error": "✖", "warning": "▲", "note": "•"}  # worst first
FACT = re.compile(r"\{([a-z]+)\}")  # braces with blanks inside are those of a config


class Meaning:
    """A code in words: how bad it is, what it says, how that comes about, what to do.

    An error stops the work or makes its result worthless; a warning costs accuracy or trust; a
    note is worth knowing.

    What to do is written in sentences. A sentence may name facts in braces, such as `{nearest}`;
    it is said only where an error has all of these facts.
    """

    def __init__(self, severity: Severity, title: str, cause: str, *sentences: str) -> None:
        self.severity = severity
        self.title = title
        self.cause = cause
        self.sentences = sentences

    @property
    def remedy(self) -> str:
        """What to do in all cases: `Did you mean <nearest>? There are: <choices>.`"""
        return FACT.sub(r"<\1>", " ".join(self.sentences))

    @property
    def facts(self) -> frozenset[str]:
        """The names of the facts that the sentences speak of."""
        return frozenset(FACT.findall(" ".join(self.sentences)))

    def remedy_for(self, facts: Mapping[str, str]) -> str:
        """What to do in a case of which these facts are known."""
        said = [one for one in self.sentences if facts.keys() >= set(FACT.findall(one))]
        return FACT.sub(lambda fact: facts[fact[1]], " ".join(said)) or self.remedy
