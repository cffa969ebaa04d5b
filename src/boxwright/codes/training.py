"""Codes of pretrained weights and of training."""

from __future__ import annotations

from boxwright.codes.meaning import Meaning

TRAINING: dict[str, Meaning] = {
    "BW201": Meaning(
        "error",
        "There are no such weights",
        "What was given is neither the name of a published model nor a path to weights: it is "
        "misspelled, or relative to another folder than the one you are in. Or a checkpoint "
        "lacks one of its files, or a folder has no checkpoint that is said to be its latest.",
        "Did you mean {nearest}?",
        "Give a name that `boxwright models` lists, or the path of a .tflite or a checkpoint. A "
        "checkpoint goes by the prefix of its files, such as model.ckpt-1000; its .index and "
        ".data files have to lie beside each other.",
    ),
    "BW202": Meaning(
        "error",
        "Weights cannot be loaded into the network",
        "The file is damaged, is neither the quantised .tflite of an SSD MobileNet v1 nor a "
        "checkpoint of an SSD MobileNet v1 or v2, or is of a network with another number of "
        "filters. The weights of a frozen graph are constants that cannot be trained.",
        "Give the checkpoint it was made from: {prefix} where it came in an archive of the model "
        "zoo.",
        "Give a file of the same network and depth multiplier as yours: the prefix of a "
        "checkpoint of SSD MobileNet v1 or v2, such as model.ckpt for model.ckpt.index, or the "
        "quantised .tflite of ssd_mobilenet_v1. In a pipeline.config it is a checkpoint, and "
        "that of a classifier with the same backbone will do. Copy a damaged file again from its "
        "source.",
    ),
    "BW203": Meaning(
        "error",
        "Weights cannot be downloaded",
        "There is no network, a firewall is in the way, or the server does not answer.",
        "With a network, run the command again: it goes on from what has come.",
        "Without one, download {archive} elsewhere and put it here as {place}.",
        "Or train without pretrained weights by `--from-scratch`.",
    ),
    "BW204": Meaning(
        "error",
        "Something else was downloaded",
        "The archive is damaged, has another checksum than the published one, or is none: a "
        "proxy or a login page answered instead of the server, or the file there has changed.",
        "Download {url} in a browser and put it here as {place}, in place of what may be there.",
    ),
    "BW205": Meaning(
        "error",
        "One of a checkpoint's files instead of their prefix",
        "A checkpoint is several files, `model.ckpt-1000.index`, `model.ckpt-1000.meta` and "
        "`model.ckpt-1000.data-00000-of-00001`, and goes by what their names have in common.",
        "Give {prefix} instead.",
        "The name of the folder means its latest checkpoint.",
    ),
    "BW206": Meaning(
        "error",
        "The checkpoint to go on from is of another network",
        "The training folder holds checkpoints of another config: another number of classes, "
        "another feature extractor, or another depth multiplier.",
        "Use the config that the checkpoint was trained by. To begin another training from its "
        'weights, write fine_tune_checkpoint: "{prefix}" and '
        "load_all_detection_checkpoint_vars: true, and train into an empty folder.",
    ),
    "BW207": Meaning(
        "error",
        "The detector family has no pretrained weights",
        "Weights are of one family, and this one comes without any.",
        "Train from scratch, or choose another family.",
    ),
    "BW301": Meaning(
        "error",
        "No photo is for training",
        "The folder marks all of its photos for validation or testing.",
        "Put labelled photos into a folder named train, list them in ImageSets/Main/train.txt, or "
        "remove the marks to get a split made.",
    ),
    "BW302": Meaning(
        "error",
        "The training photos have no boxes",
        "Nothing is labelled in them, or all of their boxes were dropped as empty or outside of "
        "the photo.",
        "Label some objects. If you did, the annotations belong to other photos than these.",
    ),
    "BW303": Meaning(
        "error",
        "The loss is not a number any more",
        "One of the named photos has boxes that make no sense, or the network's numbers have "
        "overflowed.",
        "Look at the boxes of the named photos. If they are right, report this with the run's log.",
    ),
    "BW304": Meaning(
        "error",
        "There is already a run in the folder",
        "An earlier training wrote there, and would be overwritten.",
        "Choose another `--out`, add `--resume` to go on with this run, or delete this one if it "
        "ended too early to go on.",
    ),
    "BW305": Meaning(
        "error",
        "There is nothing to resume from",
        "The folder of `--out` holds no run, its training stopped before the first checkpoint, or "
        "the checkpoint is damaged.",
        "Give `--out` the folder of the earlier run, or start anew without `--resume`. The best "
        "weights of a run with a damaged checkpoint still work.",
    ),
    "BW306": Meaning(
        "error",
        "The data have changed since the run began",
        "Photos were added, removed or labelled again, so going on would mix two trainings, and "
        "photos for testing may have been learnt from.",
        "Start a new run in another folder.",
    ),
    "BW307": Meaning(
        "error",
        "The run is finished",
        "All of its steps are done, so there is nothing to go on with.",
        "Use it, or start a new run in another folder.",
    ),
    "BW308": Meaning(
        "error",
        "Keras runs on an engine that cannot train here",
        "KERAS_BACKEND names one that Boxwright has no training step for.",
        "Set it to `tensorflow` or `jax`, or unset it, which is the same as `tensorflow`.",
    ),
    "BW309": Meaning(
        "error",
        "Another training is at work in the folder",
        "Two trainings of one folder would write over each other's weights. A training that was "
        "killed does not count.",
        "Wait until the other one ends, stop it, or choose another `--out`.",
    ),
    "BW310": Meaning(
        "error",
        "A run cannot go on otherwise than it began",
        "An option beside `--resume` says something else than the run's first command: other "
        "weights, another seed, another size, other classes, another value of `--set`. Only "
        "`--budget` and `--steps` may be new, and of a run with `--deterministic` only `--steps`.",
        "Leave {option} away, or start a new run in another folder.",
    ),
    "BW311": Meaning(
        "error",
        "There is no place for the decoded photos",
        "Many photos do not fit into memory once they are decoded; they are put into a temporary "
        "file, and the folder for such files is full, or cannot be written.",
        "Make room there, or set the environment variable TMPDIR (on Windows TEMP) to a folder "
        "with room.",
    ),
    "BW312": Meaning(
        "error",
        "A recipe has no such field",
        "The path given to `--set`, or to `train(recipe=...)` in Python, does not lead to a field "
        "of the recipe, or to one of a part that this recipe does not have.",
        "Did you mean {nearest}?",
        "There are: {choices}.",
        "`boxwright train DATA --explain` lists paths with their values.",
    ),
    "BW313": Meaning(
        "error",
        "A setting does not fit",
        "The value is not of the kind that its field holds, is out of its limits, or contradicts "
        "another field.",
        "Give a value that fits. `boxwright train DATA --explain` prints those of the automatic "
        "recipe.",
    ),
    "BW391": Meaning(
        "error",
        "The demo's detector is worse than it should be",
        "The demo makes its photos from a fixed seed and measures what it trained; the result is "
        "below what every machine should reach.",
        "Please report it with the demo's run folder.",
    ),
    "BW392": Meaning(
        "error",
        "The demo's control is too good",
        "A control that knows only colours, or only places, found the objects too, so the demo "
        "does not show that the detector learnt anything.",
        "Please report it with the demo's run folder.",
    ),
}
