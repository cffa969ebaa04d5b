"""ShuffleNet v2 (Ma et al. 2018, figure 3c and d, table 5), without its last convolution."""

from __future__ import annotations

from boxwright.models.layers.builder import Builder, Map

STEM = 24  # filters
UNITS = (4, 8, 4)  # of the stages, whose strides are 8, 16 and 32
PUBLISHED = {1.0: 116, 1.5: 176}  # filters of the first stage by depth multiplier


def stage_filters(depth_multiplier: float) -> int:
    """Filters of the first stage; each further one has twice as many."""
    return PUBLISHED.get(depth_multiplier, 2 * max(round(58 * depth_multiplier), 1))


def backbone_maps(x: Map, build: Builder[Map], depth_multiplier: float) -> list[Map]:
    """The maps of the three stages, the finest first.

    Args:
        x: `(B, S, S, 3)` in the network's input range.
        build: the builder. Block 0 is the stem, the units are the blocks after it.
        depth_multiplier: multiplies the filters of the stages.
    """
    x = build.pooled(build.convolution(x, "stem", STEM, 3, 2, block=0))
    filters, block, maps = stage_filters(depth_multiplier), 0, []
    for stage, units in enumerate(UNITS, start=2):
        for i in range(units):
            block += 1
            name = f"stage{stage}_{i}"
            x = (
                _unit(x, build, name, filters, block)
                if i
                else _halving(x, build, name, filters, block)
            )
        maps.append(x)
        filters *= 2
    return maps


def _halving(x: Map, build: Builder[Map], name: str, filters: int, block: int) -> Map:
    """The first unit of a stage: both branches see all channels and halve the map."""
    near = build.depthwise(x, f"{name}_left_depthwise", 3, 2, linear=True, block=block)
    near = build.convolution(near, f"{name}_left_project", filters // 2, 1, block=block)
    return build.shuffled(build.concat(near, _branch(x, build, name, filters // 2, 2, block)))


def _unit(x: Map, build: Builder[Map], name: str, filters: int, block: int) -> Map:
    """A unit that passes half of the channels on unchanged."""
    kept, x = build.halves(x)
    return build.shuffled(build.concat(kept, _branch(x, build, name, filters // 2, 1, block)))


def _branch(x: Map, build: Builder[Map], name: str, filters: int, strides: int, block: int) -> Map:
    x = build.convolution(x, f"{name}_expand", filters, 1, block=block)
    x = build.depthwise(x, f"{name}_depthwise", 3, strides, linear=True, block=block)
    return build.convolution(x, f"{name}_project", filters, 1, block=block)
