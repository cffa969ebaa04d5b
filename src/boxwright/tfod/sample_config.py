"""Write a zoo model's pipeline.config with the user's paths, like the API's samples/configs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from boxwright.errors import TfodError
from boxwright.formats.tfrecord.framing import read_records
from boxwright.io.files import write_text
from boxwright.tfod.commands import Say, main
from boxwright.tfod.config import sample_config
from boxwright.tfod.flags import flag


@dataclass(frozen=True, kw_only=True)
class Flags:
    """Write a sample pipeline.config of the zoo with your own paths.

    num_classes comes from the label map, and num_examples from the evaluation record.
    """

    NAME = "sample_config"
    EXAMPLE = (
        "ssd_mobilenet_v1_coco --label_map_path=label_map.pbtxt --train_record=train.record "
        "--eval_record=val.record --output_path=pipeline.config"
    )

    name: str = flag("Name of the sample. If not given, all names are listed.", "", bare=True)
    label_map_path: Path | None = flag("Label map.", None)
    train_record: Path | None = flag("TFRecord to train on.", None)
    eval_record: Path | None = flag("TFRecord to evaluate on.", None)
    fine_tune_checkpoint: Path | None = flag(
        "Checkpoint to start from: a prefix, a .tflite file, or a name of the zoo. If not given, "
        "the sample's model in the zoo, which is downloaded when the training starts.",
        None,
    )
    output_path: Path | None = flag(
        "Config file to write. If not given, the config is printed.", None
    )


def run(flags: Flags, say: Say) -> None:
    """Write or print the config.

    Raises:
        TfodError: BW705 the evaluation record cannot be read, BW731 unknown sample.
        DataError: BW116 the label map cannot be used.
    """
    counted = {} if flags.eval_record is None else {"num_examples": _count(flags.eval_record)}
    text = sample_config(
        flags.name,
        label_map=flags.label_map_path,
        train_records=[flags.train_record] if flags.train_record else [],
        eval_records=[flags.eval_record] if flags.eval_record else [],
        checkpoint=flags.fine_tune_checkpoint,
        **counted,
    )
    if flags.output_path is None:
        say(text.rstrip())
    else:
        write_text(flags.output_path, text)
        say(f"{flags.output_path}: {flags.name} with your paths")


def _count(path: Path) -> int:
    """Return the number of images in a record file."""
    try:
        with path.open("rb") as file:
            return sum(1 for record in read_records(file) if not record.damage)
    except OSError as error:
        raise TfodError(
            "BW705",
            f"the evaluation record cannot be read to count its images "
            f"({error.strerror or error}).",
            where=path,
            flag="--eval_record",
        ) from error


if __name__ == "__main__":
    main(Flags.NAME)
