"""Published pretrained models: where they are, what they are, how they get here."""

from __future__ import annotations

import hashlib
import io
import os
import sys
import urllib.error
import urllib.request
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from boxwright.errors import WeightsError
from boxwright.files import writing

LARGEST = 1 << 28  # bytes; no archive here is a tenth of this
SILENCE = 20  # seconds without a byte after which a download is given up


@dataclass(frozen=True)
class Published:
    """A pretrained model as its publisher offers it.

    Attributes:
        name: what it is called here.
        url: a zip archive.
        member: the file in the archive that holds the weights.
        sha256: of that file.
        size: of the archive in bytes, about.
        licence: of the weights.
        coco_ap: as published, on COCO's minival; None where it was not.
    """

    name: str
    url: str
    member: str
    sha256: str
    size: int
    licence: str
    coco_ap: float | None


SSD_MOBILENET_V1_COCO = Published(
    name="ssd_mobilenet_v1_coco_quant",
    url="https://storage.googleapis.com/download.tensorflow.org/models/tflite/"
    "coco_ssd_mobilenet_v1_1.0_quant_2018_06_29.zip",
    member="detect.tflite",
    sha256="e4b118e5e4531945de2e659742c7c590f7536f8d0ed26d135abcfe83b4779d13",
    size=2_700_000,
    licence="Apache-2.0",
    coco_ap=None,
)
DEFAULT = SSD_MOBILENET_V1_COCO


def cache_folder() -> Path:
    """Where downloaded weights are kept: `BOXWRIGHT_CACHE`, or the system's place for caches."""
    if own := os.environ.get("BOXWRIGHT_CACHE"):
        return Path(own)
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData/Local")) / "boxwright"
    if sys.platform == "darwin":
        return Path.home() / "Library/Caches/boxwright"
    return Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "boxwright"


def fetch(
    published: Published = DEFAULT, progress: Callable[[int], None] = lambda received: None
) -> Path:
    """The model's weights on this machine, downloaded and checked the first time.

    Args:
        published: what to fetch.
        progress: told how many bytes have been received.

    Raises:
        WeightsError: BW203 it cannot be downloaded, BW204 what came is something else.
    """
    target = cache_folder() / f"{published.name}.tflite"
    if target.is_file() and _sha256(target.read_bytes()) == published.sha256:
        return target
    archive = _download(published, target, progress)
    try:
        with zipfile.ZipFile(io.BytesIO(archive)) as members:
            content = members.read(published.member)
    except (zipfile.BadZipFile, KeyError) as error:
        raise _something_else(published, target) from error
    if _sha256(content) != published.sha256:
        raise _something_else(published, target)
    with writing(target) as draft:
        draft.write_bytes(content)
    return target


def _download(published: Published, target: Path, progress: Callable[[int], None]) -> bytes:
    received = bytearray()
    try:
        # The address is a constant above; only a test puts another one there.
        with urllib.request.urlopen(published.url, timeout=SILENCE) as answer:  # noqa: S310
            while block := answer.read(1 << 16):
                received += block
                progress(len(received))
                if len(received) > LARGEST:
                    raise _something_else(published, target)
    except (urllib.error.URLError, OSError) as error:
        reason = getattr(error, "reason", None) or error
        raise WeightsError(
            "BW203",
            f"the pretrained weights cannot be downloaded ({reason}). They would have come from "
            f"{published.url} ({published.size / 1e6:.1f} MB) and been kept as {target}.",
            remedy=f"With a network, run the command again. Without one, download that archive "
            f"elsewhere and give its {published.member} to --weights, or train without "
            "pretrained weights by --from-scratch.",
        ) from error
    return bytes(received)


def _something_else(published: Published, target: Path) -> WeightsError:
    return WeightsError(
        "BW204",
        f"{published.url} did not send {published.name}: its checksum is not the published one.",
        where=target,
        remedy="A proxy or login page may have answered instead; download the archive in a "
        f"browser and give its {published.member} to --weights.",
    )


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
