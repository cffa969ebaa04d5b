"""Check of images of more than 8 bits: how much of their range is used."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, NamedTuple

from boxwright.datasets.checks.locations import image_finding
from boxwright.images.options import DepthRange
from boxwright.images.pixels import Depth
from boxwright.structures.findings import Finding, counted, part_of

if TYPE_CHECKING:
    from boxwright.datasets.checks.measure import ImageSummaries

ENOUGH = 0.5  # share of the range that is shown
FINER = 32  # floats that span so much less than other values are on another scale


class Scale(NamedTuple):
    """The depth of images that one range can show.

    Attributes:
        depths: by image index.
        whole: all values.
        bulk: the values of at least 99.8 % of the pixels of each image.
    """

    depths: Mapping[int, Depth]
    whole: DepthRange
    bulk: DepthRange

    @classmethod
    def of(cls, depths: Mapping[int, Depth]) -> Scale:
        some = depths.values()
        whole = DepthRange(min(one.low for one in some), max(one.high for one in some))
        bulk = DepthRange(min(one.bulk_low for one in some), max(one.bulk_high for one in some))
        return cls(depths, whole, bulk)

    @property
    def suggested(self) -> DepthRange:
        """All values, or those without outliers if outliers would hide the rest."""
        is_narrow = self._share(self.whole) < ENOUGH or len(self._shown) > 1
        return self.whole if is_narrow else self.bulk

    @property
    def is_narrow(self) -> bool:
        """True if the images use a small part of the range that is shown."""
        is_used = self._share(self.bulk) >= ENOUGH and len(self._shown) == 1
        return not is_used and self.whole.low < self.whole.high

    def hides(self, depth: Depth) -> bool:
        """True if floats are on a finer scale: this one would leave them few gray levels."""
        spread = depth.high - depth.low
        return depth.floats and 0 < FINER * spread < self.whole.high - self.whole.low

    def described(self, total: int, others: int) -> str:
        """The range used, the range shown, and the number of images on other scales."""
        floats = all(depth.floats for depth in self.depths.values())
        kind = "floats" if floats else "more than 8 bits"
        which = part_of(len(self.depths), total, "image", "has", "have")
        text = f"{which} {kind}, with values {_said(self.whole)}"
        if self.suggested is self.bulk:
            text += f" and 99.8 % of the pixels from {_said(self.bulk)}"
        shown = max(self._shown)
        share = 100 * self._share(self.suggested)
        text += f": {share:.2g} % of the range {_said(shown)} that becomes black to white"
        if len(self._shown) > 1:
            text += "; images without a value above 255 are shown brighter than the others"
        if any(depth.colors for depth in self.depths.values()):
            text += "; of colors only the upper 8 bits are read"
        text += f"; --depth-range {self.suggested} would show them fully"
        if others:
            rest = counted(others, "image is", "images are")
            text += f", but {rest} on another scale, and all get the same range"
        return text

    @property
    def _shown(self) -> set[DepthRange]:
        return {depth.shown for depth in self.depths.values()}

    def _share(self, used: DepthRange) -> float:
        shown = max(self._shown)
        return (used.high - used.low) / (shown.high - shown.low)


def scales(seen: ImageSummaries) -> list[Scale]:
    """The deep images by their scale; none if a range was chosen."""
    depths = {i: each.depth for i, each in enumerate(seen.summaries) if each.depth}
    return [] if seen.dataset.decoding.depth_range else list(_scales(depths))


def depth_used(seen: ImageSummaries) -> list[Finding]:
    """Images of more than 8 bits whose values use a small part of the range (BW169)."""
    findings: list[Finding] = []
    found = scales(seen)
    deep = sum(len(scale.depths) for scale in found)
    for scale in found:
        if scale.is_narrow:
            names = [seen.dataset.names[i] for i in scale.depths]
            message = scale.described(len(seen.summaries), deep - len(names))
            findings += image_finding("BW169", names, message)
    return findings


def _scales(depths: Mapping[int, Depth]) -> Iterator[Scale]:
    """The coarsest scale first. Whole numbers are on one, floats may be on any."""
    if not depths:
        return
    everything = Scale.of(depths)
    finer = {i: depth for i, depth in depths.items() if everything.hides(depth)}
    if len(finer) == len(depths):
        yield everything
        return
    yield Scale.of({i: depth for i, depth in depths.items() if i not in finer})
    yield from _scales(finer)


def _said(values: DepthRange) -> str:
    return f"{values.low:.10g} to {values.high:.10g}"
