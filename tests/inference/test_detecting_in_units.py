"""Detecting in units: what a cluster, here a Ray that does everything in this process, finds is
what is found here, and is kept until the command ends. `make test-ray` has a real cluster."""

from __future__ import annotations

import json
import os
import sys
from collections import Counter
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

import boxwright
from boxwright.backend import framework
from boxwright.cli.main import app
from boxwright.errors import BoxwrightError, DataError
from boxwright.evaluation.measuring import Options, measure
from boxwright.evaluation.threshold import Aim
from boxwright.images.preprocessing import Preprocessing
from boxwright.inference import units as detecting
from boxwright.inference.artifact import Artifact
from boxwright.inference.detector import Detector, Origin
from boxwright.inference.tiling import Tiling
from boxwright.outputs.predicting import write_predictions
from boxwright.parallel import kept, units
from boxwright.parallel.choice import executor, here
from boxwright.parallel.units import Executor
from boxwright.sources.opening import sources
from boxwright.structures.dataset import Dataset, LabeledImage, Split
from fake_ray import FakeRay
from filming import film

pytestmark = pytest.mark.tiny

COUNT = 5  # images, in units of 2
BROKEN = 3
SIZE = (90, 60)


class Bright:
    """An engine that finds something in each image, whose score and place are its brightness."""

    def __init__(self) -> None:
        self.seen: Counter[int] = Counter()

    def __call__(self, inputs: np.ndarray) -> list[Any]:
        levels = [pixels.mean() / 255 for pixels in inputs]
        self.seen.update(round(255 * level) for level in levels)
        return [
            (
                np.array([[0, 0, level, 1], [0.25, level / 2, 1, 1]], np.float32),
                np.array([level, level / 2]),
                np.array([0, 1]),
            )
            for level in levels
        ]


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a detector's file and labeled images, of which one may be broken later."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BOXWRIGHT_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(units, "SIZE", 2)
    Path("detector").write_bytes(b"of a kind that no runtime knows")
    Path("images").mkdir()
    for i in range(COUNT):
        pixels = np.full((*SIZE[::-1], 3), gray(i), np.uint8)
        pixels[::7] += 8
        Image.fromarray(pixels).save(f"images/{i}.jpg")
    return tmp_path


def gray(index: int) -> int:
    return 60 + 40 * index


@pytest.fixture
def detector(place: Path, monkeypatch: pytest.MonkeyPatch) -> Detector:
    """A detector whose file other machines load."""
    path = place / "detector"
    one = Detector(
        Bright(),
        Artifact({}, ("light", "shade"), Preprocessing(32), threshold=0.2),
        origin=Origin(path, None, False, False),
    )
    loads.clear()

    def load(path: Path, **options: object) -> Detector:
        loads.append(options)
        return Detector(Bright(), one.artifact, origin=one.origin)

    monkeypatch.setattr(Detector, "load", load)
    detecting._loaded.cache_clear()
    return one


loads: list[dict[str, Any]] = []


@pytest.fixture
def ray(monkeypatch: pytest.MonkeyPatch) -> FakeRay:
    fake = FakeRay()
    monkeypatch.setattr(framework, "ray", lambda: fake)
    return fake


def dataset(count: int = COUNT) -> Dataset:
    images = [
        LabeledImage(f"{i}.jpg", *SIZE, [(5, 5, 80, 50)], ["light"], split=split)
        for i, split in zip(range(count), [Split.VAL, *[Split.TEST] * count], strict=False)
    ]
    return Dataset.of(Path("images"), images, ["light", "shade"])


def broken(index: int = BROKEN) -> None:
    Path(f"images/{index}.jpg").write_bytes(b"\xff\xd8 no image")


def content(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


@pytest.mark.parametrize(
    ("to", "tiling"),
    [
        (None, None),
        (["json"], None),
        (["crops", "jsonl", "coco"], None),
        (["drawn", "yolo-labels", "csv"], Tiling(50, 50)),
    ],
    ids=str,
)
def test_the_outputs_are_those_of_this_machine(
    to: list[str] | None, tiling: Tiling | None, detector: Detector, ray: FakeRay
) -> None:
    broken()
    noise = np.random.default_rng(0).integers(0, 256, (200, 1700, 3), np.uint8)
    Image.fromarray(noise).save("images/large.jpg")  # a picture of it needs more of its pixels
    own = replace(detector, tiling=tiling)
    full = bool(to and "crops" in to)
    told: list[tuple[int, int]] = []
    with executor("ray") as on:
        for out, where in (("here", here()), ("there", on)):
            done = write_predictions(
                own,
                sources("images"),
                out,
                to,
                full_size=full,
                executor=where,
                progress=lambda *counts: told.append(counts),
            )
            assert (done.images, len(done.content["failed"])) == (COUNT, 1)
            assert done.boxes >= COUNT
    assert content(Path("there")) == content(Path("here"))
    assert loads == [{"classes": None, "threads": 1, "unnamed": False, "trust": False}]
    assert told[-3:] == [(2, 6), (4, 6), (6, 6)]


def numbers(detector: Detector, on: Executor | None = None, count: int = COUNT) -> Any:
    options = Options(Aim.parse("f1"))
    return measure(detector, dataset(count), "test", options, executor=on).to_json()


def test_an_evaluation_is_that_of_this_machine(detector: Detector, ray: FakeRay) -> None:
    expected = numbers(detector)
    with executor("ray") as on:
        assert numbers(detector, on) == expected
    assert json.dumps(expected).count("0.")
    assert len(loads) == 1


def test_a_stream_is_that_of_this_machine(detector: Detector, ray: FakeRay) -> None:
    expected = [(each.name, found.to_json()) for each, found in detector.stream("images")]
    found = boxwright.predict("images", detector, stream=True, on="ray")
    assert [(each.name, found.to_json()) for each, found in found] == expected
    assert len(expected) == COUNT
    assert not ray.initialized
    broken()
    with pytest.raises(DataError) as error:
        list(detector.stream("images", on="ray"))
    assert (error.value.code, error.value.where) == ("BW102", "images/3.jpg")


def test_a_detector_that_a_machine_does_not_see_is_an_error_at_the_start(
    detector: Detector, ray: FakeRay
) -> None:
    ray.seen["1"] = lambda paths: (boxwright.__version__, [*map(os.path.getsize, paths[:2]), None])
    with executor("ray") as on, pytest.raises(BoxwrightError) as error:
        write_predictions(detector, sources("images"), "out", executor=on)
    assert error.value.code == "BW906"
    assert error.value.message == f"does not see {Path('detector').absolute()}."
    assert not [each for each in ray.asked if each["num_cpus"]], "nothing was begun"


def without_file(detector: Detector) -> None:
    numbers(replace(detector, origin=None), Executor(here().results, elsewhere=True))


def of_a_video(detector: Detector) -> None:
    list(detector.stream(["images", str(film(Path("a.mp4")))], on="ray"))


def of_standard_input(detector: Detector) -> None:
    list(detector.stream("-", on="ray"))


def of_one_image(detector: Detector) -> None:
    boxwright.predict("images/0.jpg", detector, on="ray")  # type: ignore[call-overload]


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (without_file, "a cluster loads the detector from its file"),
        (of_a_video, "a.mp4 is a video or stream"),
        (of_standard_input, "stdin is an image from standard input"),
        (of_one_image, "add stream=True"),
    ],
)
def test_what_is_nothing_for_a_cluster_is_refused(
    call: Any, said: str, detector: Detector, ray: FakeRay, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = SimpleNamespace(buffer=BytesIO(Path("images/0.jpg").read_bytes()))
    monkeypatch.setattr(sys, "stdin", image)
    with pytest.raises(BoxwrightError, match=rf"BW802.*{said}"):
        call(detector)
    assert not ray.asked


def test_a_unit_that_is_lost_is_left_out(detector: Detector, ray: FakeRay) -> None:
    ray.cores = (1,)
    failures = [RuntimeError("out of memory")] * 4
    with executor("ray") as on:
        ray.failures = failures.copy()
        with pytest.raises(BoxwrightError, match="out of memory"):
            write_predictions(detector, sources("images"), "out", executor=on)
    with executor("ray", keep_going=True) as on:
        ray.failures = failures.copy()
        done = write_predictions(detector, sources("images"), "out", executor=on)
        assert done.images == COUNT - 2
        assert done.content["failed"] == [
            {"image": f"images/{i}.jpg", "code": "BW906", "message": "out of memory."}
            for i in (2, 3)
        ]
        assert [each.lost for each in on.troubles] == [False, False, False, True]


def test_images_that_cannot_be_read_are_left_out_of_an_evaluation_if_it_keeps_going(
    detector: Detector,
) -> None:
    broken(COUNT - 1)
    with pytest.raises(DataError, match="BW102"):
        numbers(detector)
    on = Executor(here().results, keep_going=True)
    assert numbers(detector, on) == numbers(detector, count=COUNT - 1)
    (trouble,) = on.troubles
    assert (trouble.images, trouble.error.code, trouble.lost) == ("images/4.jpg", "BW102", True)
    for i in range(1, COUNT):
        broken(i)
    with pytest.raises(DataError, match="BW102"):
        numbers(detector, on)


def test_what_was_found_is_kept_until_all_is_written(
    detector: Detector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept, "LARGE", 0)

    def interrupting(done: int, total: int) -> None:
        if done == COUNT:
            raise KeyboardInterrupt

    def write(out: str, to: list[str], **options: Any) -> set[int]:
        engine = Bright()
        write_predictions(replace(detector, engine=engine), sources("images"), out, to, **options)
        return {round((level - 60) / 40) for level in engine.seen}

    with pytest.raises(KeyboardInterrupt) as stop:
        write("out", ["json", "jsonl"], progress=interrupting)
    assert stop.value.__notes__ == ["4 images done.", kept.NOTE]
    assert write("other", ["json", "jsonl"]) == set(range(COUNT)), "another command does all"
    os.utime("images/0.jpg", (1, 1))
    assert write("out", ["json", "jsonl"]) == {0, 1, COUNT - 1}, "a changed image is done again"
    assert write("out", ["json", "jsonl"]) == set(range(COUNT)), "a finished one keeps nothing"
    assert content(Path("out")) == content(Path("other"))
    with pytest.raises(KeyboardInterrupt) as stop:
        write("out", ["drawn"], progress=interrupting)
    assert stop.value.__notes__ == ["5 images done."], "those that are drawn are in no units here"


def test_a_changed_detector_finds_everything_anew(detector: Detector, ray: FakeRay) -> None:
    with executor("ray") as on:
        for changed in (False, True, False):
            if changed:
                Path("detector").write_bytes(b"another")
            write_predictions(detector, sources("images"), "out", ["json"], executor=on)
    assert len(loads) == 2


def test_the_commands(detector: Detector, ray: FakeRay, monkeypatch: pytest.MonkeyPatch) -> None:
    def run(*words: str, fails: int = 0) -> Any:
        done = CliRunner().invoke(app, [*words])
        assert done.exit_code == fails, done.output
        return done

    monkeypatch.setattr(Detector, "load", lambda path, **_: detector)
    monkeypatch.setattr(ray, "shutdown", lambda: print("(raylet) shut down"))  # noqa: T201
    predict = ["predict", "detector", "images", "--to", "table"]
    expected = run(*predict).stdout
    assert len(expected.splitlines()) == COUNT + 2
    assert run(*predict, "--on", "ray").stdout == expected
    ray.cores, ray.failures = (1,), [RuntimeError("out of memory")] * 4
    partly = run(*predict, "--on", "ray", "--keep-going", fails=1)
    assert partly.stderr.count("out of memory") == 3
    assert "given up" in partly.stderr
    boxwright.write(dataset(), "data", "voc")
    evaluate = ["evaluate", "detector", "data", "--json"]
    assert json.loads(run(*evaluate, "--on", "ray").stdout) == json.loads(run(*evaluate).stdout)
    both = run("evaluate", "data", "--detections", "found.json", "--on", "ray", fails=2)
    assert "--on and --keep-going need a model" in both.stderr
