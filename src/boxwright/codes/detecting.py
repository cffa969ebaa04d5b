"""Codes of exporting, running and evaluating a detector."""

from __future__ import annotations

from boxwright.codes.meaning import Meaning

DETECTING: dict[str, Meaning] = {
    "BW401": Meaning(
        "error",
        "The export lost accuracy",
        "Every export is compared with its run on labeled images before it gets its name. This "
        "one lost more AP than the limit (0.1 points for float, 0.2 for fp16, 1.0 for int8 and "
        "dynamic) and the 95 % interval excludes zero, or its detections differ from those of the "
        "run. The message gives the reason if it is known.",
        "Export with another `--quantize` or another `--to`, train with more images, or keep the "
        "file with `--accept-loss`, which is recorded in the file.",
    ),
    "BW402": Meaning(
        "error",
        "There are no images to verify the export on",
        "The images that the run was trained on were moved or deleted, or the folder given to "
        "`--data` has no labeled images, or none with an object of the detector's classes.",
        "Give a folder of labeled images of the detector's classes with `--data`.",
    ),
    "BW403": Meaning(
        "error",
        "TFLite lacks an operator of the network",
        "TFLite has a fixed set of operators, and a layer of the network needs another one.",
        "Replace that layer, or export with `--to savedmodel`.",
    ),
    "BW404": Meaning(
        "error",
        "The network cannot be exported",
        "This version of TensorFlow converts networks differently from the tested ones, or the "
        "network has a layer that Boxwright cannot write to ONNX and OpenVINO.",
        "Export with `--to savedmodel` instead, or install a tested version of TensorFlow.",
    ),
    "BW405": Meaning(
        "error",
        "There are too few images for calibration",
        "Calibration measures the int8 ranges on training images. There are none, or all of them "
        "are the same, so the ranges would be those of one image.",
        "Give a folder of more images with `--data`, or export without `--quantize`.",
    ),
    "BW406": Meaning(
        "error",
        "This target cannot be quantized",
        "`--quantize` applies to .tflite files only.",
        "Remove `--quantize`, or export with `--to tflite`.",
    ),
    "BW407": Meaning(
        "error",
        "The export's name does not fit its target",
        "The suffix of the name given to `--out` belongs to another target than `--to`, so "
        "programs would misread the file, or the existing file or folder of that name is of "
        "another kind.",
        "Give `--out` a new name with the target's suffix, or an existing folder to write into.",
    ),
    "BW408": Meaning(
        "error",
        "The export needs the TensorFlow backend",
        "KERAS_BACKEND names another backend, and only TensorFlow can write its file formats.",
        "Set KERAS_BACKEND=tensorflow for this command. The run does not need to change.",
    ),
    "BW409": Meaning(
        "error",
        "A detector family decodes with an unsupported operation",
        "A family's `decode` is written once and runs in NumPy, TensorFlow, TFLite, ONNX and "
        "OpenVINO, so it may use only arithmetic, slices of the last axis and a few operations. "
        "Boxwright tries it when the family is registered.",
        "Write its decode in arithmetic, x[..., i] and {operations}.",
    ),
    "BW410": Meaning(
        "error",
        "This target is for another detector family",
        "A frozen graph has the node names of the Object Detection API, for programs that were "
        "written for its SSDs.",
        "Export with `--to savedmodel`, `--to tflite` or `--to onnx`, or train an SSD.",
    ),
    "BW411": Meaning(
        "error",
        "No folder of versions",
        "`--serving` names the folder of a model that TensorFlow Serving serves. It has a folder "
        "for each version, called by its number, and each is a SavedModel. A Triton model has "
        "such folders inside.",
        "Give a new name, or that of an earlier `--serving`, with `--to savedmodel`.",
    ),
    "BW412": Meaning(
        "error",
        "A file of that name exists",
        "A Dockerfile and a model card are a start that people edit. A file that is there is not "
        "replaced, unless it is the same.",
        "Remove or rename the file, or give another name with `--out`.",
    ),
    "BW413": Meaning(
        "error",
        "There is no report of these weights",
        "A model card states what `report.json` in the run folder measured. The run has none, or "
        "it was trained after it was measured.",
        "Run `boxwright report RUN DATA`, which measures the test images of DATA.",
    ),
    "BW501": Meaning(
        "error",
        "There is no detector",
        "The path is misspelled, or the folder is neither a run nor an export.",
        "Give the folder that `boxwright train --out` wrote, or a file or folder that `boxwright "
        "export` wrote.",
    ),
    "BW502": Meaning(
        "error",
        "A detector file is damaged",
        "It is truncated, was edited by hand, or is not a Boxwright detector.",
        "Copy it again from its source, export it again from its run, or train again.",
    ),
    "BW503": Meaning(
        "error",
        "A detector file comes from a newer Boxwright",
        "This version of Boxwright does not know the version of the file.",
        "Update Boxwright: run `git pull` in your clone, or install it again as the README "
        "describes.",
    ),
    "BW504": Meaning(
        "error",
        "A detector file has no class names",
        "Another tool wrote it without labels in its metadata, so its classes are only numbers.",
        "Give a text file with one name per line in id order, or a label map: `--labels "
        "labels.txt`; in Python `Detector.load(path, classes=['cat', 'dog'])`. Files exported by "
        "Boxwright contain their class names.",
    ),
    "BW505": Meaning(
        "error",
        "The file is not a detector that can be run",
        "It is a network of another kind, a detector whose raw outputs are not known here, or one "
        "whose input is not square. Raw outputs of YOLO, NanoDet, MediaPipe Model Maker and the "
        "Object Detection API's SSDs are known.",
        "Give a file that ends in detection post-processing (boxes, classes, scores, count), such "
        "as one written by `boxwright export`. `boxwright inspect` says what this one is.",
    ),
    "BW506": Meaning(
        "error",
        "The number of class names does not fit the detector",
        "There are more or fewer names than the detector has classes.",
        "Name every class in id order; an unused id needs a name too.",
    ),
    "BW507": Meaning(
        "error",
        "Invalid image argument",
        "`predict` takes a path, the bytes of an image file, an open file, a Pillow image, or a "
        "NumPy array of uint8: RGB (height, width, 3), RGBA (height, width, 4), or gray (height, "
        "width).",
        "Give one of these. Scale floats to 0 to 255 and convert them with `.astype(np.uint8)`; "
        "divide uint16 by 256 first.",
    ),
    "BW508": Meaning(
        "error",
        "The golden check failed",
        "Every exported file contains a golden pair: an image (a drawn pattern unless you gave "
        "one) and the file's outputs for it. The outputs on this machine differ: the file was "
        "changed, or the runtime here computes something else.",
        "Copy the file again, export it again, or run it with another version of the runtime.",
    ),
    "BW509": Meaning(
        "error",
        "There is no detector family of that name",
        "The given name is not registered, or the run's family belongs to a package that was not "
        "imported.",
        "Check the name, or import the package that registers the family first.",
    ),
    "BW510": Meaning(
        "error",
        "The image size is unknown",
        "Fractions of the image are needed, but these detections were made without `image_size`. "
        "Those that a `Detector` returns have it.",
        "Make them with `image_size=(width, height)`.",
    ),
    "BW511": Meaning(
        "error",
        "Detections belong to images of different sizes",
        "Boxes are in pixels of one image, so only detections in the same image can be "
        "concatenated.",
        "Keep those of different images in a list, or bring them to one size with "
        "`Detections.resized`.",
    ),
    "BW512": Meaning(
        "error",
        "A model has operators that are not allowed",
        "A SavedModel and a frozen graph are TensorFlow programs, and some operators read and "
        "write files or run other programs. Boxwright loads graphs that only compute. This one has "
        "another operator, which may be harmless.",
        "If you trust the people who made the file, load it with `--trust`, in Python "
        "`Detector.load(path, trust=True)`. It may then do all that your account may do.",
    ),
    "BW513": Meaning(
        "error",
        "Loading a detector file ends the process",
        "Files of unknown origin are first loaded and run in a process of their own. It was "
        "killed, or took too much time or memory: the file is damaged, or was made to do this, or "
        "the runtime has a bug.",
        "Copy the file again from its source, export it again, or update the runtime.",
    ),
    "BW514": Meaning(
        "error",
        "The network fails while it runs",
        "The runtime loads the network but cannot compute it, or its results contradict each "
        "other: the file is damaged, was converted wrongly, or needs more memory than there is.",
        "Export the file again from its run, or convert it again; if memory is short, close other "
        "programs.",
    ),
    "BW515": Meaning(
        "error",
        "A detector file asks for too much",
        "Its network takes larger images, or needs more memory, than any detector for a CPU: the "
        "file is damaged, or was made to exhaust the memory.",
        "Copy it again from its source, or use a detector with a smaller input: 4096 pixels a side "
        "are the limit.",
    ),
    "BW520": Meaning(
        "error",
        "A file of class names cannot be used",
        "It is missing, has no names, or is not UTF-8 text.",
        "Write one name per line in id order, or give a label map (.pbtxt), lines that begin with "
        "the id, or a data.yaml. `???`, `n/a` and `unused` stand for ids without a class.",
    ),
    "BW521": Meaning(
        "error",
        "This target has no raw form",
        "`--raw` leaves the suppression out of the file, for programs that cannot compute it. Only "
        ".onnx files have this form.",
        "Remove `--raw`, or export with `--to onnx`.",
    ),
    "BW522": Meaning(
        "error",
        "There is nothing to track",
        "Objects are followed from frame to frame of a video, camera or stream. Single images are "
        "no video, even those of one folder.",
        "Give a video, or leave `--track` out.",
    ),
    "BW531": Meaning(
        "warning",
        "Nobody has looked at these labels",
        "`boxwright predict` wrote these labels: they are what a detector found, with its "
        "mistakes. A detector that learns from them learns the mistakes, and measured on them it "
        "seems perfect. `predictions.json` beside the labels says which detector it was.",
        "Look at the labels with `boxwright label`, correct them, then delete predictions.json.",
    ),
    "BW532": Meaning(
        "error",
        "A video cannot be read",
        "It is damaged, is no video, needs a decoder that PyAV lacks, or has larger frames than "
        "`--max-pixels` allows.",
        "Play it in another program; if that works, convert it to an .mp4 with H.264.",
    ),
    "BW533": Meaning(
        "error",
        "A camera or stream cannot be opened",
        "The name or address is wrong, the camera is in use or switched off, or it asks for a user "
        "and a password. A stream that is lost later is connected again.",
        "Try the address in another program, such as VLC. Cameras are camera:0, camera:1 and so "
        "on; for RTSP over UDP add `--rtsp udp`.",
    ),
    "BW534": Meaning(
        "error",
        "An output does not fit the sources",
        "Videos and their frames can only be written if a video, camera or stream is read.",
        "Leave this output out, or give a video.",
    ),
    "BW601": Meaning(
        "error",
        "Detector and data have no class in common",
        "The detector was trained on other classes, or they are spelled differently here.",
        "Evaluate on data with the detector's classes, or rename the classes of the data.",
    ),
    "BW602": Meaning(
        "error",
        "The detector returns NaN",
        "Its weights are damaged, or its training diverged.",
        "Use an earlier checkpoint, run or export, or train again.",
    ),
    "BW603": Meaning(
        "error",
        "The table of slices does not fit",
        "A table of slices is a CSV file with a header. Its first column has the paths, file names "
        "or stems of images, and every other column divides them, such as by weather or camera.",
        "Correct the file as the message says.",
    ),
    "BW604": Meaning(
        "error",
        "A file of detections cannot be read",
        "Detections are read from COCO results (JSON), a folder of VOC XML files with a score or "
        "confidence in each object, or a folder of YOLO text files with six numbers a line.",
        "Correct the file as the message says, or export the detections in another of these "
        "formats.",
    ),
    "BW605": Meaning(
        "error",
        "Detections belong to other images",
        "Fewer than 90 of 100 images with detections are in the data, so the numbers would be "
        "worthless. Detections are matched by image id, path, file name or stem.",
        "Evaluate on the images that the detections were made for, with --split all if they are "
        "of all splits.",
    ),
    "BW606": Meaning(
        "error",
        "A class hierarchy cannot be read",
        "A hierarchy is JSON as Open Images has it: `LabelName`, and under `Subcategory` the same "
        "for each class below. Its names are the class names of the data.",
        "Correct the file as the message says.",
    ),
}
