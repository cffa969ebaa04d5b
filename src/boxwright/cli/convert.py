"""`boxwright convert`"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from boxwright.cli.options import choice
from boxwright.console import plain, quoted, show, show_json
from boxwright.formats import FORMATS


def convert(
    data: Annotated[
        Path,
        typer.Argument(metavar="IN", help="A folder of labelled photos, or an annotation file."),
    ],
    out: Annotated[
        Path, typer.Argument(metavar="OUT", help="A folder that is not there yet, or is empty.")
    ],
    to: Annotated[str, choice(FORMATS, help="The format to write.")],
    form: Annotated[
        str | None, choice(FORMATS, "--from", help="What IN is; found out if not given.")
    ] = None,
    link: Annotated[
        bool, typer.Option("--link", help="Hard-link photos into OUT instead of copying them.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Write labelled photos in another annotation format.

    Photos are copied byte for byte, boxes and splits as they are; what the other format has no
    place for is named. What was written is read again and compared before it gets its name.

    \b
    Examples:
      boxwright convert photos photos-coco --to coco
      boxwright convert train.record photos-voc --to voc
      boxwright convert photos photos-yolo --to yolo --link
    """
    from boxwright.cli.describe import say_findings
    from boxwright.cli.progress import waiting
    from boxwright.datasets.convert import convert as convert_data
    from boxwright.datasets.describe import counted

    with waiting(f"Writing {FORMATS[to].TITLE}, and comparing"):
        done = convert_data(data, out, to, form=form, link=link)
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
        f"[bold]{plain(out)}[/] holds it as {FORMATS[done.target].TITLE}, read back and compared. "
        f"Next:\n  boxwright train {plain(quoted(out))}"
    )
