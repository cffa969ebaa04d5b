"""Download many images at once, and say of each that fails why."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from boxwright.errors import ArgumentError, DataError, harmless
from boxwright.images.decoding import decoded
from boxwright.io.download import DownloadError, Stream
from boxwright.io.files import write_text, writing
from boxwright.io.scratch import sweep
from boxwright.io.text import read_text
from boxwright.openimages.sources import SPLITS, hosts, image_url

THREADS = 16
TRIES = 3  # of an image that arrives damaged
AHEAD = 4096  # images that wait for a thread
MAX_BYTES = 1 << 26  # of an image
NAME = re.compile(rf"({'|'.join(SPLITS)})/([0-9a-f]{{16}})", re.IGNORECASE)

FAILED = "failed.txt"

Told = Callable[[int, int, int], None]  # images so far, all images, bytes so far


class Image(NamedTuple):
    """An image of Open Images; as text it is a line of the official lists, `train/0a1b...`."""

    split: str
    id: str

    def __str__(self) -> str:
        return f"{self.split}/{self.id}"

    @property
    def file(self) -> str:
        """Its path below the folder of the download."""
        return f"{self}.jpg"


class Failure(NamedTuple):
    """An image that did not come, and why; one whose name cannot be used is a text."""

    image: Image | str
    reason: str


def refused(names: Iterable[str]) -> list[Failure]:
    """Failures for names that are not looked for on the server or written to the disk."""
    return [Failure(name, "this is not a split and an ImageID") for name in names]


def read_image_list(path: Path) -> tuple[list[Image], list[Failure]]:
    """The images of a list with lines such as `train/0a1b2c3d4e5f6071`, and its lines that name
    none; what follows a blank is a comment.

    Raises:
        ArgumentError: BW802 no line names an image.
        DataError: BW160 the file cannot be read.
    """
    images, others = [], []
    for number, line in enumerate(read_text(path).splitlines(), start=1):
        name, *_ = line.split() or [""]
        if not name or name.startswith("#"):
            continue
        match = NAME.fullmatch(name)
        if match is None:
            others.append((number, harmless(name)))
        else:
            images.append(Image(match[1].lower(), match[2].lower()))
    if others and not images:
        number, name = others[0]
        message = f"'{name[:60]}' is not a split and an ImageID like train/0a1b2c3d4e5f6071."
        raise ArgumentError("BW802", message, where=f"{path}:{number}")
    return list(dict.fromkeys(images)), refused(dict.fromkeys(name for _, name in others))


def fetch_images(
    targets: Mapping[Image, Path], threads: int = THREADS, told: Told = lambda *_: None
) -> list[Failure]:
    """Download the images that are not there yet.

    An image is written when it is whole and can be decoded. What killed processes have left beside
    the images is removed.

    Args:
        targets: image -> its file.
        threads: images downloaded at once.
        told: called with the number of images so far, of all images, and of bytes so far.

    Returns:
        The images that failed, in the order of `targets`.

    Raises:
        SystemFaultError: BW902, BW903 the folder cannot be written.
    """
    for folder in {place.parent for place in targets.values()}:
        sweep(folder)
    missing = [image for image, place in targets.items() if not place.is_file()]
    allowed, stopped = hosts(), threading.Event()
    failures: list[Failure] = []
    done = received = 0

    def fetch(image: Image) -> int | Failure:
        if stopped.is_set():
            return 0
        try:
            content = _content(image_url(*image), allowed)
        except DownloadError as error:
            return Failure(image, str(error))
        with writing(targets[image]) as draft:
            draft.write_bytes(content)
        return len(content)

    with ThreadPoolExecutor(threads) as pool:
        try:
            for start in range(0, len(missing), AHEAD):
                for outcome in pool.map(fetch, missing[start : start + AHEAD]):
                    done += 1
                    if isinstance(outcome, Failure):
                        failures.append(outcome)
                    else:
                        received += outcome
                    told(done, len(missing), received)
        finally:
            stopped.set()  # after Ctrl-C or a full disk, what waits is not begun
    return failures


def list_failures(folder: Path, failures: list[Failure]) -> None:
    """Write the images that failed to failed.txt with the reasons; remove the file if none did."""
    if failures:
        lines = (f"{failure.image} # {failure.reason}\n" for failure in failures)
        write_text(folder / FAILED, "".join(lines))
    else:
        (folder / FAILED).unlink(missing_ok=True)


def _content(url: str, allowed: frozenset[str], tries: int = TRIES) -> bytes:
    """The bytes of an image that can be decoded. Raises DownloadError."""
    content = b"".join(Stream(url, hosts=allowed, max_bytes=MAX_BYTES))
    try:
        with decoded(content):
            return content
    except DataError as error:
        if tries == 1:
            raise DownloadError(f"the image {error.message.rstrip('.')}") from error
    return _content(url, allowed, tries - 1)
