"""Published pretrained models: list, download and cache.

Names, speeds and AP are those of the TensorFlow 1 Detection Model Zoo
(github.com/tensorflow/models, research/object_detection/g3doc/tf1_detection_zoo.md). The page has
no sizes or checksums; those below were published by other projects that depend on the archives
(OpenVINO's open_model_zoo, TensorFlow's own workspace).
"""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from boxwright.errors import WeightsError
from boxwright.io.archive import unpack
from boxwright.io.cache import cache_folder
from boxwright.io.download import DownloadError, Progress, SomethingElseError, download
from boxwright.io.files import locked, writing
from boxwright.io.limits import ArchiveError

BUCKET = "https://storage.googleapis.com/download.tensorflow.org/models"
CHECKPOINT = "model.ckpt"  # the prefix of a checkpoint's files in the zoo's archives
EXTRA = "pipeline.config"  # also extracted if present


@dataclass(frozen=True)
class Published:
    """A published pretrained model.

    Attributes:
        name: its name in the zoo.
        url: address of the archive, .zip or .tar.gz.
        weights: the weights inside the archive: a .tflite file or the prefix of a TensorFlow 1
            checkpoint.
        size: size of the archive in bytes; None if unknown.
        coco_ap: AP on the COCO validation set, 0 to 1, rounded as published; None if unknown.
        speed: milliseconds for an image of 600 x 600 on the publisher's GPU (GeForce GTX TITAN X),
            including pre- and post-processing; None if unknown.
        sha256: known checksums by file name, of the archive or of files in it.
        license: license of the weights.
    """

    name: str
    url: str
    weights: str = CHECKPOINT
    size: int | None = None
    coco_ap: float | None = None
    speed: int | None = None
    sha256: Mapping[str, str] = field(default_factory=dict)
    license: str = "Apache-2.0"

    @property
    def archive(self) -> str:
        """The archive's file name."""
        return self.url.rpartition("/")[2]

    @property
    def folder(self) -> str:
        """The name of the folder in the archive, which is also an alias of the model."""
        return self.archive.removesuffix(".zip").removesuffix(".tar.gz")

    @property
    def files(self) -> tuple[str, ...]:
        """The names of the weight files."""
        if self.weights != CHECKPOINT:
            return (self.weights,)
        return (f"{CHECKPOINT}.index", f"{CHECKPOINT}.data-00000-of-00001")


def _of_zoo(
    name: str,
    folder: str,
    *,
    coco_ap: float,
    speed: int,
    size: int | None = None,
    sha256: str | None = None,
) -> Published:
    archive = f"{folder}.tar.gz"
    return Published(
        name,
        f"{BUCKET}/object_detection/{archive}",
        size=size,
        coco_ap=coco_ap,
        speed=speed,
        sha256={archive: sha256} if sha256 else {},
    )


DEFAULT = Published(
    name="ssd_mobilenet_v1_coco_quant",
    url=f"{BUCKET}/tflite/coco_ssd_mobilenet_v1_1.0_quant_2018_06_29.zip",
    weights="detect.tflite",
    size=2_700_000,
    sha256={"detect.tflite": "e4b118e5e4531945de2e659742c7c590f7536f8d0ed26d135abcfe83b4779d13"},
)
MODELS = (
    DEFAULT,
    _of_zoo(
        "ssd_mobilenet_v1_coco",
        "ssd_mobilenet_v1_coco_2018_01_28",
        coco_ap=0.21,
        speed=30,
        size=76_541_073,
        sha256="8788f89108519fd1102b8a5c2ac861cf6d86603571b6ce5bbd1c245b7fe005e3",
    ),
    _of_zoo(
        "ssd_mobilenet_v1_0.75_depth_coco",
        "ssd_mobilenet_v1_0.75_depth_300x300_coco14_sync_2018_07_03",
        coco_ap=0.18,
        speed=26,
    ),
    _of_zoo(
        "ssd_mobilenet_v1_quantized_coco",
        "ssd_mobilenet_v1_quantized_300x300_coco14_sync_2018_07_18",
        coco_ap=0.18,
        speed=29,
        sha256="09280972c5777f1aa775ef67cb4ac5d5ed21970acd8535aeca62450ef14f0d79",
    ),
    _of_zoo(
        "ssd_mobilenet_v1_0.75_depth_quantized_coco",
        "ssd_mobilenet_v1_0.75_depth_quantized_300x300_coco14_sync_2018_07_18",
        coco_ap=0.16,
        speed=29,
    ),
    _of_zoo(
        "ssd_mobilenet_v2_coco",
        "ssd_mobilenet_v2_coco_2018_03_29",
        coco_ap=0.22,
        speed=31,
        size=187_925_923,
        sha256="b9380178b2e35333f1a735e39745928488bdabeb9ed20bc6fa07af8172cb5adc",
    ),
    _of_zoo(
        "ssd_mobilenet_v2_quantized_coco",
        "ssd_mobilenet_v2_quantized_300x300_coco_2019_01_03",
        coco_ap=0.22,
        speed=29,
        size=144_806_142,
    ),
    _of_zoo(
        "ssdlite_mobilenet_v2_coco",
        "ssdlite_mobilenet_v2_coco_2018_05_09",
        coco_ap=0.22,
        speed=27,
        size=51_025_348,
        sha256="542445cce834dbfbb7df1991425d475e85a2d7ec68c60a4f262bb18aac10c8b2",
    ),
)
_KNOWN = {alias: each for each in MODELS for alias in (each.name, each.folder, each.archive)}


def named(name: str) -> Published:
    """The model with that name, in the zoo or of its archive.

    Raises:
        WeightsError: BW201 there is no such model.
    """
    published = _KNOWN.get(name.lower())
    if published is None:
        raise _unknown(name, f"no published model is called {name}.")
    return published


def title(weights: Path) -> str:
    """A title for the weights: the model's name, if they are its file or in a folder of its name,
    else their own file name."""
    published = _KNOWN.get(weights.parent.name.lower())
    if published and weights.name == published.weights:
        return published.name
    known = {value: each.name for each in MODELS for value in each.sha256.values()}
    if weights.suffix == ".tflite" and weights.is_file():
        return known.get(hashlib.sha256(weights.read_bytes()).hexdigest(), weights.name)
    return weights.name


def license(name: str | None) -> str | None:
    """The license of the weights with that `title`; None if unknown."""
    published = _KNOWN.get(name.lower()) if name else None
    return published.license if published else None


def chosen(given: str) -> Published | Path:
    """Resolve the value of `--weights` to a published model or a path.

    Raises:
        WeightsError: BW201 it is neither.
    """
    published = _KNOWN.get(given.lower())
    path = Path(given)
    if published or path.exists() or path.with_name(f"{path.name}.index").is_file():
        return published or path
    place = path.absolute()
    raise _unknown(given, f"{place} does not exist, and no published model has that name.")


def find(published: Published) -> Path | None:
    """The path of the model's local weights; None if they must be downloaded.

    An unpacked folder in the cache folder counts, also if a file manager put it into another folder
    of the same name.
    """
    folder = cache_folder() / published.folder
    for place in (folder, folder / published.folder):
        files = [place / name for name in published.files]
        if all(each.is_file() and _is_published(published, each, each.name) for each in files):
            return place / published.weights
    return None


def fetch(
    published: Published = DEFAULT, progress: Progress = lambda received, total: None
) -> Path:
    """The path of the model's weights, which are downloaded, checked and unpacked the first time.

    An archive in the cache folder is used instead of a download. Safe for concurrent processes.

    Args:
        published: the model.
        progress: called with the received bytes and the total, which is None if unknown.

    Returns:
        The argument for `weights.loading.read_pretrained`: the .tflite file, or the checkpoint's
        prefix.

    Raises:
        WeightsError: BW203 it cannot be downloaded, BW204 checksum mismatch or wrong content.
        SystemFaultError: BW902, BW903 the cache folder is not writable.
    """
    if here := find(published):
        return here
    cache = cache_folder()
    with locked(cache / f".{published.folder}.lock"):
        if here := find(published):  # another process has fetched it meanwhile
            return here
        placed = cache / published.archive
        return _take(published, placed) if placed.is_file() else _download(published, progress)


def _download(published: Published, progress: Progress) -> Path:
    received = cache_folder() / f"{published.archive}.part"
    continued = received.is_file()
    try:
        download(published.url, received, progress)
        weights = _take(published, received)
    except SomethingElseError as error:
        raise _something_else(published, received, str(error)) from error
    except DownloadError as error:
        raise _unreachable(published, str(error)) from error
    except WeightsError:
        received.unlink()
        if not continued:
            raise
        return _download(published, progress)  # the partial file may have been another one
    received.unlink()
    return weights


def _take(published: Published, archive: Path) -> Path:
    """Unpack the model's weights into its folder of the cache."""
    target = cache_folder() / published.folder
    try:
        if not _is_published(published, archive, published.archive):
            raise ArchiveError("checksum mismatch")
        with writing(target) as draft:
            missing = set(published.files) - unpack(archive, draft, (*published.files, EXTRA))
            if missing:
                raise ArchiveError(f"{min(missing)} is missing from it")
            for name in published.files:
                if not _is_published(published, draft / name, name):
                    raise ArchiveError(f"checksum mismatch of {name}")
    except ArchiveError as error:
        raise _something_else(published, archive, str(error)) from error
    return target / published.weights


def _is_published(published: Published, file: Path, name: str) -> bool:
    """True if the file has the published checksum of `name`, or there is none."""
    expected = published.sha256.get(name)
    if expected is None:
        return True
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest() == expected


def _unknown(name: str, fault: str) -> WeightsError:
    close = difflib.get_close_matches(name.lower(), _KNOWN, n=1, cutoff=0.7)
    return WeightsError("BW201", fault, nearest=_KNOWN[close[0]].name if close else None)


def _unreachable(published: Published, reason: str) -> WeightsError:
    size = f" ({published.size / 1e6:.1f} MB)" if published.size else ""
    return WeightsError(
        "BW203",
        f"{published.name} cannot be downloaded: {reason}.",
        archive=f"{published.url}{size}",
        place=cache_folder() / published.archive,
    )


def _something_else(published: Published, archive: Path, reason: str) -> WeightsError:
    place = cache_folder() / published.archive
    if archive == place:
        return WeightsError(
            "BW204",
            f"is not the archive of {published.name}: {reason}.",
            where=place,
            url=published.url,
            place=place,
        )
    return WeightsError(
        "BW204",
        f"the download from {published.url} is not {published.name}: {reason}.",
        url=published.url,
        place=place,
    )
