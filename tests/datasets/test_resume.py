"""An interrupted check continues: measurements are kept, unless their image has changed."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from boxwright import formats
from boxwright.cli.main import app
from boxwright.datasets.check import CheckReport, run_checks
from boxwright.datasets.checks import measure, resume
from boxwright.images.options import DecodeOptions
from boxwright.io.cache import cache_folder

IMAGES = 600  # more than two blocks


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of labeled images, with a cache of its own in which even small checks are kept."""
    monkeypatch.setenv("BOXWRIGHT_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(resume, "LARGE", 0)
    images = tmp_path / "images"
    images.mkdir()
    colors = np.random.default_rng(0).integers(0, 256, (IMAGES, 12, 12, 3), np.uint8)
    for i, pixels in enumerate(colors):
        Image.fromarray(pixels).save(images / f"{i:03}.png")
        (images / f"{i:03}.txt").write_text("0 .5 .5 .5 .5\n", encoding="utf-8")
    (images / "classes.txt").write_text("thing\n", encoding="utf-8")
    return images


def interrupted(folder: Path, after: int) -> None:
    """Check a folder until so many images are done, then press Ctrl-C."""

    def progress(done: int, total: int) -> None:
        if done == after:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt) as stop:
        run_checks(folder, progress=progress)
    assert "the same command continues" in stop.value.__notes__[0]


def databases() -> list[Path]:
    return sorted((cache_folder() / "checks").glob("*.sqlite"))


def measured_anew(folder: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[set[str], CheckReport]:
    """The images that a check measures, and its report."""
    seen: set[str] = set()
    usual = measure.summarize

    def watched(image: Path, options: DecodeOptions) -> measure.Measurement:
        seen.add(image.name)
        return usual(image, options)

    monkeypatch.setattr(measure, "summarize", watched)
    report = run_checks(folder)
    monkeypatch.setattr(measure, "summarize", usual)
    return seen, report


def test_a_check_continues_where_it_stopped(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fresh = run_checks(folder)
    assert not databases()
    interrupted(folder, 300)
    os.utime(folder / "007.png", (1, 1))
    seen, report = measured_anew(folder, monkeypatch)
    assert {"007.png", "599.png"} <= seen
    assert not seen & {"000.png", "100.png", "299.png"}
    assert report.findings == fresh.findings
    assert not databases()


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda path: path.write_bytes(b"no database" * 1000), id="other content"),
        pytest.param(lambda path: path.write_bytes(path.read_bytes()[:5000]), id="cut off"),
        pytest.param(lambda path: path.write_bytes(b""), id="empty"),
        pytest.param(lambda path: (path.unlink(), path.mkdir()), id="a folder"),
    ],
)
def test_a_damaged_database_is_left_out(
    folder: Path, damage: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    interrupted(folder, 300)
    (path,) = databases()
    damage(path)  # type: ignore[operator]
    seen, report = measured_anew(folder, monkeypatch)
    assert len(report.dataset) == IMAGES
    assert len(seen) == IMAGES


def test_old_databases_are_removed(folder: Path) -> None:
    interrupted(folder, 300)
    (path,) = databases()
    old = path.with_name("another.sqlite")
    old.write_bytes(b"")
    os.utime(old, (1, 1))
    interrupted(folder, 300)
    assert databases() == [path]


def test_a_cache_that_cannot_be_written_is_no_error(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_bytes(b"")
    monkeypatch.setenv("BOXWRIGHT_CACHE", str(tmp_path / "file"))
    assert len(run_checks(folder).dataset) == IMAGES


def test_the_command_says_so(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("boxwright.datasets.check.leave_out_unused", stop)
    result = CliRunner().invoke(app, ["check", str(folder)])
    assert result.exit_code == 130
    assert "Stopped. What was measured is kept for a week" in result.output


def test_small_datasets_keep_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resume, "LARGE", IMAGES + 1)
    with pytest.raises(KeyboardInterrupt) as stop, resume.kept_for(formats.read(folder)):
        raise KeyboardInterrupt
    assert not getattr(stop.value, "__notes__", [])
    assert not databases()


def test_an_image_that_changes_while_it_is_measured_is_measured_again(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual = measure.summarize

    def overtaken(image: Path, options: DecodeOptions) -> measure.Measurement:
        measured = usual(image, options)
        if image.name == "007.png":
            os.utime(image, (1, 1))
        return measured

    monkeypatch.setattr(measure, "summarize", overtaken)
    interrupted(folder, 300)
    monkeypatch.setattr(measure, "summarize", usual)
    assert "007.png" in measured_anew(folder, monkeypatch)[0]
