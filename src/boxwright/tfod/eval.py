"""Evaluation as legacy/eval.py does it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from boxwright.tfod.commands import Say, main
from boxwright.tfod.flags import WHOLE_CONFIG, flag


@dataclass(frozen=True, kw_only=True)
class Flags:
    """Evaluate the newest checkpoint of a folder on the photos that a pipeline.config names.

    Without --run_once it then waits for newer ones, until Ctrl-C or the config's max_evals.
    """

    NAME = "eval"
    EXAMPLE = (
        "--pipeline_config_path=pipeline.config --checkpoint_dir=training --eval_dir=eval "
        "--run_once"
    )

    pipeline_config_path: Path = flag("The pipeline.config.")
    checkpoint_dir: Path = flag("The folder with the checkpoints.")
    eval_dir: Path = flag("The folder for TensorBoard's events.")
    eval_training_data: bool = flag("Evaluate on the photos for training instead.", False)
    run_once: bool = flag("Evaluate once and end.", False)
    eval_config_path: Path | None = flag("A part of a config.", None, unused=WHOLE_CONFIG)
    input_config_path: Path | None = flag("A part of a config.", None, unused=WHOLE_CONFIG)
    model_config_path: Path | None = flag("A part of a config.", None, unused=WHOLE_CONFIG)


def run(flags: Flags, say: Say) -> None:
    """Measure and write events. Raises as `evaluation.evaluate_folder`."""
    from boxwright.tfod.config import read_config
    from boxwright.tfod.evaluation import evaluate_folder, images_of

    config = read_config(flags.pipeline_config_path)
    images = images_of(config, training=flags.eval_training_data)
    evaluate_folder(config, images, flags.checkpoint_dir, flags.eval_dir, say, once=flags.run_once)


if __name__ == "__main__":
    main(Flags.NAME)
