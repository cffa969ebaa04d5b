"""From a pipeline.config and a checkpoint to the network that both are of."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from boxwright.boxes.anchors import AnchorSpec
from boxwright.data.preprocessing import Preprocessing
from boxwright.errors import TfodError
from boxwright.models import framework
from boxwright.tfod.config import Config, checked, read_config
from boxwright.tfod.config.model import SsdAnchorGenerator
from boxwright.tfod.config.paths import checkpoint

RANGE = re.compile(r"(.+)/(?:weights|act)_quant/(?:min|max)")


@dataclass(frozen=True)
class Trained:
    """A network to export.

    Attributes:
        config: what it was trained by.
        model: Keras model of `models.ssd.build` with a background column.
        anchors: `(A, 4)` normalised yxyx.
        preprocessing: what its input expects.
        step: how many steps it was trained.
        learnt: what the checkpoint holds of ranges, by the API's names of their variables.
    """

    config: Config
    model: Any
    anchors: NDArray[np.float32]
    preprocessing: Preprocessing
    step: int
    learnt: dict[str, NDArray[Any]]


def read_trained(config_path: Path, prefix: Path, override: str = "") -> Trained:
    """The network of a config with the weights of a checkpoint.

    Where the config's eval_config says use_moving_averages, each variable that has a moving
    average in the checkpoint is it.

    Args:
        config_path: the pipeline.config.
        prefix: of the checkpoint's files.
        override: text of a pipeline.config that goes before that of the file.

    Raises:
        TfodError: BW721 to BW724 of the config, BW728 there is no such checkpoint.
        WeightsError: BW206 the checkpoint is of another network.
    """
    config = read_config(config_path, override)
    pipeline = checked(config, train=False, evaluate=False).pipeline
    found = checkpoint(str(prefix), "--trained_checkpoint_prefix")
    framework.keras()
    from boxwright.models import ssd
    from boxwright.models.checkpoint_weights import AVERAGE, PREPROCESSING
    from boxwright.models.variables import variables_by_name
    from boxwright.tfod.checkpoint import resume

    spec = spec_of(config)
    model = ssd.build(spec)
    step, others = resume(model, found)
    if pipeline.eval_config.use_moving_averages:
        for name, variable in variables_by_name(model).items():
            if (average := others.get(name + AVERAGE)) is not None:
                variable.assign(average)
    preprocessing = replace(PREPROCESSING, size=spec.input_size)
    learnt = {name: value for name, value in others.items() if RANGE.fullmatch(name)}
    return Trained(config, model, ssd.anchors(spec), preprocessing, step, learnt)


def ranges_of(trained: Trained) -> dict[str, Any]:
    """The `Ranges` of layers that a network learnt which was trained for quantisation.

    None where the config has no graph_rewriter, or the checkpoint no ranges.
    """
    from boxwright.export.fake_quant import Range, Ranges
    from boxwright.models.variables import place_of

    bits = trained.config.pipeline.graph_rewriter.quantization
    scopes = {match[1] for match in map(RANGE.fullmatch, trained.learnt) if match}
    ranges = {}
    for scope in scopes if bits else ():
        place = place_of(f"{scope}/weights")
        limits = [
            trained.learnt.get(f"{scope}/{of}_quant/{end}")
            for of in ("weights", "act")
            for end in ("min", "max")
        ]
        if bits and place and all(limit is not None for limit in limits):
            low, high, least, most = (float(limit) for limit in limits if limit is not None)
            ranges[place.layer] = Ranges(
                Range(low, high, bits.weight_bits), Range(least, most, bits.activation_bits)
            )
    return ranges


def spec_of(config: Config) -> Any:
    """The `ModelSpec` of a config, with the background column that the API's networks have.

    Raises:
        TfodError: BW724 it asks for a network that there is not.
    """
    from boxwright.models.ssd import ModelSpec

    ssd = config.pipeline.model
    generator, extractor = ssd.anchor_generator, ssd.feature_extractor
    if not isinstance(generator, SsdAnchorGenerator):
        raise TfodError(
            "BW724",
            "multiscale_anchor_generator is of networks with a feature pyramid, which are not "
            "supported.",
            where=config.place("model.ssd.anchor_generator"),
            remedy="Write ssd_anchor_generator, as in the samples.",
        )
    return ModelSpec(
        ssd.num_classes,
        extractor.depth_multiplier,
        ssd.image_resizer.height,
        AnchorSpec(generator.min_scale, generator.max_scale, generator.aspect_ratios),
        extractor.type,
        extractor.min_depth,
        background=True,
        depthwise_maps=extractor.use_depthwise,
        depthwise_heads=ssd.box_predictor.use_depthwise,
        head_kernel=ssd.box_predictor.kernel_size,
    )


def suppression_of(config: Config) -> Any:
    """The `Suppression` of a config."""
    from boxwright.export.frozen import Suppression

    ssd = config.pipeline.model
    nms, coder = ssd.post_processing.batch_non_max_suppression, ssd.box_coder
    return Suppression(
        (coder.y_scale, coder.x_scale, coder.height_scale, coder.width_scale),
        nms.score_threshold,
        nms.iou_threshold,
        nms.max_detections_per_class,
        nms.max_total_detections,
    )
