"""One of several processes of a training, as a command: watched by a small parent, and ended at
once if it fails.

A process that another one waits for cannot say that it was killed: its parent says so. JAX ends
the processes whose peer is gone.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import NoReturn

from boxwright.console import FAILED, INTERRUPTED, NOT_UNDERSTOOD, guarded, say
from boxwright.training.control import Control
from boxwright.training.processes import Cluster, Processes, ended

STDIN = 0  # read without Python's stream, whose lock must be free as the process ends
WATCHED = "BOXWRIGHT_WATCHED"  # set by the parent for its child
KNOWN = {0, FAILED, NOT_UNDERSTOOD, INTERRUPTED}  # exit codes of a command that said why it ends
PASSED_ON = ("SIGTERM", "SIGHUP")  # Ctrl-C reaches parent and child by itself


@contextmanager
def connected(cluster: Cluster) -> Iterator[tuple[Processes, Control]]:
    """Run the block in a child of this process, connected with the other processes. This process
    exits as its child does.

    The control stops the training of process 0 after Ctrl-C. The others ignore the first Ctrl-C,
    since process 0 ends them. After an error the child prints it and exits at once: JAX would wait
    for the others, and they for this one.

    Raises:
        SystemExit: in the parent.
    """
    if os.environ.pop(WATCHED, None) is None:
        sys.exit(_watched())
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        with cluster.joined() as processes:
            control = Control()
            _stop_by_ctrl_c(control, processes)
            yield processes, control
    except BaseException as error:
        _exit(error)


def _watched() -> int:
    """Run this command line in a child, and return its exit code; say so if it was killed."""
    child = subprocess.Popen(  # noqa: S603  # nosec B603  # this command line again
        [sys.executable, *sys.orig_argv[1:]],
        env={**os.environ, WATCHED: "1"},
        stdin=subprocess.PIPE,  # its end means that this process has ended
    )
    signal.signal(signal.SIGINT, lambda number, frame: None)
    for name in PASSED_ON:
        if number := getattr(signal, name, None):  # the latter is not on Windows
            signal.signal(number, lambda number, frame: child.send_signal(number))
    code = child.wait()
    if code in KNOWN:
        return code
    reason = f"signal {-code}" if code < 0 else f"exit code {code}"
    guarded(_raising(ended(f"the one that is watched here: {reason}")))()
    return FAILED


def _end_with_parent() -> None:
    with suppress(OSError):
        while os.read(STDIN, 1):
            pass
    os._exit(FAILED)


def _stop_by_ctrl_c(control: Control, processes: Processes) -> None:
    if threading.current_thread() is not threading.main_thread():
        return

    def stop(number: int, frame: object) -> None:
        signal.signal(number, signal.default_int_handler)  # for who presses it again
        if processes.leads:
            control.stop()
        else:
            say("Process 0 ends the training. To end this process alone, press Ctrl-C again.")

    for name in ("SIGINT", *PASSED_ON):
        if number := getattr(signal, name, None):
            signal.signal(number, stop)


def _exit(error: BaseException) -> NoReturn:
    code: object = FAILED
    try:
        guarded(_raising(error))()
    except SystemExit as end:
        code = end.code
    finally:
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError, ValueError):
                stream.flush()
        os._exit(code if isinstance(code, int) else FAILED)


def _raising(error: BaseException) -> Callable[[], None]:
    def again() -> None:
        raise error

    return again
