"""Train without evaluation, like the API's legacy/train.py."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from boxwright.tfod.cluster import CLONES, Task, resources_of
from boxwright.tfod.commands import Say, main
from boxwright.tfod.flags import flag
from boxwright.tfod.versions import CLUSTER, PARTS

EVENTS = "eval_0"  # folder of an evaluator's events in the training folder, as in the API


@dataclass(frozen=True, kw_only=True)
class Flags:
    """Train the model of a pipeline.config, without evaluation."""

    NAME = "train"
    EXAMPLE = "--pipeline_config_path=pipeline.config --train_dir=training"
    IGNORED: ClassVar = {**CLUSTER, **PARTS}

    pipeline_config_path: Path = flag("Path of the pipeline.config.")
    train_dir: Path = flag("Folder for checkpoints and TensorBoard event files.")
    num_clones: int | None = flag(CLONES, None)


def run(flags: Flags, say: Say) -> None:
    """Train, or resume the training in the folder. Raises as `training.train_by`."""
    task = Task.of_environment()
    if task.is_idle(say):
        return
    if task.evaluates:
        from boxwright.tfod.config import read_config
        from boxwright.tfod.evaluation import evaluate_folder, images_of

        config, folder = read_config(flags.pipeline_config_path), flags.train_dir
        evaluate_folder(config, images_of(config), folder, folder / EVENTS, say, once=False)
        return
    with task.connected() as (processes, control):
        from boxwright.tfod.config import read_config
        from boxwright.tfod.training import train_by

        train_by(
            read_config(flags.pipeline_config_path),
            flags.train_dir,
            say,
            resources=resources_of(processes, flags.num_clones, say),
            control=control,
        )


if __name__ == "__main__":
    main(Flags.NAME)
