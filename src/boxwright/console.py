"""Output and error handling that all commands share.

The result goes to standard output and everything else to standard error, so that `--json` can be
piped. A failure prints one sentence with a code and one remedy, never a traceback.
"""

from __future__ import annotations

import functools
import os
import shlex
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn, ParamSpec

import typer

from boxwright.errors import (
    ArgumentError,
    BoxwrightError,
    FlagError,
    SystemFaultError,
    harmless,
)
from boxwright.io.files import json_text

P = ParamSpec("P")

FAILED, NOT_UNDERSTOOD, INTERRUPTED = 1, 2, 130  # exit codes


def any_encoding() -> None:
    """Print `?` for characters that the terminal cannot show: Windows consoles may lack UTF-8."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")


def guarded(command: Callable[P, None]) -> Callable[P, None]:
    """Wrap a command so that failures become a message on standard error and an exit code."""

    @functools.wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            command(*args, **kwargs)
        except (ArgumentError, FlagError) as error:
            fail(error, NOT_UNDERSTOOD)
        except BoxwrightError as error:
            fail(error)
        except KeyboardInterrupt as stop:
            interrupted(stop)
        except BrokenPipeError:  # `boxwright ... | head` has seen enough
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            sys.exit(FAILED)
        except (typer.Exit, typer.Abort, typer.BadParameter):
            raise
        except Exception as error:
            fail(unexpected(error))

    return run


def fail(error: BoxwrightError, exit_code: int = FAILED) -> NoReturn:
    """Print the error with its remedy, and exit."""
    say(f"[bold red]{error.code}[/] ", _sentence(error), "\n", f"[dim]->[/] {plain(error.remedy)}")
    sys.exit(exit_code)


def interrupted(stop: KeyboardInterrupt) -> NoReturn:
    """Say that the user stopped the command, with the notes of `stop`, and exit."""
    say(" ".join(["Stopped.", *map(plain, getattr(stop, "__notes__", ()))]))
    sys.exit(INTERRUPTED)


def unexpected(error: Exception) -> SystemFaultError:
    """Return an internal error, after writing its traceback to a file."""
    handle, name = tempfile.mkstemp(prefix="boxwright-", suffix=".log")
    with os.fdopen(handle, "w", encoding="utf-8") as log:
        log.write(f"boxwright {' '.join(sys.argv[1:])}\n\n")
        traceback.print_exception(error, file=log)
    return SystemFaultError(
        "BW999",
        f"internal error: {type(error).__name__}: {error}.",
        log=name,
    )


def say(*parts: str) -> None:
    """Print rich markup on standard error."""
    from rich.console import Console

    Console(stderr=True, highlight=False, soft_wrap=True).print(*parts, sep="")


def show(thing: Any) -> None:
    """Print a sentence or a rich table on standard output."""
    from rich.console import Console

    Console(highlight=False, soft_wrap=isinstance(thing, str)).print(thing)


def show_json(value: Any) -> None:
    """Print `value` as JSON on standard output."""
    typer.echo(json_text(value))


def quoted(path: str | Path) -> str:
    """Return a path quoted for the shell of this system."""
    text = str(path)
    return subprocess.list2cmdline([text]) if os.name == "nt" else shlex.quote(text)


def plain(text: str | Path) -> str:
    """Escape square brackets and control characters.

    Class and image names come from strangers: the terminal would obey an escape sequence.
    """
    from rich.markup import escape

    return escape(harmless(str(text)))


def _sentence(error: BoxwrightError) -> str:
    place = f"[bold]{plain(error.where)}[/]: " if error.where else ""
    return place + plain(error.message)
