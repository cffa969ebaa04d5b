"""`boxwright demo`"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def demo(
    out: Annotated[Path, typer.Option("--out", help="Output folder.")] = Path("demo"),
    quick: Annotated[
        bool,
        typer.Option(
            "--quick", help="Take half a minute: few images, and too few steps for a good detector."
        ),
    ] = False,
) -> None:
    """Go from images to a detector in three minutes, without a download.

    Draws images of building sites, trains a detector for hard hats from scratch, evaluates and
    exports it, and runs the exported file on images that it has never seen.

    \b
    Examples:
      boxwright demo --out demo
      boxwright demo --quick
    """
    from boxwright.cli.progress import ProgressLine
    from boxwright.console import show
    from boxwright.demo.run import FULL, QUICK, run

    with ProgressLine() as line:
        result = run(out, line, amount=QUICK if quick else FULL)
    show(result.table())
    if not quick:
        result.check()
