"""Build the network of a pipeline.config and load its checkpoint.

Three parts of a network have hyperparameters. The backbone uses those of its paper, or with
`override_base_feature_extractor_hyperparams` those of the feature extractor. The extra maps use
those of the feature extractor, and the heads those of the box predictor.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from boxwright.backend import framework
from boxwright.errors import TfodError
from boxwright.images.preprocessing import Preprocessing
from boxwright.ops.anchors import FIRST_LEVEL
from boxwright.tfod.config import Config, checked
from boxwright.tfod.config.hyperparams import (
    BatchNorm,
    Hyperparams,
    Initializer,
    L1Regularizer,
    L2Regularizer,
    RandomNormalInitializer,
    TruncatedNormalInitializer,
    VarianceScalingInitializer,
)
from boxwright.tfod.config.model import BoxPredictor, WeightSharedConvolutionalBoxPredictor
from boxwright.tfod.config.paths import checkpoint
from boxwright.tfod.config.pipeline import Pipeline
from boxwright.tfod.mapping.anchors import anchors_of
from boxwright.tfod.mapping.pyramid import has_pyramid, pyramid_of
from boxwright.training.config import LayerGroupValues

if TYPE_CHECKING:
    from boxwright.models.ssd.detector import SsdModel

KERNEL, OUTPUTS = "weights_quant", ("act_quant", "post_activation_bypass_quant")
RANGE = re.compile(rf"(.+)/({'|'.join((KERNEL, *OUTPUTS))})/(?:min|max)")
# Hyperparameters of the backbones, as in the training of their classifiers.
BACKBONE = Hyperparams(
    regularizer=L2Regularizer(weight=4e-5),
    initializer=TruncatedNormalInitializer(stddev=0.09),
    activation="RELU_6",
    batch_norm=BatchNorm(decay=0.9997, scale=True),
)
ACTIVATIONS: Mapping[str, Any] = {"NONE": "linear", "RELU": "relu", "RELU_6": "relu6"}


@dataclass(frozen=True)
class Trained:
    """A trained network.

    Attributes:
        config: config of the training.
        model: detector with a background column.
        preprocessing: preprocessing of its input.
        step: number of training steps.
        learnt: quantization ranges of the checkpoint, by the API's variable names.
    """

    config: Config
    model: SsdModel
    preprocessing: Preprocessing
    step: int
    learnt: dict[str, NDArray[Any]]


def read_trained(
    config: Config,
    prefix: Path,
    *,
    quantization_aware: bool = False,
    flag: str = "--trained_checkpoint_prefix",
) -> Trained:
    """Build the network of a config and load a checkpoint.

    With use_moving_averages in eval_config, moving averages in the checkpoint replace the
    variables.

    Args:
        config: the pipeline.config.
        prefix: prefix of the checkpoint's files, or the folder of a training.
        quantization_aware: True to simulate int8 if the config has a graph_rewriter. Otherwise
            the ranges are only in `learnt`.
        flag: the flag that gives the prefix, for errors.

    Raises:
        TfodError: BW724 the config is not supported, BW728 there is no such checkpoint.
        WeightsError: BW206 the checkpoint is from another network.
    """
    pipeline = checked(config, train=False, evaluate=False).pipeline
    found = checkpoint(str(prefix), flag)
    framework.keras()
    from boxwright.models.layers.quantized import QuantizationSpec
    from boxwright.models.weights.checkpoint import AVERAGE
    from boxwright.models.weights.network import PREPROCESSING
    from boxwright.models.weights.variables import variables_by_name
    from boxwright.tfod.checkpoint import resume

    spec, bits = spec_of(config), pipeline.graph_rewriter.quantization
    if quantization_aware and bits:
        spec = replace(spec, quantization=QuantizationSpec(bits.weight_bits, bits.activation_bits))
    model = family_of(pipeline).build(spec)
    step, others = resume(model.network, found)
    if pipeline.eval_config.use_moving_averages:
        for name, variable in variables_by_name(model.network).items():
            if (average := others.get(name + AVERAGE)) is not None:
                variable.assign(average)
    preprocessing = replace(PREPROCESSING, size=spec.input_size)
    learnt = {name: value for name, value in others.items() if RANGE.fullmatch(name)}
    return Trained(config, model, preprocessing, step, learnt)


def ranges_of(trained: Trained) -> dict[str, Any]:
    """Return the learned quantization `Ranges` by layer, of a network trained with QAT.

    Empty if the config has no graph_rewriter or the checkpoint has no ranges.
    """
    from boxwright.export.fake_quant import Range, Ranges
    from boxwright.models.weights.variables import place_of

    bits = trained.config.pipeline.graph_rewriter.quantization
    if not bits:
        return {}

    def learnt(scope: str, of: str, bits: int) -> Range | None:
        ends = [trained.learnt.get(f"{scope}/{of}/{end}") for end in ("min", "max")]
        low, high = (None if end is None else float(end) for end in ends)
        return None if low is None or high is None else Range(low, high, bits)

    ranges = {}
    for match in filter(None, map(RANGE.fullmatch, trained.learnt)):
        scope, of = match.groups()
        outputs = learnt(scope, of, bits.activation_bits) if of in OUTPUTS else None
        if outputs and (place := place_of(f"{scope}/weights")):
            ranges[place.layer] = Ranges(learnt(scope, KERNEL, bits.weight_bits), outputs)
    return ranges


def spec_of(config: Config) -> Any:
    """Return the `ModelSpec` of a config, with a background column as in the API's networks.

    Raises:
        TfodError: BW722 the anchors do not fit the feature maps, BW723 there are no anchors, BW724
            the network is not supported.
    """
    from boxwright.models.ssd.spec import ModelSpec

    ssd = config.pipeline.model
    extractor, predictor, coder = ssd.feature_extractor, ssd.box_predictor, ssd.box_coder
    backbone, extras, heads = _by_layer_group(config.pipeline)
    _check_normalized(config, "feature_extractor", extras, needed=True)
    layers = predictor.num_layers_before_predictor
    _check_normalized(
        config, "box_predictor.*", heads, needed=predictor.use_depthwise or layers > 0
    )
    padded, pyramid = extractor.use_explicit_padding, pyramid_of(config)
    levels = range(FIRST_LEVEL, FIRST_LEVEL + extractor.num_layers)
    if pyramid:
        levels = range(pyramid.min_level, pyramid.max_level + 1)
    return ModelSpec(
        ssd.num_classes,
        extractor.depth_multiplier,
        ssd.image_resizer.height,
        anchors_of(config, levels),
        extractor.network,
        extractor.min_depth,
        background=True,
        depthwise_maps=extractor.use_depthwise,
        maps=len(levels),
        pyramid=pyramid,
        backbone_convolutions=_convolutions(backbone, padded),
        extra_convolutions=_convolutions(extras, padded),
        heads=_heads(predictor, _convolutions(heads)),
        box_scales=(coder.y_scale, coder.x_scale, coder.height_scale, coder.width_scale),
    )


def family_of(pipeline: Pipeline) -> type[SsdModel]:
    """Return the detector family of a config's network."""
    from boxwright.models.ssd.detector import SsdModel
    from boxwright.models.ssd_fpn.detector import SsdFpnModel

    return SsdFpnModel if has_pyramid(pipeline) else SsdModel


def _heads(predictor: BoxPredictor, convolutions: Any) -> Any:
    """Return the `HeadSpec` of a box predictor."""
    from boxwright.models.ssd.spec import HeadSpec

    match predictor:
        case WeightSharedConvolutionalBoxPredictor():
            low = high = predictor.depth
            shared_tower = predictor.share_prediction_tower
        case _:
            low, high, shared_tower = predictor.min_depth, predictor.max_depth, False
    return HeadSpec(
        predictor.kernel_size,
        predictor.use_depthwise,
        predictor.num_layers_before_predictor,
        low,
        high,
        1 - predictor.dropout_keep_probability if predictor.use_dropout else 0.0,
        convolutions,
        shared_tower,
    )


def initializers_of(config: Config) -> Any:
    """Return the `Initializers` of a config, for `models.ssd.network.build`."""
    from boxwright.models.layers.initializers import Initializers

    backbone, extras, heads = (
        _distribution(each.initializer) for each in _by_layer_group(config.pipeline)
    )
    bias = config.pipeline.model.box_predictor.class_prediction_bias_init
    return Initializers(backbone, extras, heads, bias)


def penalties_of(
    pipeline: Pipeline, kind: type[L1Regularizer | L2Regularizer] = L2Regularizer
) -> LayerGroupValues:
    """Return the regularization weight of this kind for each part's kernels; 0 for none.

    MobileNet v2 does not regularize the depthwise kernels of its backbone.
    """
    backbone, extras, heads = (
        each.regularizer.weight if isinstance(each.regularizer, kind) else 0.0
        for each in _by_layer_group(pipeline)
    )
    extractor = pipeline.model.feature_extractor
    spared = extractor.is_slim_v2 and not extractor.override_base_feature_extractor_hyperparams
    return LayerGroupValues(backbone, extras, heads, depthwise=0.0 if spared else None)


def norm_decays_of(pipeline: Pipeline) -> LayerGroupValues:
    """Return the decay of batch norm's moving statistics for each part."""
    backbone, extras, heads = (
        (each.norm or BatchNorm()).decay for each in _by_layer_group(pipeline)
    )
    return LayerGroupValues(backbone, extras, heads)


def nms_config_of(config: Config) -> Any:
    """Return the `NmsConfig` of a config."""
    from boxwright.ops.postprocess import NmsConfig

    nms = config.pipeline.model.post_processing.batch_non_max_suppression
    return NmsConfig(
        nms.score_threshold,
        nms.iou_threshold,
        nms.max_detections_per_class,
        nms.max_total_detections,
    )


def _by_layer_group(pipeline: Pipeline) -> tuple[Hyperparams, Hyperparams, Hyperparams]:
    """Return the hyperparameters of backbone, extra maps and heads.

    MobileNet v2 always keeps its activation and the gamma and beta of its batch norm; in TensorFlow
    1 the layers before shared heads always have ReLU6.
    """
    extractor, predictor = pipeline.model.feature_extractor, pipeline.model.box_predictor
    extras, backbone, heads = extractor.conv_hyperparams, BACKBONE, predictor.conv_hyperparams
    if has_pyramid(pipeline) and not extractor.is_keras:
        heads = replace(heads, activation="RELU_6")
    if extractor.override_base_feature_extractor_hyperparams:
        backbone = extras
        if extractor.is_slim_v2:
            norm = replace(extras.norm or BatchNorm(), scale=True, center=True)
            backbone = replace(extras, activation="RELU_6", batch_norm=norm)
    return backbone, extras, heads


def _check_normalized(config: Config, place: str, own: Hyperparams, *, needed: bool) -> None:
    if needed and own.norm is None:
        raise TfodError(
            "BW724",
            "conv_hyperparams without batch_norm are not supported: every convolution except the "
            "last of the heads has batch norm.",
            where=config.place(f"model.ssd.{place}.conv_hyperparams"),
            wanted="batch_norm { scale: true }",
        )


def _convolutions(own: Hyperparams, explicit_padding: bool = False) -> Any:
    """Return the `LayerSpec` of hyperparameters."""
    from boxwright.models.layers.conv_norm import LayerSpec

    norm = own.norm or BatchNorm(scale=True)
    return LayerSpec(
        ACTIVATIONS[own.activation], norm.epsilon, norm.scale, norm.center, explicit_padding
    )


def _distribution(initializer: Initializer | None) -> Any:
    """Convert an initializer. TensorFlow's default is Glorot uniform."""
    from boxwright.models.layers.initializers import Normal, VarianceScaling

    match initializer:
        case TruncatedNormalInitializer():
            return Normal(initializer.stddev, initializer.mean, truncated=True)
        case RandomNormalInitializer():
            return Normal(initializer.stddev, initializer.mean)
        case VarianceScalingInitializer():
            return VarianceScaling(initializer.factor, initializer.mode, initializer.uniform)
        case None:
            return VarianceScaling(1.0, "FAN_AVG", uniform=True)
