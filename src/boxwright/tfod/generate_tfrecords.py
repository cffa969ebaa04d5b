"""Convert a CSV list or xml files and their images to TFRecord.

Scripts of four tutorials do this, each with other flags: generate_tfrecords.py of the second
tutorial, generate_tfrecord.py of the raccoon data set and of the TF2 guide, and create_tfrecord.py
of the Colab tutorial. This command accepts them all.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from boxwright.errors import FlagError, TfodError
from boxwright.formats import FORMATS
from boxwright.formats.assemble import assemble
from boxwright.formats.folder import Folder
from boxwright.formats.ownership import Ownership
from boxwright.inference.class_names import LABEL_MAPS, read_names
from boxwright.structures.dataset import Dataset
from boxwright.structures.labels import write_label_map
from boxwright.tfod import xml_to_csv
from boxwright.tfod.commands import Say, main
from boxwright.tfod.flags import flag
from boxwright.tfod.records import class_ids, say_findings, write_record_files

LABEL_MAP = "labelmap.pbtxt"  # as the Colab tutorial calls it
USUAL = (LABEL_MAP, "label_map.pbtxt", "object-detection.pbtxt")
FOLDERS = ("", "training", "annotations", "data")


@dataclass(frozen=True, kw_only=True)
class Flags:
    """Write a CSV list of boxes, or Pascal VOC xml files, and their images to a TFRecord.

    Image files are copied into the record byte for byte, in the order of their names.
    """

    NAME = "generate_tfrecords"
    EXAMPLE = (
        "--label_map=annotations/label_map.pbtxt --csv_input=annotations/train_labels.csv "
        "--img_path=images/train --output_path=annotations/train.record"
    )

    label_map: Path | None = flag(
        f"Label map, or a text file with a name per line, which gets a {LABEL_MAP} beside it. If "
        f"not given, the one that is called {LABEL_MAP} or label_map.pbtxt.",
        None,
        also="l labelmap labels_path label_map_path",
    )
    csv_input: Path | None = flag(
        "CSV list with the columns filename,width,height,class,xmin,ymin,xmax,ymax.", None
    )
    xml_dir: Path | None = flag("Folder with xml files, instead of --csv_input.", None, also="x")
    img_path: Path | None = flag(
        "Folder with the images. If not given, the current folder, or that of the xml files.",
        None,
        also="i image_dir",
    )
    output_path: Path = flag("TFRecord file to write.", also="o")
    csv_path: Path | None = flag("With -x, CSV list to write too.", None, also="c")


def run(flags: Flags, say: Say) -> None:
    """Write one record.

    Raises:
        FlagError: BW703 no list and no xml files are given, BW710 both are.
        TfodError: BW705 the list or the label map cannot be read, BW706 a class is not in the
            label map.
        DataError: images or annotations cannot be used.
    """
    if (flags.csv_input is None) == (flags.xml_dir is None):
        raise _neither_or_both(flags)
    label_map = _label_map(flags, say)
    dataset = _of_list(flags.csv_input, flags) if flags.csv_input else _of_xml(flags, say)
    say_findings(dataset.findings, say)
    dataset = dataset.select(sorted(range(len(dataset)), key=dataset.names.__getitem__))
    files = [(flags.output_path, range(len(dataset)))]
    write_record_files(dataset, files, class_ids(dataset, label_map), say)


def _neither_or_both(flags: Flags) -> FlagError:
    if flags.csv_input is None:
        return FlagError(
            "BW703",
            f"{flags.NAME} needs --csv_input or --xml_dir.",
            example="--csv_input=annotations/train_labels.csv",
        )
    return FlagError(
        "BW710",
        "--csv_input and --xml_dir both give the boxes.",
        flag="--xml_dir",
        other="--csv_path to write a list of the xml files",
    )


def _of_list(path: Path, flags: Flags) -> Dataset:
    labels = FORMATS["csv"].read(Folder.scan(path))
    if not labels.images and not labels.broken:
        raise TfodError(
            "BW705",
            "is not a CSV list of boxes as xml_to_csv writes it. Its first line must name the "
            "columns: filename,width,height,class,xmin,ymin,xmax,ymax.",
            where=path,
            flag="--csv_input",
        )
    return assemble(Ownership(Folder.scan(flags.img_path or Path()), labels))


def _of_xml(flags: Flags, say: Say) -> Dataset:
    folder = flags.xml_dir or Path()
    if flags.csv_path:
        xml_to_csv.run(xml_to_csv.Flags(input=folder, output=flags.csv_path), say)
    labels = FORMATS["voc"].read(Folder.scan(folder))
    if not labels.images and not labels.broken:
        raise TfodError("BW705", "found no Pascal VOC annotations here.", where=folder, flag="-x")
    return assemble(Ownership(Folder.scan(flags.img_path or folder), labels))


def _label_map(flags: Flags, say: Say) -> Path:
    """Return the label map: the given one, one made of a text file, or the only one around."""
    given = flags.label_map
    if given is not None and given.suffix.lower() not in LABEL_MAPS:
        written = given.with_name(LABEL_MAP)
        write_label_map(written, read_names(given))
        say(f"{written}: the names of {given.name}, with ids from 1")
        return written
    if given is not None:
        return given
    roots = [flags.output_path.parent, (flags.csv_input or flags.xml_dir or Path()).parent, Path()]
    usual = (root / folder / name for root in roots for folder in FOLDERS for name in USUAL)
    found = list({path.resolve(): path for path in usual if path.is_file()}.values())
    if len(found) == 1:
        say(f"class ids from {found[0]}")
        return found[0]
    several = f"found {', '.join(map(str, found))}" if found else "found no label map"
    raise TfodError(
        "BW705",
        f"{several}. The original script has the class ids in its code; here a label map gives "
        "them: item { id: 1 name: 'helmet' }",
        where=flags.output_path.absolute().parent,
        flag="--label_map",
    )


if __name__ == "__main__":
    main(Flags.NAME)
