"""What every command shares: where it prints to, and how it fails.

Standard output holds what was asked for, standard error everything else, so that `--json` can be
piped. A failure is one coded sentence and one remedy; a person never sees a traceback.
"""

from __future__ import annotations

import functools
import json
import os
import re
import shlex
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn, ParamSpec

import typer

from boxwright.errors import ArgumentError, BoxwrightError, FlagError, SystemFaultError

P = ParamSpec("P")

CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")  # all but tab and line feed
FAILED, NOT_UNDERSTOOD, INTERRUPTED = 1, 2, 130  # exit codes


def any_encoding() -> None:
    """Print a `?` for what the terminal cannot show: a Windows console may not speak UTF-8."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")


def guarded(command: Callable[P, None]) -> Callable[P, None]:
    """The command with every failure turned into a sentence on standard error and an exit code."""

    @functools.wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            command(*args, **kwargs)
        except (ArgumentError, FlagError) as error:
            fail(error, NOT_UNDERSTOOD)
        except BoxwrightError as error:
            fail(error)
        except KeyboardInterrupt:
            interrupted()
        except BrokenPipeError:  # `boxwright ... | head` has seen enough
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            sys.exit(FAILED)
        except (typer.Exit, typer.Abort, typer.BadParameter):
            raise
        except Exception as error:
            fail(unexpected(error))

    return run


def fail(error: BoxwrightError, exit_code: int = FAILED) -> NoReturn:
    """Say what is wrong and what to do, and end the command."""
    say(f"[bold red]{error.code}[/] ", _sentence(error), "\n", f"[dim]->[/] {plain(error.remedy)}")
    sys.exit(exit_code)


def interrupted() -> NoReturn:
    say("Stopped.")
    sys.exit(INTERRUPTED)


def unexpected(error: Exception) -> SystemFaultError:
    """An error that Boxwright did not foresee, its traceback put into a file."""
    handle, name = tempfile.mkstemp(prefix="boxwright-", suffix=".log")
    with os.fdopen(handle, "w", encoding="utf-8") as log:
        log.write(f"boxwright {' '.join(sys.argv[1:])}\n\n")
        traceback.print_exception(error, file=log)
    return SystemFaultError(
        "BW999",
        f"Boxwright itself failed: {type(error).__name__}: {error}.",
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
    typer.echo(json.dumps(value, indent=2, ensure_ascii=False))


def quoted(path: str | Path) -> str:
    """A path as it is typed in a command of this system."""
    text = str(path)
    return subprocess.list2cmdline([text]) if os.name == "nt" else shlex.quote(text)


def plain(text: str | Path) -> str:
    """Text whose square brackets are not markup, and whose control characters do nothing.

    Class and photo names come from strangers: an escape sequence would be obeyed by the terminal.
    """
    from rich.markup import escape

    return escape(CONTROL.sub(lambda sign: f"\\x{ord(sign[0]):02x}", str(text)))


def _sentence(error: BoxwrightError) -> str:
    place = f"[bold]{plain(error.where)}[/]: " if error.where else ""
    return place + plain(error.message)
