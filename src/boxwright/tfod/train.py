"""Train without evaluation, like the API's legacy/train.py."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from boxwright.tfod.commands import Say, main
from boxwright.tfod.flags import ONE_MACHINE, WHOLE_CONFIG, flag


@dataclass(frozen=True, kw_only=True)
class Flags:
    """Train the model of a pipeline.config, without evaluation."""

    NAME = "train"
    EXAMPLE = "--pipeline_config_path=pipeline.config --train_dir=training"

    pipeline_config_path: Path = flag("Path of the pipeline.config.")
    train_dir: Path = flag("Folder for checkpoints and TensorBoard event files.")
    master: str = flag("Address of the TensorFlow server.", "", unused=ONE_MACHINE)
    task: int = flag("Index of this process.", 0, unused=ONE_MACHINE)
    num_clones: int = flag("Number of copies of the network.", 1, unused=ONE_MACHINE)
    clone_on_cpu: bool = flag("Run the copies on the CPU.", False, unused=ONE_MACHINE)
    worker_replicas: int = flag("Number of worker processes.", 1, unused=ONE_MACHINE)
    ps_tasks: int = flag("Number of parameter servers.", 0, unused=ONE_MACHINE)
    train_config_path: Path | None = flag("Part of a config.", None, unused=WHOLE_CONFIG)
    input_config_path: Path | None = flag("Part of a config.", None, unused=WHOLE_CONFIG)
    model_config_path: Path | None = flag("Part of a config.", None, unused=WHOLE_CONFIG)


def run(flags: Flags, say: Say) -> None:
    """Train, or resume the training in the folder. Raises as `training.train_by`."""
    from boxwright.tfod.config import read_config
    from boxwright.tfod.training import train_by

    train_by(read_config(flags.pipeline_config_path), flags.train_dir, say)


if __name__ == "__main__":
    main(Flags.NAME)
