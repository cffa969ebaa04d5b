"""`boxwright models`: what it lists, what it fetches, and how a download is shown."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from rich.console import Console
from typer.testing import CliRunner, Result

from boxwright import downloads
from boxwright.bench import untrained
from boxwright.bench.limits import Cost
from boxwright.cli.main import app
from boxwright.errors import WeightsError
from boxwright.models.weights import zoo
from boxwright.models.weights.published import CHOICES, MODELS, Published

pytestmark = pytest.mark.tiny

FIRST = "ssd_mobilenet_v1_coco"


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["models", *arguments])


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("BOXWRIGHT_CACHE", str(tmp_path / "cache [1]"))
    monkeypatch.setenv("COLUMNS", "80")
    return tmp_path / "cache [1]"


def put(cache: Path, published: Published) -> Path:
    """The model as if it had been fetched."""
    folder = cache / published.folder
    folder.mkdir(parents=True, exist_ok=True)
    for name in published.files:
        (folder / name).touch()
    return folder / published.weights


@pytest.fixture
def fetching(monkeypatch: pytest.MonkeyPatch, cache: Path) -> list[str]:
    """Stands in for the network; the names that were fetched."""
    names: list[str] = []

    def fetch(published: Published, progress: object) -> Path:
        names.append(published.name)
        return put(cache, published)

    monkeypatch.setattr(zoo, "fetch", fetch)
    return names


def test_every_model_has_a_line() -> None:
    lines = run().stdout.splitlines()
    assert lines[0].split() == ["model", "M", "AP", "ms", "here", "good", "for"]
    rows = {line.split()[0]: line.split()[1:3] for line in lines[1 : len(CHOICES) + 1]}
    assert rows.keys() == {each.name for each in CHOICES}
    assert rows["nanodet_plus_m"] == ["1.2", "0.30"]
    assert {each.model for each in MODELS} == rows.keys()


def test_models_that_are_here_are_timed_once(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def cost_of(weights: Published, size: int, threads: int) -> Cost:
        asked.append(weights.name)
        return Cost(12.34, 4.6)

    monkeypatch.setattr(untrained, "cost_of", cost_of)
    assert "No weights are here yet" in run("--measure").stderr
    put(cache, zoo.named(FIRST))
    for options in (["--measure"], ["--measure"], []):
        rows = {line.split()[0]: line.split() for line in run(*options).stdout.splitlines()[1:6]}
        assert rows["ssd_mobilenet_v1"][3] == "12.3"
        assert rows["nanodet_plus_m"][3] == "-"
    assert asked == [FIRST]


def test_all_weights_have_a_line_of_facts() -> None:
    lines = run().stdout.splitlines()[len(CHOICES) + 2 :]
    assert lines[0].split() == ["weights", "AP", "ms", "MB", "license", "checked"]
    rows = {line.split()[0]: line.split()[1:] for line in lines[1 : len(MODELS) + 1]}
    assert rows.keys() == {published.name for published in MODELS}
    assert rows[FIRST] == ["0.21", "30", "77", "Apache-2.0", "yes"]
    assert rows["ssd_mobilenet_v1_0.75_depth_coco"] == ["0.18", "26", "-", "Apache-2.0", "no"]


def test_the_page_on_weights_shows_the_same_table() -> None:
    page = Path(__file__).resolve().parents[2] / "docs" / "reference" / "weights.md"
    text = page.read_text(encoding="utf-8")
    for line in run().stdout.splitlines()[: len(CHOICES) + len(MODELS) + 3]:
        assert f"\n{line.rstrip()}\n" in text


def test_it_says_what_is_here_and_what_to_do_next(cache: Path) -> None:
    here = put(cache, zoo.named(FIRST))
    result = run()
    assert f"{FIRST} is here: {here}" in result.stdout
    assert result.stdout.count(" is here: ") == 1
    assert "boxwright train IMAGES --weights ssd_mobilenet_v2_coco" in result.stderr
    assert "boxwright models --fetch ssd_mobilenet_v2_coco" in result.stderr


def test_json_is_the_same(cache: Path) -> None:
    here = put(cache, zoo.named(FIRST))
    listed = {each["name"]: each for each in json.loads(run("--json").stdout)}
    assert listed.keys() == {published.name for published in MODELS}
    assert listed[FIRST] == {
        "name": FIRST,
        "model": "ssd_mobilenet_v1",
        "urls": list(zoo.named(FIRST).urls),
        "coco_ap": 0.21,
        "speed_ms": 30,
        "bytes": 76_541_073,
        "license": "Apache-2.0",
        "checksum_known": True,
        "path": str(here),
        "put_downloads_at": [str(cache / "ssd_mobilenet_v1_coco_2018_01_28.tar.gz")],
    }
    assert listed["ssd_mobilenet_v2_coco"]["path"] is None


def test_a_model_is_fetched_ahead(fetching: list[str], cache: Path) -> None:
    result = run("--fetch", FIRST.upper())
    assert fetching == [FIRST]
    assert f"{FIRST} is here: {cache / zoo.named(FIRST).folder / 'model.ckpt'}" in result.stdout
    assert f"boxwright train IMAGES --weights {FIRST}" in result.stderr
    (described,) = json.loads(run("--fetch", FIRST, "--json").stdout)
    assert described["path"]


@pytest.mark.parametrize("name", ["ssd_mobilnet_v1_coco", "yolo11n"])
def test_a_name_that_is_none_is_an_error(name: str, fetching: list[str]) -> None:
    result = run("--fetch", name)
    assert result.exit_code == 1
    assert "BW201" in result.stderr
    assert not fetching


def test_a_failure_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    def offline(*_: object) -> Path:
        raise WeightsError("BW203", "cannot be downloaded.")

    monkeypatch.setattr(zoo, "fetch", offline)
    result = run("--fetch", FIRST)
    assert (result.exit_code, result.stdout) == (1, "")
    assert "BW203" in result.stderr


@pytest.mark.parametrize("terminal", [True, False])
def test_a_download_is_said_once_and_moves_in_a_terminal(
    terminal: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = io.StringIO()

    def messages() -> Console:
        how = {"width": 100, "highlight": False, "soft_wrap": True}
        return Console(file=written, force_terminal=terminal, **how)

    monkeypatch.setattr(downloads, "messages", messages)
    with downloads.downloading("net [1]", "https://a.org/net.zip") as progress:
        assert "net" not in written.getvalue()
        progress(1_000_000, 4_000_000)
        progress(3_000_000, 4_000_000)
    assert written.getvalue().count("Downloading net [1] from https://a.org/net.zip") == 1
    assert ("3.0/4.0 MB" in written.getvalue()) == terminal
