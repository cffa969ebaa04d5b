"""Limits of the exported file: the model and input size that meet them, by measured times."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from boxwright.bench.limits import Cost, Limits, Remembered, chosen, fitting
from boxwright.bench.untrained import cost_of
from boxwright.errors import ArgumentError
from boxwright.models.weights import zoo
from boxwright.models.weights.published import NANODET_M, SSD_QUANT, Published

pytestmark = pytest.mark.tiny

Times = Callable[[Published, int | None, int], Cost]


class Machine:
    """A fake machine: NanoDet takes 24 ms at 320 px, an SSD 18, on two threads half of it."""

    def __init__(self, startup: float = 0.0) -> None:
        self.asked: list[tuple[str, int | None, int]] = []
        self.startup = startup  # milliseconds that do not depend on the size

    def __call__(self, weights: Published, size: int | None, threads: int) -> Cost:
        self.asked.append((weights.family, size, threads))
        if size is None:
            return Cost(40 / threads, 4.2)
        nanodet = weights is NANODET_M
        full = 24 if nanodet else 18
        return Cost((self.startup + full * (size / 320) ** 2) / threads, 4.8 if nanodet else 12.0)


@pytest.mark.parametrize(
    ("latency", "size_limit", "model", "name", "largest"),
    [
        ("30", None, None, "nanodet_plus_m", 352),
        ("24", None, "auto", "nanodet_plus_m", 320),
        ("24@2", None, None, "nanodet_plus_m", 448),
        ("fast", None, None, "nanodet_plus_m", 288),
        ("500", None, None, "nanodet_plus_m", 640),
        ("3", None, None, "ssd_mobilenet_v1", 128),
        ("24", None, "ssd_mobilenet_v1", "ssd_mobilenet_v1", 352),
        (None, 5.0, None, "nanodet_plus_m", 640),
    ],
)
def test_limits_decide_the_model_and_its_largest_input(
    latency: str | None, size_limit: float | None, model: str | None, name: str, largest: int
) -> None:
    said: list[str] = []
    arguments = chosen(latency, size_limit, model, None, said.append, Machine())
    assert arguments == {"model": name, "largest_input": largest}
    assert f"{name} with an input of up to {largest} px meets the limits" in said[0]


def test_without_limits_nothing_is_measured() -> None:
    machine = Machine()
    assert chosen(None, None, "auto", "own.bin", print, machine) == {"model": "auto"}
    assert machine.asked == []


def test_a_size_is_taken_only_when_it_was_measured() -> None:
    """The estimate from one size is too optimistic if a part of the time is constant."""
    machine = Machine(startup=-3.0)
    found = fitting(Limits("20"), zoo.DEFAULTS, machine)
    assert found.cost == machine(NANODET_M, found.largest, 1)
    assert found.cost.milliseconds <= 20 < machine(NANODET_M, 320, 1).milliseconds


@pytest.mark.parametrize(
    ("latency", "size_limit", "said"),
    [
        ("1", None, "ssd_mobilenet_v1 takes 2.9 ms and 12.0 MB with an input of 128 px"),
        (None, 2.0, "no model meets them here: nanodet_plus_m|ssd_mobilenet_v1"),
        ("20", 2.0, "MB with an input of"),
    ],
)
def test_limits_that_no_model_meets_name_the_nearest(
    latency: str | None, size_limit: float | None, said: str
) -> None:
    with pytest.raises(ArgumentError, match=f"BW806.*{said}"):
        chosen(latency, size_limit, None, None, print, Machine())


def test_weights_are_refused_beside_a_limit_before_anything_is_measured() -> None:
    machine = Machine()
    with pytest.raises(ArgumentError, match=r"BW802.*the weights have chosen already"):
        chosen("fast", None, None, "own.bin", print, machine)
    assert machine.asked == []


@pytest.mark.parametrize("latency", ["", "quick", "20ms", "20@", "20@two", "-3"])
def test_what_is_no_latency_is_refused(latency: str) -> None:
    with pytest.raises(ArgumentError, match="BW805"):
        chosen(latency, None, None, None, print, Machine())


def test_what_was_measured_is_kept(cache: Path) -> None:
    machine = Machine()
    measure: Times = Remembered(machine)
    first = measure(NANODET_M, 320, 1), measure(NANODET_M, 320, 2), measure(SSD_QUANT, None, 1)
    again = Remembered(machine)
    assert (again(NANODET_M, 320, 1), again(NANODET_M, 320, 2), again(SSD_QUANT, None, 1)) == first
    assert len(machine.asked) == 3


@pytest.mark.parametrize("content", ["{", "[]", "{}", '{"KEY": 3}', '{"KEY": [1, "2"]}'])
def test_a_damaged_file_of_costs_is_written_again(content: str, cache: Path) -> None:
    measure, place = Remembered(Machine()), cache / "costs.json"
    first = measure(NANODET_M, 320, 1)
    (key,) = json.loads(place.read_text("utf-8"))
    place.write_text(content.replace("KEY", key), encoding="utf-8")
    assert measure.known(NANODET_M, 320, 1) is None
    assert measure(NANODET_M, 320, 1) == measure.known(NANODET_M, 320, 1) == first


@pytest.mark.shared
def test_a_published_file_is_timed_as_it_is(shared: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = shared / "weights" / "ssd_mobilenet_v1_coco_quant.tflite"
    monkeypatch.setattr(zoo, "fetch", lambda published: path)
    milliseconds, megabytes = cost_of(SSD_QUANT, None, 1)
    assert milliseconds > 1
    assert megabytes == pytest.approx(path.stat().st_size / 1e6)
