"""Work in child processes: threads of one Python wait for each other between many small steps."""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
import threading
import warnings
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Any, Concatenate, Generic, ParamSpec, Self, TypeVar

P = ParamSpec("P")
Result = TypeVar("Result")
Told = Callable[[], bool]  # True as soon as the results are wanted
# Unlike those of `multiprocessing`, the children do not run the user's script again.
PROGRAM = (
    "import pickle, sys; sys.path[:] = pickle.load(sys.stdin.buffer); "
    "from boxwright.parallel.processes import serve; serve()"
)


class _Children:
    """Child processes that end with the block."""

    def __init__(self) -> None:
        self._children: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        for child in self._children:
            _end(child)


class Processes(_Children):
    """Child processes, as many as there are threads that call `run` at the same time.

    A child is listed only while it has nothing to do.
    """

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
        self._children.append(child)
        return result

    def _taken(self) -> subprocess.Popen[bytes]:
        """A child of this thread alone. Raises OSError if none can be started."""
        with suppress(IndexError):
            return self._children.pop()
        return _started()


class Ahead(_Children, Generic[Result]):
    """Child processes that work until their results are wanted, while this one does something else.

    The work is a function of a module. Its first argument says whether it is time to return what is
    done. Nothing waits for the start of a child, so the other arguments have to be small.
    """

    def begin(
        self, work: Callable[Concatenate[Told, P], Result], *args: P.args, **kwargs: P.kwargs
    ) -> None:
        """Start the work in one more child, unless none can be started."""
        with suppress(OSError):
            child = _started()
            self._children.append(child)
            _send(child.stdin, (_until_told, (work, *args), kwargs))

    def results(self) -> list[Result]:
        """What the children have done until now. One that ended early has done nothing."""
        found: list[Result] = []
        for child in self._children:
            with suppress(OSError):
                child.stdin.close()  # type: ignore[union-attr]
        for child in self._children:
            with suppress(OSError, EOFError, pickle.UnpicklingError):
                found.append(pickle.load(child.stdout))  # type: ignore[arg-type]  # noqa: S301  # nosec B301  # our child
        return found


def _started() -> subprocess.Popen[bytes]:
    """A child that waits for work. Raises OSError if none can be started."""
    child = subprocess.Popen(  # noqa: S603  # nosec B603  # this interpreter
        [sys.executable, "-P", "-c", PROGRAM], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    with suppress(OSError):  # it has ended, as whoever gives it work notices
        _send(child.stdin, sys.path)
    return child


# The child's side:


def serve() -> None:
    """Do what arrives until the input ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all processes; the parent decides
    warnings.simplefilter("ignore")
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # decoders may print
    with suppress(EOFError, BrokenPipeError):
        while True:
            work, args, kwargs = pickle.load(sys.stdin.buffer)  # noqa: S301  # nosec B301  # our parent
            _send(answers, work(*args, **kwargs))


def _until_told(
    work: Callable[Concatenate[Told, P], Result], *args: P.args, **kwargs: P.kwargs
) -> Result:
    """Do work whose results are wanted when the input ends."""
    told = threading.Event()

    def listen() -> None:
        sys.stdin.buffer.read()
        told.set()

    threading.Thread(target=listen, daemon=True).start()
    return work(told.is_set, *args, **kwargs)


def _end(child: subprocess.Popen[bytes]) -> None:
    with suppress(OSError), child:  # which closes its streams and waits
        child.kill()  # it has nothing to save


def _send(stream: Any, content: object) -> None:
    stream.write(pickle.dumps(content, pickle.HIGHEST_PROTOCOL))
    stream.flush()
