"""SQLite databases, which several processes may write."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from boxwright.errors import DataError, SystemFaultError

PATIENCE = 30.0  # seconds that a process waits for another one


class Database:
    """A database, which is made if it is not there; in memory without a path.

    Raises:
        DataError: BW110 it is damaged, or no database.
        SystemFaultError: BW903 it cannot be opened.
    """

    def __init__(self, path: Path | None, schema: str) -> None:
        self._path = path
        with self._coded("opened"):
            self._connection = sqlite3.connect(path or ":memory:", timeout=PATIENCE)
            try:
                self._connection.execute("PRAGMA journal_mode = WAL")
                self._connection.execute("PRAGMA synchronous = NORMAL")
                self._connection.executescript(schema)
            except sqlite3.Error:
                self._connection.close()
                raise

    def read(self, query: str, values: tuple[object, ...] = ()) -> sqlite3.Cursor:
        """The rows of a query."""
        return self._connection.execute(query, values)

    @contextmanager
    def changing(self) -> Iterator[sqlite3.Connection]:
        """Do all of the block's changes, or none if it fails.

        Raises:
            SystemFaultError: BW902 the disk is full, BW903 the database cannot be written.
        """
        with self._coded("written"), self._connection:
            yield self._connection

    def close(self) -> None:
        self._connection.close()

    @contextmanager
    def _coded(self, done: str) -> Iterator[None]:
        try:
            yield
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode == sqlite3.SQLITE_FULL:
                message = "the disk is full; the change was not made."
                raise SystemFaultError("BW902", message, where=self._path) from error
            message = f"cannot be {done} ({error})."
            raise SystemFaultError("BW903", message, where=self._path) from error
        except sqlite3.DatabaseError as error:
            raise DataError("BW110", f"cannot be {done} ({error}).", where=self._path) from error
