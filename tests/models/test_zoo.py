"""Published weights: downloaded once, checked, kept; and what is said when they cannot be had."""

from __future__ import annotations

import hashlib
import threading
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlparse

import pytest

from boxwright.errors import WeightsError
from boxwright.models.registry import FAMILIES, family_of_weights
from boxwright.models.weights import zoo
from boxwright.models.weights.published import (
    CHECKPOINT,
    CHECKPOINT_2,
    MODELS,
    SSD_QUANT,
    Published,
)
from misbehaving import Server, cut, files_in, ignore_range, status, tarred, zipped

pytestmark = pytest.mark.tiny

CONTENT = b"TFL3 not really, but its checksum is right"
FILES = {
    "model.ckpt.index": b"names",
    "model.ckpt.data-00000-of-00001": b"values" * 1000,
    "pipeline.config": b"model {}",
}
ARCHIVE = tarred(
    {f"net_2018/{name}": content for name, content in FILES.items()}
    | {"net_2018/frozen_inference_graph.pb": b"large", "net_2018/checkpoint": b"text"}
)


@pytest.fixture
def tflite(server: Server, cache: Path) -> Published:
    """A model whose file has a known checksum."""
    server.content = zipped({"detect.tflite": CONTENT, "labelmap.txt": b"cat"})
    checksum = hashlib.sha256(CONTENT).hexdigest()
    return replace(
        SSD_QUANT, urls=(f"{server.url}/coco_quant.zip",), sha256={"detect.tflite": checksum}
    )


@pytest.fixture
def checkpoint(server: Server, cache: Path) -> Published:
    """A model whose archive has a known checksum."""
    server.content = ARCHIVE
    checksum = hashlib.sha256(ARCHIVE).hexdigest()
    return Published(
        "net", "net", (f"{server.url}/net_2018.tar.gz",), sha256={"net_2018.tar.gz": checksum}
    )


# ---- The list ----------------------------------------------------------------------------------


@pytest.mark.parametrize("published", MODELS, ids=lambda each: each.name)
def test_an_entry_is_whole(published: Published) -> None:
    for url in map(urlparse, published.urls):
        assert url.scheme == "https"
        assert url.hostname in {
            "storage.googleapis.com", "github.com", "raw.githubusercontent.com"
        }  # fmt: skip
    packed = published.downloads[0].endswith(".tar.gz")
    assert (published.weights in {CHECKPOINT, CHECKPOINT_2}) == packed
    assert published.family in FAMILIES
    assert all(len(bytes.fromhex(checksum)) == 32 for checksum in published.sha256.values())
    assert published.sha256.keys() <= {*published.downloads, *published.files}
    assert published.coco_ap is None or 0 < published.coco_ap < 1
    assert zoo.named(published.name) is zoo.named(published.folder) is published


def test_no_two_models_share_a_name_or_a_folder() -> None:
    names = [name for each in MODELS for name in {each.name, each.folder}]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("ssd_mobilenet_v2_coco", "ssd_mobilenet_v2_coco"),
        ("SSD_MobileNet_v2_COCO", "ssd_mobilenet_v2_coco"),
        ("ssd_mobilenet_v2_coco_2018_03_29", "ssd_mobilenet_v2_coco"),
        ("ssd_mobilenet_v2_coco_2018_03_29.tar.gz", "ssd_mobilenet_v2_coco"),
    ],
)
def test_a_name_is_a_model(given: str, name: str) -> None:
    chosen = zoo.chosen(given)
    assert isinstance(chosen, Published)
    assert chosen.name == name


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("ssd_mobilnet_v1_coco", "ssd_mobilenet_v1_coco"),
        ("ssd_mobilenet_v2_quantized", "ssd_mobilenet_v2_quantized_coco"),
        ("ssd_mobilenet_v1_0.75_depth_quantized", "ssd_mobilenet_v1_0.75_depth_quantized_coco"),
        ("ssd_mobilenet_v1_coco_2017_11_17", "ssd_mobilenet_v1_coco"),
        ("ssd_mobilenet_v1_coco_quant.tflite", "ssd_mobilenet_v1_coco_quant"),
    ],
)
def test_a_name_that_is_nearly_one_is_proposed(given: str, meant: str) -> None:
    for choose in (zoo.named, zoo.chosen):
        with pytest.raises(WeightsError, match=f"BW201.*Did you mean {meant}[?]"):
            choose(given)


@pytest.mark.parametrize("given", ["yolo11n", "mine.tflite", "run/best", "C:\\nets\\model.ckpt"])
def test_what_is_neither_there_nor_near_is_said(given: str) -> None:
    with pytest.raises(WeightsError, match=r"BW201 .* does not exist.* `boxwright models`"):
        zoo.chosen(given)


@pytest.mark.parametrize(
    ("file", "given"),
    [
        ("mine.tflite", "mine.tflite"),
        ("a b/mine.tflite", "a b/mine.tflite"),
        ("ssd_mobilenet_v1_coco_quant.tflite", "ssd_mobilenet_v1_coco_quant.tflite"),
        ("net/model.ckpt-7.index", "net/model.ckpt-7"),
        ("net/model.ckpt-7.index", "net/model.ckpt-7.index"),
        ("net/model.ckpt-7.index", "net"),
        ("ssd_mobilenet_v1_coco/model.ckpt.index", "./ssd_mobilenet_v1_coco"),
    ],
)
def test_everything_that_is_there_is_a_path(
    file: str, given: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / file).parent.mkdir(exist_ok=True)
    (tmp_path / file).touch()
    monkeypatch.chdir(tmp_path)
    assert zoo.chosen(given) == Path(given)


@pytest.mark.parametrize(
    ("path", "title"),
    [
        ("cache/ssd_mobilenet_v2_coco_2018_03_29/model.ckpt", "ssd_mobilenet_v2_coco"),
        (
            "cache/coco_ssd_mobilenet_v1_1.0_quant_2018_06_29/detect.tflite",
            "ssd_mobilenet_v1_coco_quant",
        ),
        ("ssd_mobilenet_v2_coco_2018_03_29/model.ckpt-7", "model.ckpt-7"),
        ("training/model.ckpt", "model.ckpt"),
        ("detect.tflite", "detect.tflite"),
    ],
)
def test_weights_of_the_zoo_go_by_their_models_name(path: str, title: str) -> None:
    assert zoo.title(Path(path)) == title


# ---- Downloaded once ---------------------------------------------------------------------------


def test_weights_are_downloaded_once(server: Server, tflite: Published, cache: Path) -> None:
    received: list[int] = []
    path = zoo.fetch(tflite, lambda count, total: received.append(count))
    assert path == cache / "coco_quant" / "detect.tflite"
    assert path.read_bytes() == CONTENT
    assert received[-1] == len(server.content)
    assert zoo.fetch(tflite) == path
    assert len(server.ranges) == 1


def test_a_checkpoint_is_a_prefix_and_nothing_else_is_kept(
    checkpoint: Published, cache: Path
) -> None:
    prefix = zoo.fetch(checkpoint)
    assert prefix == cache / "net_2018" / "model.ckpt"
    assert {name: (prefix.parent / name).read_bytes() for name in FILES} == FILES
    assert files_in(cache) == {f"net_2018/{name}" for name in FILES} | {".net_2018.lock"}


def test_a_damaged_copy_is_fetched_again(tflite: Published) -> None:
    path = zoo.fetch(tflite)
    path.write_bytes(b"half of it")
    assert zoo.find(tflite) is None
    assert zoo.fetch(tflite).read_bytes() == CONTENT


def test_a_download_that_broke_off_is_gone_on_with(server: Server, checkpoint: Published) -> None:
    server.behaviors = [cut(50), status(404)]
    with pytest.raises(WeightsError, match="BW203"):
        zoo.fetch(checkpoint)
    assert zoo.find(checkpoint) is None
    zoo.fetch(checkpoint)
    assert server.ranges == [None, "bytes=50-", "bytes=50-"]


def test_ctrl_c_keeps_what_has_come(server: Server, checkpoint: Published) -> None:
    server.behaviors = [cut(50)]

    def press_ctrl_c(received: int, total: int | None) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        zoo.fetch(checkpoint, press_ctrl_c)
    zoo.fetch(checkpoint)
    assert server.ranges == [None, "bytes=50-"]


@pytest.mark.parametrize("known", [True, False], ids=["known checksum", "unknown checksum"])
def test_a_beginning_of_another_file_is_thrown_away(
    known: bool, server: Server, checkpoint: Published, cache: Path
) -> None:
    cache.mkdir()
    (cache / "net_2018.tar.gz.part").write_bytes(bytes(60))
    zoo.fetch(checkpoint if known else replace(checkpoint, sha256={}))
    assert server.ranges == ["bytes=60-", None]


def test_two_at_once_download_once(server: Server, checkpoint: Published) -> None:
    found: list[Path] = []
    threads = [
        threading.Thread(target=lambda: found.append(zoo.fetch(checkpoint))) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(found)) == 1
    assert len(found) == 4
    assert len(server.ranges) == 1


# ---- Something else ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "answer",
    [
        b"<html>Please log in</html>",
        zipped({"detect.tflite": b"something else"}),
        zipped({"../detect.tflite": CONTENT}),
        zipped({"labelmap.txt": b"cat"}),
        b"",
    ],
    ids=["a login page", "another file", "a name that leads out", "without it", "nothing"],
)
def test_anything_else_is_refused_and_not_kept(
    answer: bytes, server: Server, tflite: Published, cache: Path
) -> None:
    server.content = answer
    with pytest.raises(WeightsError, match="BW204") as failure:
        zoo.fetch(tflite)
    assert str(cache / "coco_quant.zip") in failure.value.remedy
    assert files_in(cache) == {".coco_quant.lock"}


def test_another_archive_than_the_published_one_is_refused(
    server: Server, checkpoint: Published, cache: Path
) -> None:
    server.content = tarred({f"net_2018/{name}": b"other" for name in FILES})
    with pytest.raises(WeightsError, match=r"BW204.*checksum mismatch"):
        zoo.fetch(checkpoint)
    assert files_in(cache) == {".net_2018.lock"}


def test_a_login_page_leaves_what_has_come(
    server: Server, checkpoint: Published, cache: Path
) -> None:
    server.behaviors = [
        cut(50),
        status(404),
        status(200, b"<html>", Content_Type="text/html"),
        ignore_range,
    ]
    for code in ("BW203", "BW204"):
        with pytest.raises(WeightsError, match=code):
            zoo.fetch(checkpoint)
        assert (cache / "net_2018.tar.gz.part").read_bytes() == ARCHIVE[:50]
    zoo.fetch(checkpoint)


# ---- Without a network -------------------------------------------------------------------------


@pytest.mark.parametrize("size", [76_541_073, None])
def test_without_a_network_it_says_which_file_to_put_where(
    size: int | None, server: Server, checkpoint: Published, cache: Path
) -> None:
    server.server_close()
    with pytest.raises(WeightsError) as failure:
        zoo.fetch(replace(checkpoint, size=size))
    text = str(failure.value)
    for part in ("BW203", checkpoint.urls[0], str(cache / "net_2018.tar.gz"), "--from-scratch"):
        assert part in text
    assert ("(76.5 MB)" in text) == (size is not None)


@pytest.mark.parametrize("kind", ["tflite", "checkpoint"])
def test_an_archive_put_there_by_hand_is_used(
    kind: str, server: Server, cache: Path, request: pytest.FixtureRequest
) -> None:
    published: Published = request.getfixturevalue(kind)
    cache.mkdir()
    (cache / published.downloads[0]).write_bytes(server.content)
    assert zoo.fetch(published) == zoo.find(published)
    assert (cache / published.downloads[0]).is_file()
    assert not server.ranges


@pytest.mark.parametrize("folder", ["net_2018", "net_2018/net_2018"])
def test_an_unpacked_folder_put_there_by_hand_is_used(
    folder: str, server: Server, checkpoint: Published, cache: Path
) -> None:
    (cache / folder).mkdir(parents=True)
    for name in checkpoint.files:
        (cache / folder / name).touch()
    assert zoo.fetch(checkpoint) == cache / folder / "model.ckpt"
    assert not server.ranges
    assert not (cache / ".net_2018.lock").exists()


def test_a_wrong_archive_put_there_by_hand_is_named(
    server: Server, checkpoint: Published, cache: Path
) -> None:
    cache.mkdir()
    placed = cache / "net_2018.tar.gz"
    placed.write_bytes(ARCHIVE[:-9])
    with pytest.raises(WeightsError, match=r"BW204.*net_2018\.tar\.gz") as failure:
        zoo.fetch(checkpoint)
    assert failure.value.where == str(placed)
    assert checkpoint.urls[0] in failure.value.remedy
    assert placed.is_file()
    assert not server.ranges


# ---- Models and families ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("model", "weights"),
    [
        ("auto", "nanodet_plus_m_320_coco"),
        ("nanodet_plus_m", "nanodet_plus_m_320_coco"),
        ("NanoDet_Plus_m_1.5x", "nanodet_plus_m_1.5x_416_coco_onnx"),
        ("ssd_mobilenet_v1", "ssd_mobilenet_v1_coco_quant"),
    ],
)
def test_a_model_has_its_usual_weights(model: str, weights: str) -> None:
    assert zoo.of_model(model).name == weights


def test_an_unknown_model_is_refused_with_all_names() -> None:
    with pytest.raises(WeightsError, match=r"BW201.*no model yolo, only auto, nanodet_plus_m, "):
        zoo.of_model("yolo")


@pytest.mark.parametrize(
    ("file", "family"),
    [
        ("net.tflite", "ssd"),
        ("net.onnx", "nanodet_plus"),
        ("net.param", "nanodet_plus"),
        ("net.bin", "nanodet_plus"),
        ("model.ckpt-7", "ssd"),
        ("notes.txt", "ssd"),
    ],
)
def test_a_file_says_its_family(file: str, family: str, tmp_path: Path) -> None:
    for name in ("net.tflite", "net.onnx", "net.param", "net.bin", "model.ckpt-7.index"):
        (tmp_path / name).touch()
    assert family_of_weights(tmp_path / file) == family
