"""What was measured is kept in the run folder of a file, where the run's report finds it."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Sequence
from contextlib import suppress
from datetime import date
from typing import Any

from boxwright.bench.compare import Measured
from boxwright.errors import SystemFaultError
from boxwright.inference.run import Run
from boxwright.io.files import write_json


def keep(found: Sequence[Measured]) -> None:
    """Write measurements into the run folders of the files, in place of older ones of these files.
    Files elsewhere, and folders that cannot be written, are left out."""
    machine = f"{os.cpu_count()} cores ({platform.machine()}), {date.today().isoformat()}"
    for each in found:
        run = Run(each.path) if Run(each.path).exists() else Run(each.path.parent)
        if not run.exists():
            continue
        known: dict[str, Any] = {}
        with suppress(OSError, ValueError):
            known = json.loads(run.times.read_text("utf-8"))
        measured = {key: value for key, value in each.to_json().items() if key != "path"}
        known[each.path.absolute().name] = measured | {"machine": machine}
        with suppress(SystemFaultError):
            write_json(run.times, known)
