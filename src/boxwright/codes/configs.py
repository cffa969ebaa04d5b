"""Codes of the Object Detection API's pipeline.config."""

from __future__ import annotations

from boxwright.codes.meaning import Meaning

CONFIGS: dict[str, Meaning] = {
    "BW721": Meaning(
        "error",
        "A pipeline.config cannot be read",
        "The file is not there, is not UTF-8 text, or a bracket, a quotation mark or a value is "
        "missing in it.",
        "Correct the line that the error names. A Windows path stands between quotation marks.",
    ),
    "BW722": Meaning(
        "error",
        "A field of the config has a value that it cannot have",
        "It takes a number, true or false, one of several names, or a string between quotation "
        "marks, and something else was written.",
        "Write a value as the error shows it.",
    ),
    "BW723": Meaning(
        "error",
        "Something is missing in the config, or given twice",
        "A field that has no default is not there, a field of which one counts stands there "
        "twice, or two alternatives are chosen at once. A bracket in the wrong place has the same "
        "effect.",
        "Add the field, or remove one of the two.",
    ),
    "BW724": Meaning(
        "error",
        "The config asks for something that is not supported",
        "It is of another family of networks than SSD with MobileNet v1 or v2, or a field asks "
        "for something that would not be done here, and to pass over it would train another "
        "network than was asked for. A misspelled field is treated alike.",
        "Change or remove the lines that the error names, or begin with a config that "
        "`sample_config` writes.",
    ),
    "BW725": Meaning(
        "error",
        "A path of the config is still to be filled in",
        "The sample configs have PATH_TO_BE_CONFIGURED wherever a path of your own belongs.",
        "Write your own paths into the lines that the error names. `sample_config` writes a config "
        "with them.",
    ),
    "BW726": Meaning(
        "error",
        "A path of the config leads nowhere",
        "It is misspelled, of another machine, or relative to another folder than the one that "
        "the command is run in.",
        "Correct it; the error says how much of it exists.",
    ),
    "BW727": Meaning(
        "error",
        "The class count contradicts the label map",
        "`num_classes` is still that of the sample config, or the label map is of other data. It "
        "has to be the highest id of the label map.",
        "Write the number that the error names.",
    ),
    "BW728": Meaning(
        "error",
        "The config's checkpoint is none",
        "`fine_tune_checkpoint` takes the prefix of a checkpoint's files, such as model.ckpt for "
        "model.ckpt.index and model.ckpt.data-00000-of-00001: not one of the files, a frozen graph "
        "or an archive. TensorFlow calls this a DataLossError.",
        "Write the prefix; the error names it where it can be found.",
    ),
    "BW729": Meaning(
        "error",
        "The learning rate's steps make no sense",
        "A schedule begins with step 0, which TensorFlow calls `First step cannot be zero`, its "
        "steps do not rise, or it is over before it has begun.",
        "Remove the entry of step 0 and give its rate to `initial_learning_rate`; the steps that "
        "follow have to rise.",
    ),
    "BW730": Meaning(
        "error",
        "A file that the config names holds no records",
        "It is empty because nothing was labelled or writing it failed, it is compressed, or it is "
        "another file than a TFRecord.",
        "Write the records again, and look at what the command says.",
    ),
    "BW731": Meaning(
        "error",
        "There is no such sample config",
        "The name is misspelled, or of a network that is not here.",
        "Use one of the names that the error lists.",
    ),
    "BW732": Meaning(
        "error",
        "A training cannot go on with another optimiser",
        "The folder's checkpoint holds what the optimiser that it was trained with keeps beside "
        "each variable, and the config now names another one.",
        "Use the same optimiser, or begin another training from the checkpoint's weights in an "
        "empty folder, as the error says.",
    ),
}
