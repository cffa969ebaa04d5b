"""Sample configs, with the names that they have in the Object Detection API."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from boxwright.errors import TfodError
from boxwright.models.weights import zoo
from boxwright.structures.labels import closest_name, read_label_map
from boxwright.tfod.config.augmentation import RandomCropImage, RandomHorizontalFlip, SsdRandomCrop
from boxwright.tfod.config.fixes import PLACEHOLDER
from boxwright.tfod.config.hyperparams import (
    BatchNorm,
    Hyperparams,
    Initializer,
    L2Regularizer,
    RandomNormalInitializer,
    TruncatedNormalInitializer,
)
from boxwright.tfod.config.model import (
    KERAS,
    ArgMaxMatcher,
    ConvolutionalBoxPredictor,
    FasterRcnnBoxCoder,
    FeatureExtractor,
    FeaturePyramidNetworks,
    FixedShapeResizer,
    HardExampleMiner,
    IouSimilarity,
    Loss,
    MultiscaleAnchorGenerator,
    NonMaxSuppression,
    PostProcessing,
    Ssd,
    SsdAnchorGenerator,
    WeightedSigmoid,
    WeightedSigmoidFocal,
    WeightedSmoothL1,
    WeightSharedConvolutionalBoxPredictor,
)
from boxwright.tfod.config.pipeline import (
    CosineDecay,
    EvalConfig,
    EvalInputReader,
    ExponentialDecay,
    GraphRewriter,
    InputReader,
    Momentum,
    Optimizer,
    Pipeline,
    Quantization,
    RecordReader,
    RmsProp,
    TrainConfig,
)
from boxwright.tfod.config.writing import config_text

COCO_CLASSES = 90
# Fields that the published samples contain although they have the default, so users can edit them.
# OpenCV's tf_text_graph_ssd.py needs those of the anchor generators.
SHOWN = {
    "height", "width", "depth_multiplier", "min_depth", "min_scale", "max_scale",
    "y_scale", "x_scale", "height_scale", "width_scale", "matched_threshold",
    "unmatched_threshold", "kernel_size", "iou_threshold", "max_detections_per_class",
    "max_total_detections", "classification_weight", "localization_weight", "decay_factor",
    "momentum_optimizer_value", "decay", "epsilon", "weight_bits", "activation_bits",
    "SsdAnchorGenerator.num_layers", "min_level", "max_level", "anchor_scale", "scales_per_octave",
}  # fmt: skip
AUGMENTATION = (RandomHorizontalFlip(), SsdRandomCrop())
WIDE, NARROW = TruncatedNormalInitializer(stddev=0.03), RandomNormalInitializer(stddev=0.01)


def sample_config(
    name: str,
    *,
    label_map: str | Path | None = None,
    train_records: Sequence[str | Path] = (),
    eval_records: Sequence[str | Path] = (),
    checkpoint: str | Path | None = None,
    num_examples: int = 8000,
) -> str:
    """Return the text of a sample config, with PATH_TO_BE_CONFIGURED for paths not given.

    Args:
        name: one of `SAMPLES`.
        label_map: label map; its highest id is `num_classes`. None for COCO's 90.
        train_records, eval_records: TFRecord files or patterns.
        checkpoint: prefix of the checkpoint to start from, or another value of
            fine_tune_checkpoint; None for the sample's model in the zoo.
        num_examples: number of images to evaluate.

    Raises:
        TfodError: BW731 unknown sample.
        DataError: BW116 the label map cannot be used.
    """
    if name not in SAMPLES:
        near = closest_name(name, SAMPLES)
        raise TfodError(
            "BW731",
            f"unknown sample config '{name}'."
            if name
            else "the name of a sample config is missing.",
            nearest=near,
            choices=", ".join(SAMPLES),
        )
    model, train = SAMPLES[name]()
    classes = COCO_CLASSES if label_map is None else max(read_label_map(label_map))

    map_path = f"{PLACEHOLDER}/label_map.pbtxt" if label_map is None else _written(label_map)

    def reader(records: Sequence[str | Path], standing: str) -> RecordReader:
        paths = tuple(_written(path) for path in records) or (f"{PLACEHOLDER}/{standing}.record",)
        return RecordReader(input_path=paths)

    start = _of_zoo(name, train) if checkpoint is None else _written(checkpoint)
    return config_text(
        Pipeline(
            model=replace(model, num_classes=classes),
            train_config=replace(train, fine_tune_checkpoint=start),
            train_input_reader=InputReader(
                label_map_path=map_path, tf_record_input_reader=reader(train_records, "train")
            ),
            eval_config=EvalConfig(
                num_examples=num_examples, max_evals=10, metrics_set=("coco_detection_metrics",)
            ),
            eval_input_reader=EvalInputReader(
                label_map_path=map_path,
                tf_record_input_reader=reader(eval_records, "val"),
                shuffle=False,
            ),
            graph_rewriter=GraphRewriter(
                quantization=Quantization(delay=48_000) if "quantized" in name else None
            ),
        ),
        SHOWN,
    )


def _of_zoo(name: str, train: TrainConfig) -> str:
    """Return the zoo's name of a sample's model, or else a placeholder."""
    known = zoo.of_title(name)
    prefix = "ckpt-0" if train.fine_tune_checkpoint_version == "V2" else "model.ckpt"
    return known.name if known else f"{PLACEHOLDER}/{prefix}"


def _written(path: str | Path) -> str:
    """Return a path with forward slashes, which work on every system."""
    return str(path).replace("\\", "/")


def _ssd(backbone: str, depth: float, layers: Hyperparams, heads: Hyperparams, loss: Loss) -> Ssd:
    """Return the common part of the published networks, at 300 x 300 pixels."""
    focal = isinstance(loss.classification_loss, WeightedSigmoidFocal)
    return Ssd(
        num_classes=COCO_CLASSES,
        image_resizer=FixedShapeResizer(),
        feature_extractor=FeatureExtractor(
            type=backbone,
            depth_multiplier=depth,
            conv_hyperparams=layers,
            override_base_feature_extractor_hyperparams=focal,
        ),
        box_coder=FasterRcnnBoxCoder(),
        matcher=ArgMaxMatcher(force_match_for_each_row=True),
        similarity_calculator=IouSimilarity(),
        encode_background_as_zeros=focal,
        box_predictor=ConvolutionalBoxPredictor(
            conv_hyperparams=heads,
            use_dropout=False,
            class_prediction_bias_init=-4.6 if focal else 0.0,
        ),
        anchor_generator=SsdAnchorGenerator(aspect_ratios=(1.0, 2.0, 0.5, 3.0, 0.3333)),
        post_processing=PostProcessing(
            batch_non_max_suppression=NonMaxSuppression(score_threshold=1e-8),
            score_converter="SIGMOID",
        ),
        normalize_loc_loss_by_codesize=focal,
        loss=loss,
    )


def _hyperparams(initializer: Initializer, decay: float) -> Hyperparams:
    return Hyperparams(
        regularizer=L2Regularizer(weight=4e-5),
        initializer=initializer,
        activation="RELU_6",
        batch_norm=BatchNorm(decay=decay, scale=True),
    )


def _mined(
    backbone: str, min_negatives: int, *, kernel: int = 1, lite: bool = False
) -> tuple[Ssd, TrainConfig]:
    """Return the setup of the 2018 networks: hard example mining, RMSProp and batches of 24.

    `kernel` is the kernel size of the heads. `lite` makes the convolutions of heads and extra maps
    depthwise.
    """
    loss = Loss(
        localization_loss=WeightedSmoothL1(),
        classification_loss=WeightedSigmoid(),
        hard_example_miner=HardExampleMiner(
            num_hard_examples=3000,
            iou_threshold=0.99,
            loss_type="CLASSIFICATION",
            max_negatives_per_positive=3,
            min_negatives_per_image=min_negatives,
        ),
    )
    rate = ExponentialDecay(initial_learning_rate=0.004, decay_steps=800_720)
    train = TrainConfig(
        batch_size=24,
        data_augmentation_options=AUGMENTATION,
        optimizer=Optimizer(algorithm=RmsProp(learning_rate=rate)),
        num_steps=200_000,
        fine_tune_checkpoint_type="detection",
    )
    layers = _hyperparams(WIDE, 0.9997)
    model = _ssd(backbone, 1.0, layers, layers, loss)
    return replace(
        model,
        feature_extractor=replace(model.feature_extractor, use_depthwise=lite),
        box_predictor=replace(model.box_predictor, kernel_size=kernel, use_depthwise=lite),
    ), train


def _focal(
    depth: float,
    layers: Initializer,
    batch_size: int,
    rate: CosineDecay,
    backbone: str = "ssd_mobilenet_v1",
) -> tuple[Ssd, TrainConfig]:
    """Return the setup of the `coco14_sync` and `coco17` networks: focal loss, momentum and cosine
    decay.

    Their batches were spread over TPUs. Scale the learning rate down with the batch size.
    """
    loss = Loss(
        localization_loss=WeightedSmoothL1(),
        classification_loss=WeightedSigmoidFocal(alpha=0.75),
    )
    train = TrainConfig(
        batch_size=batch_size,
        data_augmentation_options=AUGMENTATION,
        optimizer=Optimizer(algorithm=Momentum(learning_rate=rate), use_moving_average=False),
        num_steps=rate.total_steps,
        fine_tune_checkpoint_type="detection",
        fine_tune_checkpoint_version="V2" if backbone.endswith(KERAS) else "V1",
    )
    maps, heads = _hyperparams(layers, 0.97), _hyperparams(NARROW, 0.97)
    return _ssd(backbone, depth, maps, heads, loss), train


def _pyramid(
    backbone: str, side: int, depth: int, batch_size: int, rate: CosineDecay, *, lite: bool
) -> tuple[Ssd, TrainConfig]:
    """Return the setup of the networks with a feature pyramid; `lite` makes their convolutions
    separable."""
    layers = _hyperparams(NARROW, 0.997)
    ssd, train = _focal(1.0, NARROW, batch_size, rate, backbone)
    loss = replace(ssd.loss, classification_loss=WeightedSigmoidFocal(alpha=0.25))
    ssd = replace(
        ssd,
        image_resizer=FixedShapeResizer(height=side, width=side),
        feature_extractor=replace(
            ssd.feature_extractor,
            use_depthwise=lite,
            conv_hyperparams=layers,
            fpn=FeaturePyramidNetworks(additional_layer_depth=depth),
        ),
        box_predictor=WeightSharedConvolutionalBoxPredictor(
            conv_hyperparams=layers,
            depth=depth,
            num_layers_before_predictor=4,
            class_prediction_bias_init=-4.6,
            share_prediction_tower=lite,
            use_depthwise=lite,
        ),
        anchor_generator=MultiscaleAnchorGenerator(aspect_ratios=(1.0, 2.0, 0.5)),
        loss=loss,
    )
    crop = RandomCropImage(
        min_object_covered=0.0, max_aspect_ratio=3.0, min_area=0.75, overlap_thresh=0.0
    )
    return ssd, replace(train, data_augmentation_options=(RandomHorizontalFlip(), crop))


def _fpnlite(side: int) -> tuple[Ssd, TrainConfig]:
    rate = _cosine(0.08, 50_000, 0.026666, 1000)
    return _pyramid(f"ssd_mobilenet_v2_fpn{KERAS}", side, 128, 128, rate, lite=True)


def _fpn(backbone: str) -> tuple[Ssd, TrainConfig]:
    rate = _cosine(0.04, 25_000, 0.013333, 2000)
    return _pyramid(backbone, 640, 256, 64, rate, lite=False)


def _cosine(base: float, steps: int, warmup: float, warmup_steps: int) -> CosineDecay:
    return CosineDecay(
        learning_rate_base=base,
        total_steps=steps,
        warmup_learning_rate=warmup,
        warmup_steps=warmup_steps,
    )


QUANTIZED = _cosine(0.2, 50_000, 0.06, 2000)
SAMPLES: dict[str, Callable[[], tuple[Ssd, TrainConfig]]] = {
    "ssd_mobilenet_v1_coco": lambda: _mined("ssd_mobilenet_v1", 0),
    "ssd_mobilenet_v1_300x300_coco14_sync": lambda: _focal(
        1.0, WIDE, 1024, _cosine(0.9, 20_000, 0.3, 1000)
    ),
    "ssd_mobilenet_v1_0.75_depth_300x300_coco14_sync": lambda: _focal(
        0.75, WIDE, 2048, _cosine(0.9, 10_000, 0.3, 300)
    ),
    "ssd_mobilenet_v1_quantized_300x300_coco14_sync": lambda: _focal(1.0, NARROW, 128, QUANTIZED),
    "ssd_mobilenet_v1_0.75_depth_quantized_300x300_coco14_sync": lambda: _focal(
        0.75, NARROW, 128, QUANTIZED
    ),
    "ssdlite_mobilenet_v1_coco": lambda: _mined("ssd_mobilenet_v1", 0, kernel=3, lite=True),
    "ssd_mobilenet_v2_coco": lambda: _mined("ssd_mobilenet_v2", 3, kernel=3),
    "ssd_mobilenet_v2_quantized_300x300_coco": lambda: _mined("ssd_mobilenet_v2", 3),
    "ssdlite_mobilenet_v2_coco": lambda: _mined("ssd_mobilenet_v2", 3, kernel=3, lite=True),
    "ssd_mobilenet_v2_320x320_coco17_tpu-8": lambda: _focal(
        1.0, WIDE, 512, _cosine(0.08, 50_000, 0.013333, 2000), f"ssd_mobilenet_v2{KERAS}"
    ),
    "ssd_mobilenet_v2_fpnlite_320x320_coco17_tpu-8": lambda: _fpnlite(320),
    "ssd_mobilenet_v2_fpnlite_640x640_coco17_tpu-8": lambda: _fpnlite(640),
    "ssd_mobilenet_v1_fpn_640x640_coco17_tpu-8": lambda: _fpn(f"ssd_mobilenet_v1_fpn{KERAS}"),
    "ssd_mobilenet_v1_fpn_shared_box_predictor_640x640_coco14_sync": lambda: _fpn(
        "ssd_mobilenet_v1_fpn"
    ),
}
