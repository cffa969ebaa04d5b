"""`model { ssd { ... } }`: network, target assignment, losses and post-processing."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from boxwright.io.protobuf_text import Message, Value
from boxwright.tfod.config.hyperparams import TF2, Hyperparams
from boxwright.tfod.config.schema import (
    ConfigMessage,
    Count,
    Fraction,
    Instead,
    Natural,
    Positive,
    Size,
    one_of,
    only,
    refused,
    supported,
    unused,
)

KERAS = "_keras"  # what the types of the API's TensorFlow 2 models end with
FEATURE_EXTRACTORS = {  # type and network
    "ssd_mobilenet_v1": "ssd_mobilenet_v1",
    "ssd_mobilenet_v2": "ssd_mobilenet_v2",
    "ssd_mobilenet_v1_keras": "ssd_mobilenet_v1",
    "ssd_mobilenet_v2_keras": "ssd_mobilenet_v2",
    "ssd_mobilenet_v1_fpn": "ssd_mobilenet_v1_fpn",
    "ssd_mobilenet_v2_fpn": "ssd_mobilenet_v2_fpn",
    "ssd_mobilenet_v1_fpn_keras": "ssd_mobilenet_v1_fpn",
    "ssd_mobilenet_v2_fpn_keras": "ssd_mobilenet_v2_fpn",
    "ssd_mobilenet_v2_fpnlite_keras": "ssd_mobilenet_v2_fpn",  # after the sample's name
}

# Each field declares its supported values. Change them here when the network supports more.
FIXED_SQUARE = "an exported detector has one fixed input size"
NO_MASKS = "masks are not supported"
NO_BIFPN = "only the pyramid fpn is supported"
TWO_TO_SIX = "the network has two to six feature maps"
DEPRECATED = "the API no longer uses it"
NOT_CLIPPED = "encodings are not clipped"
SEPARABLE_HEADS = "separable heads have TensorFlow's initializer and no regularizer"
OF_SAMPLING = "it belongs to expected_loss_weights, which is NONE"
SIGMOID_LOSSES = "only weighted_sigmoid and weighted_sigmoid_focal are supported"
Resize = Literal["BILINEAR", "NEAREST_NEIGHBOR", "BICUBIC", "AREA"]


SSD_ANCHORS = "ssd_anchor_generator { aspect_ratios: [1.0, 2.0, 0.5, 3.0, 0.3333] }"


def square_like(height: int, width: int) -> int:
    """Return the side of a square input with about as many pixels, a multiple of 32."""
    return max(32, 32 * round(math.sqrt(height * width) / 32))


def fixed_square(side: int) -> str:
    return f"fixed_shape_resizer {{ height: {side} width: {side} }}"


def _square_of_both(resizer: Message) -> str:
    """Return the nearest to a keep_aspect_ratio_resizer, from its two dimensions."""
    given = {each.name: each.value for each in resizer.fields}
    shorter, longer = (
        int(value.text) if isinstance(value := given.get(name), Value) and value.text.isdecimal()
        else default
        for name, default in (("min_dimension", 600), ("max_dimension", 1024))
    )  # fmt: skip
    return fixed_square(square_like(shorter, longer))


@dataclass(frozen=True, kw_only=True)
class FixedShapeResizer(ConfigMessage):
    """Resize to a fixed height and width in pixels, ignoring the aspect ratio."""

    height: Natural = 300
    width: Natural = 300
    resize_method: Resize = only("BILINEAR", because="images are resized bilinearly")
    convert_to_grayscale: bool = only(False, because="the network has three input channels")


@dataclass(frozen=True, kw_only=True)
class FeaturePyramidNetworks(ConfigMessage):
    """Maps of strides from `2 ** min_level` to `2 ** max_level`."""

    min_level: Natural = only(3, 2, 4, 5, because="the backbone has maps of the levels 2 to 5")
    max_level: Natural = only(7, 6, 5, because="a pyramid ends with level 5, 6 or 7")
    additional_layer_depth: Natural = 256
    use_native_resize_op: bool = unused(False, "it computes the same map")


@dataclass(frozen=True, kw_only=True)
class FeatureExtractor(ConfigMessage):
    type: str = supported(
        *FEATURE_EXTRACTORS, because=f"supported are {', '.join(FEATURE_EXTRACTORS)}"
    )
    depth_multiplier: Positive = 1.0
    min_depth: Natural = 16
    conv_hyperparams: Hyperparams
    override_base_feature_extractor_hyperparams: bool = False
    pad_to_multiple: Natural = unused(1, "the input size is already a multiple of it")
    use_explicit_padding: bool = False
    use_depthwise: bool = False
    num_layers: Natural = only(6, 5, 4, 3, 2, because=TWO_TO_SIX)
    fpn: FeaturePyramidNetworks | None = None
    bifpn: None = refused(NO_BIFPN)
    replace_preprocessor_with_placeholder: bool = only(
        False, because="the network scales the pixels"
    )
    batch_norm_trainable: bool = unused(True, "the API replaced it by freeze_batchnorm")
    spaghettinet_arch_name: str = unused("", "it belongs to another network")

    @property
    def network(self) -> str:
        """The network, whatever the version of TensorFlow."""
        return FEATURE_EXTRACTORS[self.type]

    @property
    def is_keras(self) -> bool:
        """True for a TensorFlow 2 model."""
        return self.type.endswith(KERAS)

    @property
    def is_slim_v2(self) -> bool:
        """True for MobileNet v2 as TensorFlow 1 models have it."""
        return not self.is_keras and "_v2" in self.type


@dataclass(frozen=True, kw_only=True)
class FasterRcnnBoxCoder(ConfigMessage):
    y_scale: Size = 10.0
    x_scale: Size = 10.0
    height_scale: Size = 5.0
    width_scale: Size = 5.0


@dataclass(frozen=True, kw_only=True)
class ArgMaxMatcher(ConfigMessage):
    matched_threshold: Fraction = 0.5
    unmatched_threshold: Fraction = 0.5
    ignore_thresholds: bool = False
    negatives_lower_than_unmatched: bool = True
    force_match_for_each_row: bool = False
    use_matmul_gather: bool = unused(False, "it computes the same result, for TPUs")


@dataclass(frozen=True, kw_only=True)
class IouSimilarity(ConfigMessage):
    """Intersection over union."""


@dataclass(frozen=True, kw_only=True)
class ConvolutionalBoxPredictor(ConfigMessage):
    conv_hyperparams: Hyperparams
    min_depth: Count = 0
    max_depth: Count = 0
    num_layers_before_predictor: Count = 0
    use_dropout: bool = True
    dropout_keep_probability: Fraction = 0.8
    kernel_size: Natural = 1
    box_code_size: Natural = only(4, because="a box has four sides")
    apply_sigmoid_to_scores: bool = only(
        False, because="score_converter: SIGMOID already applies it"
    )
    class_prediction_bias_init: float = 0.0
    use_depthwise: bool = False
    box_encodings_clip_range: None = refused(NOT_CLIPPED)
    mask_head: None = refused(NO_MASKS)


@dataclass(frozen=True, kw_only=True)
class WeightSharedConvolutionalBoxPredictor(ConfigMessage):
    """Heads with the same kernels on each map, each with `num_layers_before_predictor`
    convolutions before it. The batch norms of the maps are their own."""

    conv_hyperparams: Hyperparams
    depth: Count = 0
    num_layers_before_predictor: Count = 0
    kernel_size: Natural = 3
    box_code_size: Natural = only(4, because="a box has four sides")
    class_prediction_bias_init: float = 0.0
    use_dropout: bool = False
    dropout_keep_probability: Fraction = 0.8
    share_prediction_tower: bool = False
    use_depthwise: bool = False
    score_converter: Literal["IDENTITY", "SIGMOID"] = only(
        "IDENTITY", because="score_converter of post_processing already applies it"
    )
    box_encodings_clip_range: None = refused(NOT_CLIPPED)
    apply_conv_hyperparams_to_heads: bool = only(False, because=SEPARABLE_HEADS)
    apply_conv_hyperparams_pointwise: bool = only(
        False, because="pointwise kernels have TensorFlow's initializer and no regularizer"
    )


@dataclass(frozen=True, kw_only=True)
class SsdAnchorGenerator(ConfigMessage):
    num_layers: Natural = only(6, 5, 4, 3, 2, because=TWO_TO_SIX)
    min_scale: Fraction = 0.2
    max_scale: Positive = 0.95
    scales: tuple[Size, ...] = ()
    aspect_ratios: tuple[Size, ...] = ()
    interpolated_scale_aspect_ratio: Positive = 1.0
    reduce_boxes_in_lowest_layer: bool = True
    base_anchor_height: Size = 1.0
    base_anchor_width: Size = 1.0
    height_stride: tuple[Count, ...] = ()
    width_stride: tuple[Count, ...] = ()
    height_offset: tuple[Count, ...] = ()
    width_offset: tuple[Count, ...] = ()


@dataclass(frozen=True, kw_only=True)
class MultiscaleAnchorGenerator(ConfigMessage):
    min_level: Natural = 3
    max_level: Natural = 7
    anchor_scale: Size = 4.0
    aspect_ratios: tuple[Size, ...] = ()
    scales_per_octave: Natural = 2
    normalize_coordinates: bool = only(True, because="boxes are normalized coordinates")


@dataclass(frozen=True, kw_only=True)
class NonMaxSuppression(ConfigMessage):
    score_threshold: Fraction = 0.0
    iou_threshold: Fraction = 0.6
    max_detections_per_class: Natural = 100
    max_total_detections: Natural = 100
    use_static_shapes: bool = unused(False, "it computes the same boxes, for TPUs")
    use_class_agnostic_nms: bool = only(False, because="NMS runs per class")
    max_classes_per_detection: Natural = unused(1, "it belongs to use_class_agnostic_nms")
    soft_nms_sigma: Positive = only(0.0, because="only hard NMS is supported")
    use_partitioned_nms: bool = unused(False, "it computes the same boxes, for TPUs")
    use_hard_nms: bool = unused(False, "NMS is always hard")
    use_cpu_nms: bool = unused(False, "it computes the same boxes")
    use_combined_nms: bool = unused(False, "it computes the same boxes")
    change_coordinate_frame: bool = unused(True, "coordinates are relative to the full image")


@dataclass(frozen=True, kw_only=True)
class PostProcessing(ConfigMessage):
    batch_non_max_suppression: NonMaxSuppression = NonMaxSuppression()
    score_converter: Literal["IDENTITY", "SIGMOID", "SOFTMAX"] = supported(
        "SIGMOID", default="IDENTITY", because="a score is the sigmoid of its logit"
    )
    logit_scale: float = only(1.0, because="a score is the sigmoid of its logit")
    calibration_config: None = refused("scores are not calibrated")


@dataclass(frozen=True, kw_only=True)
class WeightedSmoothL1(ConfigMessage):
    """Huber loss: x^2 / 2 up to delta, delta * (|x| - delta / 2) beyond."""

    anchorwise_output: bool = unused(False, DEPRECATED)
    delta: Positive = 1.0


@dataclass(frozen=True, kw_only=True)
class WeightedSigmoid(ConfigMessage):
    """Sigmoid cross entropy of each class."""

    anchorwise_output: bool = unused(False, DEPRECATED)


@dataclass(frozen=True, kw_only=True)
class WeightedSigmoidFocal(ConfigMessage):
    """Focal loss (Lin et al. 2017). Without alpha, positives and negatives have equal weight."""

    anchorwise_output: bool = unused(False, DEPRECATED)
    gamma: Positive = 2.0
    alpha: Fraction | None = None


@dataclass(frozen=True, kw_only=True)
class HardExampleMiner(ConfigMessage):
    num_hard_examples: Count = 64
    iou_threshold: Fraction = 0.7
    loss_type: Literal["BOTH", "CLASSIFICATION", "LOCALIZATION"] = "BOTH"
    max_negatives_per_positive: Count = 0
    min_negatives_per_image: Count = 0


ClassificationLoss = WeightedSigmoid | WeightedSigmoidFocal
AnchorGenerator = SsdAnchorGenerator | MultiscaleAnchorGenerator
BoxPredictor = ConvolutionalBoxPredictor | WeightSharedConvolutionalBoxPredictor


@dataclass(frozen=True, kw_only=True)
class Loss(ConfigMessage):
    localization_loss: WeightedSmoothL1 = one_of(
        weighted_smooth_l1=WeightedSmoothL1,
        weighted_l2="the only localization loss is weighted_smooth_l1",
        weighted_iou="the only localization loss is weighted_smooth_l1",
        l1_localization_loss=TF2,
        weighted_giou=TF2,
    )
    classification_loss: ClassificationLoss = one_of(
        weighted_sigmoid=WeightedSigmoid,
        weighted_sigmoid_focal=WeightedSigmoidFocal,
        weighted_softmax=SIGMOID_LOSSES,
        weighted_logits_softmax=SIGMOID_LOSSES,
        bootstrapped_sigmoid=SIGMOID_LOSSES,
        penalty_reduced_logistic_focal_loss=TF2,
        weighted_dice_classification_loss=NO_MASKS,
    )
    hard_example_miner: HardExampleMiner | None = None
    classification_weight: Positive = 1.0
    localization_weight: Positive = 1.0
    random_example_sampler: None = refused(
        "hard_example_miner selects the negatives; without it all are used"
    )
    equalization_loss: None = refused("all classes have equal weight")
    expected_loss_weights: Literal["NONE", "EXPECTED_SAMPLING", "REWEIGHTING_UNMATCHED_ANCHORS"] = (
        only("NONE", because="hard_example_miner selects the negatives; without it all are used")
    )
    min_num_negative_samples: float = unused(0.0, OF_SAMPLING)
    desired_negative_sampling_ratio: float = unused(3.0, OF_SAMPLING)


@dataclass(frozen=True, kw_only=True)
class Ssd(ConfigMessage):
    num_classes: Natural
    image_resizer: FixedShapeResizer = one_of(
        fixed_shape_resizer=FixedShapeResizer,
        keep_aspect_ratio_resizer=Instead(FIXED_SQUARE, _square_of_both),
        identity_resizer=Instead(FIXED_SQUARE, fixed_square(300)),
        conditional_shape_resizer=Instead(FIXED_SQUARE, fixed_square(300)),
        pad_to_multiple_resizer=Instead(FIXED_SQUARE, fixed_square(300)),
    )
    feature_extractor: FeatureExtractor
    box_coder: FasterRcnnBoxCoder = one_of(
        faster_rcnn_box_coder=FasterRcnnBoxCoder,
        mean_stddev_box_coder="the only box coder is faster_rcnn_box_coder",
        square_box_coder="the only box coder is faster_rcnn_box_coder",
        keypoint_box_coder="keypoints are not supported",
    )
    matcher: ArgMaxMatcher = one_of(
        argmax_matcher=ArgMaxMatcher,
        bipartite_matcher="the only matcher is argmax_matcher",
        hungarian_matcher=TF2,
    )
    similarity_calculator: IouSimilarity = one_of(
        iou_similarity=IouSimilarity,
        neg_sq_dist_similarity="the only similarity is iou_similarity",
        ioa_similarity="the only similarity is iou_similarity",
        thresholded_iou_similarity="the only similarity is iou_similarity",
        detr_similarity=TF2,
    )
    encode_background_as_zeros: bool = False
    negative_class_weight: Fraction = only(1.0, because="negatives and positives have equal weight")
    box_predictor: BoxPredictor = one_of(
        convolutional_box_predictor=ConvolutionalBoxPredictor,
        weight_shared_convolutional_box_predictor=WeightSharedConvolutionalBoxPredictor,
        mask_rcnn_box_predictor="it belongs to Faster R-CNN",
        rfcn_box_predictor="it belongs to R-FCN",
    )
    anchor_generator: AnchorGenerator = one_of(
        ssd_anchor_generator=SsdAnchorGenerator,
        multiscale_anchor_generator=MultiscaleAnchorGenerator,
        grid_anchor_generator=Instead("it belongs to Faster R-CNN", SSD_ANCHORS),
        flexible_grid_anchor_generator=Instead("each map has a grid of its own", SSD_ANCHORS),
    )
    post_processing: PostProcessing
    normalize_loss_by_num_matches: bool = True
    normalize_loc_loss_by_codesize: bool = False
    loss: Loss
    freeze_batchnorm: bool = False
    inplace_batchnorm_update: bool = unused(False, "every step updates the averages")
    add_background_class: bool = only(True, because="the API's files have a background class")
    explicit_background_class: bool = only(False, because="labels have no background class")
    use_confidences_as_targets: bool = only(False, because="labels have no confidences")
    implicit_example_weight: float = unused(1.0, "it belongs to use_confidences_as_targets")
    return_raw_detections_during_predict: bool = unused(False, "raw boxes are always available")
    mask_head_config: None = refused(NO_MASKS)
    weight_regression_loss_by_score: bool = only(False, because="all matches have equal weight")
    use_expected_classification_loss_under_sampling: bool = only(
        False, because="hard_example_miner selects the negatives; without it all are used"
    )
    min_num_negative_samples: float = unused(0.0, OF_SAMPLING)
    desired_negative_sampling_ratio: float = unused(3.0, OF_SAMPLING)
