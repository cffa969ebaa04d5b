"""The output of `boxwright train --explain`: the recipe with its reasons."""

from __future__ import annotations

from boxwright.console import plain, show, show_json
from boxwright.training.explanation import explained
from boxwright.training.recipe import Recipe


def show_recipe(recipe: Recipe, *, json: bool) -> None:
    """Print a line per field with its --set path and its reason; or the whole recipe as JSON."""
    if json:
        show_json(recipe.to_json())
        return
    lines = explained(recipe)
    settings = [f"{line.path}={line.value}" for line in lines]
    width = max(map(len, settings))
    for setting, line in zip(settings, lines, strict=True):
        show(f"[dim]--set {plain(setting):{width}}[/]  {plain(str(line))}")
