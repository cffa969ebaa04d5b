"""Images are measured while labels are read, and the check then says the same."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from boxwright import formats
from boxwright.datasets.check import run_checks
from boxwright.datasets.checks import ahead, measure
from boxwright.formats.folder import Folder
from boxwright.images.files import version
from boxwright.images.options import DecodeOptions
from boxwright.parallel.choice import here
from boxwright.parallel.processes import Told
from boxwright.parallel.units import Crew

OPTIONS = DecodeOptions()
IMAGES, BROKEN, LARGE = 9, "003.png", "005.png"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with images in two folders, of which one is broken and one larger than most."""
    images = tmp_path / "photos of mine"
    random = np.random.default_rng(0)
    for i in range(IMAGES):
        path = images / ("more" if i % 2 else "") / f"{i:03}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        side = 40 if path.name == LARGE else 24
        Image.fromarray(random.integers(0, 256, (side, side, 3), np.uint8)).save(path)
        path.with_suffix(".txt").write_text("0 .5 .5 .5 .5\n", encoding="utf-8")
        if path.name == BROKEN:
            path.write_bytes(path.read_bytes()[:-300])
    (images / "classes.txt").write_text("thing\n", encoding="utf-8")
    monkeypatch.setattr(measure, "SMALL", 30 * 30)
    monkeypatch.setattr(ahead, "SMALL", 30 * 30)
    monkeypatch.setattr(ahead, "LARGE", 0)
    return images


def everything(folder: Path) -> measure.Known:
    return ahead.measure_some(lambda: False, folder, 0, 1, OPTIONS)


def test_small_images_that_can_be_decoded_are_measured(folder: Path) -> None:
    paths = [folder / path for path in Folder.scan(folder).image_paths()]
    usual = [path for path in paths if path.name not in (BROKEN, LARGE)]
    known = everything(folder)
    assert list(known) == [version(path) for path in usual]
    for path in usual:
        expected = measure.summarize(path, OPTIONS)
        assert known[version(path)].summary == expected.summary
        assert np.array_equal(known[version(path)].hash, expected.hash)


def test_every_child_measures_other_images(folder: Path) -> None:
    shares = [ahead.measure_some(lambda: False, folder, i, 3, OPTIONS) for i in range(3)]
    assert sum(map(len, shares)) == IMAGES - 2
    assert {name for share in shares for name in share} == set(everything(folder))


def test_a_child_ends_when_told_or_with_enough_in_memory(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert ahead.measure_some(lambda: True, folder, 0, 1, OPTIONS) == {}
    monkeypatch.setattr(ahead, "MAX_AHEAD", 4)
    assert len(ahead.measure_some(lambda: False, folder, 0, 1, OPTIONS)) == 4
    assert len(ahead.measure_some(lambda: False, folder, 0, 2, OPTIONS)) == 2


def test_what_is_known_is_not_measured_again_unless_the_file_has_changed(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = everything(folder)
    changed = folder / "000.png"
    Image.new("RGB", (20, 20)).save(changed)
    dataset = formats.read(folder, tolerant=True)
    usual = measure.summarize_all(dataset, Crew(here()))
    anew: list[str] = []
    summarize = measure.summarize

    def noted(image: Path, options: DecodeOptions) -> measure.Measurement:
        anew.append(image.name)
        return summarize(image, options)

    monkeypatch.setattr(measure, "summarize", noted)
    seen = measure.summarize_all(dataset, Crew(here()), known)
    assert sorted(anew) == sorted([changed.name, BROKEN, LARGE])
    assert seen.summaries == usual.summaries
    assert np.array_equal(seen.hashes, usual.hashes)
    assert seen.dataset.findings == usual.dataset.findings


def test_a_check_that_measures_ahead_says_the_same(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the children have done when the labels are read."""
    with monkeypatch.context() as usual:
        usual.setattr(ahead, "LARGE", IMAGES + 1)
        expected = run_checks(folder)
    monkeypatch.setattr("os.cpu_count", lambda: 3)
    report = run_checks(folder)
    assert report.findings == expected.findings
    assert report.stats == expected.stats
    assert {one.code for one in report.findings} >= {"BW102"}


def test_children_measure_while_the_block_runs(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: 3)
    monkeypatch.setattr(ahead, "measure_some", two_of_them)
    with ahead.measuring(Folder.scan(folder), OPTIONS) as measured:
        assert set(measured()) == {"0 of 2", "1 of 2"}
    with ahead.measuring(None, OPTIONS) as measured:
        assert measured() == {}


def two_of_them(
    told: Told, root: Path, first: int, step: int, options: DecodeOptions
) -> measure.Known:
    nothing = measure.Measurement(None, np.zeros(0, np.uint8))
    return {f"{first} of {step}": nothing}
