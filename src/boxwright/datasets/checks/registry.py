"""The checks, each with the inputs it needs."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, NamedTuple

from boxwright.datasets.checks import boxes, classes, depth, duplicates, images, suitability
from boxwright.datasets.checks.measure import ImageSummaries
from boxwright.datasets.near_duplicates import Duplicates
from boxwright.datasets.near_duplicates import duplicates as duplicates_of
from boxwright.datasets.stats import Fractions, Reach, overlap_at
from boxwright.parallel.cores import Progress
from boxwright.structures.dataset import Dataset
from boxwright.structures.findings import Finding
from boxwright.structures.registry import Registry

Need = Literal["drawn", "repaired", "pixels", "duplicate_images", "input_size", "reach", "overlaps"]


@dataclass(frozen=True)
class Checked:
    """The inputs of all checks.

    Attributes:
        drawn: the images that can be decoded, with all annotated boxes, upright and clipped.
        repaired: the dataset for training, without useless boxes and unused classes.
        pixels: measurements of the images of `drawn`.
        input_size: side of the network's input, pixels.
        reach: which boxes the detector family can learn; None if unknown.
        progress: called with the number of images compared with the others and the total.
    """

    drawn: Dataset
    repaired: Dataset
    pixels: ImageSummaries
    input_size: int
    reach: Reach | None = None
    progress: Progress | None = None

    @cached_property
    def duplicate_images(self) -> Duplicates:
        """The duplicates and near-duplicates among the images of `drawn`."""
        found = duplicates_of(self.pixels.hashes, self.progress)
        return duplicates.with_same_pixels(self.drawn, found)

    @cached_property
    def overlaps(self) -> Fractions | None:
        """How well the boxes of `repaired` fit the anchors, see `overlap_at`; None if unknown."""
        return overlap_at(self.repaired, self.input_size, self.reach) if self.reach else None


class Check(NamedTuple):
    """One check.

    Attributes:
        find: takes the values of `needs`, in that order, and returns findings without a repair.
        needs: attributes of `Checked`.
    """

    find: Callable[..., Iterable[Finding]]
    needs: tuple[Need, ...]

    def findings(self, checked: Checked) -> Iterable[Finding]:
        """Run the check."""
        return self.find(*(getattr(checked, need) for need in self.needs))


CHECKS: Registry[Check] = Registry(
    {
        "slivers": Check(boxes.slivers, ("drawn",)),
        "covering": Check(boxes.covering, ("drawn",)),
        "perhaps_twice": Check(boxes.perhaps_twice, ("drawn",)),
        "contradictions": Check(boxes.contradictions, ("drawn",)),
        "nearly_the_same_name": Check(classes.nearly_the_same_name, ("repaired",)),
        "too_few": Check(classes.too_few, ("repaired",)),
        "not_trained": Check(classes.not_trained, ("repaired",)),
        "misnamed": Check(images.misnamed, ("pixels",)),
        "blurred": Check(images.blurred, ("pixels",)),
        "badly_exposed": Check(images.badly_exposed, ("pixels",)),
        "depth_used": Check(depth.depth_used, ("pixels",)),
        "tiny": Check(images.tiny, ("drawn",)),
        "duplicate_images": Check(duplicates.duplicate_images, ("drawn", "duplicate_images")),
        "too_small": Check(suitability.too_small, ("repaired", "input_size")),
        "unreached": Check(suitability.unreached, ("repaired", "input_size", "reach", "overlaps")),
        "few_images": Check(suitability.few_images, ("repaired",)),
        "none_for_testing": Check(suitability.none_for_testing, ("repaired",)),
        "showing_nothing": Check(suitability.showing_nothing, ("drawn",)),
    }
)
