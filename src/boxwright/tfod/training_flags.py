"""The flags of training and evaluating: model_main, and the legacy train and eval."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from boxwright.tfod.flags import flag

ONE_MACHINE = "the training runs on one machine, in one process"
WHOLE_CONFIG = "a training is described by one pipeline.config"


@dataclass(frozen=True, kw_only=True)
class ModelMainFlags:
    """Train what a pipeline.config describes, and evaluate it as it goes.

    With --checkpoint_dir nothing is trained: what lies there is evaluated.
    """

    NAME = "model_main"
    EXAMPLE = "--pipeline_config_path=pipeline.config --model_dir=training"

    pipeline_config_path: Path = flag("The pipeline.config.")
    model_dir: Path = flag("The folder for checkpoints and TensorBoard's events.")
    num_train_steps: int | None = flag("How many steps; if not given, the config's.", None)
    eval_training_data: bool = flag("Evaluate on the photos for training instead.", False)
    sample_1_of_n_eval_examples: int = flag("Evaluate on each n-th photo only.", 1)
    sample_1_of_n_eval_on_train_examples: int = flag(
        "With --eval_training_data, evaluate on each n-th photo only.", 5
    )
    hparams_overrides: str | None = flag(
        "name=value pairs with commas between them, which go before the config's.", None
    )
    checkpoint_dir: Path | None = flag("Only evaluate the checkpoints of this folder.", None)
    run_once: bool = flag("With --checkpoint_dir, evaluate the newest checkpoint and end.", False)


@dataclass(frozen=True, kw_only=True)
class TrainFlags:
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


@dataclass(frozen=True, kw_only=True)
class EvalFlags:
    """Evaluate the newest checkpoint of a folder on the photos that a pipeline.config names."""

    NAME = "eval"
    EXAMPLE = "--pipeline_config_path=pipeline.config --checkpoint_dir=training --eval_dir=eval"

    pipeline_config_path: Path = flag("The pipeline.config.")
    checkpoint_dir: Path = flag("The folder with the checkpoints.")
    eval_dir: Path = flag("The folder for TensorBoard's events.")
    eval_training_data: bool = flag("Evaluate on the photos for training instead.", False)
    run_once: bool = flag("Evaluate once and end.", False)
    eval_config_path: Path | None = flag("A part of a config.", None, unused=WHOLE_CONFIG)
    input_config_path: Path | None = flag("A part of a config.", None, unused=WHOLE_CONFIG)
    model_config_path: Path | None = flag("A part of a config.", None, unused=WHOLE_CONFIG)
