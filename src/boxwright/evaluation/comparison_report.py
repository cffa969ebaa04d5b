"""Terminal report of a comparison."""

from __future__ import annotations

from collections.abc import Iterator
from textwrap import wrap

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from boxwright.evaluation.comparison import (
    BETTER,
    DECIDES,
    FALSE_ALARMS,
    NOT_SHOWN,
    NUMBERS,
    Comparison,
    Contrast,
)
from boxwright.structures.findings import counted

TITLES = {FALSE_ALARMS: "false alarms / 100 images", "f1": "F1"}
DIGITS = {FALSE_ALARMS: 0}
WIDTH = 80


def table(comparison: Comparison) -> RenderableType:
    """The sides, the differences with intervals, and verdicts, for a terminal."""
    truth = comparison.truth
    images, boxes = counted(len(truth), "image"), counted(len(truth.boxes), "box", "boxes")
    parts: list[RenderableType] = [Text(f"{images}, {boxes}", style="bold")]
    for result in comparison.results:
        for member in result.side.members:
            at = member.threshold
            said = f"{at.value:g}" + ("" if at.validated else ", not validated")
            parts.append(Text(f"{result.side.name}  {member.name}, threshold {said}"))
    for contrast in comparison.contrasts:
        parts += ["", _differences(comparison, contrast)]
    parts.append("")
    for line in (*verdicts(comparison), *comparison.notes):
        parts += map(Text, wrap(line, WIDTH))
    return Group(*parts)


def verdicts(comparison: Comparison) -> Iterator[str]:
    """What the comparison shows, in plain words, and what it does not."""
    first = comparison.results[0].side.name
    for contrast in comparison.contrasts:
        yield _verdict(comparison, contrast, first)
    if comparison.of_recipes:
        yield (
            "This holds for other images like these and other seeds of the same recipes. A side "
            "with one training is taken to vary as the other side does."
            if any(len(one.side.members) == 1 for one in comparison.results)
            else "This holds for other images like these and other seeds of the same recipes."
        )
    else:
        yield (
            "This compares these detectors, on images like these, and not the recipes that they "
            "were trained with: with another seed, the same recipe gives another detector. To "
            f"compare recipes, train each several times: boxwright compare {first}1 {first}2 "
            f"{first}3 vs B1 B2 B3."
        )


def _verdict(comparison: Comparison, contrast: Contrast, first: str) -> str:
    change = contrast.differences[DECIDES]
    if change.value is None or change.interval is None:
        return f"{contrast.side} and {first} cannot be compared: the images have no boxes."
    level = f"{100 * comparison.level:.3g} %"
    if contrast.verdict == NOT_SHOWN:
        reach = f"{contrast.detectable:.3f}" if contrast.detectable else "any size"
        return (
            f"No difference in AP is shown between {contrast.side} and {first}: "
            f"{change.value:+.3f} ({level}: {_between(change.interval, 3)}). A difference of "
            f"{reach} would be found in 8 of 10 such comparisons."
        )
    direction = "higher" if contrast.verdict == BETTER else "lower"
    low, high = sorted(map(abs, change.interval))
    return (
        f"{contrast.side} is {contrast.verdict} than {first}: its AP is {abs(change.value):.3f} "
        f"{direction} ({level}: {low:.3f} to {high:.3f})."
    )


def _differences(comparison: Comparison, contrast: Contrast) -> Table:
    first = comparison.results[0]
    other = next(one for one in comparison.results if one.side.name == contrast.side)
    rows = Table(box=None, pad_edge=False, header_style="dim")
    rows.add_column("")
    for title in (first.side.name, other.side.name, f"{other.side.name} - {first.side.name}"):
        rows.add_column(title, justify="right")
    rows.add_column(f"{100 * comparison.level:.3g} % interval")
    rows.add_column("")
    for name in NUMBERS:
        digits = DIGITS.get(name, 3)
        change = contrast.differences[name]
        sign = change.sign() * (-1 if name == FALSE_ALARMS else 1)
        rows.add_row(
            Text(TITLES.get(name, name), style="bold" if name == DECIDES else ""),
            *(_number(one.samples[name][:, 0].mean(), digits) for one in (first, other)),
            _number(change.value, digits, "+"),
            _between(change.interval, digits) if change.interval else "",
            ("", "better", "worse")[sign],
        )
    return rows


def _number(value: float | None, digits: int, sign: str = "") -> str:
    return "n/a" if value is None or value != value else f"{value:{sign}.{digits}f}"


def _between(interval: tuple[float, float], digits: int) -> str:
    return " to ".join(f"{end:+.{digits}f}" for end in interval)
