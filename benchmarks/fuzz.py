"""Fuzz every reader with damaged annotations, a million by default.

    python benchmarks/fuzz.py [--inputs 1000000] [--format voc ...] [--seed 0]

Files from the writers are cut, spliced and filled with tokens that break parsers. A reader must
return a dataset or raise a `DataError`. Failures are other exceptions, hangs, memory use above
a limit, and files outside the output folder. A failing input is kept and its path printed.
"""

from __future__ import annotations

import argparse
import faulthandler
import multiprocessing
import os
import random
import shutil
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path

from PIL import Image

from boxwright import formats
from boxwright.errors import DataError
from boxwright.structures.dataset import CROWD, DIFFICULT, TRUNCATED, Dataset, LabeledImage, Split

SLOWEST = 5.0  # seconds to read a few hundred bytes
HANGS = 120  # seconds for a hundred inputs before the process is killed
MEMORY = 1 << 30  # bytes that a reader may allocate on top of the process's initial memory
CHUNK = 5_000  # inputs per task of a worker process
WRITTEN = 50  # every n-th dataset is written again, to check the output paths

TOKENS = [
    b"", b"0", b"-1", b"1e309", b"-1e309", b"nan", b"NaN", b"Infinity", b"99999999999999999999",
    b"0x10", b"1_000", b"\xff\xfe", b"\x00", b"\xef\xbb\xbf", b"\r", b"\n\n", b"\t", b"'", b'"',
    b"../../../../etc/passwd", b"..\\..\\x.jpg", b"C:\\x\\a.jpg", b"/dev/zero", b"//host/a.jpg",
    b"a.jpg", b"CON", b"%2e%2e/a.jpg", b"null", b"true", b"[]", b"{}", b"[" * 3000, b"<a>" * 3000,
    b'{"a":' * 3000, b"<!DOCTYPE a [<!ENTITY b 'c'>]>", b"&b;", b"<![CDATA[", b"&#0;", b'""',
    b"- &a [*a, *a]", b"!!python/object/apply:os.system [x]", b"item {", b"}", b",", b";", b"\xc3",
    b"\xf0\x9f\xa6\x9d", b"\xe2\x80\xa8", b"id: 0", b"\x7f" * 9, b"\xff" * 8,
]  # fmt: skip


@dataclass
class Outcome:
    """Results of some inputs."""

    read: int = 0
    refused: int = 0
    slowest: float = 0.0
    failures: list[str] = field(default_factory=list)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--inputs", type=int, default=1_000_000)
    parser.add_argument("--format", nargs="*", default=list(formats.FORMATS))
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    each = -(-options.inputs // len(options.format))
    context = multiprocessing.get_context("spawn")
    failed = False
    with ProcessPoolExecutor(os.cpu_count(), mp_context=context) as workers:
        for name in options.format:
            started = time.monotonic()
            seeds = [options.seed * 1_000_003 + i for i in range(-(-each // CHUNK))]
            chunks = [min(CHUNK, each - CHUNK * i) for i in range(len(seeds))]
            done = list(workers.map(fuzz, [name] * len(seeds), seeds, chunks))
            read, refused = sum(one.read for one in done), sum(one.refused for one in done)
            failures = [failure for one in done for failure in one.failures]
            print(
                f"{name:12} {read + refused:9,} inputs: {read:,} read, {refused:,} rejected, "
                f"{len(failures)} failures; slowest {max(one.slowest for one in done):.2f} s; "
                f"{time.monotonic() - started:.0f} s",
                flush=True,
            )
            for failure in failures[:5]:
                print(failure)
            failed = failed or bool(failures)
    sys.exit(failed)


def fuzz(name: str, seed: int, inputs: int) -> Outcome:
    """Read `inputs` damaged datasets of a format."""
    random_ = random.Random(f"{name} {seed}")
    outcome = Outcome()
    _limit_memory()
    fast = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108 - only if it is there
    with tempfile.TemporaryDirectory(dir=fast) as scratch:
        root = Path(scratch) / "data"
        sample = _sample(Path(scratch) / "photos")
        if name == "kitti":  # it cannot store spaces in the names of classes
            sample = replace(sample, classes=tuple(one.replace(" ", "") for one in sample.classes))
        formats.write(sample, root, name)
        whole = {path: path.read_bytes() for path in _annotations(root)}
        for i in range(inputs):
            if i % 100 == 0:
                faulthandler.dump_traceback_later(HANGS, exit=True)
            path = random_.choice(list(whole))
            content = damaged(whole[path], random_, list(whole.values()))
            path.write_bytes(content)
            started = time.monotonic()
            try:
                dataset = formats.read(root, name, tolerant=random_.random() < 0.5)
                outcome.read += 1
                if random_.randrange(WRITTEN) == 0:
                    _write_again(dataset, Path(scratch), random_)
            except DataError:
                outcome.refused += 1
            except BaseException:
                kept = _keep(content, name)
                outcome.failures.append(f"{kept}: {traceback.format_exc()}")
            took = time.monotonic() - started
            outcome.slowest = max(outcome.slowest, took)
            if took > SLOWEST:
                outcome.failures.append(f"{_keep(content, name)}: took {took:.1f} s")
            path.write_bytes(whole[path])
    faulthandler.cancel_dump_traceback_later()
    return outcome


def damaged(content: bytes, random_: random.Random, others: list[bytes]) -> bytes:
    """Return `content` with one to four random damages."""
    for _ in range(random_.choice((1, 1, 2, 4))):
        content = random_.choice(DAMAGES)(content, random_, others)
    return content


def _flip(content: bytes, random_: random.Random, others: list[bytes]) -> bytes:
    if not content:
        return content
    place = random_.randrange(len(content))
    return content[:place] + bytes([random_.randrange(256)]) + content[place + 1 :]


def _cut(content: bytes, random_: random.Random, others: list[bytes]) -> bytes:
    start, end = sorted(random_.choices(range(len(content) + 1), k=2))
    return content[:start] + content[end:]


def _truncate(content: bytes, random_: random.Random, others: list[bytes]) -> bytes:
    return content[: random_.randrange(len(content) + 1)]


def _repeat(content: bytes, random_: random.Random, others: list[bytes]) -> bytes:
    start, end = sorted(random_.choices(range(len(content) + 1), k=2))
    return content[:end] + content[start:end] * random_.choice((1, 1, 10)) + content[end:]


def _insert(content: bytes, random_: random.Random, others: list[bytes]) -> bytes:
    place = random_.randrange(len(content) + 1)
    return content[:place] + random_.choice(TOKENS) + content[place:]


def _replace_word(content: bytes, random_: random.Random, others: list[bytes]) -> bytes:
    """Replace a number or word by a token, so that a parser gets past the syntax."""
    words = list(_words(content))
    if not words:
        return content
    start, end = random_.choice(words)
    return content[:start] + random_.choice(TOKENS) + content[end:]


def _splice(content: bytes, random_: random.Random, others: list[bytes]) -> bytes:
    other = random_.choice(others)
    return (
        content[: random_.randrange(len(content) + 1)] + other[random_.randrange(len(other) + 1) :]
    )


DAMAGES = (_flip, _cut, _truncate, _repeat, _insert, _replace_word, _replace_word, _splice)


def _words(content: bytes) -> Iterator[tuple[int, int]]:
    start = None
    for place, byte in enumerate(content + b" "):
        part_of_word = chr(byte).isalnum() or byte in b"._-+"
        if part_of_word and start is None:
            start = place
        elif not part_of_word and start is not None:
            yield start, place
            start = None


def _sample(root: Path) -> Dataset:
    """Return a few images that use every feature of a dataset."""
    root.mkdir()
    images = [
        LabeledImage(
            "a.jpg", 64, 48, [(1, 2, 30, 40), (5.5, 6, 20, 21)], ["cat", "a b"], [0, DIFFICULT]
        ),
        LabeledImage(
            "b c.png", 40, 60, [(0, 0, 40, 60)], ["wolf's"], [TRUNCATED | CROWD], Split.TEST
        ),
        LabeledImage("d.jpg", 64, 48, split=Split.TRAIN),
    ]  # fmt: skip
    for image in images:
        Image.new("RGB", (image.width, image.height), "teal").save(root / image.name)
    return Dataset.of(root, images)


def _annotations(root: Path) -> list[Path]:
    return sorted(
        path for path in root.rglob("*") if path.is_file() and path.suffix not in {".jpg", ".png"}
    )


def _write_again(dataset: Dataset, scratch: Path, random_: random.Random) -> None:
    """Write a dataset in a random format, and check that no file is outside the target."""
    before = set(scratch.iterdir())
    target = scratch / "copy"
    try:
        formats.write(dataset, target, random_.choice(list(formats.FORMATS)))
    finally:
        shutil.rmtree(target, ignore_errors=True)
    assert set(scratch.iterdir()) == before, "a file outside the target"


def _keep(content: bytes, name: str) -> str:
    handle, path = tempfile.mkstemp(prefix=f"fuzz-{name}-")
    with os.fdopen(handle, "wb") as file:
        file.write(content)
    return path


def _limit_memory() -> None:
    try:
        import resource
    except ImportError:  # Windows
        return
    pages = Path("/proc/self/statm").read_text(encoding="ascii").split()[0]
    taken = int(pages) * resource.getpagesize()
    _, most = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (taken + MEMORY, most))


if __name__ == "__main__":
    main()
