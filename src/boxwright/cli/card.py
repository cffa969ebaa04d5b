"""`boxwright card`"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from boxwright.console import plain, say, show, show_json
from boxwright.io.shell import quoted


def card(
    run: Annotated[
        Path, typer.Argument(metavar="RUN", help="A folder that `boxwright train` wrote.")
    ],
    out: Annotated[
        Path | None, typer.Option(help="File to write. [default: README.md in the run folder]")
    ] = None,
    name: Annotated[
        str | None, typer.Option(help="The detector's name. [default: that of the folder]")
    ] = None,
    license: Annotated[
        str,
        typer.Option(
            metavar="ID", help="The license that you choose, as the Hub calls it: apache-2.0, mit."
        ),
    ] = "unknown",
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Write a model card for the Hugging Face Hub.

    It says what the run's report measured and on which images, what the detector is for, its
    limits, its training and the licenses of its parts, and has the same for programs in a YAML
    block. It contains no image and no path of your machine. Measure test images first with
    `boxwright report RUN DATA`. The card is yours to edit: one that is there is not replaced.

    \b
    Examples:
      boxwright card run
      boxwright card run --name hard-hats --license apache-2.0
    """
    from boxwright.report.card import UNKNOWN_LICENSE, write_card

    written = write_card(run, out, name=name, license=license)
    if json:
        show_json(written._asdict() | {"path": str(written.path), "files": list(written.files)})
        return
    show(f"[bold]{plain(written.path)}[/] was written.")
    if license == UNKNOWN_LICENSE:
        say("Choose a license: --license ID. Those of the parts are in the card.")
    if not written.files:
        say(f"There is no exported file to publish: boxwright export {plain(quoted(run))}")
        return
    say("Publish these files and no others: the run folder has images of yours.")
    words = " ".join(f"--include {quoted(each)}" for each in ("README.md", *written.files))
    show(f"  hf upload YOU/NAME {plain(quoted(run))} . {plain(words)}")
