"""Codes of commands that cannot be carried out on the given images and folders."""

from __future__ import annotations

from boxwright.codes.meaning import Meaning

COMMANDS: dict[str, Meaning] = {
    "BW191": Meaning(
        "error",
        "There is no such image or folder",
        "The path is misspelled, or relative to a different working directory.",
        "Check the spelling, or give an absolute path.",
    ),
    "BW192": Meaning(
        "error",
        "There are no images to process",
        "The folder has no file with an image suffix, or the pattern matches none.",
        "Give a folder with images such as JPEG or PNG files, or a pattern that matches some.",
    ),
    "BW193": Meaning(
        "error",
        "The split has no images",
        "The chosen split is empty: for example, `--split val` was given and the data have no "
        "validation images.",
        "Choose among: {choices}.",
    ),
    "BW194": Meaning(
        "error",
        "The output folder is in use",
        "A dataset is written into a folder of its own, so that no file of yours is overwritten "
        "and no annotations of another dataset are mixed in. `predict` replaces only its own "
        "files.",
        "Give a new or empty folder outside of the images' own folder.",
    ),
    "BW195": Meaning(
        "error",
        "The groups cannot be determined",
        "The value of `--groups` is not a regular expression with a part in parentheses, is a "
        "CSV file without the columns photo and group, or matches none of the images.",
        "Give `folder`, a CSV file with the columns photo and group, or a regular expression "
        "whose part in parentheses is the group, such as '(clip[0-9]+)_'.",
    ),
    "BW196": Meaning(
        "error",
        "The dataset already has a split",
        "The split is stated by lists, by folders named train and test, or in the annotations.",
        "To keep this split, do nothing: it is used as it is. To replace it, add `--anew`; the "
        "new split then overrides the old one.",
    ),
    "BW197": Meaning(
        "error",
        "There is no such format",
        "Boxwright does not read or write an annotation format of this name.",
        "Did you mean '{nearest}'?",
        "Choose among: {choices}.",
    ),
    "BW198": Meaning(
        "error",
        "The earlier split had groups",
        "The earlier split was made with `--groups`, so that images of one group stay together. "
        "The groups of new images are unknown without it.",
        "Give the groups again: --groups '{groups}'",
    ),
    "BW199": Meaning(
        "error",
        "The choice of classes does not fit the data",
        "A name given to `--classes`, `--exclude-class` or `--rename` is not a class of the data, "
        "or no class is left.",
        "Did you mean '{nearest}'?",
        "The classes are: {choices}.",
    ),
}
