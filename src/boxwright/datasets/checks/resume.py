"""Measurements that an interrupted check has made, so that the next check continues there.

They lie in a database in the user's cache until a check of the same data ends, at most a week.
"""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from boxwright.images.decoding import ByteRange, ImageFile, whole_of
from boxwright.io.cache import cache_folder
from boxwright.structures.dataset import Dataset

LARGE = 2_000  # images; fewer are checked again within seconds
WEEK = 7 * 24 * 3600  # seconds
WRITTEN = 256  # images written at once
VERSION = 2  # of the measurements
TABLE = "CREATE TABLE IF NOT EXISTS images (file TEXT PRIMARY KEY, summary TEXT, hash BLOB)"

Row = tuple[str, bytes]


class Kept:
    """Measurements by the `version` of an image's file; one that has changed has none.

    A cache that cannot be read or written keeps nothing, and is no error.
    """

    def __init__(self, database: sqlite3.Connection | None = None) -> None:
        self._database = database
        self._lock = threading.Lock()
        self._waiting = 0
        self._has_some = database is not None and _has_rows(database)

    def version(self, image: ImageFile) -> str:
        """The file of an image, and when it changed; empty if nothing is kept of it."""
        if self._database is None:
            return ""
        try:
            return _version(image)
        except OSError:  # a check that reads the image says so
            return ""

    def get(self, versions: Sequence[str]) -> dict[str, Row]:
        """The summaries and the hashes of the images that have some, by version."""
        if not self._has_some:
            return {}
        wanted = list(filter(None, versions))
        query = "SELECT * FROM images WHERE file IN (SELECT value FROM json_each(?))"
        with self._lock, suppress(sqlite3.Error):
            if self._database is None:
                return {}
            found = self._database.execute(query, [json.dumps(wanted)])
            return {version: (summary, own_hash) for version, summary, own_hash in found}
        return {}

    def add(self, rows: Mapping[str, Row]) -> None:
        """Keep the summaries and the hashes of images, by version."""
        new = [(version, *row) for version, row in rows.items() if version]
        with self._lock, suppress(sqlite3.Error):
            if self._database is None:
                return
            self._database.executemany("INSERT OR REPLACE INTO images VALUES (?, ?, ?)", new)
            self._waiting += len(new)
            if self._waiting >= WRITTEN:
                self._database.commit()
                self._waiting = 0

    def close(self) -> None:
        """Write what is not written yet. Threads of an interrupted check may still call the other
        methods, which then do nothing."""
        with self._lock:
            database, self._database = self._database, None
            if database is not None:
                with suppress(sqlite3.Error):
                    database.commit()
                database.close()


@contextmanager
def kept_for(dataset: Dataset) -> Iterator[Kept]:
    """The measurements of an interrupted check of `dataset`, which the block adds to.

    They are removed when the block ends without an error. Small datasets have none. The note of
    `KeyboardInterrupt` says that they are kept.
    """
    if len(dataset) < LARGE:
        yield Kept()
        return
    path = _path(dataset)
    kept = Kept(_opened(path))
    try:
        yield kept
    except KeyboardInterrupt as stop:
        stop.add_note("What was measured is kept for a week: the same command continues there.")
        raise
    finally:
        kept.close()
    with suppress(OSError):
        path.unlink(missing_ok=True)


def _opened(path: Path) -> sqlite3.Connection | None:
    """The database, without those of the last week's checks; None if there can be none."""
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        for old in path.parent.glob("*.sqlite"):
            if old.stat().st_mtime < time.time() - WEEK:
                old.unlink()
    for _ in range(2):
        try:
            database = sqlite3.connect(path, timeout=1, check_same_thread=False)
            database.execute("PRAGMA synchronous = OFF")
            database.execute(TABLE)
        except sqlite3.OperationalError:
            return None
        except sqlite3.Error:  # damaged
            with suppress(OSError):
                path.unlink(missing_ok=True)
        else:
            return database
    return None


def _has_rows(database: sqlite3.Connection) -> bool:
    with suppress(sqlite3.Error):
        return database.execute("SELECT 1 FROM images LIMIT 1").fetchone() is not None
    return False


def _path(dataset: Dataset) -> Path:
    said = repr((VERSION, str(dataset.root.absolute()), dataset.decoding))
    name = hashlib.sha256(said.encode("utf-8", "surrogatepass")).hexdigest()[:32]
    return cache_folder() / "checks" / f"{name}.sqlite"


def _version(image: ImageFile) -> str:
    """The file of an image, and when it changed. Raises OSError."""
    image = whole_of(image)
    path, where = (image.path, image[1:]) if isinstance(image, ByteRange) else (image, ())
    status = os.stat(path)  # noqa: PTH116 - many times as fast as a Path's
    return ascii((os.path.abspath(path), *where, status.st_size, status.st_mtime_ns))  # noqa: PTH100
