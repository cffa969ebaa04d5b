"""The first load of a file from a stranger, in a process that may die.

Runtimes are native programs: what a check overlooks may end the process, or never end. A file that
was loaded once, or that Boxwright wrote and verified itself, is remembered by its content in the
cache, so that a trial costs its time once.
"""

from __future__ import annotations

import hashlib
import re
import signal
import subprocess
import sys
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from pkgutil import resolve_name

from boxwright.errors import SystemFaultError
from boxwright.io.cache import cache_folder
from boxwright.io.files import write_text
from boxwright.safety.limits import DefectError

PROGRAM = (
    "import sys; sys.path.insert(0, sys.argv[1]); from boxwright.safety.trial import answer; "
    "answer()"
)
TRIED = "tried"  # folder in the cache
CHECKS = b"1"  # changes when a check becomes stricter, so that files are checked again
SECONDS = 60  # of a processor, after the imports
LONGEST = 300  # seconds in all
MEMORY = 4 << 30  # bytes, on top of those of the imports
DAMAGED, TOO_MUCH = 4, 3  # exit codes of the child
NO_MEMORY = re.compile(
    "bad.?alloc|failed to allocate m|bfc_arena|allocate memory|out of memory|OOM when",
    re.IGNORECASE,
)


class FatalError(DefectError):
    """The file ended the process that loaded it."""


def fingerprint(root: Path, files: Iterable[Path]) -> str | None:
    """The hash of a detector's files and their names below `root`; None without any."""
    whole = hashlib.sha256(CHECKS)
    found = False
    for path in sorted(files):
        if path.is_file():
            found = True
            with path.open("rb") as file:
                content = hashlib.file_digest(file, "sha256").hexdigest()
            name = "" if path == root else path.relative_to(root).as_posix()
            whole.update(f"{name}\n{content}\n".encode())
    return whole.hexdigest() if found else None


def is_known(key: str) -> bool:
    """True if files with this fingerprint were loaded before."""
    return (cache_folder() / TRIED / key).is_file()


def remember(key: str) -> None:
    """Need no trial for these files any more."""
    with suppress(SystemFaultError):  # a cache that cannot be written costs time only
        write_text(cache_folder() / TRIED / key, "")


def attempt(target: str, path: Path) -> None:
    """Call `target`, a function `package.module:name`, with `path` in a child process.

    Its exceptions are not reported, because loading the file here raises them again; except for a
    `DefectError`.

    Raises:
        FatalError: the process was killed, or exceeded its limits.
        DefectError: `target` raised it.
    """
    if not sys.executable or getattr(sys, "frozen", False):  # no interpreter to start
        return
    package = Path(__file__).parents[2]
    try:
        done = subprocess.run(  # noqa: S603  # nosec B603  # this interpreter
            [sys.executable, "-P", "-c", PROGRAM, str(package), target, str(path)],
            capture_output=True,
            stdin=subprocess.DEVNULL,
            timeout=LONGEST,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise FatalError("loading and running it does not end") from error
    if done.returncode == DAMAGED:
        raise DefectError(done.stdout.decode("utf-8", "replace").strip())
    if done.returncode == TOO_MUCH:
        raise FatalError(f"loading and running it takes more than {MEMORY:,} bytes of memory")
    if done.returncode == -getattr(signal, "SIGXCPU", 0) != 0:
        raise FatalError(f"loading and running it takes more than {SECONDS} seconds")
    if done.returncode:
        raise FatalError(f"loading or running it ends the process ({_reason(done.returncode)})")


def answer() -> None:
    """The child's side: the function and the path are arguments, the exit code is the answer."""
    target, path = sys.argv[2:]
    try:
        resolve_name(target)(Path(path))
    except FatalError:
        raise
    except DefectError as error:
        sys.stdout.buffer.write(str(error).encode())
        sys.exit(DAMAGED)
    except MemoryError:
        sys.exit(TOO_MUCH)
    except Exception as error:
        reason = f"{error} {error.__cause__}"  # in full, where the error is another's first line
        sys.exit(TOO_MUCH if NO_MEMORY.search(reason) else 0)


def limit() -> None:
    """Limit the time and the memory of this process from here on, where the system can."""
    if sys.platform == "win32":
        return
    import resource

    used = resource.getrusage(resource.RUSAGE_SELF)
    _set(resource.RLIMIT_CPU, int(used.ru_utime + used.ru_stime) + SECONDS)
    status = Path("/proc/self/statm")
    if status.exists():  # macOS does not count address space
        pages = int(status.read_text(encoding="ascii").split()[0])
        _set(resource.RLIMIT_AS, pages * resource.getpagesize() + MEMORY)


def _set(which: int, value: int) -> None:
    import resource

    _, hard = resource.getrlimit(which)
    soft = value if hard == resource.RLIM_INFINITY else min(value, hard)
    resource.setrlimit(which, (soft, hard))


def _reason(code: int) -> str:
    try:
        return signal.Signals(-code).name
    except ValueError:
        return f"exit code {code}"
