"""Codes of reading images and annotations."""

from __future__ import annotations

from boxwright.codes.meaning import Meaning

READING: dict[str, Meaning] = {
    "BW101": Meaning(
        "warning",
        "An image is missing",
        "An annotation names an image that is not in the data folder: it was moved, renamed or "
        "deleted, or was not copied along with the annotations.",
        "Put the image back, next to its annotation or into an images folder beside it; or "
        "correct its path, or delete the annotation. Give Boxwright the folder that holds both "
        "the images and the annotations.",
    ),
    "BW102": Meaning(
        "error",
        "An image cannot be opened",
        "The file is not an image, or it is truncated, for example by an interrupted download or "
        "copy.",
        "Copy the image again from its source, save it again as JPEG or PNG, or remove it.",
    ),
    "BW103": Meaning(
        "note",
        "A box extends beyond its image",
        "The box was drawn beyond the image's edge, or the image was cropped after it was labeled.",
        "No action is needed if only part of the box is outside: it is clipped. A box completely "
        "outside is dropped. If there are many of them, check that these are the images that were "
        "labeled.",
    ),
    "BW104": Meaning(
        "warning",
        "Boxes may not follow the image's EXIF rotation",
        "Cameras store images in the orientation of the sensor and note the rotation in EXIF. "
        "Some labeling tools ignore it, so their boxes fit the unrotated image.",
        "No action is needed where the finding says that the boxes were turned. Otherwise look "
        "at the image with its boxes drawn, and label it again if they are in the wrong place.",
    ),
    "BW105": Meaning(
        "note",
        "A box has swapped corners",
        "Its right edge is left of its left edge, or its bottom is above its top. The labeling "
        "tool stored the corners in the order in which they were drawn.",
        "No action is needed: the corners are swapped back.",
    ),
    "BW106": Meaning(
        "warning",
        "A box has no area",
        "Clicking without dragging creates a box of zero width or height.",
        "No action is needed: the box is dropped. If there is an object, draw the box again.",
    ),
    "BW107": Meaning(
        "warning",
        "A class is spelled in several ways",
        "Some class names differ only in capitals or in surrounding blanks, probably because they "
        "were typed by hand.",
        "No action is needed if they mean the same: they are merged under the most common "
        "spelling. Otherwise choose names that differ in more than that.",
    ),
    "BW108": Meaning(
        "warning",
        "An annotation states a different image size",
        "The image was resized, cropped or replaced after it was labeled, or the annotation was "
        "copied from another image.",
        "No action is needed where the finding says that the boxes were scaled. Otherwise look at "
        "the image with its boxes drawn, and label it again if they are in the wrong place.",
    ),
    "BW109": Meaning(
        "note",
        "Images have no annotation",
        "They were never labeled, or they contain no object and the labeling tool saved no file "
        "for them. YOLO's tools write no label file for an image without objects, so that such "
        "images count as that while every label file has its image and no other file may be "
        "theirs.",
        "Label the images that contain an object of your classes. If they show none of your "
        "objects, use them with `--unlabelled background`, which helps against false positives; "
        "leave them out with `--unlabelled skip`. Without either, the finding says what is done.",
    ),
    "BW110": Meaning(
        "error",
        "An annotation cannot be used",
        "The file is truncated or was edited by hand, an object has no class name, a coordinate "
        "is missing, or two files contradict each other. A few are things that Boxwright does "
        "not read, such as regions without a box.",
        "If the file is damaged, copy or export it again. If a value in it is missing or wrong, "
        "correct it in the labeling tool or at the named place. To go on without it, delete the "
        "file, or the entry that is named.",
    ),
    "BW111": Meaning(
        "error",
        "An annotation declares XML entities",
        "No labeling tool writes such files. Entities can expand a small file until memory is "
        "full, or read other files on the machine.",
        "Delete the file, and do not trust its source.",
    ),
    "BW112": Meaning(
        "error",
        "An annotation points outside the data folder",
        "Its image path (<filename>, file_name, imagePath) leaves the folder through .., or is an "
        "absolute path to an image that is not here.",
        "Put the image into the folder and write only its file name into the annotation.",
    ),
    "BW113": Meaning(
        "warning",
        "An image has two annotations",
        "Two annotations have the same name in different folders, or name the same image, or two "
        "merged datasets have different boxes for the same image; or another program has changed "
        "the boxes of an image while an edit of the studio waited beside their file.",
        "Delete the outdated one. Until then the boxes of both are used where the finding says so, "
        "otherwise the annotation that it names; an image without boxes there is not used. To use "
        "an edit that is left out, open its image in `boxwright label` and undo.",
    ),
    "BW114": Meaning(
        "error",
        "There are no labeled images",
        "The folder is empty, is not the one with the data, or is in a format that Boxwright does "
        "not read.",
        "These annotations are from {tool}: {export}.",
        "Give the folder that holds the images and their annotations in a format that is read.",
        "These formats are read: {formats}.",
    ),
    "BW115": Meaning(
        "error",
        "There is no such folder",
        "The path is misspelled, is relative to a different working directory, is a file, or "
        "cannot be read with your permissions.",
        "Did you mean {nearest}?",
        "Give a readable folder that holds the images and their annotations.",
        "The nearest existing folder: {parent}",
    ),
    "BW116": Meaning(
        "warning",
        "A label map cannot be used",
        "The file is not a label map, an id is used twice or is 0 (reserved for the background), "
        "or a class of the annotations is missing. Class lists such as data.yaml are checked in "
        "the same way.",
        "List every class of the annotations exactly once in the label map or class list: in a "
        "label map as item { id: 1 name: 'cat' }, with ids from 1. Until then a finding says "
        "what is used instead.",
    ),
    "BW117": Meaning(
        "warning",
        "A list names images that are not labeled",
        "Images or annotations were deleted or renamed after the train, val or test list was made.",
        "Restore the files or update the list. Until then these names are ignored.",
    ),
    "BW118": Meaning(
        "warning",
        "An image is in several lists",
        "The train, val and test lists were made independently or by hand.",
        "Keep each image in one list only. Until then it is used as the finding says, which "
        "never inflates the score.",
    ),
    "BW119": Meaning(
        "warning",
        "Labeled images are in no list",
        "They were labeled after the lists or folders for train, val and test were made, or after "
        "`boxwright split`.",
        "Add them to a list, move them into one of the folders, or run `boxwright split` again, "
        "which leaves all other images where they are. Until then they are not used.",
    ),
    "BW120": Meaning(
        "error",
        "A list cannot be read",
        "The file is not CSV: it is damaged, or a quotation mark in it is never closed.",
        "Save it again as CSV in a spreadsheet or the tool that wrote it, or remove it if it is "
        "not needed.",
    ),
    "BW121": Meaning(
        "warning",
        "Nearly all images look the same",
        "They come from a fixed camera or from one video, so no test image is really new to the "
        "detector.",
        "Take test images at another place or on another day and put them into a folder named "
        "test.",
    ),
    "BW122": Meaning(
        "note",
        "There is no test set",
        "The folder's split has no test images, or there are too few images to hold some out. "
        "Scores on the validation set are too high, because the weights were chosen on it.",
        "Put labeled images into a folder named test. If there are enough images, `boxwright "
        "split --anew` makes a new split with a test set.",
    ),
}
