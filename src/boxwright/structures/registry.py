"""Registry: what can be chosen by name, each thing imported when it is first used."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, MutableMapping
from pkgutil import resolve_name
from typing import TypeVar, cast

T = TypeVar("T")


class Registry(MutableMapping[str, T]):
    """A table of names whose rows may be given as places, `package.module` or `module:NAME`.

    A place is imported when its row is first asked for. Names and their order cost nothing, so
    the command line can list them for `--help`. `registry[name] = row` adds a row from anywhere.
    """

    def __init__(self, rows: Mapping[str, T | str]) -> None:
        self._rows: dict[str, T | str] = dict(rows)

    def __getitem__(self, name: str) -> T:
        row = self._rows[name]
        if isinstance(row, str):
            row = self._rows[name] = cast(T, resolve_name(row))
        return row

    def __setitem__(self, name: str, row: T | str) -> None:
        self._rows[name] = row

    def __delitem__(self, name: str) -> None:
        del self._rows[name]

    def __contains__(self, name: object) -> bool:
        return name in self._rows

    def __iter__(self) -> Iterator[str]:
        return iter(self._rows)

    def __len__(self) -> int:
        return len(self._rows)
