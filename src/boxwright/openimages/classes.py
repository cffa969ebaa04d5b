"""The classes of Open Images: which one a name means."""

from __future__ import annotations

import csv
import difflib
import io
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from boxwright.errors import ArgumentError
from boxwright.io.text import read_text

NEAREST = 3  # names that are proposed


@dataclass(frozen=True)
class Classes:
    """The classes that have boxes.

    Attributes:
        names: code -> name, in the order of the official list.
    """

    names: dict[str, str]

    @classmethod
    def parse(cls, text: str) -> Classes:
        """Read the official list, which has a header in V7 and none before. Raises ValueError if it
        is something else."""
        rows = [row for row in csv.reader(io.StringIO(text)) if len(row) >= 2]
        pairs = ((row[0].strip(), row[1].strip()) for row in rows)
        names = {code: name for code, name in pairs if code.startswith("/")}
        if not names:
            raise ValueError("it is not a list of classes")
        return cls(names)

    def codes_of(self, wanted: Iterable[str]) -> list[str]:
        """The codes of classes, which are given by name or code, or are listed in .txt files.

        Case, and underscores for blanks, make no difference.

        Raises:
            ArgumentError: BW803 there is no such class.
        """
        by_key = {_key(text): code for code, name in self.names.items() for text in (code, name)}
        found = []
        for text in _listed(wanted):
            code = by_key.get(_key(text))
            if code is None:
                raise self._unknown(text)
            found.append(code)
        return list(dict.fromkeys(found))

    def named(self, wanted: Iterable[str]) -> dict[str, str]:
        """Code -> name of classes, as `codes_of`. Raises its errors."""
        return {code: self.names[code] for code in self.codes_of(wanted)}

    def matching(self, word: str) -> list[str]:
        """The codes of the classes whose name contains a word, in alphabetical order of names."""
        codes = (code for code, name in self.names.items() if _key(word) in _key(name))
        return sorted(codes, key=lambda code: self.names[code].casefold())

    def _unknown(self, text: str) -> ArgumentError:
        names = {_key(name): name for name in self.names.values()}
        near = difflib.get_close_matches(_key(text), names, NEAREST, cutoff=0.0)
        nearest = ", ".join(names[key] for key in near)
        message = f"Open Images has no class '{text}' with boxes."
        return ArgumentError("BW803", message, choices=nearest)


def _listed(wanted: Iterable[str]) -> list[str]:
    """The names, with those in files in place of the files."""
    names: list[str] = []
    for text in wanted:
        path = Path(text)
        if path.suffix.lower() == ".txt" and path.is_file():
            lines = (line.strip() for line in read_text(path).splitlines())
            names += [line for line in lines if line and not line.startswith("#")]
        else:
            names.append(text)
    return names


def _key(text: str) -> str:
    return " ".join(text.replace("_", " ").split()).casefold()
