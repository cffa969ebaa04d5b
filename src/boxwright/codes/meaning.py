"""Meaning: a code in words."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal

Severity = Literal["error", "warning", "note"]
SIGNS: dict[Severity, str] = {"error": "✖", "warning": "▲", "note": "•"}  # worst first
FACT = re.compile(r"\{([a-z]+)\}")  # braces with blanks inside are those of a config


class Meaning:
    """A code in words: its severity, title and cause, and what to do.

    An error stops the work or makes its result worthless; a warning costs accuracy or trust; a
    note is worth knowing.

    The remedy consists of sentences. A sentence may name facts in braces, such as `{nearest}`;
    it is used only if an error has all of these facts.
    """

    def __init__(self, severity: Severity, title: str, cause: str, *sentences: str) -> None:
        self.severity = severity
        self.title = title
        self.cause = cause
        self.sentences = sentences

    @property
    def remedy(self) -> str:
        """The remedy for all cases: `Did you mean <nearest>? There are: <choices>.`"""
        return FACT.sub(r"<\1>", " ".join(self.sentences))

    @property
    def facts(self) -> frozenset[str]:
        """The names of the facts in the sentences."""
        return frozenset(FACT.findall(" ".join(self.sentences)))

    def remedy_for(self, facts: Mapping[str, str]) -> str:
        """The remedy for an error with these facts."""
        said = [one for one in self.sentences if facts.keys() >= set(FACT.findall(one))]
        return FACT.sub(lambda fact: facts[fact[1]], " ".join(said)) or self.remedy
