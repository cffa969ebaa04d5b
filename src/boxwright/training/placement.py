"""The devices of a training on JAX: where the arrays of a step are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from boxwright.backend import framework
from boxwright.errors import TrainingError
from boxwright.training.decoded import DecodedImages
from boxwright.training.resources import Resources

AXIS = "data"  # of the mesh: rows of a batch


class Placement:
    """Divides batches among devices, by rows; everything else is on each device as a whole.

    Args:
        resources: the devices and processes.
        batch_size: images of a batch, which all devices share.

    Raises:
        TrainingError: BW316 there are not so many devices, or a batch cannot be divided.
    """

    def __init__(self, resources: Resources, batch_size: int) -> None:
        jax = framework.jax()
        own = [
            [each for each in jax.devices() if each.process_index == process]
            for process in range(resources.processes.count)
        ]
        wanted, there = resources.devices, min(map(len, own))
        if wanted is not None and wanted > there:
            seen = f"a process has {there} of them" if len(own) > 1 else f"there are {there}"
            raise TrainingError("BW316", f"{wanted} devices were asked for, and {seen}.")
        devices = [each for process in own for each in process[:wanted]]
        if batch_size % len(devices):
            raise TrainingError(
                "BW316",
                f"a batch of {batch_size} images cannot be divided among {len(devices)} devices.",
                near=_near(batch_size, len(devices)),
            )
        self._jax, self._processes = jax, resources.processes
        mesh = jax.sharding.Mesh(np.array(devices), (AXIS,))
        self._rows = jax.sharding.NamedSharding(mesh, jax.sharding.PartitionSpec(AXIS))
        self.whole = jax.sharding.NamedSharding(mesh, jax.sharding.PartitionSpec())
        self._text = f"batches of {batch_size} images, {batch_size // len(devices)} on each of "
        self._text += f"{len(devices)} devices"
        if len(own) > 1:
            self._text += f" in {len(own)} processes"

    def __str__(self) -> str:
        return self._text

    def run(
        self,
        step: Callable[..., Any],
        before: Any,
        fixed: Any,
        batch: tuple[NDArray[Any] | Rows, ...],
        rates: NDArray[np.float32],
    ) -> Any:
        """Return the result of a step, when it is there.

        Raises:
            TrainingError: BW318 another process has ended.
        """
        before, fixed, rates = self._jax.tree.map(self.on_each, (before, fixed, rates))
        divided = tuple(self._by_rows(each) for each in batch)
        with self._processes.together():
            return self._jax.block_until_ready(step(before, fixed, divided, rates))

    def on_each(self, value: Any) -> Any:
        """Return an array on every device, the same in every process."""
        if getattr(value, "sharding", None) == self.whole:
            return value
        here = np.asarray(value)
        return self._jax.make_array_from_callback(here.shape, self.whole, here.__getitem__)

    def _by_rows(self, values: NDArray[Any] | Rows) -> Any:
        """Return a part of a batch, divided among the devices. Of the rows only those of this
        process's devices are read."""
        return self._jax.make_array_from_callback(
            values.shape, self._rows, lambda index: values[index[0]]
        )

    def own(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return those of a batch's rows that are on devices of this process."""
        slices = self._rows.addressable_devices_indices_map(rows.shape).values()
        return np.concatenate([rows[index] for index in slices])


def placement_of(resources: Resources, batch_size: int) -> Placement | None:
    """Return where the arrays of a step are; None for the engine's usual device. Raises as
    `Placement`."""
    return Placement(resources, batch_size) if resources.several else None


@dataclass(frozen=True)
class Rows:
    """Rows of images that are read when an index asks for some of them."""

    images: NDArray[np.uint8] | DecodedImages
    rows: NDArray[np.int64]

    @property
    def shape(self) -> tuple[int, ...]:
        return (len(self.rows), *self.images.shape[1:])

    def __getitem__(self, index: slice) -> NDArray[np.uint8]:
        return self.images[self.rows[index]]


@dataclass(frozen=True)
class DividedImages:
    """Images by rows, which the devices of all processes share; indexing gives `Rows`."""

    images: NDArray[np.uint8] | DecodedImages
    placement: Placement

    @property
    def shape(self) -> tuple[int, ...]:
        return self.images.shape

    def __getitem__(self, rows: NDArray[np.int64]) -> Rows:
        return Rows(self.images, rows)

    def expect(self, rows: NDArray[np.int64]) -> None:
        """Begin to read those that are of this process."""
        if isinstance(self.images, DecodedImages):
            self.images.expect(self.placement.own(rows))


def _near(batch_size: int, devices: int) -> int:
    """Return a batch size near to the wanted one that can be divided."""
    return max(round(batch_size / devices), 1) * devices
