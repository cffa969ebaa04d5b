"""`boxwright split`"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from boxwright.cli.options import BoxUnits, Depth, Format, MaxPixels, UnlabeledImages, read_options
from boxwright.console import plain, show, show_json
from boxwright.io.shell import quoted

if TYPE_CHECKING:
    from rich.table import Table

    from boxwright.datasets.frozen_split import FrozenSplit
    from boxwright.structures.dataset import Dataset

SETS = ("train", "val", "test")
MAX_FRACTION = 0.9  # of the images for testing and validation


def split(
    data: Annotated[
        Path,
        typer.Argument(metavar="DATA", help="A folder of labeled images, or an annotation file."),
    ],
    test: Annotated[
        float | None,
        typer.Option(
            min=0,
            max=MAX_FRACTION,
            help="Fraction of the images for testing. [default: as before, or 0.2]",
        ),
    ] = None,
    val: Annotated[
        float | None,
        typer.Option(
            min=0, max=MAX_FRACTION, help="Fraction for validation. [default: as before, or 0]"
        ),
    ] = None,
    seed: Annotated[
        int | None,
        typer.Option(min=0, max=2**32 - 1, help="Random seed. [default: as before, or 0]"),
    ] = None,
    groups: Annotated[
        str | None,
        typer.Option(
            metavar="HOW",
            help="Groups of images to keep together: a regular expression whose part in "
            "parentheses is the group, a CSV file with the columns photo and group, or `folder`.",
        ),
    ] = None,
    anew: Annotated[
        bool,
        typer.Option("--anew", help="Assign all images again, ignoring any existing split."),
    ] = False,
    form: Format = None,
    unlabeled: UnlabeledImages = None,
    units: BoxUnits = None,
    max_pixels: MaxPixels = None,
    depth_range: Depth = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """Make a permanent train/validation/test split.

    Writes the file boxwright.split beside the images, which overrides all other split
    information. The split is stratified by class; near-duplicates and your groups stay on one
    side. Run it again after adding images: the others keep their split.

    \b
    Examples:
      boxwright split images
      boxwright split images --test 0.1 --val 0.1
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

    with counting("Comparing images") as progress:
        frozen = freeze_split(
            data,
            read_options(form, unlabeled, units, max_pixels, depth_range),
            test=test,
            val=val,
            seed=seed,
            groups=groups,
            anew=anew,
            progress=progress,
        )
    if json:
        show_json(_as_json(frozen))
        return
    say_findings(frozen.dataset.findings, data)
    show(_table(frozen.dataset))
    show("\n".join(_sentences(frozen, data)))


def _counts(dataset: Dataset) -> dict[str, dict[str, tuple[int, int]]]:
    """Class -> split -> number of images with it, and of its boxes."""
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
        table.add_column(f"{split_name}: images", justify="right")
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
    from boxwright.structures.findings import counted

    lines = []
    belonging = [(frozen.near_duplicates, "of near-duplicates")]
    if frozen.user_groups is not None:
        belonging.append((frozen.user_groups, "given by --groups"))
    kept, leaked = zip(*(_together(frozen.dataset, *each) for each in belonging), strict=True)
    if any(kept):
        lines.append(f"Kept together: {', '.join(filter(None, kept))}.")
    if any(leaked):
        lines.append(f"In several splits: {', '.join(filter(None, leaked))}.")
    stayed = len(frozen.dataset) - frozen.placed
    if stayed and frozen.placed:
        lines.append(
            f"{counted(frozen.placed, 'image was', 'images were')} assigned, "
            f"{counted(stayed, 'keeps its', 'keep their')} split."
        )
    elif stayed:
        lines.append("All images keep their split. To assign them again, add --anew.")
    if frozen.gone:
        lines.append(
            f"{counted(frozen.gone, 'image')} of the split file no longer "
            f"{'exists and was' if frozen.gone == 1 else 'exist and were'} skipped."
        )
    lines.append(f"[bold]{plain(frozen.path)}[/] records the split. Next:")
    lines.append(f"  boxwright train {plain(quoted(data))}")
    return lines


def _together(dataset: Dataset, groups: Any, how: str) -> tuple[str, str]:
    """Return `31 images in 12 groups of near-duplicates` for groups in one split and in several.

    A text is empty if there are no such groups. A single image is not a group.
    """
    import numpy as np

    sizes = np.bincount(groups)
    pairs = np.unique(np.column_stack([groups, dataset.splits]), axis=0)
    sets = np.bincount(pairs[:, 0], minlength=len(sizes))

    def said(which: Any) -> str:
        count = int(which.sum())
        images, noun = sizes[which].sum(), "group" if count == 1 else "groups"
        return f"{images} images in {count} {noun} {how}" if count else ""

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
