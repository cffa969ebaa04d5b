"""Check of images of more than 8 bits: how much of their range is used."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from boxwright.datasets.checks.locations import image_finding
from boxwright.images.options import DepthRange
from boxwright.images.pixels import Depth
from boxwright.structures.findings import Finding, part_of

if TYPE_CHECKING:
    from boxwright.datasets.checks.measure import ImageSummaries

ENOUGH = 0.5  # share of the range that is shown


class NarrowDepth(NamedTuple):
    """The depth of a set of images that use a small part of their range.

    Attributes:
        depths: by image index.
        whole: all values.
        bulk: the values of at least 99.8 % of the pixels of each image.
    """

    depths: Mapping[int, Depth]
    whole: DepthRange
    bulk: DepthRange

    @property
    def suggested(self) -> DepthRange:
        """All values, or those without outliers if outliers would hide the rest."""
        is_narrow = self._share(self.whole) < ENOUGH or len(self._shown) > 1
        return self.whole if is_narrow else self.bulk

    @property
    def is_harmless(self) -> bool:
        return self._share(self.bulk) >= ENOUGH and len(self._shown) == 1

    def described(self, total: int) -> str:
        """The range used, and the range shown."""
        floats = any(depth.floats for depth in self.depths.values())
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
        return f"{text}; --depth-range {self.suggested} would show them fully"

    @property
    def _shown(self) -> set[DepthRange]:
        return {depth.shown for depth in self.depths.values()}

    def _share(self, used: DepthRange) -> float:
        shown = max(self._shown)
        return (used.high - used.low) / (shown.high - shown.low)


def narrow_depth(seen: ImageSummaries) -> NarrowDepth | None:
    """The range that the set's deep images use, if it is small and none was chosen."""
    depths = {i: each.depth for i, each in enumerate(seen.summaries) if each.depth}
    if not depths or seen.dataset.decoding.depth_range:
        return None
    some = depths.values()
    whole = DepthRange(min(one.low for one in some), max(one.high for one in some))
    bulk = DepthRange(min(one.bulk_low for one in some), max(one.bulk_high for one in some))
    found = NarrowDepth(depths, whole, bulk)
    return None if found.is_harmless or whole.low == whole.high else found


def depth_used(seen: ImageSummaries) -> list[Finding]:
    """Images of more than 8 bits whose values use a small part of the range (BW169)."""
    found = narrow_depth(seen)
    if found is None:
        return []
    names = [seen.dataset.names[i] for i in found.depths]
    return image_finding("BW169", names, found.described(len(seen.summaries)))


def _said(values: DepthRange) -> str:
    return f"{values.low:.10g} to {values.high:.10g}"
