"""Codes of the Object Detection API's pipeline.config."""

from __future__ import annotations

from boxwright.codes.meaning import Meaning

CONFIGS: dict[str, Meaning] = {
    "BW721": Meaning(
        "error",
        "A pipeline.config cannot be read",
        "The file is missing, is not UTF-8 text, or lacks a bracket, a quotation mark or a value.",
        "Check the path and the named line: a config is UTF-8 text, and a field is "
        "`name: value` or `name { ... }`.",
    ),
    "BW722": Meaning(
        "error",
        "A field of the config has an invalid value",
        "It takes a number, true or false, one of several names, or a quoted string, and "
        "something else was given.",
        "Did you mean {nearest}?",
        "Write {wanted}.",
    ),
    "BW723": Meaning(
        "error",
        "Something is missing in the config",
        "A required field is missing: it has no default, or another field needs it. A bracket in "
        "the wrong place has the same effect.",
        "Add it there.",
        "Such as: {example}",
    ),
    "BW724": Meaning(
        "error",
        "The config asks for something that is not supported",
        "Its network is not an SSD with MobileNet v1 or v2, or a field asks for something that "
        "Boxwright does not do. Ignoring the field would train a different network. A misspelled "
        "field is reported in the same way.",
        "Write {wanted} there.",
        "Change or remove the named lines, or begin with a config from `boxwright tfod "
        "sample_config`.",
        "The nearest sample with your paths: {sample}",
    ),
    "BW725": Meaning(
        "error",
        "A path of the config is a placeholder",
        "The sample configs have PATH_TO_BE_CONFIGURED in place of your own paths.",
        "Write the paths of your own files there; remove fine_tune_checkpoint to train from "
        "scratch. `boxwright tfod sample_config` writes a config with your paths.",
    ),
    "BW726": Meaning(
        "error",
        "A path of the config does not exist",
        "It is misspelled, belongs to another machine, or is relative to a different working "
        "directory.",
        "Write the file's path on this machine, and copy the file here first if it is elsewhere. "
        "A relative path starts in the folder in which you run the command.",
    ),
    "BW727": Meaning(
        "error",
        "The class count contradicts the label map",
        "`num_classes` is still that of the sample config, or the label map belongs to other "
        "data. It must be the highest id of the label map.",
        "Write num_classes: {highest}, or correct the label map.",
    ),
    "BW728": Meaning(
        "error",
        "The config's checkpoint is not a checkpoint",
        "`fine_tune_checkpoint` takes the prefix of a checkpoint's files, such as model.ckpt for "
        "model.ckpt.index and model.ckpt.data-00000-of-00001, a .tflite file, or a name of the "
        "zoo: not one of the files, a frozen graph or an archive. TensorFlow calls this a "
        "DataLossError.",
        "Write {prefixes}.",
        "The value is the common prefix of the checkpoint's file names, such as "
        "path/to/model.ckpt; its .index and .data files must be in the same folder. A name such as "
        "ssd_mobilenet_v2_coco is downloaded.",
    ),
    "BW729": Meaning(
        "error",
        "The learning rate schedule is invalid",
        "Its first step is 0 (TensorFlow: `First step cannot be zero`), its steps do not "
        "increase, it ends before it begins, or it warms up to less than its initial rate.",
        "Write steps above 0 in increasing order. In a cosine, total_steps must exceed warm-up "
        "and hold, and learning_rate_base must be at least warmup_learning_rate.",
    ),
    "BW730": Meaning(
        "error",
        "A file of the config has no records",
        "It is empty because nothing was labeled or writing failed, it is compressed, or it is "
        "not a TFRecord.",
        "Give a TFRecord file that is neither empty nor compressed, as generate_tfrecords or "
        "create_pascal_tf_record writes it. `gzip -dc train.record > train-plain.record` unpacks "
        "a gzip file.",
    ),
    "BW731": Meaning(
        "error",
        "There is no such sample config",
        "The name is misspelled, or Boxwright does not have this network.",
        "Did you mean {nearest}?",
        "There are: {choices}.",
    ),
    "BW732": Meaning(
        "error",
        "The optimizer differs from the checkpoint's",
        "The folder's checkpoint contains the state of the optimizer that it was trained with, "
        "and the config now names another one.",
        "Use the optimizer of the checkpoint. To start another training from its weights, write "
        'fine_tune_checkpoint: "{prefix}" and load_all_detection_checkpoint_vars: true, and train '
        "into an empty folder.",
    ),
    "BW733": Meaning(
        "error",
        "Two fields of the config exclude each other",
        "A field that may occur once is there twice, or two alternatives are chosen at once.",
        "Keep one of the two. The Object Detection API takes the last one.",
    ),
    "BW740": Meaning(
        "error",
        "The config has problems",
        "`boxwright tfod doctor pipeline.config` lists all that is wrong with a config, its "
        "records, label map, checkpoint and paths. It corrects in a copy what has one right "
        "answer, or a nearest one.",
        "Compare {corrected} with your config, and train with it if it says what you mean.",
        "Mend the lines that have no correction.",
    ),
}
