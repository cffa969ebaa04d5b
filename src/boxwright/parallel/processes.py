"""Work in child processes: threads of one Python wait for each other between many small steps."""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
import warnings
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
Result = TypeVar("Result")
# Unlike those of `multiprocessing`, the children do not run the user's script again.
PROGRAM = (
    "import pickle, sys; sys.path[:] = pickle.load(sys.stdin.buffer); "
    "from boxwright.parallel.processes import serve; serve()"
)


class Processes:
    """Child processes, as many as there are threads that call `run` at the same time."""

    def __init__(self) -> None:
        self._idle: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Processes:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        for child in self._idle:
            _end(child)

    def run(self, work: Callable[P, Result], *args: P.args, **kwargs: P.kwargs) -> Result:
        """Call a function of a module in a child process; here, if that ends early."""
        child = None
        try:
            child = self._taken()
            _send(child.stdin, (work, args, kwargs))
            result: Result = pickle.load(child.stdout)  # type: ignore[arg-type]  # noqa: S301  # nosec B301  # our child
        except (OSError, EOFError, pickle.UnpicklingError):
            if child:
                _end(child)
            return work(*args, **kwargs)
        self._idle.append(child)
        return result

    def _taken(self) -> subprocess.Popen[bytes]:
        """A child of this thread alone. Raises OSError if none can be started."""
        with suppress(IndexError):
            return self._idle.pop()
        child = subprocess.Popen(  # noqa: S603  # nosec B603  # this interpreter
            [sys.executable, "-P", "-c", PROGRAM], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        with suppress(OSError):  # it has ended, as `run` notices
            _send(child.stdin, sys.path)
        return child


def serve() -> None:
    """The child's side: do what arrives until the input ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all processes; the parent decides
    warnings.simplefilter("ignore")
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # decoders may print
    with suppress(EOFError, BrokenPipeError):
        while True:
            work, args, kwargs = pickle.load(sys.stdin.buffer)  # noqa: S301  # nosec B301  # our parent
            _send(answers, work(*args, **kwargs))


def _end(child: subprocess.Popen[bytes]) -> None:
    child.kill()  # it has nothing to save
    with suppress(OSError):
        child.communicate()


def _send(stream: Any, content: object) -> None:
    stream.write(pickle.dumps(content, pickle.HIGHEST_PROTOCOL))
    stream.flush()
