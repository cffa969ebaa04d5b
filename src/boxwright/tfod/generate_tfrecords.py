"""Convert a CSV list and its images to TFRecord, like the second tutorial's script."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from boxwright.errors import TfodError
from boxwright.formats import FORMATS
from boxwright.formats.assemble import assemble
from boxwright.formats.folder import Folder
from boxwright.formats.ownership import Ownership
from boxwright.tfod.commands import Say, main
from boxwright.tfod.flags import flag
from boxwright.tfod.records import say_findings, write_record_files


@dataclass(frozen=True, kw_only=True)
class Flags:
    """Write a CSV list of boxes and its images to a TFRecord.

    Image files are copied into the record byte for byte, in the order of their names.
    """

    NAME = "generate_tfrecords"
    EXAMPLE = (
        "--label_map=annotations/label_map.pbtxt --csv_input=annotations/train_labels.csv "
        "--img_path=images/train --output_path=annotations/train.record"
    )

    label_map: Path = flag("Label map.")
    csv_input: Path = flag(
        "CSV list with the columns filename,width,height,class,xmin,ymin,xmax,ymax."
    )
    img_path: Path = flag("Folder with the images. If not given, the current folder.", Path())
    output_path: Path = flag("TFRecord file to write.")


def run(flags: Flags, say: Say) -> None:
    """Write one record.

    Raises:
        TfodError: BW705 the list cannot be read, BW706 a class is not in the label map.
        DataError: images or annotations cannot be used.
    """
    labels = FORMATS["csv"].read(Folder.scan(flags.csv_input))
    if not labels.images and not labels.broken:
        raise TfodError(
            "BW705",
            "is not a CSV list of boxes as xml_to_csv writes it. Its first line must name the "
            "columns: filename,width,height,class,xmin,ymin,xmax,ymax.",
            where=flags.csv_input,
            flag="--csv_input",
        )
    dataset = assemble(Ownership(Folder.scan(flags.img_path), labels))
    say_findings(dataset.findings, say)
    dataset = dataset.select(sorted(range(len(dataset)), key=dataset.names.__getitem__))
    files = [(flags.output_path, range(len(dataset)))]
    write_record_files(dataset, files, flags.label_map, say)


if __name__ == "__main__":
    main(Flags.NAME)
