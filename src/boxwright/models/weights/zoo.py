"""Published pretrained models: find by name, download and cache."""

from __future__ import annotations

import difflib
import hashlib
import os
from collections.abc import Callable, Sequence
from pathlib import Path

from boxwright.errors import WeightsError
from boxwright.io.archive import unpack
from boxwright.io.cache import cache_folder, in_cache
from boxwright.io.download import DownloadError, Progress, SomethingElseError, download
from boxwright.io.files import copy_stream, locked, writing
from boxwright.io.limits import ArchiveError
from boxwright.models.weights.published import (
    CHOICES,
    MODELS,
    NANODET_M,
    SSD_QUANT,
    Published,
    file_name,
)

AUTO = "auto"  # the value of `--model` that chooses one
DEFAULTS = (NANODET_M, SSD_QUANT)  # the best first; the others if it cannot be downloaded
DEFAULT = DEFAULTS[0]
FOLDER_URL = "BOXWRIGHT_WEIGHTS_URL"  # environment variable: a folder with copies of the downloads
GRAPH = ".param"  # ncnn's text file, the same for networks with other weights
CHECKED = (".tflite", ".bin")  # files that are known by their checksum
EXTRA = "pipeline.config"  # also extracted if present
_KNOWN = {alias: each for each in MODELS for alias in (each.name, each.folder, *each.downloads)}


def named(name: str) -> Published:
    """The model with that name, in the zoo or of its archive.

    Raises:
        WeightsError: BW201 there is no such model.
    """
    published = _KNOWN.get(name.lower())
    if published is None:
        raise _unknown(name, f"no published model is called {name}.")
    return published


def of_title(title: str) -> Published | None:
    """The published model with that `title`; None if there is none."""
    return _KNOWN.get(title.lower())


def of_model(name: str) -> Published:
    """The weights that a model of `--model` starts from.

    Raises:
        WeightsError: BW201 there is no such model.
    """
    if name == AUTO:
        return DEFAULT
    published = next((each for each in MODELS if each.model == name.lower()), None)
    if published is None:
        choices = ", ".join(each.name for each in CHOICES)
        raise WeightsError("BW201", f"there is no model {name}, only {AUTO}, {choices}.")
    return published


def title(weights: Path) -> str:
    """A title for the weights: the model's name, if they are its file or in a folder of its name,
    else their own file name."""
    published = _KNOWN.get(weights.parent.name.lower())
    if published and weights.name == published.weights:
        return published.name
    known = {
        checksum: each.name
        for each in MODELS
        for file, checksum in each.sha256.items()
        if not file.endswith(GRAPH)
    }
    file = weights.with_suffix(".bin") if weights.suffix == GRAPH else weights
    if file.suffix in CHECKED and file.is_file():
        return known.get(hashlib.sha256(file.read_bytes()).hexdigest(), weights.name)
    return weights.name


def license(name: str | None) -> str | None:
    """The license of the weights with that `title`; None if unknown."""
    published = of_title(name) if name else None
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

    A download that lies in the cache folder already is used. Safe for concurrent processes.

    Args:
        published: the model.
        progress: called with the received bytes and the total, which is None if unknown.

    Returns:
        The argument for `DetectionModel.read_pretrained`.

    Raises:
        WeightsError: BW203 it cannot be downloaded, BW204 checksum mismatch or wrong content.
        SystemFaultError: BW902, BW903 the cache folder is not writable.
    """
    if here := find(published):
        return here
    cache = cache_folder()
    with in_cache(), locked(cache / f".{published.folder}.lock"):
        if here := find(published):  # another process has fetched it meanwhile
            return here
        target = cache / published.folder
        with writing(target) as draft:
            draft.mkdir()
            for url in published.urls:
                _add(published, url, draft, progress)
        return target / published.weights


def fetch_first(
    candidates: Sequence[Published], progress: Callable[[Published], Progress]
) -> tuple[Published, Path]:
    """Fetch the first model; without a network, take the first that is here already.

    Args:
        candidates: models, the wanted one first.
        progress: as in `fetch`, for a model.

    Returns:
        The model, and its path as in `fetch`.

    Raises:
        As `fetch`.
    """
    wanted = candidates[0]
    try:
        return wanted, fetch(wanted, progress(wanted))
    except WeightsError as error:
        for other in candidates[1:]:
            if error.code == "BW203" and (here := find(other)):
                return other, here
        raise


def _add(published: Published, url: str, draft: Path, progress: Progress) -> None:
    """Put what a download has of the model's files into the folder `draft`."""
    placed = cache_folder() / file_name(url)
    if placed.is_file():
        _take(published, url, placed, draft)
        return
    received = placed.with_name(f"{placed.name}.part")
    continued = received.is_file()
    try:
        download(_address(url), received, progress)
        _take(published, url, received, draft)
    except SomethingElseError as error:
        raise _something_else(url, received, published.name, str(error)) from error
    except DownloadError as error:
        raise _unreachable(published, url, str(error)) from error
    except WeightsError:
        received.unlink()
        if not continued:
            raise
        _add(published, url, draft, progress)  # the partial file may have been another one
        return
    received.unlink()


def _address(url: str) -> str:
    """The URL to download from: in the folder that the user has set, if any."""
    folder = os.environ.get(FOLDER_URL)
    return f"{folder.rstrip('/')}/{file_name(url)}" if folder else url


def _take(published: Published, url: str, received: Path, draft: Path) -> None:
    """Put the model's files out of a downloaded archive, or the downloaded file, into `draft`."""
    name = file_name(url)
    wanted = {name} & set(published.files) or set(published.files)
    try:
        if not _is_published(published, received, name):
            raise ArchiveError("checksum mismatch")
        if name in wanted:
            with received.open("rb") as content:
                copy_stream(content, draft / name)
        elif missing := wanted - unpack(received, draft, (*wanted, EXTRA)):
            raise ArchiveError(f"{min(missing)} is missing from it")
        for each in wanted:
            if not _is_published(published, draft / each, each):
                raise ArchiveError(f"checksum mismatch of {each}")
    except ArchiveError as error:
        raise _something_else(url, received, published.name, str(error)) from error


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


def _unreachable(published: Published, url: str, reason: str) -> WeightsError:
    size = f" ({published.size / 1e6:.1f} MB)" if published.size else ""
    return WeightsError(
        "BW203",
        f"{published.name} cannot be downloaded: {reason}.",
        archive=f"{url}{size}",
        place=cache_folder() / file_name(url),
    )


def _something_else(url: str, received: Path, name: str, reason: str) -> WeightsError:
    place = cache_folder() / file_name(url)
    if received == place:
        return WeightsError(
            "BW204",
            f"is not the download of {name}: {reason}.",
            where=place,
            url=url,
            place=place,
        )
    return WeightsError(
        "BW204",
        f"the download from {_address(url)} is not {name}: {reason}.",
        url=url,
        place=place,
    )
