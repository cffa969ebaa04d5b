"""Train and evaluate, like the API's model_main.py."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from boxwright.tfod.cluster import CLONES, Task, resources_of
from boxwright.tfod.commands import Say, main
from boxwright.tfod.flags import flag
from boxwright.tfod.versions import TRAINING
from boxwright.training.control import Control
from boxwright.training.processes import Processes

EVENTS = "eval_0"  # folder of the evaluation's events in the training folder, as in the API


@dataclass(frozen=True, kw_only=True)
class Flags:
    """Train the model of a pipeline.config, and evaluate each checkpoint.

    With --checkpoint_dir it only evaluates the checkpoints of that folder.
    """

    NAME = "model_main"
    EXAMPLE = "--pipeline_config_path=pipeline.config --model_dir=training"
    IGNORED: ClassVar = TRAINING

    pipeline_config_path: Path = flag("Path of the pipeline.config.")
    model_dir: Path = flag("Folder for checkpoints and TensorBoard event files.")
    num_train_steps: int | None = flag(
        "Number of training steps. If not given, num_steps of the config.", None
    )
    eval_training_data: bool = flag(
        "Evaluate on the training set instead.", False, also="eval_on_train_data"
    )
    sample_1_of_n_eval_examples: int = flag("Evaluate on every n-th image only.", 1)
    sample_1_of_n_eval_on_train_examples: int = flag(
        "With --eval_training_data, evaluate on every n-th image only.", 5
    )
    hparams_overrides: str | None = flag(
        "Comma-separated name=value pairs that override the config. A name is the full path of a "
        "field, such as train_config.batch_size.",
        None,
    )
    checkpoint_dir: Path | None = flag(
        "Evaluate the checkpoints of this folder, without training.", None
    )
    run_once: bool = flag(
        "With --checkpoint_dir, evaluate the latest checkpoint, then exit.", False
    )
    num_clones: int | None = flag(CLONES, None)


def run(flags: Flags, say: Say) -> None:
    """Train and evaluate, or only evaluate.

    Raises:
        As `training.train_by` and `evaluation.evaluate_folder`.
        FlagError: BW702 invalid --hparams_overrides.
    """
    task = Task.of_environment()
    if task.is_idle(say):
        return
    with task.connected() as (processes, control):
        _run(flags, say, task, processes, control)


def _run(flags: Flags, say: Say, task: Task, processes: Processes, control: Control | None) -> None:
    from boxwright.structures.dataset import Dataset, Split
    from boxwright.tfod.config import overrides, read_config
    from boxwright.tfod.evaluation import evaluate_folder, images_of, measure, sample
    from boxwright.tfod.mapping.network import read_trained
    from boxwright.tfod.training import train_by

    config = read_config(flags.pipeline_config_path, overrides(flags.hparams_overrides or ""))
    split, each = Split.VAL, flags.sample_1_of_n_eval_examples
    if flags.eval_training_data:
        split, each = Split.TRAIN, flags.sample_1_of_n_eval_on_train_examples
    events = flags.model_dir / EVENTS
    watched = flags.checkpoint_dir or (flags.model_dir if task.evaluates else None)
    if watched:
        images = images_of(config, training=flags.eval_training_data, each=each)
        evaluate_folder(config, images, watched, events, say, once=flags.run_once)
        return

    def after(prefix: Path, images: Dataset) -> None:
        chosen = sample(config, images, split, each)
        measure(read_trained(config, prefix, quantization_aware=True), chosen, events, say)

    train_by(
        config,
        flags.model_dir,
        say,
        steps=flags.num_train_steps,
        after=after,
        resources=resources_of(processes, flags.num_clones, say),
        control=control,
    )


if __name__ == "__main__":
    main(Flags.NAME)
