"""Codes of what reading photos and annotations brings to light."""

from __future__ import annotations

from boxwright.codes.meaning import Meaning

READING: dict[str, Meaning] = {
    "BW101": Meaning(
        "warning",
        "A photo is missing",
        "An annotation speaks of a photo that is not in the data folder: it was moved, renamed, "
        "deleted, or never copied along with the annotations.",
        "Put the photo back, next to its annotation or into an images folder beside it; or "
        "correct its path, or delete the annotation. Give Boxwright the folder that holds both "
        "the photos and the annotations.",
    ),
    "BW102": Meaning(
        "error",
        "A photo cannot be opened",
        "The file is not a photo, or it is cut off: an interrupted download or copy leaves such "
        "files.",
        "Copy the photo again from its source, save it again as JPEG or PNG, or remove it.",
    ),
    "BW103": Meaning(
        "note",
        "A box lies outside of its photo",
        "The box was drawn beyond the photo's edge, or the photo was cropped after it was "
        "labelled.",
        "Nothing, if the box only reaches beyond the edge: it is clipped. A box wholly outside is "
        "dropped; if there are many, the photos are not the ones that were labelled.",
    ),
    "BW104": Meaning(
        "warning",
        "Boxes were drawn on a photo that lay on its side",
        "Cameras store photos as the sensor lies and note in EXIF how to turn them. Some labelling "
        "tools show the photo unturned, so their boxes fit the unturned photo.",
        "Nothing where the finding says that the boxes were turned. Where it says that the "
        "annotation cannot show it, look at the photo with its boxes drawn, and label it again if "
        "they are in the wrong place.",
    ),
    "BW105": Meaning(
        "note",
        "A box has its corners swapped",
        "Its right edge is left of its left edge, or its bottom above its top: drawn backwards and "
        "written as drawn.",
        "Nothing: the corners are swapped back.",
    ),
    "BW106": Meaning(
        "warning",
        "A box has no area",
        "A click without a drag leaves a box of no width or height.",
        "Nothing: it is dropped. Draw the box again if an object is really there.",
    ),
    "BW107": Meaning(
        "warning",
        "A class is spelled in several ways",
        "Class names that differ only in capitals or in blanks around them were typed by hand.",
        "Nothing if they mean the same: all take the commonest spelling. Otherwise give the "
        "classes names that differ in more than that.",
    ),
    "BW108": Meaning(
        "warning",
        "An annotation is of a photo of another size",
        "The photo was made smaller or larger, cropped or replaced after it was labelled, or the "
        "annotation was copied from another photo.",
        "Nothing where the finding says that the boxes were scaled. Otherwise look at the photo "
        "with its boxes drawn, and label it again if they are in the wrong place.",
    ),
    "BW109": Meaning(
        "note",
        "Photos have no annotation",
        "They were never labelled, or show nothing to label and the tool saved nothing for them.",
        "Label the photos that show an object of your classes. For each photo that shows none, "
        "save an annotation without objects, which helps against false alarms; in YOLO a photo "
        "without a label file counts as one. Until then the finding says whether these photos "
        "are used.",
    ),
    "BW110": Meaning(
        "error",
        "An annotation cannot be used",
        "The file is cut off or was edited by hand, or an object lacks its class name or a "
        "coordinate. Or two files contradict each other.",
        "Repair it at the place that is named, write it again with the tool that made it (a "
        "labelling tool does so when the photo is saved), or remove it. `boxwright check` lists "
        "all of them.",
    ),
    "BW111": Meaning(
        "error",
        "An annotation declares XML entities",
        "No labelling tool writes such files. Entities can make a small file fill the memory, or "
        "pull in other files of the machine.",
        "Do not trust where the file came from; delete it.",
    ),
    "BW112": Meaning(
        "error",
        "An annotation leads out of the data folder",
        "What it calls its photo (<filename>, file_name, imagePath) is a path with .. that ends "
        "outside of the folder, or an absolute path to a photo that is not here.",
        "Put the photo into the folder and write its bare name into the annotation.",
    ),
    "BW113": Meaning(
        "warning",
        "A photo has two annotations",
        "Two annotations are of the same name in different folders, or name the same photo, or two "
        "data sets that are merged have different boxes for the same photo.",
        "Delete the outdated one. Until then the one that the finding names is used, or the boxes "
        "of both where it says so.",
    ),
    "BW114": Meaning(
        "error",
        "There are no labelled photos",
        "The folder is empty, is not the one with the data, or is in a format that is not read.",
        "Give the folder that holds the photos and their annotations.",
        "These formats are read: {formats}.",
    ),
    "BW115": Meaning(
        "error",
        "There is no such folder",
        "The path is misspelled, relative to another folder than the one you are in, of a file "
        "instead of a folder, or not yours to read.",
        "Did you mean {nearest}?",
        "Give a folder that holds the photos and their annotations, and that you may read.",
        "The nearest folder there is: {parent}",
    ),
    "BW116": Meaning(
        "warning",
        "A label map cannot be used",
        "It is not label map text, an id is used twice or is 0, which stands for the background, "
        "or a class of the annotations is missing from it. Lists of classes such as data.yaml "
        "are treated alike.",
        "Write every class of the annotations once into the label map or list of classes: in a "
        "label map as item { id: 1 name: 'cat' }, with ids from 1 on. Until then a finding says "
        "what is used instead.",
    ),
    "BW117": Meaning(
        "warning",
        "A list names photos that are not among the labelled ones",
        "Photos or annotations were deleted or renamed after the train, val or test list was made.",
        "Put them back or make the list anew. The names are passed over.",
    ),
    "BW118": Meaning(
        "warning",
        "A photo is in several lists",
        "The train, val and test lists were made apart from each other, or by hand.",
        "Leave each photo in one list only. Until then it is used as the finding says, which "
        "never flatters the score.",
    ),
    "BW119": Meaning(
        "warning",
        "Labelled photos are in no list",
        "They were labelled after the lists or folders for train, val and test were made, or after "
        "`boxwright split`.",
        "Add them to a list, move them into one of the folders, or run `boxwright split` again, "
        "which leaves all other photos where they are. Until then they are not used.",
    ),
    "BW120": Meaning(
        "error",
        "A list cannot be read",
        "The file is not UTF-8 text, not CSV, or not yours to read.",
        "Save it again as UTF-8 text (in a spreadsheet: 'CSV UTF-8') that you may read, or "
        "remove it if it is not needed.",
    ),
    "BW121": Meaning(
        "warning",
        "Nearly all photos look the same",
        "They come from a camera that does not move, or from one video, so no photo for testing "
        "is really new to the detector.",
        "Take the photos for testing from another place or day and put them into a folder named "
        "test.",
    ),
    "BW122": Meaning(
        "note",
        "No photo is for testing",
        "The folder says what photos are for, and none is for testing; or there are too few "
        "photos to hold some out. Photos that chose the weights flatter them.",
        "Put labelled photos into a folder named test. If there are enough, `boxwright split "
        "--anew` sets some aside, whatever the folder says.",
    ),
}
