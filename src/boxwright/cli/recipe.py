"""The output of `boxwright train --explain`: the recipe with its reasons."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from boxwright.console import plain, show, show_json
from boxwright.training.candidates import Candidate
from boxwright.training.explanation import explained
from boxwright.training.recipe import Recipe


def show_recipe(recipe: Recipe, *, json: bool) -> None:
    """Print a line per field with its --set path and its reason, and the input sizes that it was
    chosen from, the best first; or the whole recipe as JSON."""
    if json:
        show_json(recipe.to_json())
        return
    lines = explained(recipe)
    settings = [f"{line.path}={line.value}" for line in lines]
    width = max(map(len, settings))
    for setting, line in zip(settings, lines, strict=True):
        show(f"[dim]--set {plain(setting):{width}}[/]  {plain(str(line))}")
    if recipe.candidates:
        show("")
        show(_table(recipe.candidates))


def _table(candidates: Sequence[Candidate]) -> Any:
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for column in ("input size", "images seen", "passes", "expected AP, % of the best"):
        table.add_column(column, justify="right")
    for each in candidates:
        table.add_row(
            f"{each.input_size} px",
            f"{each.images:,.0f}",
            f"{each.passes:.1f}",
            f"{100 * each.quality:.0f}",
        )
    return table
