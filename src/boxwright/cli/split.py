"""`boxwright split`"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from boxwright.console import plain, quoted, show, show_json

if TYPE_CHECKING:
    from rich.table import Table

    from boxwright.datasets.frozen_split import Locked
    from boxwright.structures.dataset import Dataset

SETS = ("train", "val", "test")
MOST = 0.9  # of the photos for testing or validation


def split(
    data: Annotated[
        Path,
        typer.Argument(metavar="DATA", help="A folder of labelled photos, or an annotation file."),
    ],
    test: Annotated[
        float | None,
        typer.Option(
            min=0, max=MOST, help="Part of the photos to test on; 0.2, or as before, if not given."
        ),
    ] = None,
    val: Annotated[
        float | None,
        typer.Option(min=0, max=MOST, help="Part that chooses; none, or as before, if not given."),
    ] = None,
    seed: Annotated[
        int | None,
        typer.Option(min=0, max=2**32 - 1, help="Of the choice; 0, or as before, if not given."),
    ] = None,
    groups: Annotated[
        str | None,
        typer.Option(
            metavar="HOW",
            help="What belongs together: a regular expression whose part in round brackets names "
            "the group of a photo, a csv file with the columns photo and group, or `folder`.",
        ),
    ] = None,
    anew: Annotated[
        bool,
        typer.Option("--anew", help="Place all photos, whatever the folder or a split says."),
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """Decide for good which photos are for testing.

    Writes the file boxwright.split beside the photos; every command then goes by it. Each class
    gives its share, and photos that show the same stay together, as do the groups that you
    declare. Run it again after adding photos: none of the others changes sides.

    \b
    Examples:
      boxwright split photos
      boxwright split photos --test 0.1 --val 0.1
      boxwright split frames --groups "(clip[0-9]+)_"
      boxwright split places --groups folder
    """
    if (test or 0) + (val or 0) > MOST:
        raise typer.BadParameter(f"--test and --val leave less than {1 - MOST:.1f} for training.")
    from boxwright.cli.describe import say_findings
    from boxwright.cli.progress import counting
    from boxwright.datasets.frozen_split import split as lock_split

    with counting("Looking at photos") as progress:
        locked = lock_split(
            data, test=test, val=val, seed=seed, groups=groups, anew=anew, progress=progress
        )
    if json:
        show_json(_as_json(locked))
        return
    say_findings(locked.dataset.findings, data)
    show(_table(locked.dataset))
    show("\n".join(_sentences(locked, data)))


def _counts(dataset: Dataset) -> dict[str, dict[str, tuple[int, int]]]:
    """Class -> set -> photos that show it, and its boxes."""
    from boxwright.datasets.stats import count_classes

    counts: dict[str, dict[str, tuple[int, int]]] = {name: {} for name in dataset.classes}
    for mark in SETS:
        for one in count_classes(dataset.split(mark)):
            counts[one.name][mark] = one.images, one.boxes
    return counts


def _table(dataset: Dataset) -> Table:
    from rich.table import Table

    sets = [mark for mark in SETS if len(dataset.split(mark))]
    table = Table(box=None, pad_edge=False)
    table.add_column("")
    for mark in sets:
        table.add_column(f"{mark}: photos", justify="right")
        table.add_column("boxes", justify="right")
    for name, by_set in _counts(dataset).items():
        table.add_row(plain(name), *(str(count) for mark in sets for count in by_set[mark]))
    parts = [dataset.split(mark) for mark in sets]
    total = [str(count) for part in parts for count in (len(part), len(part.boxes))]
    table.add_row("all", *total, style="bold")
    return table


def _sentences(locked: Locked, data: Path) -> list[str]:
    lines = []
    belonging = [(locked.alike, "that show the same")]
    if locked.declared is not None:
        belonging.append((locked.declared, "as declared"))
    whole, torn = zip(*(_together(locked.dataset, *each) for each in belonging), strict=True)
    if any(whole):
        lines.append(f"Kept together: {', '.join(filter(None, whole))}.")
    if any(torn):
        lines.append(f"In several sets: {', '.join(filter(None, torn))}.")
    stayed = len(locked.dataset) - locked.placed
    if stayed and locked.placed:
        lines.append(f"{locked.placed} photos were placed, {stayed} are where they were.")
    elif stayed:
        lines.append("All photos are where they were. To place them anew, add --anew.")
    if locked.gone:
        lines.append(f"{locked.gone} photos of the split are not here any more: passed over.")
    lines.append(f"[bold]{plain(locked.path)}[/] says for good what each photo is for. Next:")
    lines.append(f"  boxwright train {plain(quoted(data))}")
    return lines


def _together(dataset: Dataset, groups: Any, how: str) -> tuple[str, str]:
    """`31 images in 12 groups that show the same` of those in one set, and of those in several.

    Empty where there is none. A photo alone is no group.
    """
    import numpy as np

    sizes = np.bincount(groups)
    pairs = np.unique(np.column_stack([groups, dataset.splits]), axis=0)
    sets = np.bincount(pairs[:, 0], minlength=len(sizes))

    def said(which: Any) -> str:
        count = int(which.sum())
        images, kinds = sizes[which].sum(), "group" if count == 1 else "groups"
        return f"{images} photos in {count} {kinds} {how}" if count else ""

    return said((sizes > 1) & (sets == 1)), said(sets > 1)


def _as_json(locked: Locked) -> dict[str, Any]:
    dataset = locked.dataset
    counts = _counts(dataset)
    return {
        "path": str(locked.path),
        "seed": locked.lock.seed,
        "test": locked.lock.test,
        "val": locked.lock.val,
        "groups": locked.lock.groups,
        "images": {mark: len(dataset.split(mark)) for mark in SETS},
        "classes": {
            name: {mark: dict(zip(("images", "boxes"), both, strict=True)) for mark, both in by_set}
            for name, by_set in ((name, by_set.items()) for name, by_set in counts.items())
        },
        "placed": locked.placed,
        "gone": locked.gone,
        "findings": [asdict(finding) for finding in dataset.findings],
    }
