"""Export a checkpoint as a SavedModel for TFLite's converter, like export_tflite_graph_tf2.py."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from boxwright.io.files import writing
from boxwright.io.shell import quoted
from boxwright.tfod.commands import Say, main
from boxwright.tfod.config import read_config, report
from boxwright.tfod.flags import OVERRIDE, flag
from boxwright.tfod.mapping.network import nms_config_of, read_trained
from boxwright.tfod.versions import ONLY_BOXES


@dataclass(frozen=True, kw_only=True)
class Flags:
    """Export a checkpoint as saved_model, which tflite_convert converts to a .tflite file."""

    NAME = "export_tflite_graph_tf2"
    EXAMPLE = (
        "--pipeline_config_path=pipeline.config --trained_checkpoint_dir=training "
        "--output_directory=tflite"
    )
    IGNORED: ClassVar = dict.fromkeys(
        ("centernet_include_keypoints", "keypoint_label_map_path"), ONLY_BOXES
    )

    pipeline_config_path: Path = flag("The pipeline.config of the training.")
    trained_checkpoint_dir: Path = flag("Folder of the training, or a checkpoint's prefix.")
    output_directory: Path = flag("Folder to write.")
    max_detections: int = flag(
        "Maximum number of detections per image.", 10, also="ssd_max_detections"
    )
    ssd_use_regular_nms: bool = flag("Run NMS for each class separately.", False)
    config_override: str = flag(OVERRIDE, "")


def run(flags: Flags, say: Say) -> None:
    """Write saved_model/.

    Raises:
        TfodError, WeightsError: as `read_trained`.
    """
    config = read_config(flags.pipeline_config_path, flags.config_override)
    trained = read_trained(config, flags.trained_checkpoint_dir, flag="--trained_checkpoint_dir")
    from boxwright.tfod import graphs

    for line in report(config):
        say(line)
    options = graphs.PostProcess(
        max_detections=flags.max_detections, use_regular_nms=flags.ssd_use_regular_nms
    )
    side, nms_config = trained.preprocessing.size, nms_config_of(trained.config)
    target = flags.output_directory / "saved_model"
    with writing(target) as draft:
        graphs.write_tflite_saved_model(draft, trained.model, side, nms_config, options)
    say(
        f"{target}: step {trained.step}, input 1,{side},{side},3, {flags.max_detections} detections"
    )
    words = f"--saved_model_dir={quoted(target)} --output_file=detect.tflite"
    say(f"Next: boxwright tfod tflite_convert {words}")


if __name__ == "__main__":
    main(Flags.NAME)
