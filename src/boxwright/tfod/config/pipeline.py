"""The complete pipeline.config: model, training, readers, evaluation and quantization."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from boxwright.tfod.config.augmentation import OPTIONS
from boxwright.tfod.config.hyperparams import TF2
from boxwright.tfod.config.model import NO_MASKS, Ssd
from boxwright.tfod.config.schema import (
    ConfigMessage,
    Count,
    Fraction,
    Natural,
    Positive,
    Range,
    first_of,
    one_of,
    only,
    path_field,
    paths_field,
    refused,
    supported,
    unused,
)

TOGETHER = "all devices take each step together"
NO_QUEUES = "images are decoded once and read from memory, without queues"
ALL_BOXES = "all boxes of an image are used"
ONLY_SSD = "SSD is the only supported family"
ONLY_BOXES = "only boxes are supported"
CERTAIN = "labels have no confidences"
IN_TENSORBOARD = "only TensorBoard shows pictures of the evaluation"
CHECKPOINT_TYPES = ("classification", "detection", "full", "fine_tune")
METRICS = ("coco_detection_metrics", "pascal_voc_detection_metrics")
OF_BOXES = f"the metrics are those of {' and '.join(METRICS)}"
OTHER_METRICS = (
    "pascal_voc_metrics", "weighted_pascal_voc_detection_metrics", "oid_V2_detection_metrics",
    "open_images_metrics", "open_images_V2_detection_metrics", "open_images_detection_metrics",
    "oid_challenge_detection_metrics", "oid_challenge_object_detection_metrics",
    "precision_at_recall_detection_metrics", "coco_mask_metrics", "coco_keypoint_metrics",
    "coco_panoptic_metrics", "lvis_mask_metrics", "pascal_voc_instance_segmentation_metrics",
    "weighted_pascal_voc_instance_segmentation_metrics", "oid_challenge_segmentation_metrics",
)  # fmt: skip
Bits = Annotated[int, Range(2, 16)]


@dataclass(frozen=True, kw_only=True)
class ConstantLearningRate(ConfigMessage):
    learning_rate: Positive = 0.002


@dataclass(frozen=True, kw_only=True)
class ExponentialDecay(ConfigMessage):
    """initial * decay_factor^(step / decay_steps), the quotient rounded down if `staircase`."""

    initial_learning_rate: Positive = 0.002
    decay_steps: Count = 4_000_000
    decay_factor: Positive = 0.95
    staircase: bool = True
    burnin_learning_rate: Positive = 0.0
    burnin_steps: Count = 0
    min_learning_rate: Positive = 0.0


@dataclass(frozen=True, kw_only=True)
class ScheduledRate(ConfigMessage):
    """Learning rate from a step on."""

    step: Count = 0
    learning_rate: Positive = 0.002


@dataclass(frozen=True, kw_only=True)
class ManualSteps(ConfigMessage):
    initial_learning_rate: Positive = 0.002
    schedule: tuple[ScheduledRate, ...] = ()
    warmup: bool = False


@dataclass(frozen=True, kw_only=True)
class CosineDecay(ConfigMessage):
    learning_rate_base: Positive = 0.002
    total_steps: Count = 4_000_000
    warmup_learning_rate: Positive = 0.0002
    warmup_steps: Count = 10_000
    hold_base_rate_steps: Count = 0


LearningRate = ConstantLearningRate | ExponentialDecay | ManualSteps | CosineDecay


def _learning_rate() -> LearningRate:
    rate: LearningRate = one_of(
        constant_learning_rate=ConstantLearningRate,
        exponential_decay_learning_rate=ExponentialDecay,
        manual_step_learning_rate=ManualSteps,
        cosine_decay_learning_rate=CosineDecay,
    )
    return rate


@dataclass(frozen=True, kw_only=True)
class RmsProp(ConfigMessage):
    """RMSProp with epsilon inside the root and running squares that start at one."""

    learning_rate: LearningRate = _learning_rate()
    momentum_optimizer_value: Fraction = 0.9
    decay: Fraction = 0.9
    epsilon: Positive = 1.0


@dataclass(frozen=True, kw_only=True)
class Momentum(ConfigMessage):
    learning_rate: LearningRate = _learning_rate()
    momentum_optimizer_value: Fraction = 0.9


@dataclass(frozen=True, kw_only=True)
class Adam(ConfigMessage):
    learning_rate: LearningRate = _learning_rate()
    epsilon: Positive = 1e-8
    use_absolute_learning_rate: None = refused(TF2)


@dataclass(frozen=True, kw_only=True)
class Optimizer(ConfigMessage):
    algorithm: RmsProp | Momentum | Adam = one_of(
        inline=True, rms_prop_optimizer=RmsProp, momentum_optimizer=Momentum, adam_optimizer=Adam
    )
    use_moving_average: bool = True
    moving_average_decay: Fraction = 0.9999


@dataclass(frozen=True, kw_only=True)
class TrainConfig(ConfigMessage):
    """Training. `num_steps` 0 means endless; `gradient_clipping_by_norm` 0 means no clipping."""

    batch_size: Natural = 32
    data_augmentation_options: tuple[ConfigMessage, ...] = one_of(default=(), **OPTIONS)
    optimizer: Optimizer
    num_steps: Count = 0
    gradient_clipping_by_norm: Positive = 0.0
    fine_tune_checkpoint: str = path_field()
    fine_tune_checkpoint_type: str = only(
        "", *CHECKPOINT_TYPES, because=f"the types are {', '.join(CHECKPOINT_TYPES)}"
    )
    fine_tune_checkpoint_version: Literal["UNKNOWN", "V1", "V2"] = "V1"  # seen from the file too
    from_detection_checkpoint: bool = unused(
        False, "the variable names of the checkpoint determine it"
    )
    load_all_detection_checkpoint_vars: bool = False
    load_all_optimizer_checkpoint_vars: bool = unused(
        False, "the optimizer state always starts fresh"
    )
    update_trainable_variables: tuple[str, ...] = ()
    freeze_variables: tuple[str, ...] = ()
    add_regularization_loss: bool = True
    bias_grad_multiplier: Positive = 0.0
    keep_checkpoint_every_n_hours: Positive = unused(10000.0, "the latest checkpoints are kept")
    sync_replicas: bool = unused(False, TOGETHER)
    startup_delay_steps: Positive = unused(15.0, TOGETHER)
    replicas_to_aggregate: Count = unused(1, TOGETHER)
    batch_queue_capacity: Count = unused(150, NO_QUEUES)
    num_batch_queue_threads: Count = unused(8, NO_QUEUES)
    prefetch_queue_capacity: Count = unused(5, NO_QUEUES)
    merge_multiple_label_boxes: bool = only(False, because="each box has one class")
    use_multiclass_scores: bool = only(False, because=CERTAIN)
    use_bfloat16: bool = unused(False, "it is for TPUs")
    max_number_of_boxes: Count = unused(100, ALL_BOXES)
    unpad_groundtruth_tensors: bool = unused(True, ALL_BOXES)
    retain_original_images: bool = unused(False, "the evaluation shows pictures")
    run_with_op_by_op_graph: bool = unused(False, "a step is always one graph")
    run_fine_tune_checkpoint_dummy_computation: bool = unused(True, "the network is built already")
    summarize_gradients: bool = unused(False, "TensorBoard shows losses and metrics")


@dataclass(frozen=True, kw_only=True)
class RecordReader(ConfigMessage):
    """Paths of TFRecord files, or patterns such as train.record-?????-of-00010."""

    input_path: tuple[str, ...] = paths_field()


@dataclass(frozen=True, kw_only=True)
class InputReader(ConfigMessage):
    label_map_path: str = path_field()
    tf_record_input_reader: RecordReader = RecordReader()
    external_input_reader: None = refused("images are read from TFRecord files")
    shuffle: bool = True
    name: str = unused("", "it is only a name")
    shuffle_buffer_size: Count = unused(2048, "all images are shuffled together")
    filenames_shuffle_buffer_size: Count = unused(100, "all images are shuffled together")
    num_epochs: Count = only(0, because="num_steps sets the length of the training")
    sample_1_of_n_examples: Natural = 1
    sample_from_datasets_weights: tuple[float, ...] = unused((), "all images have equal weight")
    num_readers: Count = unused(64, NO_QUEUES)
    num_parallel_batches: Count = unused(8, NO_QUEUES)
    num_prefetch_batches: int = unused(2, NO_QUEUES)
    queue_capacity: Count = unused(2000, NO_QUEUES)
    min_after_dequeue: Count = unused(1000, NO_QUEUES)
    read_block_length: Count = unused(32, NO_QUEUES)
    prefetch_size: Count = unused(512, NO_QUEUES)
    num_parallel_map_calls: Count = unused(64, NO_QUEUES)
    drop_remainder: bool = unused(True, "every image is used")
    max_number_of_boxes: Count = unused(100, ALL_BOXES)
    num_additional_channels: Count = only(0, because="the network has three input channels")
    num_keypoints: Count = unused(0, ONLY_BOXES)
    keypoint_type_weight: tuple[float, ...] = unused((), ONLY_BOXES)
    load_multiclass_scores: bool = unused(False, CERTAIN)
    load_context_features: bool = unused(False, ONLY_SSD)
    load_context_image_ids: bool = unused(False, ONLY_SSD)
    use_keypoint_label_map: bool = unused(False, ONLY_BOXES)
    load_instance_masks: bool = unused(False, NO_MASKS)
    mask_type: Literal["DEFAULT", "NUMERICAL_MASKS", "PNG_MASKS"] = unused(
        "NUMERICAL_MASKS", NO_MASKS
    )
    load_dense_pose: bool = unused(False, ONLY_BOXES)
    load_track_id: bool = unused(False, ONLY_BOXES)
    load_keypoint_depth_features: bool = unused(False, ONLY_BOXES)
    use_display_name: bool = unused(
        False, "names and display names of the label map are both accepted"
    )
    include_source_id: bool = unused(False, "every image has a name")
    input_type: Literal["INPUT_DEFAULT", "TF_EXAMPLE", "TF_SEQUENCE_EXAMPLE"] = only(
        "TF_EXAMPLE", "INPUT_DEFAULT", because="each record contains one image"
    )
    frame_index: int = unused(-1, "each record contains one image")
    expand_labels_hierarchy: bool = only(False, because="labels have no hierarchy")


@dataclass(frozen=True, kw_only=True)
class EvalInputReader(InputReader):
    num_epochs: Count = unused(0, "the evaluation takes each image once")


@dataclass(frozen=True, kw_only=True)
class EvalConfig(ConfigMessage):
    """Evaluation. `num_examples` 0 means all; `max_evals` 0 means endless."""

    num_examples: Count = 5000
    max_evals: Count = 0
    eval_interval_secs: Count = 300
    metrics_set: tuple[str, ...] = supported(
        *METRICS,
        default=(),
        because=f"supported are {' and '.join(METRICS)}",
        ignored=dict.fromkeys(OTHER_METRICS, OF_BOXES),
    )
    use_moving_averages: bool = False
    num_visualizations: Count = 10
    min_score_threshold: Fraction = 0.5
    max_num_boxes_to_visualize: Count = 20
    batch_size: Natural = unused(1, "images are processed one by one")
    super_categories: None = refused("metrics are per class and over all classes")
    include_metrics_per_category: bool = unused(False, "metrics per class are always included")
    all_metrics_per_category: bool = unused(False, "metrics per class are always included")
    recall_lower_bound: Fraction = only(0.0, because="precision is averaged over all recalls")
    recall_upper_bound: Fraction = only(1.0, because="precision is averaged over all recalls")
    visualize_groundtruth_boxes: bool = unused(
        False, "ground truth is always shown beside the detections"
    )
    groundtruth_box_visualization_color: str = unused("black", "each class has its own color")
    skip_scores: bool = unused(False, "each box is drawn with its class and score")
    skip_labels: bool = unused(False, "each box is drawn with its class and score")
    save_graph: bool = unused(False, "export_inference_graph writes the graph")
    visualization_export_dir: str = unused("", IN_TENSORBOARD)
    keep_image_id_for_visualization_export: bool = unused(False, IN_TENSORBOARD)
    retain_original_images: bool = unused(True, "images are shown unchanged")
    retain_original_image_additional_channels: bool = unused(False, "images are shown unchanged")
    eval_master: str = unused("", TOGETHER)
    export_path: str = unused("", "boxwright predict writes detections")
    ignore_groundtruth: bool = only(False, because="evaluation needs ground truth")
    eval_instance_masks: bool = unused(False, NO_MASKS)
    force_no_resize: bool = unused(False, "image_resizer resizes the images")
    use_dummy_loss_in_eval: bool = unused(False, "evaluation computes metrics, no losses")
    image_classes_field_map_empty_to_ones: bool = unused(True, "all classes are evaluated")
    skip_predictions_for_unlabeled_class: bool = only(
        False, because="detections of all classes are evaluated"
    )
    keypoint_edge: None = refused(ONLY_BOXES)
    parameterized_metric: None = refused(OF_BOXES)


@dataclass(frozen=True, kw_only=True)
class Quantization(ConfigMessage):
    """Quantization-aware training (QAT) from step `delay` on."""

    delay: Count = 500_000
    weight_bits: Bits = 8
    activation_bits: Bits = 8
    symmetric: bool = only(False, because="quantization is asymmetric")


@dataclass(frozen=True, kw_only=True)
class GraphRewriter(ConfigMessage):
    quantization: Quantization | None = None


NO_TRAINING = TrainConfig(
    optimizer=Optimizer(algorithm=RmsProp(learning_rate=ConstantLearningRate()))
)


@dataclass(frozen=True, kw_only=True)
class Pipeline(ConfigMessage):
    """The complete config. `train_config` is required to train, but not to export."""

    model: Ssd = one_of(
        ssd=Ssd,
        faster_rcnn=ONLY_SSD,
        center_net=ONLY_SSD,
        context_rcnn=ONLY_SSD,
        deepmac=ONLY_SSD,
        experimental_model=ONLY_SSD,
    )
    train_config: TrainConfig = NO_TRAINING
    train_input_reader: InputReader = InputReader()
    eval_config: EvalConfig = EvalConfig()
    eval_input_reader: EvalInputReader = first_of(
        EvalInputReader(), because="the evaluation takes the first eval_input_reader"
    )
    graph_rewriter: GraphRewriter = GraphRewriter()
