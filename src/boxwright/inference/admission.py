"""The checks that a detector file passes before a runtime sees it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

from boxwright.errors import DetectorError
from boxwright.inference.artifact import damaged, too_large
from boxwright.safety import trial
from boxwright.safety.limits import DefectError, TooLargeError

Check = Callable[[Path], None]


class Checks(NamedTuple):
    """The checks of a kind of detector file; they raise `DefectError` or DetectorError.

    Attributes:
        operators: refuses operators that do more than compute, unless the file is trusted.
        structure: refuses what a runtime may not survive.
        trial: loads and runs the file, in a process that may die: `package.module:function`.
        files: the files that a runtime reads.
    """

    operators: Check | None = None
    structure: Check | None = None
    trial: str = ""
    files: Callable[[Path], Iterable[Path]] = lambda path: [path]


def admit(path: Path, checks: Checks, *, trust: bool = False) -> None:
    """Check a detector file before a runtime loads it.

    Args:
        path: the file or folder.
        checks: those of its kind.
        trust: leave out the check of operators and the trial.

    Raises:
        DetectorError: BW502 the file is damaged, BW512 it has operators that are not allowed, BW513
            loading it ends the process, BW515 it asks for too much.
    """
    try:
        key = trial.fingerprint(path, checks.files(path))
        if key is None or trial.is_known(key):
            return
        if checks.operators and not trust:
            checks.operators(path)
        if checks.structure:
            checks.structure(path)
        if checks.trial and not trust:
            trial.attempt(checks.trial, path)
            trial.remember(key)
    except trial.FatalError as error:
        raise DetectorError("BW513", f"is not loaded: {error}.", where=path) from error
    except TooLargeError as error:
        raise too_large(error, path) from error
    except DefectError as error:
        raise damaged(str(error), path) from error
    except OSError as error:
        raise damaged(f"it cannot be read ({error.strerror or error})", path) from error


def remember(path: Path, checks: Checks) -> None:
    """Need no checks for a file that Boxwright wrote, whatever its name."""
    if key := trial.fingerprint(path, checks.files(path)):
        trial.remember(key)
