"""Output and error handling that all commands share.

The result goes to standard output and everything else to standard error, so that `--json` can be
piped. A failure prints one sentence with a code and one remedy, never a traceback.
"""

from __future__ import annotations

import functools
import os
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, ParamSpec, TextIO, cast

import typer

from boxwright.errors import (
    ArgumentError,
    BoxwrightError,
    FlagError,
    SystemFaultError,
    harmless,
)
from boxwright.io.files import json_text

if TYPE_CHECKING:
    from rich.console import Console

P = ParamSpec("P")

FAILED, NOT_UNDERSTOOD, INTERRUPTED = 1, 2, 130  # exit codes


def prepare_streams() -> None:
    """Print `?` for characters that the terminal cannot show: Windows consoles may lack UTF-8.
    Open closed streams, lest a file of ours gets their number and what libraries print."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # gets the lowest free number
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")


@contextmanager
def printing() -> Iterator[None]:
    """Raise a coded error if standard output takes nothing more.

    Raises:
        SystemFaultError: BW904.
        BrokenPipeError: its reader has ended.
    """
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        _give_up(sys.stdout)
        raise SystemFaultError(
            "BW904", f"the output cannot be printed ({error.strerror or error})."
        ) from error


class _Messages:
    """Standard error, without which all work goes on: what it does not take is lost."""

    @property
    def _stream(self) -> Any:
        return getattr(sys.stderr, "rich_proxied_file", sys.stderr)  # behind a progress bar

    def write(self, text: str) -> int:
        try:
            return int(self._stream.write(text)) if self._stream else 0
        except OSError:
            _give_up(self._stream)
            return 0

    def flush(self) -> None:
        try:
            if self._stream:
                self._stream.flush()
        except OSError:
            _give_up(self._stream)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def messages() -> Console:
    """A rich console on standard error."""
    from rich.console import Console

    return Console(file=cast(TextIO, _Messages()), highlight=False, soft_wrap=True)


def _give_up(stream: TextIO) -> None:
    """Drop what a stream still holds: Python would fail again as it ends."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


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
            _give_up(sys.stdout)
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
    """Return an internal error, after writing its traceback to a file, or to standard error where
    no file can be written."""
    try:
        handle, name = tempfile.mkstemp(prefix="boxwright-", suffix=".log")
        with os.fdopen(handle, "w", encoding="utf-8", errors="backslashreplace") as file:
            file.write(f"boxwright {' '.join(sys.argv[1:])}\n\n")
            traceback.print_exception(error, file=file)
        log = f"the file {name}"
    except OSError:
        say(plain("".join(traceback.format_exception(error))))
        log = "the lines above"
    return SystemFaultError(
        "BW999",
        f"internal error: {type(error).__name__}: {error}.",
        log=log,
    )


def say(*parts: str) -> None:
    """Print rich markup on standard error."""
    messages().print(*parts, sep="")


def log_line(text: str) -> None:
    """Print a line of a log on standard error, as it is."""
    _Messages().write(f"{text}\n")


def show(thing: Any) -> None:
    """Print a sentence or a rich table on standard output."""
    from rich.console import Console

    with printing():
        Console(highlight=False, soft_wrap=isinstance(thing, str)).print(thing)


def show_json(value: Any) -> None:
    """Print `value` as JSON on standard output."""
    echo(json_text(value))


def echo(text: str) -> None:
    """Print text as it is on standard output."""
    with printing():
        typer.echo(text)


def plain(text: str | Path) -> str:
    """Escape square brackets and control characters.

    Class and image names come from strangers: the terminal would obey an escape sequence.
    """
    from rich.markup import escape

    return escape(harmless(str(text)))


def _sentence(error: BoxwrightError) -> str:
    place = f"[bold]{plain(error.where)}[/]: " if error.where else ""
    return place + plain(error.message)
