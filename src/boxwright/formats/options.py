"""How a folder of labeled images is read, where more than one way is possible."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Literal

from boxwright.images.options import MAX_PIXELS, DecodeOptions, DepthRange

Unlabeled = Literal["background", "skip"]
UNLABELED: tuple[Unlabeled, ...] = ("background", "skip")
Units = Literal["pixels", "fractions", "percent", "thousandths"]
UNITS: tuple[Units, ...] = ("pixels", "fractions", "percent", "thousandths")
UnitChoice = Units | Literal["format"]
UNIT_CHOICES: tuple[UnitChoice, ...] = (*UNITS, "format")


@dataclass(frozen=True)
class ReadOptions:
    """How a folder of labeled images is read.

        >>> dataset = boxwright.read("images", boxwright.ReadOptions(unlabeled="skip"))

    Attributes:
        form: the name of the format; None chooses the one with the most images.
        unlabeled: `background` takes images without annotation as images without objects, `skip`
            leaves them out; None takes only those that the format vouches for, as YOLO does.
        units: the unit of the coordinates of boxes: pixels, parts of the image's sides, or that of
            the `format`; None decides by the format and the numbers in each file.
        max_pixels: larger images are left out; None takes Pillow's limit.
        depth_range: the values that become black and white in images of more than 8 bits, such as
            `(0, 4095)`; None takes all values that the file can store.
    """

    form: str | None = None
    unlabeled: Unlabeled | None = None
    units: UnitChoice | None = None
    max_pixels: int | None = None
    depth_range: tuple[float, float] | None = None

    @property
    def decoding(self) -> DecodeOptions:
        """How the images are decoded. Raises ValueError."""
        depth = None if self.depth_range is None else DepthRange.of(self.depth_range)
        return DecodeOptions(self.max_pixels or MAX_PIXELS, depth)

    @classmethod
    def of(cls, options: str | ReadOptions | None) -> ReadOptions:
        """The options for the name of a format, or the default ones."""
        return options if isinstance(options, ReadOptions) else cls(options)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> ReadOptions:
        """The inverse of `to_json`; fields of later versions are ignored."""
        known = {field.name for field in fields(cls)}
        options = cls(**{name: each for name, each in value.items() if name in known})
        depth = options.depth_range
        return options if depth is None else replace(options, depth_range=DepthRange.of(depth))

    def to_json(self) -> dict[str, Any]:
        """The options that are set, as a run remembers them."""
        return {name: value for name, value in asdict(self).items() if value is not None}
