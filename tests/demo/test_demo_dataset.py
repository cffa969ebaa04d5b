"""The demo's data set is one that the real reader reads."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from boxwright.demo.dataset import write_dataset
from boxwright.formats import read


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("demo") / "data"
    write_dataset(folder, train=5, test=3, seed=1)
    return folder


def test_it_is_laid_out_as_vott_exports_pascal_voc(written: Path) -> None:
    assert len(list((written / "JPEGImages").glob("*.jpg"))) == 8
    assert len(list((written / "Annotations").glob("*.xml"))) == 8
    assert (written / "ImageSets" / "Main").is_dir()
    assert (written / "pascal_label_map.pbtxt").is_file()


def test_it_reads_back_as_it_was_drawn(written: Path, tmp_path: Path) -> None:
    again = write_dataset(tmp_path / "again", train=5, test=3, seed=1)
    read_back = read(written)
    assert read_back.findings == ()
    assert read_back.classes == ("helmet",)
    assert [len(read_back.split(split)) for split in ("train", "val", "test")] == [5, 0, 3]
    assert read_back.fingerprint() == again.fingerprint()


def test_a_seed_gives_the_same_files(written: Path, tmp_path: Path) -> None:
    write_dataset(tmp_path / "again", train=5, test=3, seed=1)
    write_dataset(tmp_path / "other", train=5, test=3, seed=2)
    images = [sorted((folder / "JPEGImages").iterdir()) for folder in (written, tmp_path / "again")]
    assert [p.read_bytes() for p in images[0]] == [p.read_bytes() for p in images[1]]
    other = read(tmp_path / "other")
    assert not np.array_equal(other.boxes, read(written).boxes)
