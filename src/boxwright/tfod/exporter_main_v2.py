"""Export a checkpoint as a SavedModel of TensorFlow 2, like the API's exporter_main_v2.py."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, cast

from boxwright.io.files import write_text, writing
from boxwright.io.protobuf_text import write
from boxwright.tfod.commands import Say, main
from boxwright.tfod.config import read_config, report
from boxwright.tfod.flags import OVERRIDE, flag
from boxwright.tfod.mapping.network import nms_config_of, ranges_of, read_trained
from boxwright.tfod.versions import SIDE_INPUTS

CHECKPOINT = "ckpt-0"  # the API's name


@dataclass(frozen=True, kw_only=True)
class Flags:
    """Export the latest checkpoint of a training as saved_model, with checkpoint and config."""

    NAME = "exporter_main_v2"
    EXAMPLE = (
        "--input_type=image_tensor --pipeline_config_path=pipeline.config "
        "--trained_checkpoint_dir=training --output_directory=exported"
    )
    IGNORED: ClassVar = SIDE_INPUTS

    input_type: str = flag(
        "Input of the model.",
        "image_tensor",
        choices=("image_tensor", "float_image_tensor", "encoded_image_string_tensor", "tf_example"),
    )
    pipeline_config_path: Path = flag("The pipeline.config of the training.")
    trained_checkpoint_dir: Path = flag("Folder of the training, or a checkpoint's prefix.")
    output_directory: Path = flag("Folder to write.")
    config_override: str = flag(OVERRIDE, "")


def run(flags: Flags, say: Say) -> None:
    """Write saved_model/, checkpoint/ckpt-0 and pipeline.config.

    Raises:
        TfodError, WeightsError: as `read_trained`.
    """
    config = read_config(flags.pipeline_config_path, flags.config_override)
    trained = read_trained(config, flags.trained_checkpoint_dir, flag="--trained_checkpoint_dir")
    from boxwright.tfod import graphs
    from boxwright.tfod.checkpoint import save_exported

    for line in report(config):
        say(line)
    name = cast(graphs.InputType, flags.input_type)
    graph = graphs.inference_graph(
        trained.model,
        trained.preprocessing,
        nms_config_of(trained.config),
        name,
        ranges=ranges_of(trained),
    )
    folder = flags.output_directory
    with writing(folder / "saved_model") as draft:
        graphs.write_callable(draft, graph, name)
    network = trained.model.network
    save_exported(folder / "checkpoint", network, trained.step, trained.learnt, CHECKPOINT)
    write_text(folder / "pipeline.config", write(trained.config.tree))
    written = f"saved_model, checkpoint/{CHECKPOINT} and pipeline.config"
    say(f"{folder}: {written} from step {trained.step}")


if __name__ == "__main__":
    main(Flags.NAME)
