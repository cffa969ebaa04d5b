"""Training and evaluation in one, as model_main.py does it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from boxwright.tfod.commands import Say, main
from boxwright.tfod.flags import flag

EVENTS = "eval_0"  # the folder of an evaluation's events in that of the training, as the API's


@dataclass(frozen=True, kw_only=True)
class Flags:
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
        "name=value pairs with commas between them, which go before the config's; a name is a "
        "field's with all that it stands in, such as train_config.batch_size.",
        None,
    )
    checkpoint_dir: Path | None = flag("Only evaluate the checkpoints of this folder.", None)
    run_once: bool = flag("With --checkpoint_dir, evaluate the newest checkpoint and end.", False)


def run(flags: Flags, say: Say) -> None:
    """Train and evaluate, or only evaluate.

    Raises:
        As `training.train_by` and `evaluation.evaluate_folder`.
        FlagError: BW702 --hparams_overrides cannot be understood.
    """
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
    if flags.checkpoint_dir:
        images = images_of(config, training=flags.eval_training_data, each=each)
        evaluate_folder(config, images, flags.checkpoint_dir, events, say, once=flags.run_once)
        return

    def after(prefix: Path, images: Dataset) -> None:
        chosen = sample(config, images, split, each)
        measure(read_trained(config, prefix, quantization_aware=True), chosen, events, say)

    train_by(config, flags.model_dir, say, steps=flags.num_train_steps, after=after)


if __name__ == "__main__":
    main(Flags.NAME)
