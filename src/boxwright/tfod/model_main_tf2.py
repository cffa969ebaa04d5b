"""Train, or evaluate, like the API's model_main_tf2.py."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from boxwright.tfod.cluster import CLONES, Task, resources_of
from boxwright.tfod.commands import Say, main
from boxwright.tfod.flags import flag
from boxwright.tfod.versions import TRAINING

EVENTS = "eval"  # folder of the evaluation's events in the training folder, as in the API


@dataclass(frozen=True, kw_only=True)
class Flags:
    """Train the model of a pipeline.config.

    With --checkpoint_dir it only evaluates the checkpoints of that folder, each as it appears.
    model_main evaluates while it trains.
    """

    NAME = "model_main_tf2"
    EXAMPLE = "--pipeline_config_path=pipeline.config --model_dir=training"
    IGNORED: ClassVar = TRAINING

    pipeline_config_path: Path = flag("Path of the pipeline.config.")
    model_dir: Path = flag("Folder for checkpoints and TensorBoard event files.")
    num_train_steps: int | None = flag(
        "Number of training steps. If not given, num_steps of the config.", None
    )
    checkpoint_dir: Path | None = flag(
        "Evaluate the checkpoints of this folder, without training.", None
    )
    eval_timeout: int = flag("Seconds to wait for a newer checkpoint.", 3600)
    eval_on_train_data: bool = flag(
        "Evaluate on the training set instead.", False, also="eval_training_data"
    )
    sample_1_of_n_eval_examples: int = flag("Evaluate on every n-th image only.", 1)
    sample_1_of_n_eval_on_train_examples: int = flag(
        "With --eval_on_train_data, evaluate on every n-th image only.", 5
    )
    num_clones: int | None = flag(CLONES, None)


def run(flags: Flags, say: Say) -> None:
    """Train, or evaluate. Raises as `training.train_by` and `evaluation.evaluate_folder`."""
    task = Task.of_environment()
    if task.is_idle(say):
        return
    watched = flags.checkpoint_dir or (flags.model_dir if task.evaluates else None)
    if watched is not None:
        _evaluate(flags, watched, say)
        return
    with task.connected() as (processes, control):
        from boxwright.tfod.config import read_config
        from boxwright.tfod.training import train_by

        train_by(
            read_config(flags.pipeline_config_path),
            flags.model_dir,
            say,
            steps=flags.num_train_steps,
            resources=resources_of(processes, flags.num_clones, say),
            control=control,
        )


def _evaluate(flags: Flags, folder: Path, say: Say) -> None:
    from boxwright.tfod.config import read_config
    from boxwright.tfod.evaluation import evaluate_folder, images_of

    config = read_config(flags.pipeline_config_path)
    each = flags.sample_1_of_n_eval_examples
    if flags.eval_on_train_data:
        each = flags.sample_1_of_n_eval_on_train_examples
    images = images_of(config, training=flags.eval_on_train_data, each=each)
    events, patience = flags.model_dir / EVENTS, float(flags.eval_timeout)
    evaluate_folder(config, images, folder, events, say, once=False, patience=patience)


if __name__ == "__main__":
    main(Flags.NAME)
