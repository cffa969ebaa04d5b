"""What a training may use of its machines. It decides how fast it learns, not what it learns."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from boxwright.backend import framework
from boxwright.errors import ArgumentError, TrainingError
from boxwright.training.processes import ALONE, Processes

ALL = "all"
GIGABYTE = 1e9


@dataclass(frozen=True)
class Storage:
    """Where decoded images are stored.

    Attributes:
        folder: for a temporary file of those that do not fit into memory; None for the system's.
        max_bytes: the most bytes to store; other images are decoded each time. None for all.
    """

    folder: Path | None = None
    max_bytes: int | None = None

    @classmethod
    def of(cls, folder: str | Path | None, gigabytes: float | None) -> Storage:
        """Raises:
        ArgumentError: BW802 a negative size.
        """
        if gigabytes is not None and gigabytes < 0:
            raise ArgumentError("BW802", f"cache_size is a number of GB, not {gigabytes}.")
        return cls(
            None if folder is None else Path(folder),
            None if gigabytes is None else int(gigabytes * GIGABYTE),
        )


@dataclass(frozen=True)
class Resources:
    """Devices, processes and storage of a training.

    Attributes:
        devices: devices of each process; None for all that it has.
        processes: the processes.
        storage: where decoded images are stored.
    """

    devices: int | None = 1
    processes: Processes = ALONE
    storage: Storage = Storage()

    @classmethod
    def of(
        cls,
        devices: str | int,
        processes: Processes | None,
        folder: str | Path | None,
        gigabytes: float | None,
    ) -> Resources:
        """As users give them: a number of devices, or `all`.

        Raises:
            ArgumentError: BW802 a negative size, BW803 `devices` is neither.
            TrainingError: BW315 the Keras backend trains on one device.
        """
        storage = Storage.of(folder, gigabytes)
        asked = cls(devices_of(devices), processes or ALONE, storage)
        if asked.several:
            check_engine()
        return asked

    @property
    def several(self) -> bool:
        """Return True if there may be more than one device."""
        return self.devices != 1 or self.processes.count > 1


ONE_DEVICE = Resources()


def devices_of(asked: str | int) -> int | None:
    """Return the number of devices, for `Resources`: that of `all` is None.

    Raises:
        ArgumentError: BW803 it is neither a number from 1 nor `all`.
    """
    if asked == ALL:
        return None
    if not str(asked).isdecimal() or int(asked) < 1:
        raise ArgumentError(
            "BW803", f"devices cannot be {asked!r}.", choices=f"{ALL}, or a number from 1"
        )
    return int(asked)


def check_engine() -> None:
    """Raises:
    TrainingError: BW315 the Keras backend trains on one device.
    """
    engine = framework.engine()
    if engine != "jax":
        raise TrainingError("BW315", f"on {engine}, training uses one device.")
