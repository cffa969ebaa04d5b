"""Terminal report of an evaluation."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from boxwright.evaluation.bootstrap import Interval
from boxwright.evaluation.coco import Evaluation

# COCO metric -> IoU, box area, max detections of a class per image
TWELVE = {
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


def table(evaluation: Evaluation, *, control: Evaluation | None = None) -> RenderableType:
    """The evaluation as a rich table; `control` is the evaluation of `constant_box`."""
    images, boxes = _counted(evaluation.images, "image"), _counted(evaluation.boxes, "box")
    parts: list[RenderableType] = [Text(f"{images}, {boxes}", style="bold"), ""]
    parts += [_twelve(evaluation), ""]
    if len(evaluation.per_class) > 1:
        parts += [_per_class(evaluation), ""]
    parts.append(Text(f"Pascal VOC AP50 {number(evaluation.voc_ap50)}"))
    if control is not None:
        scores = f"AP {number(control.ap)}, AP50 {number(control.ap50)}"
        parts.append(Text(f"constant-box baseline: {scores} (ignores the image)", style="dim"))
    return Group(*parts)


def number(value: float | None) -> str:
    """Format with three decimals, or "n/a" for None."""
    return "n/a" if value is None else f"{value:.3f}"


def _twelve(evaluation: Evaluation) -> Table:
    intervals = {"AP": evaluation.ap_interval, "AP50": evaluation.ap50_interval}
    rows = Table(box=None, pad_edge=False, header_style="dim")
    rows.add_column("COCO")
    rows.add_column("", justify="right")
    rows.add_column("95 % interval")
    rows.add_column("IoU", style="dim")
    rows.add_column("box area", style="dim")
    rows.add_column("max per image", justify="right", style="dim")
    for name, value in evaluation.coco.items():
        style = "bold" if name in intervals else ""
        shown = Text(number(value), style=style)
        rows.add_row(
            Text(name, style=style), shown, _interval_text(intervals.get(name)), *TWELVE[name]
        )
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


def _counted(count: int, noun: str) -> str:
    plural = noun + ("es" if noun.endswith("x") else "s")
    return f"{count:,} {noun if count == 1 else plural}"
