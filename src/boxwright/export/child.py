"""Export in a child process on TensorFlow: Keras cannot change its backend within a process, and
TensorFlow's converters do not support the operations of other backends."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from boxwright import errors
from boxwright.errors import BoxwrightError
from boxwright.export.verify import Comparison

PROGRAM = "from boxwright.export.child import answer; answer()"


def export_in_child(say: Callable[[str], None], **arguments: Any) -> tuple[Path, Comparison]:
    """Call `export` in a child process. Arguments are text, paths, booleans or None. Raises the
    same errors; progress messages arrive at the end.

    Raises:
        RuntimeError: the process ended without an answer.
    """
    done = subprocess.run(  # noqa: S603  # nosec B603  # this interpreter
        [sys.executable, "-P", "-c", PROGRAM],
        env={**os.environ, "KERAS_BACKEND": "tensorflow"},
        input=json.dumps({name: _plain(each) for name, each in arguments.items()}),
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"the process that exports ended with {done.returncode}: {done.stderr}")
    said = json.loads(done.stdout.splitlines()[-1])
    if "error" in said:
        kind = getattr(errors, said.pop("error"))
        facts = said.pop("facts")
        raise kind(said.pop("code"), said.pop("message"), **said, **facts)
    for line in said["lines"]:
        say(line)
    return Path(said["path"]), Comparison.from_json(said["comparison"])


def _plain(argument: Any) -> Any:
    return str(argument) if isinstance(argument, Path) else argument


def answer() -> None:
    """The child's side: read JSON arguments from standard input, write the answer."""
    from boxwright.export.export import export

    arguments: dict[str, Any] = json.loads(sys.stdin.buffer.read())
    lines: list[str] = []
    try:
        path, comparison = export(**arguments, say=lines.append)
        said = {"path": str(path), "comparison": comparison.to_json(), "lines": lines}
    except BoxwrightError as error:
        said = {"error": type(error).__name__, **vars(error)}
    sys.stdout.buffer.write(f"{json.dumps(said)}\n".encode())
