"""The executor that `--on` names."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from boxwright.errors import ArgumentError
from boxwright.parallel.local import on_this_machine
from boxwright.parallel.units import Executor

LOCAL, RAY = "local", "ray"
CHOICES = f"{LOCAL}|{RAY}[=ADDRESS]"


@contextmanager
def executor(on: str | Executor = LOCAL, *, keep_going: bool = False) -> Iterator[Executor]:
    """The executor of this name: `local`, `ray`, or `ray=ADDRESS` for the cluster at the address
    that `ray.init` takes. Yields an executor that is given as it is.

    Raises:
        ArgumentError: BW803 there is no such executor, BW815 no cluster answers.
        SystemFaultError: BW901 Ray is not installed.
    """
    if isinstance(on, Executor):
        yield on
        return
    name, _, address = on.partition("=")
    if on == LOCAL:
        yield Executor(on_this_machine, keep_going)
    elif name == RAY:
        from boxwright.parallel.cluster import on_cluster

        with on_cluster(address or None) as results:
            yield Executor(results, keep_going, elsewhere=True)
    else:
        raise ArgumentError(
            "BW803", f"on cannot be {on!r}.", choices="'local', 'ray', 'ray=ADDRESS'"
        )


def here() -> Executor:
    """The executor of this machine."""
    return Executor(on_this_machine)
