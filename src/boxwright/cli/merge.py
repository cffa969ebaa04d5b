"""`boxwright merge`"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from boxwright.cli.options import BoxUnits, Format, MaxPixels, UnlabeledImages, choice, read_options
from boxwright.console import plain, show, show_json
from boxwright.formats import FORMATS
from boxwright.io.shell import quoted

if TYPE_CHECKING:
    from boxwright.datasets.merge import Merged


def merge(
    data: Annotated[
        list[Path],
        typer.Argument(
            metavar="DATA", help="Folders of labeled images, their archives, or annotation files."
        ),
    ],
    out: Annotated[Path, typer.Option("--out", help="A new or empty folder.")],
    to: Annotated[
        str | None, choice(FORMATS, help="The format to write. [default: that of the first]")
    ] = None,
    form: Format = None,
    unlabeled: UnlabeledImages = None,
    units: BoxUnits = None,
    max_pixels: MaxPixels = None,
    link: Annotated[
        bool, typer.Option("--link", help="Hard-link images into --out instead of copying them.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Merge datasets of any formats into one.

    Classes are matched by name. An image that is in several datasets is kept once, in the test
    set if it is in the test set of one of them. Different images with the same name are renamed.
    The result is read back and compared before it gets its name.

    \b
    Examples:
      boxwright merge monday tuesday --out both
      boxwright merge images more.json train.record --out all --to yolo
    """
    if len(data) < 2:
        raise typer.BadParameter("give at least two datasets.")
    from boxwright.cli.describe import say_findings
    from boxwright.cli.progress import waiting
    from boxwright.datasets.describe import counted
    from boxwright.datasets.merge import merge as merge_data
    from boxwright.structures.findings import counted as many

    with waiting("Merging and verifying"):
        done = merge_data(
            data, out, to, form=read_options(form, unlabeled, units, max_pixels), link=link
        )
    if json:
        show_json(_as_json(done))
        return
    for source in done.sources:
        read = f"{FORMATS[source.form].TITLE}, {counted(source.dataset)}"
        show(f"[bold]{plain(source.path)}[/]: {plain(read)}")
        say_findings(source.dataset.findings, source.path)
    say_findings([*done.dataset.findings, *done.lost])
    if done.duplicates:
        show(
            f"{many(done.duplicates, 'image is', 'images are')} in several datasets and "
            f"{'was' if done.duplicates == 1 else 'were'} kept once."
        )
    written = f"{FORMATS[done.target].TITLE}, {counted(done.dataset)}"
    show(f"[bold]{plain(out)}[/]: {plain(written)}, verified by reading it back. Next:")
    unplaced = len(done.dataset.split("unassigned"))
    verb = "split" if 0 < unplaced < len(done.dataset) else "train"
    show(f"  boxwright {verb} {plain(quoted(out))}")


def _as_json(done: Merged) -> dict[str, Any]:
    return {
        "path": str(done.path),
        "to": done.target,
        "images": len(done.dataset),
        "boxes": len(done.dataset.boxes),
        "classes": list(done.dataset.classes),
        "duplicates": done.duplicates,
        "sources": [
            {
                "path": str(source.path),
                "from": source.form,
                "images": len(source.dataset),
                "boxes": len(source.dataset.boxes),
                "findings": [asdict(finding) for finding in source.dataset.findings],
            }
            for source in done.sources
        ],
        "lost": [asdict(finding) for finding in done.lost],
        "findings": [asdict(finding) for finding in done.dataset.findings],
    }
