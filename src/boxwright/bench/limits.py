"""Limits of the exported file, and the model and input size that meet them on this machine."""

from __future__ import annotations

import json
import math
import os
import platform
import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any, NamedTuple

from boxwright.errors import ArgumentError
from boxwright.io.cache import cache_folder
from boxwright.io.files import locked, write_json
from boxwright.models.weights import zoo
from boxwright.models.weights.published import SSD_QUANT, Published

LATENCY = re.compile(r"(?P<ms>\d+(?:\.\d+)?)(?:@(?P<threads>\d{1,2}))?$")
FAST, FAST_SHARE = "fast", 0.5  # of the time of the published SSD MobileNet v1, 300 px
SIZES = range(128, 641, 32)  # input sizes, pixels
FIRST = 224  # the one to measure first


class Cost(NamedTuple):
    """What a model's exported float .tflite costs.

    Attributes:
        milliseconds: median time for an image on this machine.
        megabytes: size of the file.
    """

    milliseconds: float
    megabytes: float


# The cost of published weights with an input size, or of the published file, with some threads.
Measure = Callable[[Published, int | None, int], Cost]


@dataclass(frozen=True)
class Limits:
    """Limits of the exported float .tflite file.

    Attributes:
        latency: `fast`, or milliseconds for an image, with or without a number of threads: `20`,
            `20@2`; None for no limit. `fast` is half of the time of the published
            SSD MobileNet v1, a .tflite of 300 px.
        megabytes: the largest size; None for no limit.

    Raises:
        ArgumentError: BW805 it is no latency.
    """

    latency: str | None = None
    megabytes: float | None = None

    def __post_init__(self) -> None:
        if self.latency not in (None, FAST) and not LATENCY.match(str(self.latency)):
            raise ArgumentError("BW805", f"{self.latency!r} is no time.")

    @property
    def threads(self) -> int:
        """The number of threads."""
        given = LATENCY.match(self.latency or "")
        return int(given["threads"] or 1) if given else 1

    def milliseconds(self, measure: Measure) -> float:
        """The longest time; infinite without a limit."""
        if self.latency is None:
            return math.inf
        given = LATENCY.match(self.latency)
        if given:
            return float(given["ms"])
        return FAST_SHARE * measure(SSD_QUANT, None, self.threads).milliseconds


class Fitting(NamedTuple):
    """The model that meets some limits.

    Attributes:
        weights: what it starts from.
        largest: its largest input size that meets them, pixels.
        cost: the cost at that size.
    """

    weights: Published
    largest: int
    cost: Cost

    def __str__(self) -> str:
        ms, megabytes = self.cost
        return (
            f"{self.weights.model} with an input of up to {self.largest} px meets the limits: "
            f"{ms:.1f} ms and {megabytes:.1f} MB here, as a float .tflite"
        )


def chosen(
    latency: str | None,
    size_limit: float | None,
    model: str | None,
    weights: object,
    tell: Callable[[str], object],
    measure: Measure | None = None,
) -> dict[str, Any]:
    """The arguments of a `TrainingRequest` that follow from the limits: the model, of those asked
    for, and its largest input.

    Args:
        latency, size_limit: as in `Limits`.
        model: a value of `--model`.
        weights: the weights asked for, which exclude limits; None if there are none.
        tell: called with a sentence about the choice.
        measure: measures a model; by default on this machine, unless it is known from before.

    Raises:
        ArgumentError: BW802 limits and weights exclude each other, BW805 `latency` is no time,
            BW806 no model meets the limits.
        WeightsError: the weights cannot be had.
    """
    if latency is None and size_limit is None:
        return {"model": model}
    if weights is not None:
        reason = "a limit of time or size chooses the model, which the weights have chosen already."
        raise ArgumentError("BW802", reason)
    limits = Limits(latency, size_limit)
    choices = zoo.DEFAULTS if model in (None, zoo.AUTO) else (zoo.of_model(str(model)),)
    found = fitting(limits, choices, measure or Remembered())
    tell(str(found))
    return {"model": found.weights.model, "largest_input": found.largest}


def fitting(limits: Limits, choices: Sequence[Published], measure: Measure) -> Fitting:
    """The first model that meets the limits, with its largest input that does.

    The time of other sizes is estimated from one, since it grows with the area; the size that is
    chosen was measured.

    Raises:
        ArgumentError: BW806 none meets them.
    """
    longest = limits.milliseconds(measure)
    heaviest = math.inf if limits.megabytes is None else limits.megabytes
    tried = []
    for weights in choices:
        first = measure(weights, FIRST, limits.threads)
        estimated = {size: first.milliseconds * (size / FIRST) ** 2 for size in SIZES}
        for size in reversed([each for each in SIZES if estimated[each] <= longest] or SIZES[:1]):
            found = Fitting(weights, size, measure(weights, size, limits.threads))
            if found.cost.milliseconds <= longest and found.cost.megabytes <= heaviest:
                return found
            if found.cost.megabytes > heaviest:  # as at any other size
                break
        tried.append(found)
    fastest = min(tried, key=lambda each: each.cost.milliseconds)
    raise ArgumentError(
        "BW806",
        f"no model meets them here: {fastest.weights.model} takes "
        f"{fastest.cost.milliseconds:.1f} ms and {fastest.cost.megabytes:.1f} MB with an input of "
        f"{fastest.largest} px.",
    )


class Remembered:
    """Measures what was not measured before, by this version on this machine.

    The results are kept in the cache folder.
    """

    def __init__(self, measure: Measure | None = None) -> None:
        self._measure = measure
        self._place = cache_folder() / "costs.json"

    def __call__(self, weights: Published, size: int | None, threads: int) -> Cost:
        with locked(self._place.with_suffix(".lock")):
            if known := self.known(weights, size, threads):
                return known
            cost = (self._measure or _exporting())(weights, size, threads)
            write_json(self._place, self._all() | {_key(weights, size, threads): list(cost)})
        return cost

    def known(self, weights: Published, size: int | None, threads: int) -> Cost | None:
        """The cost if it was measured before."""
        match self._all().get(_key(weights, size, threads)):
            case [int() | float() as milliseconds, int() | float() as megabytes]:
                return Cost(milliseconds, megabytes)
        return None

    def _all(self) -> dict[str, Any]:
        with suppress(OSError, ValueError):
            kept = json.loads(self._place.read_text("utf-8"))
            return kept if isinstance(kept, dict) else {}
        return {}


def _exporting() -> Measure:
    """What measures on this machine: it is slow to import, and seldom needed."""
    from boxwright.bench.untrained import cost_of

    return cost_of


def _key(weights: Published, size: int | None, threads: int) -> str:
    machine = platform.machine(), platform.processor(), os.cpu_count(), platform.node()
    parts = weights.name, size, threads, version("boxwright"), *machine
    return " ".join(map(str, parts))
