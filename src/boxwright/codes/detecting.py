"""Codes of exporting, running and measuring a detector."""

from __future__ import annotations

from boxwright.codes.meaning import Meaning

DETECTING: dict[str, Meaning] = {
    "BW401": Meaning(
        "error",
        "The exported file is not as good as its run",
        "Every file is run on labelled photos, the same as the run, before it gets its name. This "
        "one lost more AP than its kind may (0.1 points for floats, 0.2 for fp16, 1.0 for 8 bits), "
        "and the interval over the photos shows that it is no accident; or it makes other "
        "detections than the run. Where the reason can be told, the message tells it.",
        "Export with another `--quantize` or another `--to`; train with more photos; or take the "
        "file as it is with `--accept-loss`, which it will remember.",
    ),
    "BW402": Meaning(
        "error",
        "There are no photos to prove the exported file with",
        "The photos that the run was trained on were moved or deleted, or the folder given to "
        "`--data` has no labelled ones, or none with an object of the detector's classes.",
        "Name a folder of labelled photos of the detector's classes with `--data`.",
    ),
    "BW403": Meaning(
        "error",
        "The network needs operators that TFLite does not have",
        "A phone's runtime has a fixed set of operators, and one of the network's layers computes "
        "something else.",
        "Replace that layer, or export with `--to savedmodel`.",
    ),
    "BW404": Meaning(
        "error",
        "The network cannot be exported",
        "This version of TensorFlow converts networks in another way than the tested ones, or a "
        "layer of the network is none that Boxwright's own have, which ONNX and OpenVINO files "
        "are made of.",
        "Export it with `--to savedmodel` instead, or install a tested version of TensorFlow.",
    ),
    "BW405": Meaning(
        "error",
        "There are too few photos to calibrate a file of 8 bits on",
        "The ranges of its numbers are measured on training photos. There is none, or all of them "
        "are the same, so the ranges would be those of one photo.",
        "Name a folder of more photos with `--data`, or export without `--quantize`.",
    ),
    "BW406": Meaning(
        "error",
        "This kind of file has no numbers of fewer bits",
        "`--quantize` is for .tflite files.",
        "Leave `--quantize` out, or export with `--to tflite`.",
    ),
    "BW407": Meaning(
        "error",
        "The name of an export is that of another kind of file",
        "The ending of the name given to `--out` belongs to another kind than `--to` says, so "
        "programs would take the file for something else; or the file that is there is another.",
        "Give `--out` a name that ends as the kind's files do, or an existing folder to put it "
        "into.",
    ),
    "BW408": Meaning(
        "error",
        "The network was built on another engine than TensorFlow",
        "KERAS_BACKEND names another engine, and only TensorFlow writes TensorFlow's files.",
        "Set KERAS_BACKEND=tensorflow for this command. The run itself can stay as it is.",
    ),
    "BW409": Meaning(
        "error",
        "A detector family decodes with an operation that not every export target has",
        "A family's `decode` is written once and runs in NumPy, TensorFlow, TFLite, ONNX and "
        "OpenVINO, so it may use nothing but arithmetic, slices of the last axis and a few "
        "operations. It is tried when the family is registered.",
        "Write its decode in arithmetic, x[..., i] and {operations}.",
    ),
    "BW501": Meaning(
        "error",
        "There is no detector",
        "The path is misspelled, or the folder is neither a run nor what `boxwright export` wrote.",
        "Give the folder that `boxwright train --out` wrote, or a file or folder that `boxwright "
        "export` wrote.",
    ),
    "BW502": Meaning(
        "error",
        "A detector file is damaged",
        "It is cut off, was edited by hand, or is not a detector of Boxwright.",
        "Copy it again from its source, export it again from its run, or train again.",
    ),
    "BW503": Meaning(
        "error",
        "A detector file comes from a newer Boxwright",
        "It is of a version that this Boxwright does not know.",
        "Update: `pip install --upgrade boxwright`.",
    ),
    "BW504": Meaning(
        "error",
        "A detector file has no class names",
        "Another tool wrote it without labels in its metadata, so its detections would be bare "
        "numbers.",
        "Give a text file with one name a line, in id order, or a label map: `--labels "
        "labels.txt`; in Python `Detector.load(path, classes=['cat', 'dog'])`. Files that "
        "Boxwright exports carry their names.",
    ),
    "BW505": Meaning(
        "error",
        "A file is no detector that can be run",
        "It is a network of another kind, a detector without post-processing, or one that does "
        "not take square photos.",
        "Give a file that ends in detection post-processing (boxes, classes, scores, count), such "
        "as one written by `boxwright export`.",
    ),
    "BW506": Meaning(
        "error",
        "The class names given do not fit the detector",
        "There are more or fewer of them than the detector tells apart.",
        "Name every class in id order; an id that is not used needs a name too.",
    ),
    "BW507": Meaning(
        "error",
        "Something else than a photo was given",
        "`predict` takes a path, the bytes of an image file, an open file, a Pillow image, or a "
        "NumPy array of uint8: RGB (height, width, 3), RGBA (height, width, 4), or gray (height, "
        "width).",
        "Give one of these. Scale floats to 0 to 255 and convert them with `.astype(np.uint8)`; "
        "divide uint16 by 256 first.",
    ),
    "BW508": Meaning(
        "error",
        "A detector does not compute what it computed when it was written",
        "Every exported file carries a golden pair: an image, drawn unless you gave one, and what "
        "the file computed from it. On this machine it computes something else: its weights or "
        "outputs were changed, or the program that runs it is another one.",
        "Copy the file again, export it again, or run it with another version of the runtime.",
    ),
    "BW509": Meaning(
        "error",
        "There is no detector family of that name",
        "The name given for a model is none of those that are registered, or the run is of a "
        "family that a package brings which was not imported.",
        "Check the name, or import the package that registers the family first.",
    ),
    "BW510": Meaning(
        "error",
        "The size of the image is not known",
        "Detections that a `Detector` returns know the size of their image. These were made "
        "without `image_size`, and fractions of the image are to be computed.",
        "Make them with `image_size=(width, height)`.",
    ),
    "BW511": Meaning(
        "error",
        "Detections in images of different sizes were to be put together",
        "Detections are boxes in one image, in its pixels, so only those in the same image can be "
        "put together.",
        "Keep those in different images in a list, or bring them to one size with "
        "`Detections.resized`.",
    ),
    "BW520": Meaning(
        "error",
        "A file of class names cannot be used",
        "It is missing, empty, not UTF-8 text, or names a class twice.",
        "Write one name a line, each once, in id order, or name a label map (.pbtxt).",
    ),
    "BW601": Meaning(
        "error",
        "Detector and data share no class name",
        "The detector was trained on other classes, or they are spelled differently here.",
        "Evaluate on data with the detector's classes, or rename those of the data.",
    ),
    "BW602": Meaning(
        "error",
        "The detector returns something that is not a number",
        "Its weights are damaged, or its training went astray.",
        "Use an earlier checkpoint, run or export, or train again.",
    ),
}
