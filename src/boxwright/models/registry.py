"""Registry of detector families, which are imported on demand."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from boxwright.errors import DetectorError
from boxwright.models.model import FAMILY_KEY, DetectionModel
from boxwright.ops.operation_check import CHECKING, Checking
from boxwright.structures.registry import Registry

DEFAULT = "ssd"  # also for runs of versions with a single family
FAMILIES: Registry[type[DetectionModel]] = Registry(
    {
        "nanodet_plus": "boxwright.models.nanodet_plus.detector:NanoDetModel",
        "ssd_fpn": "boxwright.models.ssd_fpn.detector:SsdFpnModel",  # before ssd, for `reads`
        "ssd": "boxwright.models.ssd.detector:SsdModel",
    }
)


def family(name: str) -> type[DetectionModel]:
    """The family with that name.

    Raises:
        DetectorError: BW509 there is no such family.
    """
    if name not in FAMILIES:
        raise DetectorError(
            "BW509",
            f"there is no detector family {name!r}, only {', '.join(sorted(FAMILIES))}.",
        )
    return FAMILIES[name]


def family_of_weights(path: Path) -> str:
    """The name of the family that reads a pretrained file, by its kind; the default for others."""
    return next((name for name in FAMILIES if FAMILIES[name].reads(path)), DEFAULT)


def register(model: type[DetectionModel]) -> type[DetectionModel]:
    """Class decorator that adds a family after a check of its decoding.

    Raises:
        ExportError: BW409 its decoding uses an operation that some export targets lack.
    """
    check_operations(model)
    FAMILIES[model.family] = model
    return model


def check_operations(model: type[DetectionModel]) -> None:
    """Decode zeros with only the operations that every export target supports.

    Raises:
        ExportError: BW409.
    """
    small = model.build(model.spec_for(2, 64))
    outputs = {name: Checking(zeros) for name, zeros in small.blank_outputs().items()}
    small.decode(outputs, CHECKING)
    small.export_head(outputs, CHECKING)


def restored(value: Mapping[str, Any]) -> tuple[type[DetectionModel], Any]:
    """The family and the spec from `DetectionModel.to_json`; older runs have no family key.

    Raises:
        DetectorError: BW509 the family is unknown.
        KeyError, TypeError, ValueError: the spec is invalid for the family.
    """
    known = dict(value)
    kind = family(known.pop(FAMILY_KEY, DEFAULT))
    return kind, kind.spec_from_json(known)
