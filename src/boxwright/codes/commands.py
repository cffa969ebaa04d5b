"""Codes of what commands are asked for and cannot do with these photos and folders."""

from __future__ import annotations

from boxwright.codes.meaning import Meaning

COMMANDS: dict[str, Meaning] = {
    "BW191": Meaning(
        "error",
        "There is no such photo or folder",
        "The path given to `boxwright predict` is misspelled, or relative to another folder than "
        "the one you are in.",
        "Check the spelling, or give an absolute path.",
    ),
    "BW192": Meaning(
        "error",
        "There are no photos to look at",
        "The folder holds no file with the suffix of a photo, or the pattern fits none.",
        "Name a folder with photos such as JPEG or PNG files, or a pattern that fits some.",
    ),
    "BW193": Meaning(
        "error",
        "No photo is marked for what is to be measured",
        "The data have no photos for validation, say, but `--split val` was asked for.",
        "Choose among: {choices}.",
    ),
    "BW194": Meaning(
        "error",
        "The place to write to is taken",
        "A data set is written into a folder of its own, so that nothing of yours is overwritten "
        "and no annotation of another data set gets into it.",
        "Name a folder that is not there yet, outside of the photos' own; or empty the one that "
        "is.",
    ),
    "BW195": Meaning(
        "error",
        "Groups of photos cannot be told",
        "What was given to `--groups` is not a regular expression with a part in round brackets, "
        "names a csv file without the columns photo and group, or says nothing about any photo "
        "here.",
        "Give `folder`, a csv file with the columns photo and group, or a regular expression "
        "whose bracketed part names the group, such as '(clip[0-9]+)_'.",
    ),
    "BW196": Meaning(
        "error",
        "The photos have a split already",
        "The folder says by itself which photos are for training and which for testing: by "
        "lists, by folders named train and test, or in the annotations.",
        "Nothing: that split is used as it is. To have another one made, which then goes before "
        "it, add `--anew`.",
    ),
    "BW197": Meaning(
        "error",
        "There is no such format",
        "The name given for a format of annotations is none of those that Boxwright reads and "
        "writes.",
        "Did you mean '{nearest}'?",
        "Choose among: {choices}.",
    ),
    "BW198": Meaning(
        "error",
        "A split with declared groups is to be continued without them",
        "The earlier split was made with `--groups`, so that photos of one group stay together. "
        "The groups of new photos are not known unless they are declared too.",
        "Declare the groups again, as before: --groups '{groups}'",
    ),
    "BW199": Meaning(
        "error",
        "A choice of classes does not fit the data",
        "A name given to `--classes`, `--exclude-class` or `--rename` is of no class of the data, "
        "or no class is left.",
        "Did you mean '{nearest}'?",
        "The classes are: {choices}.",
    ),
}
