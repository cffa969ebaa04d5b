"""Published weights that are files by themselves, not an archive."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest

from boxwright.errors import WeightsError
from boxwright.models.weights import zoo
from boxwright.models.weights.published import SSD_QUANT, Published
from misbehaving import Server, files_in, zipped

pytestmark = pytest.mark.tiny

CONTENT = b"the same for all files"


@pytest.fixture
def plain(server: Server, cache: Path, monkeypatch: pytest.MonkeyPatch) -> Published:
    """A model of two files, which the local server has in the user's own folder."""
    monkeypatch.setenv(zoo.FOLDER_URL, f"{server.url}/copies/")
    checksums = {
        f"net.{suffix}": hashlib.sha256(CONTENT).hexdigest() for suffix in ("bin", "param")
    }
    server.content = CONTENT
    urls = tuple(f"https://example.org/far/net.{suffix}" for suffix in ("bin", "param"))
    return Published("net_coco", "net", urls, weights="net.param", sha256=checksums)


def test_files_are_downloaded_from_the_users_folder(
    server: Server, plain: Published, cache: Path
) -> None:
    path = zoo.fetch(plain)
    assert path == cache / "net_coco" / "net.param"
    assert files_in(cache) == {"net_coco/net.bin", "net_coco/net.param", ".net_coco.lock"}
    assert zoo.fetch(plain) == path
    assert len(server.ranges) == 2


def test_a_file_put_there_by_hand_saves_its_download(
    server: Server, plain: Published, cache: Path
) -> None:
    cache.mkdir()
    (cache / "net.bin").write_bytes(CONTENT)
    zoo.fetch(plain)
    assert len(server.ranges) == 1


def test_a_file_with_another_checksum_is_refused(
    server: Server, plain: Published, cache: Path
) -> None:
    server.content = b"another network"
    with pytest.raises(WeightsError, match=r"BW204.*copies/net\.bin is not net_coco: checksum"):
        zoo.fetch(plain)
    assert files_in(cache) == {".net_coco.lock"}


def test_without_a_network_what_is_here_is_taken(
    server: Server, plain: Published, cache: Path
) -> None:
    """Of several models that would do."""
    asked: list[str] = []

    def progress(published: Published) -> zoo.Progress:
        asked.append(published.name)
        return lambda received, total: None

    server.content = zipped({"detect.tflite": CONTENT})
    checksum = hashlib.sha256(CONTENT).hexdigest()
    other = replace(SSD_QUANT, sha256={"detect.tflite": checksum})
    zoo.fetch(other)
    server.server_close()
    chosen, path = zoo.fetch_first((plain, other), progress)
    assert (chosen, path) == (other, cache / other.folder / "detect.tflite")
    assert asked == ["net_coco"]
    with pytest.raises(WeightsError, match=r"BW203.*net_coco"):
        zoo.fetch_first((plain,), progress)
