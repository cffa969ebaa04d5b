"""Codes of the Object Detection API's pipeline.config."""

from __future__ import annotations

from boxwright.codes.meaning import Meaning

CONFIGS: dict[str, Meaning] = {
    "BW721": Meaning(
        "error",
        "A pipeline.config cannot be read",
        "The file is not there, is not UTF-8 text, or a bracket, a quotation mark or a value is "
        "missing in it.",
        "Check the path and the line that are named: a config is UTF-8 text, and a field is "
        "`name: value` or `name { ... }`.",
    ),
    "BW722": Meaning(
        "error",
        "A field of the config has a value that it cannot have",
        "It takes a number, true or false, one of several names, or a string between quotation "
        "marks, and something else was written.",
        "Did you mean {nearest}?",
        "Write {wanted}.",
    ),
    "BW723": Meaning(
        "error",
        "Something is missing in the config",
        "A field that has no default, or that another one needs, is not there. A bracket in the "
        "wrong place has the same effect.",
        "Add it there.",
        "Such as: {example}",
    ),
    "BW724": Meaning(
        "error",
        "The config asks for something that is not supported",
        "It is of another family of networks than SSD with MobileNet v1 or v2, or a field asks "
        "for something that would not be done here, and to pass over it would train another "
        "network than was asked for. A misspelled field is treated alike.",
        "Write {wanted} there.",
        "Change or remove the lines that are named, or begin with a config from `boxwright tfod "
        "sample_config`.",
    ),
    "BW725": Meaning(
        "error",
        "A path of the config is still to be filled in",
        "The sample configs have PATH_TO_BE_CONFIGURED wherever a path of your own belongs.",
        "Write the paths of your own files there; remove fine_tune_checkpoint to begin from "
        "scratch. `boxwright tfod sample_config` writes a config with your paths.",
    ),
    "BW726": Meaning(
        "error",
        "A path of the config leads nowhere",
        "It is misspelled, of another machine, or relative to another folder than the one that "
        "the command is run in.",
        "Write the path that the file has on this machine. Copy the file here first if it is "
        "elsewhere. A relative path begins in the folder that the command is run in.",
    ),
    "BW727": Meaning(
        "error",
        "The class count contradicts the label map",
        "`num_classes` is still that of the sample config, or the label map is of other data. It "
        "has to be the highest id of the label map.",
        "Write num_classes: {highest}, or correct the label map.",
    ),
    "BW728": Meaning(
        "error",
        "The config's checkpoint is none",
        "`fine_tune_checkpoint` takes the prefix of a checkpoint's files, such as model.ckpt for "
        "model.ckpt.index and model.ckpt.data-00000-of-00001: not one of the files, a frozen "
        "graph or an archive. TensorFlow calls this a DataLossError.",
        "Write {prefixes}.",
        "The value is what the names of a checkpoint's files have in common, such as "
        "path/to/model.ckpt; its .index and .data files lie beside each other.",
    ),
    "BW729": Meaning(
        "error",
        "The learning rate's steps make no sense",
        "A schedule begins with step 0, which TensorFlow calls `First step cannot be zero`, its "
        "steps do not rise, it is over before it has begun, or it warms up to less than it "
        "begins with.",
        "Write steps above 0, each larger than the one before. A cosine's total_steps are more "
        "than its warm-up and hold, and its learning_rate_base is at least its "
        "warmup_learning_rate.",
    ),
    "BW730": Meaning(
        "error",
        "A file that the config names holds no records",
        "It is empty because nothing was labelled or writing it failed, it is compressed, or it "
        "is another file than a TFRecord.",
        "Name a TFRecord file that is neither empty nor compressed, as generate_tfrecords or "
        "create_pascal_tf_record writes it. `gzip -dc train.record > train-plain.record` unpacks "
        "one of gzip.",
    ),
    "BW731": Meaning(
        "error",
        "There is no such sample config",
        "The name is misspelled, or of a network that is not here.",
        "Did you mean {nearest}?",
        "There are: {choices}.",
    ),
    "BW732": Meaning(
        "error",
        "A training cannot go on with another optimiser",
        "The folder's checkpoint holds what the optimiser that it was trained with keeps beside "
        "each variable, and the config now names another one.",
        "Use the optimiser that the checkpoint was trained with. To begin another training from "
        'its weights, write fine_tune_checkpoint: "{prefix}" and '
        "load_all_detection_checkpoint_vars: true, and train into an empty folder.",
    ),
    "BW733": Meaning(
        "error",
        "Two fields of the config exclude each other",
        "A field of which one counts stands there twice, or two alternatives are chosen at once.",
        "Keep one of the two.",
    ),
}
