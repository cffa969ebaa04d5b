"""Evaluate checkpoints, like the API's legacy/eval.py."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from boxwright.tfod.commands import Say, main
from boxwright.tfod.flags import flag
from boxwright.tfod.versions import CLUSTER, NO_TPU, PARTS


@dataclass(frozen=True, kw_only=True)
class Flags:
    """Evaluate the latest checkpoint of a folder on the images that a pipeline.config names.

    Without --run_once it then waits for newer checkpoints, until Ctrl-C or the config's
    max_evals.
    """

    NAME = "eval"
    EXAMPLE = (
        "--pipeline_config_path=pipeline.config --checkpoint_dir=training --eval_dir=eval "
        "--run_once"
    )
    IGNORED: ClassVar = {**CLUSTER, **PARTS, "num_clones": NO_TPU}

    pipeline_config_path: Path = flag("Path of the pipeline.config.")
    checkpoint_dir: Path = flag("Folder with the checkpoints.")
    eval_dir: Path = flag("Folder for TensorBoard event files.")
    eval_training_data: bool = flag("Evaluate on the training set instead.", False)
    run_once: bool = flag("Evaluate once, then exit.", False)


def run(flags: Flags, say: Say) -> None:
    """Evaluate and write events. Raises as `evaluation.evaluate_folder`."""
    from boxwright.tfod.config import read_config
    from boxwright.tfod.evaluation import evaluate_folder, images_of

    config = read_config(flags.pipeline_config_path)
    images = images_of(config, training=flags.eval_training_data)
    evaluate_folder(config, images, flags.checkpoint_dir, flags.eval_dir, say, once=flags.run_once)


if __name__ == "__main__":
    main(Flags.NAME)
