"""What the studio remembers of a folder beside its labels: versions, proposals and small values.

The journal is never the only copy of a label: it has what an image's labels were before and after
each edit, so that edits can be undone after a restart, and label files have what they are now.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from sqlite3 import Connection
from typing import Any

from boxwright.io.database import Database

SCHEMA = """
CREATE TABLE IF NOT EXISTS versions (image TEXT, number INTEGER, content BLOB,
                                     PRIMARY KEY (image, number)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS beside (image TEXT, number INTEGER, etag TEXT, boxes TEXT,
                                   PRIMARY KEY (image, number)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS current (image TEXT PRIMARY KEY, number INTEGER) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS checked (image TEXT PRIMARY KEY, etag TEXT) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS proposals (image TEXT PRIMARY KEY, boxes TEXT, uncertainty REAL,
                                      count INTEGER) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS class_moves (number INTEGER PRIMARY KEY, edit TEXT);
CREATE TABLE IF NOT EXISTS small_values (name TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID;
"""

PROPOSED = {  # how proposals are found, and changed
    "SELECT image, 0, boxes FROM proposals WHERE count": (
        "UPDATE proposals SET boxes = :boxes, count = :count WHERE image = :image"
    ),
    "SELECT image, number, boxes FROM beside WHERE boxes IS NOT NULL": (
        "UPDATE beside SET boxes = :boxes WHERE image = :image AND number = :number"
    ),
}


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

    Every change raises SystemFaultError BW902 or BW903 if it cannot be written.

    Args:
        path: the database; None keeps everything in memory, for a folder that cannot be written.
        names: the images by index.
    """

    def __init__(self, path: Path | None, names: Sequence[str]) -> None:
        self._names = names
        self._index = {_key(name): i for i, name in enumerate(names)}
        self._database = Database(path, SCHEMA)

    def close(self) -> None:
        self._database.close()

    def record(
        self, image: str, before: bytes | None, after: bytes | None, *, back: bool = False
    ) -> None:
        """Note an edit; versions that were undone are forgotten.

        One that goes `back` to the version before undoes the last edit.
        """
        key = _key(image)
        with self._database.changing() as database:
            number = self._noted(database, key, before)
            if back and self._at(key, number - 1) == (number - 1, after):
                _place(database, key, number - 1)
                return
            _forget_from(database, key, number + 1)
            database.execute("INSERT INTO versions VALUES (?, ?, ?)", (key, number + 1, after))
            _place(database, key, number + 1)

    def take_back(self, image: str) -> None:
        """Forget the edit that was recorded last, since it was not written."""
        key = _key(image)
        with self._database.changing() as database:
            number = self._number(key) or 0
            database.execute("DELETE FROM versions WHERE image = ? AND number = ?", (key, number))
            _place(database, key, number - 1)

    def amend(self, image: str, content: bytes | None) -> None:
        """Note what the present version became when it was written."""
        key = _key(image)
        with self._database.changing() as database:
            database.execute(
                "UPDATE versions SET content = ? WHERE image = ? AND number = ?",
                (content, key, self._number(key)),
            )

    def version(
        self, image: str, now: bytes | None, step: int, *, stepped: bool = False
    ) -> tuple[int, bytes | None] | None:
        """The number and content of the version `step` after (1) or before (-1) the present one.

        None if there is none. Labels that another program has written are a version of their own;
        with `stepped`, those that are the version beside the present one are not: a step that was
        killed has written them.
        """
        key = _key(image)
        with self._database.changing() as database:
            number = self._noted(database, key, now, around=1 if stepped else 0)
        return self._at(key, number + step)

    def move_to(self, image: str, number: int, content: bytes | None) -> str | None:
        """Note that a version is the present one, and what it became when it was written. What was
        proposed beside it is proposed again.

        Returns:
            The etag of the labels that were verified.
        """
        key = _key(image)
        with self._database.changing() as database:
            _place(database, key, number)
            query = "SELECT etag, boxes FROM beside WHERE image = ? AND number = ?"
            etag, boxes = database.execute(query, (key, number)).fetchone() or (None, None)
            if boxes is not None:
                database.execute(
                    "UPDATE proposals SET boxes = ?, count = ? WHERE image = ?",
                    (boxes, len(json.loads(boxes)), key),
                )
        self.amend(image, content)
        return None if etag is None else str(etag)

    def has_version(self, image: str, step: int) -> bool:
        """True if there is a version after (1) or before (-1) the present one."""
        key = _key(image)
        number = self._number(key)
        return number is not None and self._at(key, number + step) is not None

    def first_labels(self, image: str) -> bytes | None:
        """What the first edit of an image wrote, if it had no labels before; else None."""
        key = _key(image)
        first = self._at(key, 1) if self._at(key, 0) == (0, None) else None
        return None if first is None else first[1]

    def checked(self) -> dict[str, str]:
        """Image -> etag of the labels that were verified, in formats that cannot say it."""
        found = self._database.read("SELECT image, etag FROM checked")
        return {self._names[self._index[key]]: etag for key, etag in found if key in self._index}

    def check(self, image: str, etag: str | None) -> None:
        """Note that the labels with this etag were verified; None that no labels were."""
        key = _key(image)
        with self._database.changing() as database:
            if etag is None:
                database.execute("DELETE FROM checked WHERE image = ?", (key,))
            else:
                database.execute("INSERT OR REPLACE INTO checked VALUES (?, ?)", (key, etag))

    def proposals(self, index: int) -> tuple[Proposal, ...]:
        row = self._database.read(
            "SELECT boxes FROM proposals WHERE image = ?", (_key(self._names[index]),)
        ).fetchone()
        found = json.loads(row[0]) if row else []
        return tuple(Proposal(key, tuple(box), label, score) for key, box, label, score in found)

    def propose(self, index: int, proposals: Sequence[Proposal], uncertainty: float) -> None:
        """Replace the proposals of an image; the most uncertain images are labeled first."""
        boxes = [[one.key, one.box, one.label, one.score] for one in proposals]
        with self._database.changing() as database:
            database.execute(
                "INSERT OR REPLACE INTO proposals VALUES (?, ?, ?, ?)",
                (_key(self._names[index]), json.dumps(boxes), uncertainty, len(boxes)),
            )

    def reject(self, index: int, keys: Collection[str]) -> None:
        """Forget proposals, also because they were accepted."""
        boxes = [
            [one.key, one.box, one.label, one.score]
            for one in self.proposals(index)
            if one.key not in keys
        ]
        with self._database.changing() as database:
            database.execute(
                "UPDATE proposals SET boxes = ?, count = ? WHERE image = ?",
                (json.dumps(boxes), len(boxes), _key(self._names[index])),
            )

    def relabel(self, old: str, new: str | None) -> None:
        """Give proposals of one class another one, or forget them where it is None; also those
        beside versions that were left."""
        with self._database.changing() as database:
            for select, update in PROPOSED.items():
                found = database.execute(select).fetchall()
                database.executemany(update, _relabeled(found, old, new))

    def proposed(self, name: str) -> list[list[Any]]:
        """The proposals of a class, as JSON: the image and they."""
        found = self._database.read("SELECT image, boxes FROM proposals WHERE count")
        every = [[image, _of(name, json.loads(text))] for image, text in found]
        return [[image, boxes] for image, boxes in every if boxes]

    def propose_again(self, proposed: Iterable[Sequence[Any]], now: str | None) -> None:
        """Put what `proposed` has returned back, except for what is no longer proposed.

        Args:
            proposed: the proposals.
            now: the class that they have got since; None if they were forgotten.
        """
        with self._database.changing() as database:
            for image, boxes in proposed:
                query = "SELECT boxes FROM proposals WHERE image = ?"
                here = json.loads(database.execute(query, (image,)).fetchone()[0])
                left = {key for key, *_ in _of(now, here)}
                back = {one[0]: one for one in boxes if now is None or one[0] in left}
                kept = [back.pop(one[0], one) for one in here] + [*back.values()]
                database.execute(
                    "UPDATE proposals SET boxes = ?, count = ? WHERE image = ?",
                    (json.dumps(kept), len(kept), image),
                )

    def counts(self) -> dict[int, int]:
        """Index -> number of proposals, for images that have any."""
        found = self._database.read("SELECT image, count FROM proposals WHERE count")
        return {self._index[key]: count for key, count in found if key in self._index}

    def uncertain(self) -> list[int]:
        """The images that have been predicted, the most uncertain first."""
        found = self._database.read("SELECT image FROM proposals ORDER BY uncertainty DESC")
        return [self._index[key] for (key,) in found if key in self._index]

    def add_class_edit(self, edit: Mapping[str, Any]) -> int:
        """Note an edit of classes, as JSON, before it begins; returns its number."""
        said = (json.dumps(edit),)
        with self._database.changing() as database:
            added = database.execute("INSERT INTO class_moves (edit) VALUES (?)", said)
        return int(added.lastrowid or 0)

    def last_class_edit(self) -> tuple[int, dict[str, Any]] | None:
        """The number of the last edit of classes, and the edit."""
        row = self._database.read(
            "SELECT number, edit FROM class_moves ORDER BY number DESC LIMIT 1"
        ).fetchone()
        return None if row is None else (row[0], json.loads(row[1]))

    def forget_class_edit(self, number: int) -> None:
        """Forget an edit of classes that was undone, or did not happen."""
        with self._database.changing() as database:
            database.execute("DELETE FROM class_moves WHERE number = ?", (number,))

    def note(self, contents: Iterable[tuple[str, bytes | None]]) -> None:
        """Note what the labels of images are now, so that they can be undone to it."""
        with self._database.changing() as database:
            for image, content in contents:
                self._noted(database, _key(image), content)

    def get(self, name: str, default: Any = None) -> Any:
        """A small value, such as the name of the current image."""
        row = self._database.read(
            "SELECT value FROM small_values WHERE name = ?", (name,)
        ).fetchone()
        return default if row is None else json.loads(row[0])

    def set(self, name: str, value: Any) -> None:
        with self._database.changing() as database:
            database.execute(
                "INSERT OR REPLACE INTO small_values VALUES (?, ?)", (name, json.dumps(value))
            )

    def _noted(self, database: Connection, key: str, now: bytes | None, *, around: int = 0) -> int:
        """The number of the present version, after it was added if the journal did not have it:
        neither as that, nor `around` it.

        It is about to be left: what is verified and proposed beside it is kept with it.
        """
        number = self._number(key)
        if number is not None:
            _leave(database, key, number)
            for near in dict.fromkeys((number, number - around, number + around)):
                if self._at(key, near) == (near, now):
                    _place(database, key, near)
                    return near
        number = 0 if number is None else number + 1
        _forget_from(database, key, number)
        database.execute("INSERT INTO versions VALUES (?, ?, ?)", (key, number, now))
        _place(database, key, number)
        _leave(database, key, number)
        return number

    def _number(self, key: str) -> int | None:
        """The number of the present version of an image."""
        row = self._database.read("SELECT number FROM current WHERE image = ?", (key,)).fetchone()
        return None if row is None else int(row[0])

    def _at(self, key: str, number: int) -> tuple[int, bytes | None] | None:
        row = self._database.read(
            "SELECT number, content FROM versions WHERE image = ? AND number = ?", (key, number)
        ).fetchone()
        return None if row is None else (row[0], row[1])


def _relabeled(
    found: Iterable[tuple[str, int, str]], old: str, new: str | None
) -> Iterator[dict[str, Any]]:
    """The proposals that a change of a class concerns, with the new class or without them."""
    for image, number, text in found:
        boxes = json.loads(text)
        if _of(old, boxes):
            kept = [
                [key, box, new if label == old else label, score]
                for key, box, label, score in boxes
                if label != old or new is not None
            ]
            yield {"image": image, "number": number, "boxes": json.dumps(kept), "count": len(kept)}


def _of(name: str | None, boxes: Iterable[list[Any]]) -> list[list[Any]]:
    """The proposals of a class."""
    return [one for one in boxes if one[2] == name]


def _leave(database: Connection, key: str, number: int) -> None:
    """Keep with a version that is left what is verified and proposed beside it."""
    database.execute(
        "INSERT OR REPLACE INTO beside SELECT ?, ?,"
        " (SELECT etag FROM checked WHERE image = ?),"
        " (SELECT boxes FROM proposals WHERE image = ?)",
        (key, number, key, key),
    )


def _forget_from(database: Connection, key: str, number: int) -> None:
    for query in (
        "DELETE FROM versions WHERE image = ? AND number >= ?",
        "DELETE FROM beside WHERE image = ? AND number >= ?",
    ):
        database.execute(query, (key, number))


def _place(database: Connection, key: str, number: int) -> None:
    database.execute("INSERT OR REPLACE INTO current VALUES (?, ?)", (key, number))


def _key(image: str) -> str:
    """The name of an image in the database, which has no halves of surrogate pairs: they are in
    names of files that are not UTF-8."""
    return image.encode("utf-8", "backslashreplace").decode("utf-8")
