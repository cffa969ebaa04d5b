"""An interrupted check continues: measurements are kept, unless an image of their unit changed."""

from __future__ import annotations

import functools
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from boxwright.cli.main import app
from boxwright.datasets.check import CheckReport, run_checks
from boxwright.datasets.checks import measure
from boxwright.images.options import DecodeOptions
from boxwright.io.cache import cache_folder
from boxwright.parallel import kept, units

IMAGES = 60


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of labeled images, with a cache of its own in which even small checks are kept."""
    monkeypatch.setenv("BOXWRIGHT_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(kept, "LARGE", 0)
    monkeypatch.setattr(units, "SIZE", 10)
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


def results() -> list[Path]:
    return sorted(path for path in (cache_folder() / "units").rglob("*") if path.is_file())


def measured_anew(folder: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[set[str], CheckReport]:
    """The images that a check measures, and its report."""
    seen: set[str] = set()
    usual = measure.summarize

    @functools.wraps(usual)
    def watched(image: Path, options: DecodeOptions) -> measure.Measurement:
        seen.add(image.name)
        return usual(image, options)

    monkeypatch.setattr(measure, "summarize", watched)
    report = run_checks(folder)
    monkeypatch.setattr(measure, "summarize", usual)
    return seen, report


def test_a_check_continues_where_it_stopped(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fresh = run_checks(folder)
    assert not results()
    interrupted(folder, 35)
    assert len(results()) == 3
    os.utime(folder / "007.png", (1, 1))
    seen, report = measured_anew(folder, monkeypatch)
    assert seen == {f"{i:03}.png" for i in (*range(10), *range(30, 60))}
    assert report.findings == fresh.findings
    assert not results()


def test_the_command_says_so(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("boxwright.datasets.check.leave_out_unused", stop)
    result = CliRunner().invoke(app, ["check", str(folder)])
    assert result.exit_code == 130
    assert "Stopped. What was done is kept for a week" in result.output
    assert len(results()) == 6


def test_an_image_that_changes_while_it_is_measured_is_measured_again(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual = measure.summarize

    @functools.wraps(usual)
    def overtaken(image: Path, options: DecodeOptions) -> measure.Measurement:
        measured = usual(image, options)
        if image.name == "007.png":
            os.utime(image, (1, 1))
        return measured

    monkeypatch.setattr(measure, "summarize", overtaken)
    interrupted(folder, 30)
    monkeypatch.setattr(measure, "summarize", usual)
    seen = measured_anew(folder, monkeypatch)[0]
    assert "007.png" in seen
    assert "017.png" not in seen
