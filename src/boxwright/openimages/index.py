"""An index of an official list, made while the list arrives: 14 bytes a box, 6 a label of an image,
12 an image.

A list has up to 14.6 million rows and 2.3 GB. It is never on the disk or in memory as a whole. The
index is written in rounds: a process that was killed resumes where the last round ended.
"""

from __future__ import annotations

import json
import os
from collections import deque
from collections.abc import Collection, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from io import FileIO
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from boxwright.errors import DataError, harmless
from boxwright.io.cache import in_cache
from boxwright.io.download import ChangedError, DownloadError, Progress, Stream
from boxwright.io.faults import translating_os_errors
from boxwright.io.files import locked, put, write_json
from boxwright.openimages.kinds import BOXES, LABELS, Kind, Words, columns_of
from boxwright.openimages.rows import (
    Rows,
    code_texts,
    code_words,
    confidences,
    flags_of,
    parse_rows,
    sources,
    unpack,
)

FORMAT = 1  # of the index; another number makes a new one
STATE = "state.json"
FILES: dict[str, np.dtype[Any]] = {
    "images": np.dtype("<u8"),
    "starts": np.dtype("<u4"),
    "labels": np.dtype("<u2"),
    "packed": np.dtype("<u8"),
    "rest": np.dtype("<u4"),
}
PER_IMAGE = ("images", "starts")
FILES_OF = {BOXES: tuple(FILES), LABELS: ("images", "starts", "labels", "rest")}
BLOCK = 1 << 22  # bytes that are parsed at once; in smaller ones, threads wait for each other
ROUND = 1 << 26  # bytes of the list between two states
PARSERS = 2  # threads
KEPT_MEMORY = 1 << 24  # bytes, which are more than an array of the parsers has
SLOT_BITS = 16
SLOTS = 1 << SLOT_BITS  # of the table that finds classes
MAX_CLASSES = SLOTS - 1
MAX_REFUSED, MAX_NAME = 1000, 200  # names that are kept, and their characters
MIXERS = np.array([0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F], np.uint64)  # odd, with random bits


@dataclass
class _State:
    """How far an index is; the files may have more, which is dropped.

    Attributes:
        url, version: the list.
        position: the bytes of the list that the index covers.
        columns: the columns of the list, as from `columns_of`.
        images, rows: the entries of the index.
        last: the last image.
        unusable: the number of rows that could not be used.
        refused: names that are no ImageID, and the class codes in their rows; the first ones.
        codes: the class codes, in the order of the labels.
        complete: the index covers the whole list.
    """

    url: str
    version: str = ""
    position: int = 0
    columns: list[int] = field(default_factory=list)
    images: int = 0
    rows: int = 0
    last: int = -1
    unusable: int = 0
    refused: list[list[str]] = field(default_factory=list)
    codes: list[str] = field(default_factory=list)
    complete: bool = False
    format: int = FORMAT


@dataclass(frozen=True)
class Index:
    """An official list. The arrays are parts of files.

    Attributes:
        kind: whether it has boxes or labels of images.
        codes: the class codes.
        images: `(k,)` ids as numbers; an image whose rows are apart is there twice.
        starts: `(k,)` the first row of each image.
        labels: `(n,)` positions in `codes`.
        packed, rest: `(n,)` numbers and flags, see `rows.Rows`; labels have no `packed`.
        unusable: the number of rows of the list that could not be used.
        refused: names that are no ImageID, and the class codes in their rows; the first ones.
    """

    kind: Kind
    codes: tuple[str, ...]
    images: Words
    starts: NDArray[np.uint32]
    labels: NDArray[np.uint16]
    packed: Words
    rest: NDArray[np.uint32]
    unusable: int
    refused: tuple[tuple[str, str], ...] = ()

    def refused_of(self, codes: Collection[str]) -> list[str]:
        """The names in rows of these classes that are no ImageID, each once."""
        return list(dict.fromkeys(name for name, code in self.refused if code in codes))

    def rows_of(self, codes: Iterable[str]) -> NDArray[np.int64]:
        """The rows of these classes, ascending."""
        wanted = np.isin(self.codes, list(codes))
        return np.flatnonzero(wanted[self.labels]) if len(self.codes) else np.zeros(0, np.int64)

    def images_of(self, rows: NDArray[np.int64]) -> Words:
        """The id of the image of each row."""
        return self.images[np.searchsorted(self.starts, rows, "right") - 1]

    def boxes(self, rows: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.int8]]:
        """Sides and flags of rows of boxes, see `rows.unpack`."""
        return unpack(self.packed[rows], self.rest[rows])

    def fits(self, rows: NDArray[np.int64], where: Mapping[str, int]) -> NDArray[np.bool_]:
        """`(n,)`: True for rows of boxes whose flags have these values."""
        fit: NDArray[np.bool_] = np.ones(len(rows), np.bool_)
        if where:
            fit = (flags_of(self.rest[rows], where) == list(where.values())).all(axis=1)
        return fit

    def confidences(self, rows: NDArray[np.int64]) -> NDArray[np.float64]:
        """Of rows of labels: 1 for a class that is in the image, 0 for one that is not."""
        return confidences(self.rest[rows])

    def sources(self, rows: NDArray[np.int64]) -> list[str]:
        """The column `Source` of rows."""
        return [self.kind.sources[i] for i in sources(self.rest[rows]).tolist()]

    def counts(self) -> dict[str, tuple[int, int]]:
        """Class code -> the number of its images and boxes. An image whose rows are apart counts
        once for each part."""
        order = np.argsort(self.labels, kind="stable")  # a radix sort
        labels = self.labels[order]
        images = np.searchsorted(self.starts, order, "right")
        new = np.ones(len(order), np.bool_)
        new[1:] = (labels[1:] != labels[:-1]) | (images[1:] != images[:-1])
        count = len(self.codes)
        by_image = np.bincount(labels[new], minlength=count).tolist()
        by_box = np.bincount(labels, minlength=count).tolist()
        return dict(zip(self.codes, zip(by_image, by_box, strict=True), strict=True))


def indexed(
    url: str,
    folder: Path,
    hosts: Iterable[str],
    progress: Progress = lambda received, total: None,
    kind: Kind = BOXES,
) -> Index:
    """The index of a list in `folder`; the first call downloads the list.

    Raises:
        DataError: BW177 the list cannot be downloaded, or is not of this kind.
        SystemFaultError: BW902, BW903 the folder cannot be written.
    """
    with in_cache(), locked(folder / "lock"):
        state = _read_state(folder, url)
        if not state.complete:
            try:
                state = _Builder(kind, folder, frozenset(hosts), progress).build(state)
            except DownloadError as error:
                raise failed(url, str(error)) from error
    return _opened(state, folder, kind)


def failed(url: str, reason: str) -> DataError:
    """The error for a list that cannot be had."""
    return DataError("BW177", f"the list cannot be used: {reason}.", where=url)


def _read_state(folder: Path, url: str) -> _State:
    try:
        state = _State(**json.loads((folder / STATE).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return _State(url)
    return state if (state.url, state.format) == (url, FORMAT) else _State(url)


@dataclass(frozen=True)
class _Builder:
    """Makes an index in a folder from a list that arrives."""

    kind: Kind
    folder: Path
    hosts: frozenset[str]
    progress: Progress

    def build(self, state: _State) -> _State:
        try:
            return self._continue(state)
        except ChangedError:
            return self._continue(_State(state.url))

    def _continue(self, state: _State) -> _State:
        stream = Stream(state.url, position=state.position, version=state.version, hosts=self.hosts)
        blocks = _blocks(stream, self.progress)
        with ExitStack() as stack:
            writer = _Writer(state, self.folder, self.kind, stack)
            pool = stack.enter_context(ThreadPoolExecutor(PARSERS))
            _keep_memory()
            if not state.columns:
                header, _, text = next(blocks, b"").partition(b"\n")
                columns = columns_of(header, self.kind)
                if columns is None:
                    raise failed(state.url, f"it is not a list of {self.kind.name}")
                state.columns, state.position = columns, len(header) + 1
                blocks = chain([text], blocks)
            saved = state.position
            for length, rows in _parsed(pool, blocks, state.columns, self.kind):
                writer.add(rows)
                state.position += length
                if state.position - saved >= ROUND:
                    saved = state.position
                    writer.save(stream.version)
            state.complete = True
            writer.save(stream.version)
        return state


def _keep_memory() -> None:
    """Let the C library of Linux keep the memory of arrays for the next ones. It gives back all
    that is larger than what was freed before, and gets it again for each block: a quarter of the
    time."""
    np.empty(KEPT_MEMORY, np.uint8)


def _blocks(stream: Stream, progress: Progress) -> Iterator[bytes]:
    """The list in blocks of whole lines; a last line without an end gets one."""
    parts: list[bytes] = []
    size = 0
    for block in stream:
        parts.append(block)
        size += len(block)
        if size < BLOCK or b"\n" not in block:
            continue
        progress(stream.position, stream.total)
        text = b"".join(parts)
        end = text.rindex(b"\n") + 1
        yield text[:end]
        parts, size = [text[end:]], len(text) - end
    progress(stream.position, stream.total)
    if text := b"".join(parts):
        yield text if text.endswith(b"\n") else text + b"\n"


def _parsed(
    pool: ThreadPoolExecutor, blocks: Iterable[bytes], columns: list[int], kind: Kind
) -> Iterator[tuple[int, Rows]]:
    """The length and the rows of each block, parsed ahead by the threads of the pool."""
    ahead: deque[tuple[int, Future[Rows]]] = deque()
    for block in blocks:
        ahead.append((len(block), pool.submit(parse_rows, block, columns, kind)))
        if len(ahead) > PARSERS:
            length, rows = ahead.popleft()
            yield length, rows.result()
    for length, rows in ahead:
        yield length, rows.result()


class _Writer:
    """Appends rows to the files of an index that is not complete."""

    def __init__(self, state: _State, folder: Path, kind: Kind, stack: ExitStack) -> None:
        self._state, self._folder = state, folder
        self._files: dict[str, FileIO] = {}
        self._waiting: dict[str, list[bytes]] = {name: [] for name in FILES_OF[kind]}
        self._labels = _Labels(state.codes)
        for name in FILES_OF[kind]:
            path = folder / name
            with translating_os_errors(path):
                path.touch()
                file = stack.enter_context(path.open("r+b", buffering=0))
                count = state.images if name in PER_IMAGE else state.rows
                file.truncate(count * FILES[name].itemsize)
                file.seek(0, os.SEEK_END)
            self._files[name] = file

    def add(self, rows: Rows) -> None:
        """Append rows. The first ones may be of the last image of those before."""
        state = self._state
        new = slice(int(len(rows.images) > 0 and int(rows.images[0]) == state.last), None)
        arrays: dict[str, NDArray[Any]] = {
            "images": rows.images[new],
            "starts": rows.starts[new] + state.rows,
            "labels": self._labels.of(rows.codes),
            "packed": rows.packed,
            "rest": rows.rest,
        }
        if len(self._labels.codes) > MAX_CLASSES:
            raise failed(state.url, f"it has more than {MAX_CLASSES:,} classes")
        for name, waiting in self._waiting.items():
            waiting.append(arrays[name].astype(FILES[name], copy=False).tobytes())
        state.images += len(arrays["images"])
        state.rows += len(rows.rest)
        state.unusable += rows.unusable
        for name, code in rows.refused[: MAX_REFUSED - len(state.refused)]:
            state.refused.append([harmless(name[:MAX_NAME]), code[:MAX_NAME]])
        if len(rows.images):
            state.last = int(rows.images[-1])

    def save(self, version: str) -> None:
        """Write what waits, and record how far the index is once that is on the disk."""
        for name, file in self._files.items():
            put(b"".join(self._waiting[name]), file, self._folder / name)
            self._waiting[name].clear()
            with translating_os_errors(self._folder / name):
                os.fsync(file.fileno())
        self._state.version = version
        self._state.codes = self._labels.codes
        write_json(self._folder / STATE, asdict(self._state))


class _Labels:
    """Numbers class codes in the order of their first appearance."""

    def __init__(self, codes: Iterable[str]) -> None:
        self.codes: list[str] = []
        self._by_code: dict[str, int] = {}
        self._words = np.zeros((2, SLOTS), np.uint64)  # by slot: the code
        self._labels = np.zeros(SLOTS, np.uint16)
        for code in codes:
            self._add(code)

    def of(self, words: Words) -> NDArray[np.uint16]:
        """The labels of codes, `(2, n)`."""
        slots = self._slots(words)
        labels = self._labels[slots]
        known = (self._words[0][slots] == words[0]) & (self._words[1][slots] == words[1])
        if not known.all():  # new, or in a slot that another code has
            others, which = np.unique(words[:, ~known], axis=1, return_inverse=True)
            numbers = [
                self._by_code[code] if code in self._by_code else self._add(code)
                for code in code_texts(others)
            ]
            labels[~known] = np.array(numbers, np.uint16)[which.ravel()]
        return labels

    def _add(self, code: str) -> int:
        label = self._by_code[code] = len(self.codes)
        self.codes.append(code)
        words = code_words(code)
        slot = self._slots(words)
        if not self._words[0][slot].any():
            self._words[:, slot], self._labels[slot] = words, label
        return label

    @staticmethod
    def _slots(words: Words) -> NDArray[np.int64]:
        mixed = words[0] * MIXERS[0] ^ words[1] * MIXERS[1]
        slots: NDArray[np.int64] = (mixed >> np.uint64(64 - SLOT_BITS)).astype(np.int64)
        return slots


def _opened(state: _State, folder: Path, kind: Kind) -> Index:
    arrays: dict[str, NDArray[Any]] = {}
    for name, dtype in FILES.items():
        count = state.images if name in PER_IMAGE else state.rows
        empty = not count or name not in FILES_OF[kind]  # which cannot be mapped
        arrays[name] = np.zeros(0, dtype) if empty else np.memmap(folder / name, dtype, "r")
    refused = tuple((name, code) for name, code in state.refused)
    return Index(kind, tuple(state.codes), unusable=state.unusable, refused=refused, **arrays)
