"""Flags of other versions of the Object Detection API's scripts that change nothing, and why."""

from __future__ import annotations

NO_SERVERS = "the processes of a training are found by TF_CONFIG, and need no parameter servers"
NO_TPU = "training uses the devices that JAX finds"
WHOLE_CONFIG = "one pipeline.config describes the whole training"
ALL_IMAGES = "the evaluation takes all images of eval_input_reader, up to num_examples"
ONE_INPUT = "the network has one input, the images"
ONLY_BOXES = "only boxes are trained"

CLUSTER = {
    **dict.fromkeys(("master", "task", "worker_replicas", "ps_tasks", "num_workers"), NO_SERVERS),
    **dict.fromkeys(
        ("clone_on_cpu", "use_tpu", "tpu_name", "tpu_zone", "gcp_project", "gpu_deterministic"),
        NO_TPU,
    ),
}
TRAINING = {
    **CLUSTER,
    "num_eval_steps": ALL_IMAGES,
    "eval_count": ALL_IMAGES,
    "checkpoint_every_n": "a checkpoint is written at least every ten minutes",
    "checkpoint_max_to_keep": "the last five checkpoints are kept",
    "record_summaries": "the curves are always written",
    "throttle_secs": "each checkpoint is evaluated",
    "max_eval_retries": "an evaluation is not tried again",
}
PARTS = dict.fromkeys(
    ("train_config_path", "eval_config_path", "input_config_path", "model_config_path"),
    WHOLE_CONFIG,
)
SIDE_INPUTS = dict.fromkeys(
    ("use_side_inputs", "side_input_shapes", "side_input_types", "side_input_names"), ONE_INPUT
)
CONVERSION = {
    **dict.fromkeys(
        ("enable_v1_converter", "experimental_new_converter", "experimental_new_quantizer"),
        "there is one converter, TensorFlow's present one",
    ),
    **dict.fromkeys(
        ("input_data_type", "input_data_types", "input_type", "input_types"),
        "the graph has the type of its input",
    ),
    **dict.fromkeys(
        ("dump_graphviz_dir", "dump_graphviz", "dump_graphviz_video", "conversion_summary_dir"),
        "no pictures of the graph are drawn",
    ),
    "target_ops": "the file has TFLite's own operators",
    "saved_model_tag_set": "the SavedModel has one graph",
}
MASKS_AND_MORE = dict.fromkeys(
    ("include_masks", "train_keypoint_annotations_file", "val_keypoint_annotations_file",
     "train_densepose_annotations_file", "val_densepose_annotations_file",
     "remove_non_person_annotations", "remove_non_person_images"),
    ONLY_BOXES,
)  # fmt: skip
