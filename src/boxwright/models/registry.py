"""The detector families, one row each; none is imported before it is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from boxwright.errors import DetectorError
from boxwright.models.model import FAMILY_KEY, DetectionModel
from boxwright.ops.operation_check import CHECKING, Checking
from boxwright.structures.registry import Registry

DEFAULT = "ssd"  # also of the runs that were written when there was no other
FAMILIES: Registry[type[DetectionModel]] = Registry(
    {
        "ssd": "boxwright.models.ssd.detector:SsdModel",
    }
)


def family(name: str) -> type[DetectionModel]:
    """The family of that name.

    Raises:
        DetectorError: BW509 there is none.
    """
    if name not in FAMILIES:
        raise DetectorError(
            "BW509",
            f"there is no detector family {name!r}, only {', '.join(sorted(FAMILIES))}.",
        )
    return FAMILIES[name]


def register(model: type[DetectionModel]) -> type[DetectionModel]:
    """Add a family, after its decoding was tried; a decorator.

    Raises:
        ExportError: BW409 it decodes with an operation that not every export target has.
    """
    check_operations(model)
    FAMILIES[model.family] = model
    return model


def check_operations(model: type[DetectionModel]) -> None:
    """Decode zeros once, with the operations that every export target has and nothing else.

    Raises:
        ExportError: BW409.
    """
    small = model.build(model.spec_for(2, 64))
    outputs = {name: Checking(zeros) for name, zeros in small.blank_outputs().items()}
    small.decode(outputs, CHECKING)
    small.export_head(outputs, CHECKING)


def restored(value: Mapping[str, Any]) -> tuple[type[DetectionModel], Any]:
    """The family and the spec of `DetectionModel.to_json`; runs of before name no family.

    Raises:
        DetectorError: BW509 the family is not known here.
        KeyError, TypeError, ValueError: the spec is of no network of the family.
    """
    known = dict(value)
    kind = family(known.pop(FAMILY_KEY, DEFAULT))
    return kind, kind.spec_from_json(known)
