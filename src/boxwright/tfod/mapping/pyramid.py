"""Convert the feature pyramid of a pipeline.config."""

from __future__ import annotations

from typing import Any

from boxwright.errors import TfodError
from boxwright.tfod.config import Config
from boxwright.tfod.config.model import (
    KERAS,
    FeaturePyramidNetworks,
    WeightSharedConvolutionalBoxPredictor,
)
from boxwright.tfod.config.pipeline import Pipeline

PYRAMID = "_fpn"  # what the names of networks with a feature pyramid end with
LAST_STRIDE = 32  # pixels, of a backbone's coarsest map
EXTRACTOR = "model.ssd.feature_extractor"


def has_pyramid(pipeline: Pipeline) -> bool:
    """Return True if the config's feature extractor is a feature pyramid."""
    return pipeline.model.feature_extractor.network.endswith(PYRAMID)


def pyramid_of(config: Config) -> Any:
    """Return the `PyramidSpec` of a config; None without a feature pyramid.

    Raises:
        TfodError: BW724 a part of the config does not fit the feature extractor.
    """
    from boxwright.models.ssd.spec import PyramidSpec

    _check_multiplier(config)
    if not has_pyramid(config.pipeline):
        _check_none(config)
        return None
    _check_pyramid(config)
    extractor = config.pipeline.model.feature_extractor
    fpn = extractor.fpn or FeaturePyramidNetworks()
    return PyramidSpec(
        fpn.min_level, fpn.max_level, fpn.additional_layer_depth, smoothed=extractor.is_keras
    )


def _check_multiplier(config: Config) -> None:
    """In Keras, the API multiplies the filters of MobileNet v1 twice, and those of the last
    convolution of MobileNet v2 only by less than one."""
    extractor = config.pipeline.model.feature_extractor
    multiplier, is_first = extractor.depth_multiplier, "_v1" in extractor.network
    if extractor.is_keras and (multiplier > 1 or (is_first and multiplier != 1)):
        what = f"depth_multiplier: {multiplier:g}"
        place = f"{EXTRACTOR}.depth_multiplier"
        raise _misfit(config, what, place, "depth_multiplier: 1.0")


def _check_none(config: Config) -> None:
    ssd = config.pipeline.model
    if ssd.feature_extractor.fpn:
        wanted = f"type: '{ssd.feature_extractor.network}_fpn_keras'"
        raise _misfit(config, "fpn", EXTRACTOR, wanted)
    if isinstance(ssd.box_predictor, WeightSharedConvolutionalBoxPredictor):
        what = "weight_shared_convolutional_box_predictor"
        raise _misfit(config, what, "model.ssd.box_predictor", "convolutional_box_predictor")


def _check_pyramid(config: Config) -> None:
    ssd, side = config.pipeline.model, config.pipeline.model.image_resizer.height
    if not isinstance(ssd.box_predictor, WeightSharedConvolutionalBoxPredictor):
        what, wanted = "convolutional_box_predictor", "weight_shared_convolutional_box_predictor"
        raise _misfit(config, what, "model.ssd.box_predictor", wanted)
    if not ssd.feature_extractor.is_keras and (place := _separable(config)):
        wanted = f'type: "{ssd.feature_extractor.type}{KERAS}"'
        raise _misfit(config, "use_depthwise: true", place, wanted)
    if ssd.feature_extractor.use_explicit_padding:
        what = "use_explicit_padding"
        raise _misfit(config, what, f"{EXTRACTOR}.{what}", f"{what}: false")
    if config.pipeline.graph_rewriter.quantization:
        wanted = "no graph_rewriter: an export to int8 is calibrated with images"
        raise _misfit(config, "a graph_rewriter", "graph_rewriter", wanted)
    if side % LAST_STRIDE:
        nearest = max(1, round(side / LAST_STRIDE)) * LAST_STRIDE
        what = f"an input of {side} pixels, which is not a multiple of {LAST_STRIDE},"
        wanted = f"height: {nearest} and width: {nearest}"
        raise _misfit(config, what, "model.ssd.image_resizer", wanted)


def _separable(config: Config) -> str:
    """Return the part with separable convolutions, if any. In TensorFlow 1, their backbone and
    regularizers are others."""
    ssd = config.pipeline.model
    if ssd.feature_extractor.use_depthwise:
        return f"{EXTRACTOR}.use_depthwise"
    return "model.ssd.box_predictor.*.use_depthwise" if ssd.box_predictor.use_depthwise else ""


def _misfit(config: Config, what: str, place: str, wanted: str) -> TfodError:
    kind = config.pipeline.model.feature_extractor.type
    return TfodError(
        "BW724",
        f"{what} is not supported with the feature extractor {kind}.",
        where=config.place(place),
        wanted=wanted,
    )
