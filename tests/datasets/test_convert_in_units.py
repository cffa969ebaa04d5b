"""A conversion in units: the same bytes as at once, here and on a cluster, and after a stop only
the rest."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from boxwright import formats
from boxwright.backend import framework
from boxwright.cli.main import app
from boxwright.datasets import convert as converting
from boxwright.datasets.convert import convert
from boxwright.errors import DataError, SystemFaultError
from boxwright.formats import writing
from boxwright.formats.tfrecord import writer
from boxwright.io import scratch
from boxwright.parallel import units
from boxwright.parallel.kept import NOTE
from fake_ray import FakeRay
from folders import VocFolder

pytestmark = pytest.mark.tiny

IMAGES = 9


@pytest.fixture
def images(voc_folder: VocFolder, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Images of different bytes, in units of two, which are kept after a stop."""
    for i in range(IMAGES):
        voc_folder.pair(f"{i}", [("cat", 4, 6, 30, 40), ("dog", 1.5, 2, 9 + i, 9)])
    monkeypatch.setattr(units, "SIZE", 2)
    monkeypatch.setattr(converting, "LARGE", 0)
    monkeypatch.setattr(writer, "SHARD", 2000)
    return voc_folder.root


def content(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


@pytest.mark.parametrize("to", formats.FORMATS)
def test_units_give_the_same_bytes(
    to: str, images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    convert(images, tmp_path / "in units" / "out", to)
    ray = FakeRay()
    monkeypatch.setattr(framework, "ray", lambda: ray)
    convert(images, tmp_path / "cluster" / "out", to, on="ray")
    monkeypatch.setattr(units, "SIZE", 1000)
    convert(images, tmp_path / "at once" / "out", to)
    expected = content(tmp_path / "at once")
    assert len(expected) > 2
    assert content(tmp_path / "in units") == expected
    assert content(tmp_path / "cluster") == expected
    assert len([each for each in ray.asked if each["num_cpus"]]) > 3


@pytest.mark.parametrize(
    ("to", "module", "name"), [("coco", writing, "_bring"), ("tfrecord", writer, "write_files")]
)
def test_after_a_stop_only_the_rest_is_written(
    to: str,
    module: object,
    name: str,
    images: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    convert(images, tmp_path / "whole", to)
    out = tmp_path / "units"

    def stop(done: int, total: int) -> None:
        if done >= 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt) as stopped:
        convert(images, out, to, progress=stop)
    assert stopped.value.__notes__ == [NOTE]
    assert not out.exists()
    (left,) = tmp_path.glob(f"{scratch.SCRATCH}*")
    assert left.name.startswith(scratch.RESUMED)
    calls = counted(module, name, monkeypatch)
    convert(images, out, to)
    assert 0 < len(calls) < IMAGES
    assert content(out) == content(tmp_path / "whole")
    assert not list(tmp_path.glob(f"{scratch.SCRATCH}*"))


def counted(module: object, name: str, monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """The calls of a function."""
    usual: Callable[..., object] = getattr(module, name)
    calls: list[object] = []

    def count(*arguments: object, **options: object) -> object:
        calls.append(arguments)
        return usual(*arguments, **options)

    monkeypatch.setattr(module, name, count)
    return calls


def test_an_image_that_changes_meanwhile_is_copied_again(images: Path, tmp_path: Path) -> None:
    def stop(done: int, total: int) -> None:
        if done == 8:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        convert(images, tmp_path / "out", "coco", progress=stop)
    changed = images / "0.jpg"
    changed.write_bytes(changed.read_bytes() + b"more")
    convert(images, tmp_path / "out", "coco")
    assert changed.read_bytes() in content(tmp_path / "out").values()


def test_after_an_error_nothing_is_left(
    images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(converting, "_difference", lambda *_: "it is another one")
    with pytest.raises(DataError, match="BW145"):
        convert(images, tmp_path / "out", "coco")
    assert [path.name for path in tmp_path.iterdir()] == ["data"]


def test_two_that_do_the_same_do_not_meet(images: Path, tmp_path: Path) -> None:
    inside: list[Path] = []

    def progress(done: int, total: int) -> None:
        if not inside:
            inside.extend(tmp_path.glob(f"{scratch.RESUMED}*"))
            convert(images, tmp_path / "out", "coco")

    with pytest.raises(DataError, match="BW194"):
        convert(images, tmp_path / "out", "coco", progress=progress)
    assert len(inside) == 1
    assert len(formats.read(tmp_path / "out")) == len(formats.read(tmp_path / "out-2")) == IMAGES


def test_the_command_works_on_a_cluster(
    images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ray = FakeRay(failures=[RuntimeError("The machine has gone.")])
    monkeypatch.setattr(framework, "ray", lambda: ray)
    words = ["convert", str(images), str(tmp_path / "out"), "--to", "tfrecord", "--on", "ray"]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0
    assert "begun again" in done.stderr
    assert len(formats.read(tmp_path / "out")) == IMAGES


def test_a_machine_that_does_not_see_the_new_folder_is_an_error(
    images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ray = FakeRay()

    def seen(paths: list[Path]) -> tuple[str, list[int | None]]:
        from boxwright.parallel.cluster import seen

        version, sizes = seen(paths)
        return version, [
            None if path.is_dir() else size for path, size in zip(paths, sizes, strict=True)
        ]

    ray.seen["1"] = seen
    monkeypatch.setattr(framework, "ray", lambda: ray)
    with pytest.raises(SystemFaultError, match="BW906"):
        convert(images, tmp_path / "out", "coco", on="ray")
    assert [path.name for path in tmp_path.iterdir()] == ["data"]
