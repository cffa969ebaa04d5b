"""Codes of pretrained weights and of training."""

from __future__ import annotations

from boxwright.codes.meaning import Meaning

TRAINING: dict[str, Meaning] = {
    "BW201": Meaning(
        "error",
        "There are no such weights",
        "The value is neither the name of a published model nor a path to weights: it is "
        "misspelled, or relative to a different working directory. Or one of a checkpoint's files "
        "is missing, or a folder names a latest checkpoint that does not exist.",
        "Did you mean {nearest}?",
        "Give a name from `boxwright models`, or the path of a .tflite file or a checkpoint. A "
        "checkpoint is given by the prefix of its files, such as model.ckpt-1000; its .index and "
        ".data files must be in the same folder.",
    ),
    "BW202": Meaning(
        "error",
        "Weights cannot be loaded into the network",
        "The file is damaged, is of another detector family than the one to train, or of a network "
        "that Boxwright does not know, or has another number of filters. A frozen graph cannot be "
        "used, because its weights are constants.",
        "Instead of a frozen graph, give the checkpoint it was made from: {prefix} if it came in "
        "an archive of the model zoo.",
        "For the family ssd, give the prefix of a checkpoint of SSD MobileNet v1 or v2, such as "
        "model.ckpt for model.ckpt.index, or their .tflite file. For "
        "nanodet_plus, give an .onnx file, or the .param of ncnn with its .bin in the same folder. "
        "Its classes may differ from yours. In a pipeline.config, give a checkpoint of the same "
        "network and depth multiplier; that of a classifier with the same backbone works too. "
        "Copy a damaged file again from its source.",
    ),
    "BW203": Meaning(
        "error",
        "Weights cannot be downloaded",
        "There is no network, a firewall blocks the connection, or the server does not answer.",
        "With a network, run the command again: it continues the download.",
        "Without one, download {archive} elsewhere and save it here as {place}.",
        "Or train without pretrained weights: `--from-scratch`.",
    ),
    "BW204": Meaning(
        "error",
        "Checksum mismatch",
        "The archive is damaged or has changed on the server, or a proxy or a login page answered "
        "instead of the server.",
        "Download {url} in a browser and save it here as {place}, replacing any existing file.",
    ),
    "BW205": Meaning(
        "error",
        "A checkpoint is given by its prefix",
        "A checkpoint consists of several files, `model.ckpt-1000.index`, `model.ckpt-1000.meta` "
        "and `model.ckpt-1000.data-00000-of-00001`, and is named by their common prefix.",
        "Give {prefix} instead.",
        "The name of the folder means its latest checkpoint.",
    ),
    "BW206": Meaning(
        "error",
        "The checkpoint belongs to another network",
        "The training folder has checkpoints of another config, with another number of classes, "
        "another feature extractor, or another depth multiplier.",
        "Use the config of the checkpoint. To start another training from its weights, write "
        'fine_tune_checkpoint: "{prefix}" and load_all_detection_checkpoint_vars: true, and train '
        "into an empty folder.",
    ),
    "BW207": Meaning(
        "error",
        "The detector family has no pretrained weights",
        "Weights fit one detector family, and there are none for this one.",
        "Train from scratch, or choose another family.",
    ),
    "BW301": Meaning(
        "error",
        "The training set is empty",
        "The folder's split assigns all of its images to validation or testing.",
        "Put labeled images into a folder named train, list them in ImageSets/Main/train.txt, or "
        "remove the split so that Boxwright makes one.",
    ),
    "BW302": Meaning(
        "error",
        "The training images have no boxes",
        "They have no labeled objects, or all of their boxes were dropped as empty or outside of "
        "the image.",
        "Label some objects. If you did, the annotations belong to other images.",
    ),
    "BW303": Meaning(
        "error",
        "The loss is not finite",
        "One of the named images has invalid boxes, or the network's values have overflowed.",
        "Check the boxes of the named images. If they are right, report this with the run's log.",
    ),
    "BW304": Meaning(
        "error",
        "The folder already has a run",
        "This training would overwrite an earlier one.",
        "Choose another `--out`, add `--resume` to continue the run, or delete the run if it "
        "ended before its first checkpoint.",
    ),
    "BW305": Meaning(
        "error",
        "There is no checkpoint to resume from",
        "The folder of `--out` has no run, its training stopped before the first checkpoint, or "
        "the checkpoint is damaged.",
        "Give `--out` the folder of the earlier run, or start a new run without `--resume`. The "
        "best weights of a run with a damaged checkpoint still work.",
    ),
    "BW306": Meaning(
        "error",
        "The data have changed since the run began",
        "Images were added, removed or labeled again. Resuming would mix two trainings, and test "
        "images may have been trained on.",
        "Start a new run in another folder.",
    ),
    "BW307": Meaning(
        "error",
        "The run is finished",
        "All of its steps are done.",
        "Use it, or start a new run in another folder.",
    ),
    "BW308": Meaning(
        "error",
        "Unsupported Keras backend",
        "KERAS_BACKEND names a backend that Boxwright has no training step for.",
        "Set it to `tensorflow` or `jax`, or unset it, which means `tensorflow`.",
    ),
    "BW309": Meaning(
        "error",
        "Another training uses the folder",
        "Two trainings in one folder would overwrite each other's weights. A training that was "
        "killed does not count.",
        "Wait until the other one ends, stop it, or choose another `--out`.",
    ),
    "BW310": Meaning(
        "error",
        "Options differ from the original run",
        "An option given with `--resume` differs from the run's first command: weights, seed, "
        "input size, classes, or a value of `--set`. Only `--budget` and `--steps` may change, "
        "and with `--deterministic` only `--steps`.",
        "Remove {option}, or start a new run in another folder.",
    ),
    "BW311": Meaning(
        "error",
        "There is no room for the decoded images",
        "Decoded images that do not fit into memory are stored in a temporary file, and the "
        "folder for temporary files is full or cannot be written.",
        "Free space there, give a folder with room by `--cache-dir`, or the environment variable "
        "TMPDIR (on Windows TEMP), or store only some of the images: `--cache-size`.",
    ),
    "BW312": Meaning(
        "error",
        "The recipe has no such field",
        "The path given to `--set`, or to `train(recipe=...)` in Python, is not a field of the "
        "recipe, or belongs to a part that this recipe does not have.",
        "Did you mean {nearest}?",
        "There are: {choices}.",
        "`boxwright train DATA --explain` lists paths with their values.",
    ),
    "BW313": Meaning(
        "error",
        "Invalid setting",
        "The value has the wrong type, is out of range, or contradicts another field.",
        "Give a valid value. `boxwright train DATA --explain` prints those of the automatic "
        "recipe.",
    ),
    "BW314": Meaning(
        "error",
        "The loss has exploded",
        "The learning rate is too high for the batch size or the optimizer: each step makes the "
        "network worse. Published rates belong to batches of hundreds of images. The checkpoints "
        "of the last steps are of no use.",
        "Start again in an empty folder with a lower learning rate, such as {rate}, or with more "
        "warmup_steps. In a config it is the learning_rate of the optimizer; `boxwright train` "
        "chooses one.",
    ),
    "BW315": Meaning(
        "error",
        "Several devices need JAX",
        "TensorFlow, the usual backend, trains on one device here. JAX divides each batch among "
        "several devices, also of several hosts.",
        "Install JAX with: pip install 'boxwright[jax]', and for its GPUs what JAX's own "
        "instructions say. Then set KERAS_BACKEND=jax, or train on one device.",
    ),
    "BW316": Meaning(
        "error",
        "The devices do not fit",
        "A process does not see as many devices as it was asked for, or the images of a batch "
        "cannot be divided evenly among all devices.",
        "Give a batch of another size: --set batch_size={near}.",
        "Or give --devices another number; `all` takes what is there.",
    ),
    "BW317": Meaning(
        "error",
        "The processes have different data",
        "All processes of a training must see the same images with the same labels. Here they read "
        "different folders, or a copy is older than the others.",
        "Give all processes the same folder on a shared disk, or copy it again to all hosts.",
    ),
    "BW318": Meaning(
        "error",
        "A process of the training has ended",
        "The processes need each other in each step. One of them failed, was killed, ran out of "
        "memory or lost its network, so that all have ended.",
        "Find the process that ended first, and its reason, in the output of each. Then start all "
        "of them again with `--resume`, also another number of them: at most the last half minute "
        "is lost.",
    ),
    "BW319": Meaning(
        "error",
        "The processes cannot be connected",
        "Process 0 cannot use the port of --coordinator, the others do not reach it, or not all of "
        "them were started. With `auto`, the process runs in no cluster that JAX recognizes.",
        "Start all processes, within five minutes, with the same --coordinator and --processes: a "
        "host of process 0 that the others can reach, and a port that is free there.",
    ),
    "BW391": Meaning(
        "error",
        "The demo's detector is worse than it should be",
        "The demo draws its images from a fixed seed and evaluates the detector. The result is "
        "below the level that every machine should reach.",
        "Please report it with the demo's run folder.",
    ),
    "BW392": Meaning(
        "error",
        "The demo's baseline is too good",
        "A baseline that uses only colors, or only positions, found the objects too, so the demo "
        "does not show that the detector learned anything.",
        "Please report it with the demo's run folder.",
    ),
}
