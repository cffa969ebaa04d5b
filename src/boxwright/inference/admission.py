"""The checks that a detector file passes before a runtime sees it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from boxwright.inference.artifact import damaged, too_large
from boxwright.safety.limits import DefectError, TooLargeError

Check = Callable[[Path], None]


class Checks(NamedTuple):
    """The checks of a kind of detector file; they raise `DefectError` or DetectorError.

    Attributes:
        operators: refuses operators that do more than compute, unless the file is trusted.
    """

    operators: Check | None = None


def admit(path: Path, checks: Checks, *, trust: bool = False) -> None:
    """Check a detector file before a runtime loads it.

    Args:
        path: the file or folder.
        checks: those of its kind.
        trust: leave out the check of operators.

    Raises:
        DetectorError: BW502 the file is damaged, BW512 it has operators that are not allowed, BW515
            it asks for too much.
    """
    try:
        if checks.operators and not trust:
            checks.operators(path)
    except TooLargeError as error:
        raise too_large(error, path) from error
    except DefectError as error:
        raise damaged(str(error), path) from error
    except OSError as error:
        raise damaged(f"it cannot be read ({error.strerror or error})", path) from error
