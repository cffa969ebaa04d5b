"""SQLite databases, which several processes may write."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from boxwright.errors import SystemFaultError

PATIENCE = 30.0  # seconds that a process waits for another one


def open_database(path: Path | None, schema: str) -> sqlite3.Connection:
    """Open a database, or make it; None keeps it in memory.

    Raises:
        SystemFaultError: BW903 it cannot be opened or is none.
    """
    try:
        database = sqlite3.connect(":memory:" if path is None else path, timeout=PATIENCE)
        try:
            database.execute("PRAGMA journal_mode = WAL")
            database.execute("PRAGMA synchronous = NORMAL")
            database.executescript(schema)
        except sqlite3.Error:
            database.close()
            raise
    except sqlite3.Error as error:
        raise SystemFaultError("BW903", f"cannot be opened ({error}).", where=path) from error
    return database
