"""Export a checkpoint as a frozen graph and a SavedModel, like export_inference_graph.py."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, cast

from boxwright.errors import FlagError
from boxwright.io.files import write_text, writing
from boxwright.io.protobuf_text import write
from boxwright.tfod.commands import Say, main
from boxwright.tfod.config import read_config, report
from boxwright.tfod.flags import OVERRIDE, flag
from boxwright.tfod.mapping.network import nms_config_of, ranges_of, read_trained
from boxwright.tfod.versions import SIDE_INPUTS


@dataclass(frozen=True, kw_only=True)
class Flags:
    """Export a checkpoint as frozen_inference_graph.pb and saved_model."""

    NAME = "export_inference_graph"
    EXAMPLE = (
        "--input_type=image_tensor --pipeline_config_path=pipeline.config "
        "--trained_checkpoint_prefix=training/model.ckpt-200 --output_directory=inference"
    )
    IGNORED: ClassVar = {
        **SIDE_INPUTS,
        "write_inference_graph": "frozen_inference_graph.pb contains the same graph",
        "additional_output_tensor_names": "the graph has the four outputs of a detector",
    }

    input_type: str = flag(
        "Input of the graph.",
        "image_tensor",
        choices=("image_tensor", "encoded_image_string_tensor", "tf_example"),
    )
    input_shape: str | None = flag(
        "Shape of an image_tensor, comma-separated. -1 means any size.", None
    )
    pipeline_config_path: Path = flag("The pipeline.config of the training.")
    trained_checkpoint_prefix: Path = flag("Prefix of the checkpoint's files.")
    output_directory: Path = flag("Folder to write.")
    config_override: str = flag(OVERRIDE, "")


def run(flags: Flags, say: Say) -> None:
    """Write frozen_inference_graph.pb, saved_model/, model.ckpt, checkpoint and pipeline.config.

    Raises:
        FlagError: BW704 invalid --input_shape, BW710 --input_shape does not fit --input_type.
        TfodError, WeightsError: as `read_trained`.
    """
    shape = _shape(flags)
    config = read_config(flags.pipeline_config_path, flags.config_override)
    trained = read_trained(config, flags.trained_checkpoint_prefix)
    from boxwright.tfod import graphs
    from boxwright.tfod.checkpoint import save_exported

    for line in report(config):
        say(line)
    name = cast(graphs.InputType, flags.input_type)
    nms_config = nms_config_of(trained.config)
    graph = graphs.inference_graph(
        trained.model,
        trained.preprocessing,
        nms_config,
        name,
        shape,
        ranges_of(trained),
    )
    folder = flags.output_directory
    with writing(folder / "frozen_inference_graph.pb") as draft:
        draft.write_bytes(graph.SerializeToString(deterministic=True))
    with writing(folder / "saved_model") as draft:
        graphs.write_saved_model(draft, graph, name)
    save_exported(folder, trained.model.network, trained.step, trained.learnt)
    write_text(folder / "pipeline.config", write(trained.config.tree))
    written = "frozen_inference_graph.pb, saved_model, model.ckpt and pipeline.config"
    say(f"{folder}: {written} from step {trained.step}")


def _shape(flags: Flags) -> tuple[int | None, ...]:
    """Parse `1,-1,-1,3` as `(1, None, None, 3)`."""
    if flags.input_shape is None:
        return (None, None, None, 3)
    try:
        sides = [int(side) for side in flags.input_shape.split(",")]
    except ValueError:
        sides = []
    if len(sides) != 4 or sides[3] != 3 or any(side < 1 and side != -1 for side in sides):
        raise FlagError(
            "BW704",
            f"--input_shape is '{flags.input_shape}', which is not the shape of an image batch.",
            wanted="images, height, width and 3 channels, -1 for any: 1,-1,-1,3",
        )
    if flags.input_type != "image_tensor":
        raise FlagError(
            "BW710",
            f"--input_shape does not apply to {flags.input_type}, which takes images of any size.",
            flag="--input_shape",
            other="--input_type=image_tensor",
        )
    return tuple(None if side == -1 else side for side in sides)


if __name__ == "__main__":
    main(Flags.NAME)
