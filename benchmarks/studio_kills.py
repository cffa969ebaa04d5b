"""Kill programs that label the same images, at random moments, and look for what was lost.

    python benchmarks/studio_kills.py [--rounds 100] [--format voc ...] [--seed 0]

In a round, three writers add boxes to the same few images, remove some of their own, undo some
edits, and add classes. Each notes what it is about to do and what the store has acknowledged. They
are killed one after another. Failures are: a file that cannot be read, an acknowledged edit that
is missing, a box that nobody has drawn, `boxwright.read` and the store do not agree, or a change
of what nobody has edited.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import random
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from PIL import Image

import boxwright
from boxwright.errors import BoxwrightError
from boxwright.structures.dataset import Dataset, LabeledImage
from boxwright.studio.store import ConflictError, LabeledBox, Labels, LabelStore

FORMATS = ("voc", "yolo", "coco", "csv")
WIDTH, HEIGHT = 4000, 100
IMAGES, EDITED = 6, 3
KEPT = "<!-- drawn by hand -->"
WRITERS = 3
LONGEST = 0.25  # seconds from the first edits to the first death
HANGS = 60.0  # seconds

Marks = set[tuple[int, str, int]]  # image, class, and left side of a box
Log = list[dict[str, Any]]


# ---- The writers -------------------------------------------------------------------------------


class Writer:
    """Edits images until it is killed.

    Args:
        folder: the images.
        form: their format.
        number: of this writer.
        seed: of its decisions.
    """

    def __init__(self, folder: Path, form: str, number: int, seed: int) -> None:
        self._store = LabelStore.open(folder, format=form)
        self._random = random.Random(f"{seed} {number}")
        self._log = log_of(folder, number).open("ab", buffering=0)
        self._number = number
        self._edits = 0

    def work(self) -> None:
        """Edit for ever."""
        while True:
            index = self._random.randrange(EDITED)
            with suppress(ConflictError):
                self._edit(index)
            if self._random.random() < 0.1:
                self._store.flush()

    def _edit(self, index: int) -> None:
        labels = self._store.read(index)
        name = f"class {self._number} {self._random.randrange(3)}"
        mine = [box for box in labels.boxes if box.label.startswith(f"class {self._number}")]
        self._edits += 1
        x = 100 + self._edits * WRITERS + self._number
        if mine and self._random.random() < 0.3:
            lost = self._random.choice(mine)
            cat, *left = (box for box in labels.boxes if box is not lost)
            # Labels are never what they once were, or undo would undo the edit of another writer.
            boxes = (replace(cat, box=(*cat.box[:2], x, cat.box[3])), *left)
            self._do(index, "remove", lost.label, round(lost.box[0]), replace(labels, boxes=boxes))
            return
        new = LabeledBox("new-0", (x, 10, x + 20, 30), name)
        after = self._do(index, "add", name, x, replace(labels, boxes=(*labels.boxes, new)))
        if self._random.random() < 0.2:
            self._note("remove", index, name, x)
            if self._store.undo(index, after.etag) is not None:
                self._note("removed", index, name, x)

    def _do(self, index: int, verb: str, name: str, x: int, labels: Labels) -> Labels:
        self._note(verb, index, name, x)
        after = self._store.write(index, labels, labels.etag)
        self._note("removed" if verb == "remove" else "added", index, name, x)
        return after

    def _note(self, *said: Any) -> None:
        self._log.write(json.dumps(said).encode() + b"\n")


def log_of(folder: Path, number: int) -> Path:
    """Where a writer notes what it does."""
    return folder.with_name(f"{folder.name}-{number}.log")


def write_for_ever(folder: Path, form: str, number: int, seed: int) -> None:
    """What the process of a writer does."""
    try:
        Writer(folder, form, number, seed).work()
    except BaseException as error:
        log_of(folder, number).with_suffix(".error").write_text(f"{error!r}", encoding="utf-8")
        raise


# ---- A round -----------------------------------------------------------------------------------


def made(folder: Path, form: str) -> None:
    """Write labeled images, with something in each label file that Boxwright does not know."""
    source = folder.with_name("source")
    source.mkdir()
    images = []
    for i in range(IMAGES):
        name = f"image {i}.png"
        Image.new("1", (WIDTH, HEIGHT)).save(source / name)
        boxes = [[1, 2, 30, 40], [50, 50, 60 + i, 70]]
        images.append(LabeledImage(name, WIDTH, HEIGHT, boxes, ["cat", "dog"]))
    boxwright.write(Dataset.of(source, images), folder, form)
    for path in folder.rglob("*.xml"):
        path.write_text(
            path.read_text("utf-8").replace("</size>", f"</size>\n  {KEPT}"), encoding="utf-8"
        )
    for path in folder.rglob("*.json"):
        said = json.loads(path.read_text("utf-8"))
        for one in (said, *said["images"], *said["annotations"]):
            one["unknown"] = KEPT
        path.write_text(json.dumps(said), encoding="utf-8")


def round_of(root: Path, form: str, seed: int) -> tuple[int, list[str]]:
    """The number of acknowledged edits of a round, and what is wrong after it."""
    folder = root / "images"
    made(folder, form)
    before = contents(folder)
    fork = multiprocessing.get_context("fork")
    writers = [
        fork.Process(target=write_for_ever, args=(folder, form, number, seed))
        for number in range(WRITERS)
    ]
    for writer in writers:
        writer.start()
    chance = random.Random(seed)
    _wait_for_edits(folder)
    time.sleep(chance.uniform(0, LONGEST))
    for writer in chance.sample(writers, WRITERS):
        time.sleep(chance.uniform(0, LONGEST / 10))
        writer.kill()
        writer.join()
    log = [
        json.loads(line)
        for path in root.glob("*.log")
        for line in path.read_text("utf-8").splitlines(keepends=True)
        if line.endswith("\n")
    ]
    wrong = [path.read_text("utf-8") for path in root.glob("*.error")]
    try:
        wrong += checked(folder, form, log, before)
    except BoxwrightError as error:
        wrong.append(f"cannot be read: {error}")
    return sum(verb in {"added", "removed"} for verb, *_ in log), wrong


def _wait_for_edits(folder: Path) -> None:
    """Until each writer has edited something, or failed."""
    end = time.monotonic() + HANGS
    while time.monotonic() < end:
        logs = [log_of(folder, number) for number in range(WRITERS)]
        if any(log.with_suffix(".error").exists() for log in logs):
            return
        if all(log.exists() and b"added" in log.read_bytes() for log in logs):
            return
        time.sleep(0.01)


def contents(folder: Path) -> dict[str, bytes]:
    """The files of a folder that are not the studio's own."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and not any(part.startswith(".") for part in path.parts)
    }


def checked(folder: Path, form: str, log: Log, before: dict[str, bytes]) -> Iterator[str]:
    """What is wrong after the writers were killed."""
    yield from misread(folder, form, log)
    with closing(LabelStore.open(folder, format=form)):
        pass  # closing it writes what waits
    yield from misread(folder, form, log)
    after = contents(folder)
    classes = {"classes.txt", "data.yaml"}
    for name in sorted({*before, *after}):
        if before.get(name) == after.get(name) or name in classes:
            continue
        number = Path(name).stem.removeprefix("image ")
        if name not in before or name not in after:
            yield f"{name} has come or gone"
        elif name.endswith(".png") or (number.isdigit() and int(number) >= EDITED):
            yield f"{name} has changed, and nobody has edited it"
        elif before[name].count(KEPT.encode()) > after[name].count(KEPT.encode()):
            yield f"{name} has lost what others had written"


def misread(folder: Path, form: str, log: Log) -> Iterator[str]:
    """What is missing or too much in the labels."""
    dataset = boxwright.read(folder)
    numbers = [int(Path(name).stem.removeprefix("image ")) for name in dataset.names]
    read: Marks = {
        (numbers[image], dataset.classes[label], round(float(box[0])))
        for image, label, box in zip(
            dataset.image_of_box, dataset.labels, dataset.boxes, strict=True
        )
    }
    stored: Marks = set()
    with closing(LabelStore.open(folder, format=form)) as store:
        for index in range(IMAGES):
            boxes = store.read(index).boxes
            stored |= {(index, box.label, round(box.box[0])) for box in boxes}
    told: dict[str, Marks] = {}
    for verb, *mark in log:
        told.setdefault(verb, set()).add(tuple(mark))
    drawn = {(i, *mark) for i in range(IMAGES) for mark in (("cat", 1), ("dog", 50))}
    begun, added = told.get("add", set()), told.get("added", set())
    if read != stored:
        yield f"read and the store do not agree on {sorted(read ^ stored)}"
    if missing := (added | drawn) - told.get("remove", set()) - stored:
        yield f"missing: {sorted(missing)}"
    if more := stored - begun - drawn:
        yield f"drawn by nobody: {sorted(more)}"
    if back := stored & told.get("removed", set()):
        yield f"removed, but there: {sorted(back)}"


def rounds(form: str, count: int, seed: int) -> tuple[int, list[str]]:
    """The number of acknowledged edits of some rounds, and what is wrong after any."""
    edits, failures = 0, []
    for number in range(seed, seed + count):
        with tempfile.TemporaryDirectory() as root:
            done, wrong = round_of(Path(root), form, number)
        edits += done
        failures += [f"{form}, seed {number}: {one}" for one in wrong]
    return edits, failures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=100, help="in each format")
    parser.add_argument("--format", nargs="+", choices=FORMATS, default=list(FORMATS))
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    failed = False
    for form in given.format:
        start = time.monotonic()
        edits, failures = rounds(form, given.rounds, given.seed)
        seconds = time.monotonic() - start
        print("\n".join(failures[:20]), end="\n" if failures else "")
        print(
            f"{form}: {given.rounds} rounds, {given.rounds * WRITERS} writers killed, "
            f"{edits} edits acknowledged, {len(failures)} failures, {seconds:.0f} s"
        )
        failed |= bool(failures)
    raise SystemExit(failed)


if __name__ == "__main__":
    main()
