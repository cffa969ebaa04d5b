"""The flags of exporting: export_inference_graph, export_tflite_ssd_graph and toco."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from boxwright.tfod.flags import flag

OVERRIDE = "Text of a pipeline.config whose fields go before the config's own."


@dataclass(frozen=True, kw_only=True)
class ExportInferenceGraphFlags:
    """Write a checkpoint as frozen_inference_graph.pb and saved_model."""

    NAME = "export_inference_graph"
    EXAMPLE = (
        "--input_type=image_tensor --pipeline_config_path=pipeline.config "
        "--trained_checkpoint_prefix=training/model.ckpt-200 --output_directory=inference"
    )

    input_type: str = flag(
        "What the graph takes.",
        "image_tensor",
        choices=("image_tensor", "encoded_image_string_tensor", "tf_example"),
    )
    input_shape: str | None = flag(
        "Sides of an image_tensor with commas between them, -1 for any.", None
    )
    pipeline_config_path: Path = flag("The pipeline.config that was trained by.")
    trained_checkpoint_prefix: Path = flag("What the names of the checkpoint's files begin with.")
    output_directory: Path = flag("The folder to write.")
    config_override: str = flag(OVERRIDE, "")
    write_inference_graph: bool = flag("Write inference_graph.pbtxt as well.", False)


@dataclass(frozen=True, kw_only=True)
class ExportTfliteSsdGraphFlags:
    """Write a checkpoint as tflite_graph.pb, which toco turns into a .tflite."""

    NAME = "export_tflite_ssd_graph"
    EXAMPLE = (
        "--pipeline_config_path=pipeline.config "
        "--trained_checkpoint_prefix=training/model.ckpt-200 --output_directory=inference"
    )

    pipeline_config_path: Path = flag("The pipeline.config that was trained by.")
    trained_checkpoint_prefix: Path = flag("What the names of the checkpoint's files begin with.")
    output_directory: Path = flag("The folder to write.")
    max_detections: int = flag("How many boxes are found in a photo at most.", 10)
    max_classes_per_detection: int = flag("How many classes a box may have.", 1)
    detections_per_class: int = flag("With --use_regular_nms, boxes of a class at most.", 100)
    add_postprocessing_op: bool = flag("End in TFLite_Detection_PostProcess.", True)
    use_regular_nms: bool = flag("Suppress overlapping boxes for each class apart.", False)
    config_override: str = flag(OVERRIDE, "")
    input_type: str = flag(
        "What the graph takes.",
        "",
        unused="a graph for TFLite takes normalized_input_image_tensor alone",
    )


@dataclass(frozen=True, kw_only=True)
class TocoFlags:
    """Turn tflite_graph.pb into a .tflite, float or quantised."""

    NAME = "toco"
    EXAMPLE = (
        "--graph_def_file=inference/tflite_graph.pb --output_file=detector.tflite "
        "--input_shapes=1,300,300,3 --input_arrays=normalized_input_image_tensor "
        "--output_arrays=TFLite_Detection_PostProcess,TFLite_Detection_PostProcess:1,"
        "TFLite_Detection_PostProcess:2,TFLite_Detection_PostProcess:3 "
        "--inference_type=QUANTIZED_UINT8 --mean_values=128 --std_dev_values=128 "
        "--change_concat_input_ranges=false --allow_custom_ops"
    )

    graph_def_file: Path = flag("The frozen graph.", also="input_file")
    output_file: Path = flag("The .tflite to write.")
    input_shapes: str | None = flag("Sides of the input with commas.", None, also="input_shape")
    input_arrays: str = flag("Names of the inputs with commas.", also="input_array")
    output_arrays: str = flag("Names of the outputs with commas.", also="output_array")
    inference_type: str = flag(
        "The numbers of the network.", "FLOAT", choices=("FLOAT", "QUANTIZED_UINT8")
    )
    inference_input_type: str | None = flag(
        "The numbers of the input, if others.", None, choices=("FLOAT", "QUANTIZED_UINT8")
    )
    mean_values: float | None = flag("The input that stands for 0.", None, also="mean_value")
    std_dev_values: float | None = flag("The inputs from 0 to 1.", None, also="std_value")
    default_ranges_min: float | None = flag("Least value where none was learnt.", None)
    default_ranges_max: float | None = flag("Largest value where none was learnt.", None)
    change_concat_input_ranges: bool = flag("Let inputs of a concatenation share a range.", False)
    allow_custom_ops: bool = flag(
        "Allow TFLite_Detection_PostProcess.", False, also="allow_custom_op"
    )
    post_training_quantize: bool = flag("Store weights in 8 bits.", False)
    reorder_across_fake_quant: bool = flag("Move quantisation over other nodes.", False)
    drop_control_dependency: bool = flag("Drop control dependencies.", True)
    input_format: str = flag(
        "What --graph_def_file is.", "TENSORFLOW_GRAPHDEF", choices=("TENSORFLOW_GRAPHDEF",)
    )
    output_format: str = flag("What --output_file is.", "TFLITE", choices=("TFLITE",))
