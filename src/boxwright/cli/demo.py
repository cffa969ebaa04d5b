"""`boxwright demo`"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def demo(
    out: Annotated[Path, typer.Option("--out", help="Folder for everything it writes.")] = Path(
        "demo"
    ),
    quick: Annotated[
        bool,
        typer.Option("--quick", help="Half a minute: few photos, and too few steps to find much."),
    ] = False,
) -> None:
    """The whole road in three minutes, nothing to download.

    Draws photos of building sites, trains a detector for hard hats from scratch, evaluates and
    exports it, and lets the exported file find hard hats in photos it has never seen.

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
