"""`boxwright demo`"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def demo(
    out: Annotated[Path, typer.Option("--out", help="Folder for everything it writes.")] = Path(
        "demo"
    ),
) -> None:
    """The whole road in three minutes, nothing to download.

    Draws photos of building sites, trains a detector for hard hats from scratch, evaluates and
    exports it, and lets the exported file find hard hats in photos it has never seen.

    \b
    Example:
      boxwright demo --out demo
    """
    from boxwright.cli.progress import ProgressLine
    from boxwright.console import show
    from boxwright.demo.run import run

    with ProgressLine() as line:
        result = run(out, line)
    show(result.table())
    result.check()
