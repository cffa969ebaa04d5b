"""Export a checkpoint as a graph for TFLite's converter, like export_tflite_ssd_graph.py."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from boxwright.io.files import write_text, writing
from boxwright.tfod.commands import Say, main
from boxwright.tfod.config import read_config, report
from boxwright.tfod.flags import OVERRIDE, flag
from boxwright.tfod.mapping.network import nms_config_of, ranges_of, read_trained


@dataclass(frozen=True, kw_only=True)
class Flags:
    """Export a checkpoint as tflite_graph.pb, which toco converts to a .tflite file."""

    NAME = "export_tflite_ssd_graph"
    EXAMPLE = (
        "--pipeline_config_path=pipeline.config "
        "--trained_checkpoint_prefix=training/model.ckpt-200 --output_directory=inference"
    )
    IGNORED: ClassVar = {
        "input_type": "the input of a TFLite graph is always normalized_input_image_tensor"
    }

    pipeline_config_path: Path = flag("The pipeline.config of the training.")
    trained_checkpoint_prefix: Path = flag("Prefix of the checkpoint's files.")
    output_directory: Path = flag("Folder to write.")
    max_detections: int = flag("Maximum number of detections per image.", 10)
    max_classes_per_detection: int = flag("Maximum number of classes per detection.", 1)
    detections_per_class: int = flag(
        "With --use_regular_nms, maximum number of detections per class.", 100
    )
    add_postprocessing_op: bool = flag("Append the operator TFLite_Detection_PostProcess.", True)
    use_regular_nms: bool = flag("Run NMS for each class separately.", False)
    config_override: str = flag(OVERRIDE, "")


def run(flags: Flags, say: Say) -> None:
    """Write tflite_graph.pb, and the same graph as text, tflite_graph.pbtxt.

    Raises:
        TfodError, WeightsError: as `read_trained`.
    """
    config = read_config(flags.pipeline_config_path, flags.config_override)
    trained = read_trained(config, flags.trained_checkpoint_prefix)
    from boxwright.tfod import graphs

    for line in report(config):
        say(line)
    options = graphs.PostProcess(
        flags.max_detections,
        flags.max_classes_per_detection,
        flags.detections_per_class,
        flags.use_regular_nms,
    )
    side = trained.preprocessing.size
    nms_config = nms_config_of(trained.config)
    ranges = ranges_of(trained)
    graph = graphs.tflite_graph(
        trained.model,
        side,
        nms_config,
        options if flags.add_postprocessing_op else None,
        ranges,
    )
    target = flags.output_directory / "tflite_graph.pb"
    with writing(target) as draft:
        draft.write_bytes(graph.SerializeToString(deterministic=True))
    write_text(target.with_suffix(".pbtxt"), str(graph))
    say(f"{target}: step {trained.step}, input {graphs.TFLITE_INPUT} 1,{side},{side},3")
    if flags.add_postprocessing_op:
        say(f"outputs: at most {flags.max_detections} detections per image (--max_detections)")
    if trained.config.pipeline.graph_rewriter.quantization and not ranges:
        say("graph_rewriter: the checkpoint has no quantization ranges; wrote a float graph")


if __name__ == "__main__":
    main(Flags.NAME)
