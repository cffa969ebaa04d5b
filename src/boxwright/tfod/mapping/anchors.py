"""Convert the anchor generator of a pipeline.config."""

from __future__ import annotations

from boxwright.errors import TfodError
from boxwright.ops.anchors import Anchors, AnchorSpec, PyramidAnchorSpec
from boxwright.tfod.config import Config
from boxwright.tfod.config.model import MultiscaleAnchorGenerator, SsdAnchorGenerator

GENERATOR = "model.ssd.anchor_generator.*"


def anchors_of(config: Config, levels: range) -> Anchors:
    """Return the anchors of a config.

    Args:
        config: the pipeline.config.
        levels: levels of the feature maps, whose strides are `2 ** level`.

    Raises:
        TfodError: BW722 they do not fit the feature maps, BW723 there are none.
    """
    ssd, maps = config.pipeline.model, len(levels)
    spec: Anchors
    match ssd.anchor_generator:
        case SsdAnchorGenerator() as generator:
            spec = _grid_anchors(config, generator, maps)
        case MultiscaleAnchorGenerator() as generator:
            spec = _pyramid_anchors(config, generator, levels)
    if 0 in spec.per_location(maps):
        raise TfodError(
            "BW723",
            "the anchor generator has no aspect_ratios, so some feature maps have no anchors.",
            where=config.place("model.ssd.anchor_generator"),
            example="aspect_ratios: [1.0, 2.0, 0.5]",
        )
    return spec


def _grid_anchors(config: Config, generator: SsdAnchorGenerator, maps: int) -> AnchorSpec:
    if generator.num_layers != maps:
        raise _misfit(config, "num_layers", f"anchors for {generator.num_layers}", maps)
    for name in ("scales", "height_stride", "width_stride", "height_offset", "width_offset"):
        numbers = getattr(generator, name)
        twin = name.replace("height", "width")
        if len(numbers) not in {0, maps} or len(numbers) != len(getattr(generator, twin)):
            raise _misfit(config, name, f"{len(numbers)} {name}", maps)
    return AnchorSpec(
        generator.min_scale,
        generator.max_scale,
        generator.aspect_ratios,
        scales=generator.scales,
        between=generator.interpolated_scale_aspect_ratio,
        fewer_on_finest=generator.reduce_boxes_in_lowest_layer,
        base=(generator.base_anchor_height, generator.base_anchor_width),
        strides=tuple(zip(generator.height_stride, generator.width_stride, strict=True)),
        offsets=tuple(zip(generator.height_offset, generator.width_offset, strict=True)),
    )


def _pyramid_anchors(
    config: Config, generator: MultiscaleAnchorGenerator, levels: range
) -> PyramidAnchorSpec:
    lowest, highest = levels[0], levels[-1]
    for name, wanted in (("min_level", lowest), ("max_level", highest)):
        if getattr(generator, name) != wanted:
            raise TfodError(
                "BW722",
                f"{name} is {getattr(generator, name)}, but the {len(levels)} feature maps are "
                f"levels {lowest} to {highest}, with strides of {2**lowest} to {2**highest} "
                "pixels.",
                where=_generator_place(config, name),
                wanted=f"{name}: {wanted}",
            )
    return PyramidAnchorSpec(
        generator.anchor_scale, generator.aspect_ratios, generator.scales_per_octave, lowest
    )


def _misfit(config: Config, field: str, given: str, maps: int) -> TfodError:
    return TfodError(
        "BW722",
        f"the config has {given}, but the feature extractor has {maps} feature maps.",
        where=_generator_place(config, field),
        wanted=f"num_layers: {maps}"
        if field == "num_layers"
        else f"one {field} per feature map, for height and width",
    )


def _generator_place(config: Config, field: str) -> str:
    """Return the location of the field, or of the anchor generator if it lacks the field."""
    path = f"{GENERATOR}.{field}"
    return config.place(path if config.tree.find(path) else "model.ssd.anchor_generator")
