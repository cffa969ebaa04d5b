"""Ghost PAN, the feature pyramid of NanoDet-Plus: a path aggregation network (Liu et al. 2018,
"Path Aggregation Network for Instance Segmentation", section 3.1) of ghost bottlenecks (Han et al.
2020, "GhostNet", figures 2b and 3)."""

from __future__ import annotations

from collections.abc import Sequence

from boxwright.models.layers.builder import Builder, Map

KERNEL = 5  # of depthwise convolutions
GHOST_KERNEL = 3


def pyramid(maps: Sequence[Map], build: Builder[Map], filters: int) -> list[Map]:
    """One map for each of `maps`, finest first, and one of twice the largest stride.

    Args:
        maps: the backbone's maps, each half as large as the one before.
        build: the builder.
        filters: number of filters of all resulting maps.
    """
    reduced = [build.convolution(x, f"reduce_{i}", filters, 1) for i, x in enumerate(maps)]
    downward = [reduced[-1]]
    for i, finer in reversed(list(enumerate(reduced[:-1]))):
        x = build.concat(build.doubled(downward[0]), finer)
        downward.insert(0, _bottleneck(x, build, f"top_down_{i}", filters))
    upward = [downward[0]]
    for i, coarser in enumerate(downward[1:], start=1):
        x = _halved(upward[-1], build, f"downsample_{i}", filters)
        x = build.concat(x, coarser)
        upward.append(_bottleneck(x, build, f"bottom_up_{i}", filters))
    extra = (
        _halved(x, build, f"extra_{name}", filters)
        for name, x in (("in", reduced[-1]), ("out", upward[-1]))
    )
    return [*upward, build.add(*extra)]


def _halved(x: Map, build: Builder[Map], name: str, filters: int) -> Map:
    x = build.depthwise(x, f"{name}_depthwise", KERNEL, 2)
    return build.convolution(x, f"{name}_project", filters, 1)


def _bottleneck(x: Map, build: Builder[Map], name: str, filters: int) -> Map:
    ghosts = _ghosts(x, build, f"{name}_ghost_1", filters, linear=False)
    ghosts = _ghosts(ghosts, build, f"{name}_ghost_2", filters, linear=True)
    x = build.depthwise(x, f"{name}_shortcut_depthwise", KERNEL, linear=True)
    return build.add(
        ghosts, build.convolution(x, f"{name}_shortcut_project", filters, 1, linear=True)
    )


def _ghosts(x: Map, build: Builder[Map], name: str, filters: int, *, linear: bool) -> Map:
    """Half of the channels by a convolution, the others from them by a cheap one."""
    x = build.convolution(x, f"{name}_primary", filters // 2, 1, linear=linear)
    return build.concat(x, build.depthwise(x, f"{name}_cheap", GHOST_KERNEL, linear=linear))
