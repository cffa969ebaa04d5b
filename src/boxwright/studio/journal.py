"""What the studio remembers of a folder beside its labels: versions, proposals and small values.

The journal is never the only copy of a label: it has what an image's labels were before and after
each edit, so that edits can be undone after a restart, and label files have what they are now.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from boxwright.io.database import open_database

SCHEMA = """
CREATE TABLE IF NOT EXISTS versions (image TEXT, number INTEGER, content BLOB,
                                     PRIMARY KEY (image, number)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS beside (image TEXT, number INTEGER, etag TEXT, boxes TEXT,
                                   PRIMARY KEY (image, number)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS current (image TEXT PRIMARY KEY, number INTEGER) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS checked (image TEXT PRIMARY KEY, etag TEXT) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS proposals (image TEXT PRIMARY KEY, boxes TEXT, uncertainty REAL,
                                      count INTEGER) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS class_edits (number INTEGER PRIMARY KEY, edit TEXT);
CREATE TABLE IF NOT EXISTS small_values (name TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID;
"""


@dataclass(frozen=True)
class Proposal:
    """A box that the assistant proposes.

    Attributes:
        key: identifies it among those of its image.
        box: xyxy pixels of the oriented image.
        label: class name.
        score: 0 to 1.
    """

    key: str
    box: tuple[float, float, float, float]
    label: str
    score: float


class Journal:
    """The journal of a folder. Images are known by their names, so that new ones may come between.

    Args:
        path: the database; None keeps everything in memory, for a folder that cannot be written.
        names: the images by index.
    """

    def __init__(self, path: Path | None, names: Sequence[str]) -> None:
        self._names = names
        self._index = {name: i for i, name in enumerate(names)}
        self._database = open_database(path, SCHEMA)

    def close(self) -> None:
        self._database.close()

    def record(self, image: str, before: bytes | None, after: bytes | None) -> None:
        """Note an edit; versions that were undone are forgotten."""
        with self._database as database:
            number = self._noted(image, before)
            database.execute("DELETE FROM versions WHERE image = ? AND number > ?", (image, number))
            database.execute("INSERT INTO versions VALUES (?, ?, ?)", (image, number + 1, after))
            self._place(image, number + 1)

    def version(self, image: str, now: bytes | None, step: int) -> tuple[int, bytes | None] | None:
        """The number and content of the version `step` after (1) or before (-1) the present one.

        None if there is none. Labels that another program has written are a version of their own.
        """
        with self._database:
            number = self._noted(image, now)
        return self._at(image, number + step)

    def move_to(self, image: str, number: int) -> str | None:
        """Note that a version is the present one; what was proposed is proposed again.

        Returns:
            The etag of the labels that were verified.
        """
        with self._database as database:
            self._place(image, number)
            query = "SELECT etag, boxes FROM beside WHERE image = ? AND number = ?"
            etag, boxes = database.execute(query, (image, number)).fetchone() or (None, None)
            if boxes is not None:
                database.execute(
                    "UPDATE proposals SET boxes = ?, count = ? WHERE image = ?",
                    (boxes, len(json.loads(boxes)), image),
                )
        return None if etag is None else str(etag)

    def has_version(self, image: str, step: int) -> bool:
        """True if there is a version after (1) or before (-1) the present one."""
        row = self._database.execute(
            "SELECT number FROM current WHERE image = ?", (image,)
        ).fetchone()
        return row is not None and self._at(image, row[0] + step) is not None

    def checked(self) -> Mapping[str, str]:
        """Image -> etag of the labels that were verified, in formats that cannot say it."""
        return dict(self._database.execute("SELECT image, etag FROM checked"))

    def check(self, image: str, etag: str | None) -> None:
        """Note that the labels with this etag were verified; None that no labels were."""
        with self._database as database:
            if etag is None:
                database.execute("DELETE FROM checked WHERE image = ?", (image,))
            else:
                database.execute("INSERT OR REPLACE INTO checked VALUES (?, ?)", (image, etag))

    def proposals(self, index: int) -> tuple[Proposal, ...]:
        row = self._database.execute(
            "SELECT boxes FROM proposals WHERE image = ?", (self._names[index],)
        ).fetchone()
        found = json.loads(row[0]) if row else []
        return tuple(Proposal(key, tuple(box), label, score) for key, box, label, score in found)

    def propose(self, index: int, proposals: Sequence[Proposal], uncertainty: float) -> None:
        """Replace the proposals of an image; the most uncertain images are labeled first."""
        boxes = [[one.key, one.box, one.label, one.score] for one in proposals]
        with self._database as database:
            database.execute(
                "INSERT OR REPLACE INTO proposals VALUES (?, ?, ?, ?)",
                (self._names[index], json.dumps(boxes), uncertainty, len(boxes)),
            )

    def reject(self, index: int, keys: Collection[str]) -> None:
        """Forget proposals, also because they were accepted."""
        boxes = [
            [one.key, one.box, one.label, one.score]
            for one in self.proposals(index)
            if one.key not in keys
        ]
        with self._database as database:
            database.execute(
                "UPDATE proposals SET boxes = ?, count = ? WHERE image = ?",
                (json.dumps(boxes), len(boxes), self._names[index]),
            )

    def counts(self) -> dict[int, int]:
        """Index -> number of proposals, for images that have any."""
        found = self._database.execute("SELECT image, count FROM proposals WHERE count")
        return {self._index[name]: count for name, count in found if name in self._index}

    def uncertain(self) -> list[int]:
        """The images that have been predicted, the most uncertain first."""
        found = self._database.execute("SELECT image FROM proposals ORDER BY uncertainty DESC")
        return [self._index[name] for (name,) in found if name in self._index]

    def add_class_edit(self, edit: Mapping[str, Any]) -> None:
        """Note an edit of classes, as JSON, that `pop_class_edit` returns to undo it."""
        with self._database as database:
            database.execute("INSERT INTO class_edits (edit) VALUES (?)", (json.dumps(edit),))

    def pop_class_edit(self) -> dict[str, Any] | None:
        """Forget and return the last edit of classes."""
        row = self._database.execute(
            "SELECT number, edit FROM class_edits ORDER BY number DESC LIMIT 1"
        ).fetchone()
        if row is None:
            return None
        with self._database as database:
            database.execute("DELETE FROM class_edits WHERE number = ?", (row[0],))
        edit: dict[str, Any] = json.loads(row[1])
        return edit

    def get(self, name: str, default: Any = None) -> Any:
        """A small value, such as the name of the current image."""
        row = self._database.execute(
            "SELECT value FROM small_values WHERE name = ?", (name,)
        ).fetchone()
        return default if row is None else json.loads(row[0])

    def set(self, name: str, value: Any) -> None:
        with self._database as database:
            database.execute(
                "INSERT OR REPLACE INTO small_values VALUES (?, ?)", (name, json.dumps(value))
            )

    def _noted(self, image: str, now: bytes | None) -> int:
        """The number of the present version, after it was added if the journal did not have it.

        It is about to be left: what is verified and proposed beside it is kept with it.
        """
        row = self._database.execute(
            "SELECT number FROM current WHERE image = ?", (image,)
        ).fetchone()
        if row is not None and self._at(image, row[0]) == (row[0], now):
            number = int(row[0])
        else:
            number = 0 if row is None else row[0] + 1
            self._database.execute(
                "DELETE FROM versions WHERE image = ? AND number >= ?", (image, number)
            )
            self._database.execute("INSERT INTO versions VALUES (?, ?, ?)", (image, number, now))
            self._place(image, number)
        self._database.execute(
            "INSERT OR REPLACE INTO beside SELECT ?, ?,"
            " (SELECT etag FROM checked WHERE image = ?),"
            " (SELECT boxes FROM proposals WHERE image = ?)",
            (image, number, image, image),
        )
        return number

    def _at(self, image: str, number: int) -> tuple[int, bytes | None] | None:
        row = self._database.execute(
            "SELECT number, content FROM versions WHERE image = ? AND number = ?", (image, number)
        ).fetchone()
        return None if row is None else (row[0], row[1])

    def _place(self, image: str, number: int) -> None:
        self._database.execute("INSERT OR REPLACE INTO current VALUES (?, ?)", (image, number))
