"""Training as legacy/train.py does it: without evaluation."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from boxwright.tfod.commands import Say, main
from boxwright.tfod.flags import ONE_MACHINE, WHOLE_CONFIG, flag


@dataclass(frozen=True, kw_only=True)
class Flags:
    """Train what a pipeline.config describes."""

    NAME = "train"
    EXAMPLE = "--pipeline_config_path=pipeline.config --train_dir=training"

    pipeline_config_path: Path = flag("The pipeline.config.")
    train_dir: Path = flag("The folder for checkpoints and TensorBoard's events.")
    master: str = flag("TensorFlow's server.", "", unused=ONE_MACHINE)
    task: int = flag("Number of this process.", 0, unused=ONE_MACHINE)
    num_clones: int = flag("Copies of the network.", 1, unused=ONE_MACHINE)
    clone_on_cpu: bool = flag("Where the copies run.", False, unused=ONE_MACHINE)
    worker_replicas: int = flag("Processes that train.", 1, unused=ONE_MACHINE)
    ps_tasks: int = flag("Processes that keep variables.", 0, unused=ONE_MACHINE)
    train_config_path: Path | None = flag("A part of a config.", None, unused=WHOLE_CONFIG)
    input_config_path: Path | None = flag("A part of a config.", None, unused=WHOLE_CONFIG)
    model_config_path: Path | None = flag("A part of a config.", None, unused=WHOLE_CONFIG)


def run(flags: Flags, say: Say) -> None:
    """Train, or go on with what is in the folder. Raises as `training.train_by`."""
    from boxwright.tfod.config import read_config
    from boxwright.tfod.training import train_by

    train_by(read_config(flags.pipeline_config_path), flags.train_dir, say)


if __name__ == "__main__":
    main(Flags.NAME)
