"""Checks of HDF5 files, which have Keras' weights, before Keras sees them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from boxwright.backend import framework
from boxwright.safety import limits, trial
from boxwright.safety.limits import DefectError

MAX_ENTRIES = 100_000


def try_weights(path: Path) -> None:
    """Read every array of a file of weights, in a process that may die.

    Raises:
        DefectError: it refers to other files, or is damaged.
        TooLargeError: its arrays are too large.
    """
    h5py = framework.h5py()
    trial.limit()
    left = limits.LARGEST_TENSOR
    seen = 0
    with h5py.File(path, "r") as file:
        waiting: list[Any] = [file]
        while waiting:
            group = waiting.pop()
            for name in group:
                seen += 1
                if seen > MAX_ENTRIES:
                    raise DefectError(f"it has more than {MAX_ENTRIES:,} entries")
                if isinstance(group.get(name, getlink=True), h5py.ExternalLink):
                    raise DefectError("its weights are in other files")
                each = group[name]
                if isinstance(each, h5py.Group):
                    waiting.append(each)
                    continue
                if each.external or each.is_virtual:
                    raise DefectError("its weights are in other files")
                left -= max(int(each.nbytes), 0)
                if left < 0:
                    raise limits.TooLargeError("its arrays are too large")
                each[()]
