"""`boxwright convert`"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from boxwright.cli.options import (
    BoxUnits,
    Format,
    MaxPixels,
    On,
    UnlabeledImages,
    choice,
    read_options,
)
from boxwright.console import plain, show, show_json
from boxwright.formats import FORMATS
from boxwright.io.shell import quoted


def convert(
    data: Annotated[
        Path,
        typer.Argument(
            metavar="IN", help="A folder of labeled images, its archive, or an annotation file."
        ),
    ],
    out: Annotated[Path, typer.Argument(metavar="OUT", help="A new or empty folder.")],
    to: Annotated[str, choice(FORMATS, help="The format to write.")],
    form: Format = None,
    unlabeled: UnlabeledImages = None,
    units: BoxUnits = None,
    max_pixels: MaxPixels = None,
    link: Annotated[
        bool, typer.Option("--link", help="Hard-link images into OUT instead of copying them.")
    ] = False,
    on: On = "local",
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Write labeled images in another annotation format.

    Images are copied byte for byte; boxes and splits are kept. Information that the other format
    cannot store is listed. The result is read back and compared before it gets its name.

    \b
    Examples:
      boxwright convert images images-coco --to coco
      boxwright convert train.record images-voc --to voc
      boxwright convert images images-yolo --to yolo --link
      boxwright convert /shared/images /shared/records --to tfrecord --on ray=10.0.0.1:6379
    """
    from boxwright.cli.describe import say_findings
    from boxwright.cli.progress import counting, working
    from boxwright.datasets.convert import convert as convert_data
    from boxwright.datasets.describe import counted

    options = read_options(form, unlabeled, units, max_pixels)
    with (
        working(on) as executor,
        counting(f"Writing {FORMATS[to].TITLE}", "Comparing images") as progress,
    ):
        done = convert_data(data, out, to, form=options, link=link, on=executor, progress=progress)
    if json:
        show_json(
            {
                "path": str(done.path),
                "from": done.source,
                "to": done.target,
                "images": len(done.dataset),
                "boxes": len(done.dataset.boxes),
                "classes": list(done.dataset.classes),
                "lost": [asdict(finding) for finding in done.lost],
                "findings": [asdict(finding) for finding in done.dataset.findings],
            }
        )
        return
    read = f"{FORMATS[done.source].TITLE}, {counted(done.dataset)}"
    show(f"[bold]{plain(data)}[/]: {plain(read)}")
    say_findings(done.dataset.findings, data)
    say_findings(done.lost)
    show(
        f"[bold]{plain(out)}[/] has the same data as {FORMATS[done.target].TITLE}, verified by "
        f"reading it back. Next:\n  boxwright train {plain(quoted(out))}"
    )
