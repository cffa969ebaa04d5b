"""`boxwright split`"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from boxwright.console import plain, quoted, show, show_json

if TYPE_CHECKING:
    from rich.table import Table

    from boxwright.datasets.frozen_split import FrozenSplit
    from boxwright.structures.dataset import Dataset

SETS = ("train", "val", "test")
MAX_FRACTION = 0.9  # of the photos for testing or validation


def split(
    data: Annotated[
        Path,
        typer.Argument(metavar="DATA", help="A folder of labelled photos, or an annotation file."),
    ],
    test: Annotated[
        float | None,
        typer.Option(
            min=0,
            max=MAX_FRACTION,
            help="Part of the photos to test on; 0.2, or as before, if not given.",
        ),
    ] = None,
    val: Annotated[
        float | None,
        typer.Option(
            min=0, max=MAX_FRACTION, help="Part that chooses; none, or as before, if not given."
        ),
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
    if (test or 0) + (val or 0) > MAX_FRACTION:
        raise typer.BadParameter(
            f"--test and --val leave less than {1 - MAX_FRACTION:.1f} for training."
        )
    from boxwright.cli.describe import say_findings
    from boxwright.cli.progress import counting
    from boxwright.datasets.frozen_split import split as freeze_split

    with counting("Looking at photos") as progress:
        frozen = freeze_split(
            data, test=test, val=val, seed=seed, groups=groups, anew=anew, progress=progress
        )
    if json:
        show_json(_as_json(frozen))
        return
    say_findings(frozen.dataset.findings, data)
    show(_table(frozen.dataset))
    show("\n".join(_sentences(frozen, data)))


def _counts(dataset: Dataset) -> dict[str, dict[str, tuple[int, int]]]:
    """Class -> set -> photos that show it, and its boxes."""
    from boxwright.datasets.stats import count_classes

    counts: dict[str, dict[str, tuple[int, int]]] = {name: {} for name in dataset.classes}
    for split_name in SETS:
        for one in count_classes(dataset.split(split_name)):
            counts[one.name][split_name] = one.images, one.boxes
    return counts


def _table(dataset: Dataset) -> Table:
    from rich.table import Table

    sets = [split_name for split_name in SETS if len(dataset.split(split_name))]
    table = Table(box=None, pad_edge=False)
    table.add_column("")
    for split_name in sets:
        table.add_column(f"{split_name}: photos", justify="right")
        table.add_column("boxes", justify="right")
    for name, by_set in _counts(dataset).items():
        table.add_row(
            plain(name), *(str(count) for split_name in sets for count in by_set[split_name])
        )
    parts = [dataset.split(split_name) for split_name in sets]
    total = [str(count) for part in parts for count in (len(part), len(part.boxes))]
    table.add_row("all", *total, style="bold")
    return table


def _sentences(frozen: FrozenSplit, data: Path) -> list[str]:
    lines = []
    belonging = [(frozen.near_duplicates, "that show the same")]
    if frozen.user_groups is not None:
        belonging.append((frozen.user_groups, "as declared"))
    kept, leaked = zip(*(_together(frozen.dataset, *each) for each in belonging), strict=True)
    if any(kept):
        lines.append(f"Kept together: {', '.join(filter(None, kept))}.")
    if any(leaked):
        lines.append(f"In several sets: {', '.join(filter(None, leaked))}.")
    stayed = len(frozen.dataset) - frozen.placed
    if stayed and frozen.placed:
        lines.append(f"{frozen.placed} photos were placed, {stayed} are where they were.")
    elif stayed:
        lines.append("All photos are where they were. To place them anew, add --anew.")
    if frozen.gone:
        lines.append(f"{frozen.gone} photos of the split are not here any more: passed over.")
    lines.append(f"[bold]{plain(frozen.path)}[/] says for good what each photo is for. Next:")
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
        images, noun = sizes[which].sum(), "group" if count == 1 else "groups"
        return f"{images} photos in {count} {noun} {how}" if count else ""

    return said((sizes > 1) & (sets == 1)), said(sets > 1)


def _as_json(frozen: FrozenSplit) -> dict[str, Any]:
    dataset = frozen.dataset
    counts = _counts(dataset)
    return {
        "path": str(frozen.path),
        "seed": frozen.split_file.seed,
        "test": frozen.split_file.test,
        "val": frozen.split_file.val,
        "groups": frozen.split_file.groups,
        "images": {split_name: len(dataset.split(split_name)) for split_name in SETS},
        "classes": {
            name: {
                split_name: dict(zip(("images", "boxes"), both, strict=True))
                for split_name, both in by_set
            }
            for name, by_set in ((name, by_set.items()) for name, by_set in counts.items())
        },
        "placed": frozen.placed,
        "gone": frozen.gone,
        "findings": [asdict(finding) for finding in dataset.findings],
    }
