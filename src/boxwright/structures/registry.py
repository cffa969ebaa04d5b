"""Registry: objects that are chosen by name and imported on first use."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, MutableMapping
from pkgutil import resolve_name
from typing import TypeVar, cast

T = TypeVar("T")


class Registry(MutableMapping[str, T]):
    """A mapping whose values may be import paths, `package.module` or `module:NAME`.

    A path is imported when its row is first read. Listing the names imports nothing, so that
    `--help` stays fast. `registry[name] = row` adds a row.
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
