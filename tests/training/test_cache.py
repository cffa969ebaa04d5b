"""The cache: photos decoded once, in order, upright; broken ones named and left out."""

from __future__ import annotations

import errno
import os
import tempfile
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
from PIL import Image

from boxwright.errors import DataError, TrainingError
from boxwright.structures.dataset import Dataset, LabeledImage, Split
from boxwright.training import cache as module
from boxwright.training.cache import Cache, build_cache
from boxwright.training.data import check_same
from boxwright.training.processes import Processes
from boxwright.training.resources import Storage

pytestmark = pytest.mark.tiny

SIZES = ((64, 48), (30, 90), (200, 100), (40, 40))  # width, height
GRAYS = (10, 90, 170, 250)


def gray(path: Path, size: tuple[int, int], level: int) -> None:
    Image.new("RGB", size, (level, level, level)).save(path)


@pytest.fixture
def four(tmp_path: Path) -> Dataset:
    """Four grey photos of different sizes, with 0, 1, 2 and 3 boxes."""
    images = []
    for i, (size, level) in enumerate(zip(SIZES, GRAYS, strict=True)):
        gray(tmp_path / f"{i}.png", size, level)
        boxes = [(4 * k, 2, 4 * k + 10 + k, 22) for k in range(i)]
        images.append(LabeledImage(f"{i}.png", *size, boxes, ["cat", "dog", "cat"][:i]))
    return Dataset.of(tmp_path, images)


def test_images_come_in_order_and_square(four: Dataset) -> None:
    cache = build_cache(four, side=32)
    assert cache.images.shape == (4, 32, 32, 3)
    assert cache.images.dtype == np.uint8
    np.testing.assert_array_equal(cache.images.mean(axis=(1, 2, 3)), GRAYS)
    np.testing.assert_array_equal(cache.rows, [0, 1, 2, 3])
    assert cache.dataset.names == four.names
    assert cache.findings == ()


def test_boxes_are_fractions_of_their_image(four: Dataset) -> None:
    cache = build_cache(four, side=32)
    np.testing.assert_allclose(cache.boxes[1, 0], [2 / 90, 0, 22 / 90, 10 / 30])
    np.testing.assert_allclose(cache.boxes[2, 1], [0.02, 0.02, 0.22, 15 / 200])
    np.testing.assert_array_equal(cache.labels, [[-1, -1, -1], [0, -1, -1], [0, 1, -1], [0, 1, 0]])
    assert not cache.boxes[cache.labels < 0].any()


def test_a_dataset_without_boxes_still_has_a_row_of_padding(four: Dataset) -> None:
    cache = build_cache(four.select([0]), side=8)
    np.testing.assert_array_equal(cache.labels, [[-1]])


def test_of_too_many_boxes_the_largest_are_kept(four: Dataset) -> None:
    cache = build_cache(four, side=8, max_boxes=2)
    widths = (cache.boxes[3, :, 3] - cache.boxes[3, :, 1]) * 40
    np.testing.assert_allclose(widths, [11, 12], rtol=1e-5)  # of 10, 11, 12
    np.testing.assert_array_equal(cache.labels[3], [1, 0])


def test_an_image_turned_by_its_exif_is_upright(tmp_path: Path) -> None:
    pixels = np.zeros((40, 60, 3), np.uint8)
    pixels[:, :30] = 255  # its left half is the top half once it is turned clockwise
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(pixels).save(tmp_path / "turned.jpg", exif=exif, quality=95)
    image = LabeledImage("turned.jpg", 40, 60, [(0, 0, 40, 30)], ["bright"])
    cache = build_cache(Dataset.of(tmp_path, [image]), side=20)
    top, bottom = cache.images[0, :9], cache.images[0, 11:]
    assert top.min() > 240
    assert bottom.max() < 15
    np.testing.assert_allclose(cache.boxes[0, 0], [0, 0, 0.5, 1])


def test_a_truncated_image_is_left_out_and_named(four: Dataset) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (100, 200, 3), np.uint8)
    whole = four.root / "whole.jpg"
    Image.fromarray(noise).save(whole)
    broken = LabeledImage("broken.jpg", 200, 100, [(1, 1, 9, 9)], ["cat"])
    (four.root / "broken.jpg").write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    dataset = Dataset.of(four.root, [broken]).merge(four)
    cache = build_cache(dataset, side=16)
    assert cache.dataset.names == four.names
    (finding,) = cache.findings
    assert (finding.code, finding.where) == ("BW102", "broken.jpg")
    assert finding.repair == "left out of training"
    images, _, labels = cache.batch(np.array([0, 3]))
    np.testing.assert_array_equal(images.mean(axis=(1, 2, 3)), [10, 250])
    np.testing.assert_array_equal(labels, [[-1, -1, -1], [0, 1, 0]])


def test_without_one_readable_image_there_is_nothing_to_do(tmp_path: Path) -> None:
    (tmp_path / "text.jpg").write_text("not a photo", encoding="utf-8")
    images = [
        LabeledImage(name, 8, 8, [(0, 0, 4, 4)], ["cat"]) for name in ("text.jpg", "absent.jpg")
    ]
    with pytest.raises(DataError) as caught:
        build_cache(Dataset.of(tmp_path, images), side=8)
    assert caught.value.code == "BW152"
    assert "none of the 2 images" in caught.value.message


def test_selecting_keeps_images_boxes_and_dataset_together(four: Dataset) -> None:
    cache = build_cache(four, side=8)
    chosen = cache.select(np.array([False, True, False, True])).select(np.array([False, True]))
    assert len(chosen) == 1
    assert chosen.dataset.names == ("3.png",)
    images, boxes, labels = chosen.batch(np.array([0, 0]))
    width, height = chosen.dataset.sizes[0].tolist()
    np.testing.assert_array_equal(chosen.sizes(np.array([0, 0])), [[height, width]] * 2)
    np.testing.assert_array_equal(images.mean(axis=(1, 2, 3)), [250, 250])
    np.testing.assert_array_equal(boxes[0], cache.boxes[3])
    np.testing.assert_array_equal(labels[1], [0, 1, 0])
    assert np.shares_memory(chosen.images, cache.images)


def test_a_large_cache_lives_in_a_file(four: Dataset) -> None:
    in_memory = build_cache(four, side=16)
    in_file = build_cache(four, side=16, in_memory=0)
    assert isinstance(in_file.images, np.memmap)
    assert not isinstance(in_memory.images, np.memmap)
    np.testing.assert_array_equal(in_file.images, in_memory.images)
    np.testing.assert_array_equal(
        in_file.batch(np.array([2]))[0], in_memory.batch(np.array([2]))[0]
    )


# ---- Room for some of them, and several processes ------------------------------------------------


def test_with_room_for_some_all_are_the_same(four: Dataset) -> None:
    complete = build_cache(four, side=16)
    for fitting in range(4):
        some = build_cache(four, side=16, storage=Storage(max_bytes=fitting * 16 * 16 * 3))
        for rows in ([0, 1, 2, 3], [3, 1, 1, 0]):
            for one, other in zip(
                complete.batch(np.array(rows)), some.batch(np.array(rows)), strict=True
            ):
                np.testing.assert_array_equal(one, other)


def test_the_file_is_in_the_folder_that_is_given(four: Dataset, tmp_path: Path) -> None:
    absent = Storage(tmp_path / "absent")
    with pytest.raises(TrainingError, match=r"BW311 .*absent: .*--cache-size"):
        build_cache(four, side=16, in_memory=0, storage=absent)
    assert len(build_cache(four, side=16, in_memory=0, storage=Storage(tmp_path))) == 4


def test_each_of_several_processes_decodes_its_part(four: Dataset) -> None:
    """And all know which images are broken, and the hashes of all."""
    (four.root / "2.png").write_bytes(b"broken")
    alone = build_cache(four, side=16, hashed=True)
    told: list[int] = []
    processes = [Thread(index, 3) for index in range(3)]

    def build(process: Processes) -> Cache:
        return build_cache(four, 16, told.append, processes=process, hashed=True)

    with ThreadPoolExecutor() as pool:
        caches = list(pool.map(build, processes))
    assert len(told) == 4
    assert alone.hashes is not None
    for process, cache in zip(processes, caches, strict=True):
        np.testing.assert_array_equal(cache.rows, [0, 1, 3])
        np.testing.assert_array_equal(cache.hashes, alone.hashes)
        np.testing.assert_array_equal(cache.batch(np.arange(3))[0], alone.batch(np.arange(3))[0])
        (finding,) = cache.findings
        said = "can be opened" if process.index == 2 else "another process"
        assert (finding.code, finding.where) == ("BW102", "2.png")
        assert said in finding.message


def test_other_images_in_another_process_are_one_error_in_each(four: Dataset) -> None:
    data = [four, four.select([0, 1, 2]), four]

    def check(process: Processes) -> str:
        with pytest.raises(TrainingError, match=r"BW317.*process 1 has other") as caught:
            check_same(data[process.index], process)
        return caught.value.message

    with ThreadPoolExecutor() as pool:
        said = list(pool.map(check, [Thread(index, 3) for index in range(3)]))
    assert len(set(said)) == 1


@dataclass(frozen=True)
class Thread(Processes):
    """A thread in place of a process."""

    barrier: ClassVar[threading.Barrier] = threading.Barrier(3)
    given: ClassVar[dict[int, Any]] = {}

    def gather(self, values: Any) -> Any:
        self.given[self.index] = values
        self.barrier.wait(10)
        everything = np.stack([self.given[index] for index in range(self.count)])
        self.barrier.wait(10)
        return everything


# ---- Faults --------------------------------------------------------------------------------------


def test_no_room_for_that_file_is_said(four: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    """At once, not by a signal when the first page without room is written."""
    monkeypatch.setattr(os, "posix_fallocate", refuse(errno.ENOSPC), raising=False)
    with pytest.raises(TrainingError, match="No space left") as caught:
        build_cache(four, side=16, in_memory=0)
    assert caught.value.code == "BW311"
    assert caught.value.where == tempfile.gettempdir()
    assert "TMPDIR" in caught.value.remedy


def test_a_folder_for_that_file_that_cannot_be_written_is_said(
    four: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(four.root / "absent"))
    with pytest.raises(TrainingError, match="No such file") as caught:
        build_cache(four, side=16, in_memory=0)
    assert (caught.value.code, caught.value.where) == ("BW311", str(four.root / "absent"))


@pytest.mark.parametrize("known", [True, False], ids=["asked of the system", "by what is free"])
def test_room_is_made_sure_before_it_is_needed(
    known: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not known:
        monkeypatch.delattr(os, "posix_fallocate", raising=False)
    with (tmp_path / "file").open("w+b") as file:
        module._reserve(file, 5000)
        assert (tmp_path / "file").stat().st_size == 5000
        with pytest.raises(OSError, match=r"space|large") as caught:
            module._reserve(file, 1 << 60)
        assert caught.value.errno in {errno.ENOSPC, errno.EFBIG}


def refuse(number: int) -> Callable[..., None]:
    def refused(*_: Any, **__: Any) -> None:
        raise OSError(number, os.strerror(number))

    return refused


def test_progress_is_told_after_every_image(four: Dataset) -> None:
    told: list[int] = []
    build_cache(four, 8, told.append)
    assert told == [1, 2, 3, 4]


def test_marks_stay_with_their_images(four: Dataset) -> None:
    four.splits[:] = [Split.TRAIN, Split.VAL, Split.TRAIN, Split.VAL]
    cache = build_cache(four, 8).select(np.array([False, True, True, True]))
    np.testing.assert_array_equal(cache.dataset.splits, [Split.VAL, Split.TRAIN, Split.VAL])
