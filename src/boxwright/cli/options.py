"""Options that several commands have."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Labels = Annotated[
    Path | None,
    typer.Option(
        "--labels",
        "--classes",
        help="Class names for files that have none: one a line, or a label map.",
    ),
]
