"""Arrays that allow only the operations that every export target supports."""

from __future__ import annotations

from typing import Any, Never

from boxwright.errors import ExportError
from boxwright.ops.operations import NUMPY, Operations

ARITHMETIC = {"add", "subtract", "multiply", "divide", "negative"}  # NumPy's names of + - * / -
OPERATIONS = {name for name in vars(Operations) if not name.startswith("_")}


class Checking:
    """A NumPy array limited to the arithmetic and the slices of `ops.operations`.

    Raises:
        ExportError: BW409 another operation is used.
    """

    def __init__(self, values: Any) -> None:
        self._values = values

    def __add__(self, other: Any) -> Checking:
        return Checking(self._values + _bare(other))

    def __sub__(self, other: Any) -> Checking:
        return Checking(self._values - _bare(other))

    def __mul__(self, other: Any) -> Checking:
        return Checking(self._values * _bare(other))

    def __truediv__(self, other: Any) -> Checking:
        return Checking(self._values / _bare(other))

    def __radd__(self, other: Any) -> Checking:
        return Checking(other + self._values)

    def __rsub__(self, other: Any) -> Checking:
        return Checking(other - self._values)

    def __rmul__(self, other: Any) -> Checking:
        return Checking(other * self._values)

    def __rtruediv__(self, other: Any) -> Checking:
        return Checking(other / self._values)

    def __neg__(self) -> Checking:
        return Checking(-self._values)

    def __getitem__(self, key: Any) -> Checking:
        if not (isinstance(key, tuple) and len(key) == 2 and key[0] is Ellipsis):
            raise _unknown(f"an index of {key!r}")
        return Checking(self._values[key])

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **_: Any) -> Checking:
        if ufunc.__name__ not in ARITHMETIC or method != "__call__":  # array + Checking comes here
            raise _unknown(f"numpy.{ufunc.__name__}")
        return Checking(ufunc(*map(_bare, inputs)))

    def __array__(self, *_: Any, **__: Any) -> Never:
        raise _unknown("another array module")

    def __getattr__(self, name: str) -> Never:
        if name.startswith("__"):
            raise AttributeError(name)
        raise _unknown(f"the attribute {name}")


class CheckingOperations:
    """`Operations` on such arrays."""

    def __getattr__(self, name: str) -> Any:
        if name not in OPERATIONS:
            raise _unknown(f"the operation {name}")
        operation = getattr(NUMPY, name)

        def checked(*arguments: Any, **options: Any) -> Checking:
            return Checking(operation(*map(_bare, arguments), **options))

        return checked


CHECKING: Any = CheckingOperations()


def _bare(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [_bare(each) for each in value]
    return value._values if isinstance(value, Checking) else value


def _unknown(what: str) -> ExportError:
    return ExportError(
        "BW409",
        f"a detector family decodes with {what}, which some export targets lack.",
        operations=", ".join(sorted(OPERATIONS)),
    )
