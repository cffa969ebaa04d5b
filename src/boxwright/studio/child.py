"""Work in a process of low priority, which disturbs nobody who labels, and may fail alone."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from typing import Any, Protocol

RUNNING, DONE, FAILED = "running", "done", "failed"
PROGRAM = [sys.executable, "-P", "-m", "boxwright.studio.worker"]
# Ctrl-C in the terminal is for the studio, which then ends its children.
IF_WINDOWS: dict[str, Any] = {
    "creationflags": getattr(subprocess, "BELOW_NORMAL_PRIORITY_CLASS", 0)
    | getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)
}
APART: dict[str, Any] = IF_WINDOWS if sys.platform == "win32" else {"start_new_session": True}


class Telling(Protocol):
    """A process that tells about its work."""

    def __iter__(self) -> Iterator[dict[str, Any]]: ...

    def close(self) -> None: ...


StartChild = Callable[[Mapping[str, Any]], Telling]


class Child:
    """A process that does one piece of work, see `worker`.

    Iterate over what it tells: objects with a `state`, of which the last one is DONE, or FAILED
    with the code, message and remedy of an error.

    Args:
        request: the work, as JSON.

    Attributes:
        process: its process id.
    """

    def __init__(self, request: Mapping[str, Any]) -> None:
        self._process = subprocess.Popen(  # noqa: S603  # nosec B603  # this interpreter
            PROGRAM,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            **APART,
        )
        self.process = self._process.pid
        threading.Thread(target=self._send, args=(request,), daemon=True).start()

    def __iter__(self) -> Iterator[dict[str, Any]]:
        ended = False
        for line in self._process.stdout or ():
            if not line.endswith(b"\n"):  # it was killed
                break
            told = json.loads(line)
            ended = told["state"] != RUNNING
            yield told
        code = self._process.wait()
        if not ended:
            yield {"state": FAILED, "code": "", "message": _early(code), "remedy": ""}

    def close(self) -> None:
        """End it now, if it has not ended; it has nothing to save."""
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            if stream:
                with suppress(OSError):
                    stream.close()

    def _send(self, request: Mapping[str, Any]) -> None:
        """Send the request, and leave the stream open: its end means that the studio has ended."""
        stream = self._process.stdin
        if stream:
            with suppress(OSError):
                stream.write(json.dumps(request).encode("ascii") + b"\n")
                stream.flush()


def _early(code: int) -> str:
    why = "was stopped by the system, perhaps for lack of memory" if code < 0 else "ended early"
    return f"The work {why} ({code})."
