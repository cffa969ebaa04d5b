"""Terminal report of an evaluation."""

from __future__ import annotations

from collections.abc import Iterator
from textwrap import wrap

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from boxwright.evaluation.bootstrap import Interval, Measured
from boxwright.evaluation.coco import VOC, VOC07, Evaluation
from boxwright.evaluation.numbers import OPEN_IMAGES, Numbers
from boxwright.evaluation.threshold import FOLDS, Threshold
from boxwright.structures.dataset import Dataset
from boxwright.structures.findings import counted

# metric -> IoU, box area, max detections of a class per image
METRICS: dict[str, tuple[str, str, str]] = {
    "AP": ("0.50:0.95", "all", "100"),
    "AP50": ("0.50", "all", "100"),
    "AP75": ("0.75", "all", "100"),
    "APsmall": ("0.50:0.95", "up to 32² px", "100"),
    "APmedium": ("0.50:0.95", "32² to 96² px", "100"),
    "APlarge": ("0.50:0.95", "over 96² px", "100"),
    "AR1": ("0.50:0.95", "all", "1"),
    "AR10": ("0.50:0.95", "all", "10"),
    "AR100": ("0.50:0.95", "all", "100"),
    "ARsmall": ("0.50:0.95", "up to 32² px", "100"),
    "ARmedium": ("0.50:0.95", "32² to 96² px", "100"),
    "ARlarge": ("0.50:0.95", "over 96² px", "100"),
}
OTHERS = {VOC: "VOC AP50", VOC07: "VOC07 AP50", OPEN_IMAGES: "OpenImages"}  # at IoU 0.50

ADVICE = {
    "class": "{count} boxes have the wrong class. --confusion FILE.png shows which classes are "
    "mixed up; check their labels.",
    "location": "{count} boxes are too loose. Train longer, with a larger input size, and check "
    "that labels are tight.",
    "both": "{count} boxes are loose and of the wrong class. Train longer, and check the labels.",
    "duplicate": "{count} objects are found twice. Raise the threshold, or merge classes that mean "
    "the same.",
    "background": "{count} detections are on the background. Add images that show what is mistaken "
    "for objects, and check for missing labels.",
    "missed": "{count} objects are missed. Label more like them; --json tells their size, "
    "brightness and folder under slices.",
}


def table(measured: Numbers, validation: str = "") -> RenderableType:
    """The headline, the COCO metrics and classes, and what to do next, for a terminal.

    `validation` says how to choose a threshold that is not validated.
    """
    images, boxes = counted(measured.images, "image"), counted(measured.boxes, "box", "boxes")
    parts: list[RenderableType] = [Text(f"{images}, {boxes}", style="bold")]
    parts += [*map(Text, headline(measured)), "", _scores(measured)]
    if (control := measured.baseline) is not None:
        f1 = number(control.at_threshold.f1.value)
        text = f"baseline: the mean box of each class in every image; F1 {f1}"
        parts.append(Text(text, style="dim"))
    if len(measured.per_class) > 1:
        parts += ["", _per_class(measured)]
    parts += ["", *map(Text, next_steps(measured, validation))]
    return Group(*parts)


def headline(measured: Numbers) -> Iterator[str]:
    """What happens at the threshold, in two sentences."""
    threshold, rates = measured.threshold, measured.at_threshold
    yield f"At the score threshold {threshold.value:g}, {origin(threshold)}:"
    found, alarms = rates.recall, rates.false_alarms_per_100_images
    if found.value is not None:
        yield f"  finds {100 * found.value:.0f} of 100 objects{between(found, 100)}"
    if alarms.value is not None:
        yield f"  {alarms.value:.0f} false alarms per 100 images{between(alarms, 1)}"
    yield f"  precision {number(rates.precision.value)}{between(rates.precision, 1, 3)}"
    yield f"  F1 {number(rates.f1.value)}{between(rates.f1, 1, 3)}"


def next_steps(measured: Numbers, validation: str = "") -> Iterator[str]:
    """The costliest kind of mistake with its remedy, and what is not validated."""
    kinds = [one for one in measured.mistakes.kinds if one.loss > 0 and one.count]
    if kinds:
        worst = max(kinds, key=lambda one: one.loss)
        said = f"Next: {ADVICE[worst.kind].format(count=worst.count)} They cost {worst.loss:.3f}"
        yield from wrap(f"{said} of AP50, more than any other kind of mistake.", 80)
    threshold = measured.threshold
    if not threshold.validated:
        yield from wrap(f"The threshold is not validated: {validation}", 80)
    elif threshold.met is False:
        yield from wrap(
            f"No threshold is shown to reach {threshold.aim} on other images: "
            f"{threshold.images} images are too few, or the detector cannot. This one comes "
            "nearest.",
            80,
        )


def how_to_validate(dataset: Dataset, *, is_run: bool) -> str:
    """How to choose a threshold with these images."""
    if count := len(dataset.split("val")):
        return f"--aim f1 chooses one on the {counted(count, 'validation image')}."
    if is_run:
        return "there are no validation images. --aim f1 --folds trains three times to choose one."
    return "there are no validation images. boxwright split sets some aside for the next training."


def origin(threshold: Threshold) -> str:
    """Where a threshold is from."""
    if not threshold.validated:
        return "not validated"
    images = "training images in folds" if threshold.source == FOLDS else "validation images"
    return f"chosen for {threshold.aim} on {threshold.images} {images}"


def between(measured: Measured, scale: float, digits: int = 0) -> str:
    """The 95 % interval in parentheses, with a space before it; empty without one."""
    if measured.interval is None:
        return ""
    low, high = (scale * end for end in measured.interval)
    return f" (95 %: {low:.{digits}f} to {high:.{digits}f})"


def number(value: float | None) -> str:
    """Format with three decimals, or "n/a" for None."""
    return "n/a" if value is None else f"{value:.3f}"


def _scores(measured: Numbers) -> Table:
    """The 12 COCO metrics and those of VOC and Open Images, with intervals and the baseline."""
    rows = Table(box=None, pad_edge=False, header_style="dim")
    rows.add_column("COCO")
    rows.add_column("", justify="right")
    rows.add_column("95 % interval")
    if measured.baseline:
        rows.add_column("baseline", justify="right", style="dim")
    rows.add_column("IoU", style="dim")
    rows.add_column("box area", style="dim")
    rows.add_column("max/image", justify="right", style="dim")
    known = {name: (name, *settings) for name, settings in METRICS.items()}
    known |= {name: (title, "0.50", "all", "") for name, title in OTHERS.items()}
    for name, (title, *settings) in known.items():
        style = "bold" if name in {"AP", "AP50"} else ""
        control = [number(measured.baseline.score(name))] if measured.baseline else []
        shown = Text(number(measured.score(name)), style=style)
        between = _interval_text(measured.intervals[name])
        rows.add_row(Text(title, style=style), shown, between, *control, *settings)
    return rows


def _per_class(evaluation: Evaluation) -> Table:
    rows = Table(box=None, pad_edge=False, header_style="dim")
    rows.add_column("class")
    for title in ("boxes", "AP", "AP50", "VOC AP50"):
        rows.add_column(title, justify="right")
    for score in evaluation.per_class:
        measured = (score.ap, score.ap50, score.voc_ap50)
        rows.add_row(Text(score.name), f"{score.boxes:,}", *map(number, measured))
    return rows


def _interval_text(interval: Interval | None) -> str:
    return "" if interval is None else f"{interval[0]:.3f} to {interval[1]:.3f}"
