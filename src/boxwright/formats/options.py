"""How a folder of labeled images is read, where more than one way is possible."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal

Unlabeled = Literal["background", "skip"]
UNLABELED: tuple[Unlabeled, ...] = ("background", "skip")
Units = Literal["pixels", "fractions", "percent", "thousandths"]
UNITS: tuple[Units, ...] = ("pixels", "fractions", "percent", "thousandths")


@dataclass(frozen=True)
class ReadOptions:
    """How a folder of labeled images is read.

        >>> dataset = boxwright.read("images", boxwright.ReadOptions(unlabeled="skip"))

    Attributes:
        form: the name of the format; None chooses the one with the most images.
        unlabeled: `background` takes images without annotation as images without objects, `skip`
            leaves them out; None takes only those that the format vouches for, as YOLO does.
        units: the unit of the coordinates of boxes: pixels, or parts of the image's sides; None
            decides by the format and the numbers in each file.
    """

    form: str | None = None
    unlabeled: Unlabeled | None = None
    units: Units | None = None

    @classmethod
    def of(cls, options: str | ReadOptions | None) -> ReadOptions:
        """The options for the name of a format, or the default ones."""
        return options if isinstance(options, ReadOptions) else cls(options)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> ReadOptions:
        """The inverse of `to_json`; fields of later versions are ignored."""
        known = {field.name for field in fields(cls)}
        return cls(**{name: each for name, each in value.items() if name in known})

    def to_json(self) -> dict[str, Any]:
        """The options that are set, as a run remembers them."""
        return {name: value for name, value in asdict(self).items() if value is not None}
