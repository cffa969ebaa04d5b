"""Codes of what the doctor and the writers of formats find."""

from __future__ import annotations

from boxwright.codes.meaning import Meaning

FITNESS: dict[str, Meaning] = {
    "BW123": Meaning(
        "warning",
        "A photo's name and its content disagree",
        "The file is named .jpg but holds a PNG, or the like: it was renamed instead of "
        "converted. Some tools trust the name and fail.",
        "Nothing for Boxwright, which looks at the content. For other tools, name the file, and "
        "the format in its annotation, after what it is.",
    ),
    "BW124": Meaning(
        "warning",
        "A box is only a few pixels wide or high",
        "A slip of the mouse, or an object so far away that nothing of it can be told.",
        "Look at it. Delete the box if nothing is there; draw it again if it was a slip.",
    ),
    "BW125": Meaning(
        "note",
        "A box covers the whole photo",
        "The photo shows one object from edge to edge, or a box was drawn around everything by "
        "mistake.",
        "Look at it. A photo that is all object teaches little about where objects are.",
    ),
    "BW126": Meaning(
        "warning",
        "A box is drawn twice",
        "The same object was labelled two times with the same class, often when a labelling "
        "tool was left and entered again. Two boxes for one object make the detector report it "
        "twice.",
        "Nothing where the finding says that one was dropped. The others differ more: look whether "
        "there are two objects, and delete one box if not.",
    ),
    "BW127": Meaning(
        "warning",
        "Two classes have nearly the same name",
        "They differ by one letter, and one of them is rare, or by blanks, hyphens and underscores "
        "alone: probably a slip of the keyboard.",
        "Rename the rarer one in the labelling tool if they mean the same. If both are meant, "
        "nothing.",
    ),
    "BW128": Meaning(
        "warning",
        "A class has too few examples",
        "A detector learns a class from dozens of examples, in different places and light.",
        "Label more photos of it, or leave the class out. A class without any box is left out "
        "of training.",
    ),
    "BW129": Meaning(
        "warning",
        "A class is tested but not trained",
        "All photos with the class are marked for testing, so the detector cannot know it and "
        "its AP will be 0.",
        "Move some of these photos to the training set, or have the split made by `boxwright "
        "split`.",
    ),
    "BW130": Meaning(
        "note",
        "Photos show the same",
        "Copies, resized or cropped versions of a photo, or neighbouring frames of a video. "
        "They teach the same thing several times.",
        "Nothing, if they are on the same side of the split; delete copies to save time.",
    ),
    "BW131": Meaning(
        "warning",
        "The same scene is on both sides of the split",
        "Copies, crops or neighbouring frames of a photo are in more than one of the sets, so the "
        "detector is judged by photos that it has seen, and the score is too good.",
        "Have the split made anew by `boxwright split --anew`, which keeps such photos together, "
        "or move them to the same set.",
    ),
    "BW132": Meaning(
        "warning",
        "Boxes are too small for the network's input",
        "The network sees every photo at its input size, and an object of less than about 8 "
        "pixels there leaves no trace in its feature maps.",
        "`boxwright train --input-size` with the size that the finding proposes, or cut large "
        "photos into tiles.",
    ),
    "BW133": Meaning(
        "warning",
        "No anchor reaches a box",
        "A single-shot detector starts from boxes of given sizes and shapes; a box that overlaps "
        "none of them by half is learnt badly. Very long or very small boxes are such.",
        "Nothing for a few boxes, or where the finding proposes no size. Otherwise `boxwright "
        "train --input-size` with the size that it proposes; a larger one takes longer.",
    ),
    "BW134": Meaning(
        "warning",
        "One object is labelled as two classes",
        "Two boxes lie on each other and have different classes: somebody changed their mind, "
        "or two people labelled the photo.",
        "Decide for one class and delete the other box.",
    ),
    "BW135": Meaning(
        "note",
        "A photo is blurred",
        "The camera moved or was out of focus.",
        "Nothing if the detector will meet such photos; else leave it out.",
    ),
    "BW136": Meaning(
        "note",
        "A photo is nearly black or nearly white",
        "It was badly exposed, so there is hardly anything to see.",
        "Nothing if the detector will meet such photos; else leave it out.",
    ),
    "BW137": Meaning(
        "warning",
        "A photo is tiny",
        "Thumbnails come from image searches and previews. Enlarged to the network's input they "
        "are mush.",
        "Get the photo in its full size.",
    ),
    "BW138": Meaning(
        "note",
        "There are few photos",
        "With fewer than 50 labelled photos the score depends on which of them happen to be "
        "tested: its interval will be wide.",
        "Label more photos, or judge by looking at what is found.",
    ),
    "BW139": Meaning(
        "note",
        "An annotation states no size for its photo",
        "The tool that wrote it did not open the photo, and wrote 0 x 0 or nothing.",
        "Nothing: the size is read from the photo.",
    ),
    "BW140": Meaning(
        "note",
        "The format has no place for something",
        "Formats differ in what they can say: YOLO knows no difficult boxes, CSV no photos that "
        "show nothing.",
        "Nothing if you do not need it; else choose a format that has a place for it, such as "
        "COCO.",
    ),
    "BW141": Meaning(
        "error",
        "A name cannot be written in this format",
        "A class or photo name holds a character that the format uses for something else, or "
        "that no file of text can hold.",
        "Rename the class or the photo, or choose another format.",
    ),
    "BW142": Meaning(
        "note",
        "Photos were renamed",
        "Photos of the same name from different folders were brought into one folder.",
        "Nothing: annotations speak of the new names.",
    ),
    "BW143": Meaning(
        "note",
        "Shapes were read as boxes",
        "The annotations have polygons, rotated boxes or circles. A detector learns boxes, so "
        "the upright box around each is taken.",
        "Nothing.",
    ),
    "BW144": Meaning(
        "note",
        "Coordinates stand in another order than usual",
        "Some tools write the corners of boxes in an order of their own. It shows where the "
        "usual order would turn nearly all boxes inside out.",
        "Look at a few photos with their boxes drawn, to be sure.",
    ),
    "BW145": Meaning(
        "error",
        "What was written does not read back the same",
        "After a data set is written it is read again and compared. This is a mistake in "
        "Boxwright, or of the disk.",
        "Please report it; nothing was left under the final name.",
    ),
    "BW146": Meaning(
        "error",
        "A lock file of the split cannot be used",
        "The file boxwright.split was edited by hand or comes from another version.",
        "Repair the named line, or delete the file and run `boxwright split` again; photos may "
        "then change sides.",
    ),
    "BW147": Meaning(
        "warning",
        "Parts of a TFRecord are missing",
        "A file such as train.record-00000-of-00010 is one of ten, and not all of them are here: a "
        "download or copy was interrupted.",
        "Copy the missing files too, or make the records anew. Until then their photos are not "
        "used.",
    ),
    "BW148": Meaning(
        "note",
        "Class names are not stated",
        "The annotations give numbers for their classes, or nothing at all, and no file beside "
        "them says what these are called: data.yaml or classes.txt for YOLO, a class column for "
        "CSV, class-descriptions-boxable.csv for Open Images.",
        "Put the file with the names beside the annotations, or add a column with the class to a "
        "csv file. Until then the classes are called as the finding says.",
    ),
    "BW149": Meaning(
        "note",
        "Photos are labelled as showing nothing",
        "They have an annotation without boxes. Such photos teach the detector what is not an "
        "object; but an object that was forgotten in one is taught to be none.",
        "Look at them: label again what was forgotten. Otherwise nothing.",
    ),
    "BW150": Meaning(
        "error",
        "A TFRecord is compressed",
        "Photos are read where they lie in the file, one at a time. In a compressed file nothing "
        "can be found without unpacking all that is before it.",
        "Unpack a file of gzip: `gzip -dc train.record > train-plain.record`. Write one of zlib "
        "again without compression.",
    ),
    "BW151": Meaning(
        "error",
        "Nothing is left for a repaired copy",
        "Every photo is missing, damaged or without a usable annotation, so the copy would be "
        "empty.",
        "Put right what `boxwright check` names, beginning with the errors.",
    ),
    "BW152": Meaning(
        "error",
        "None of the photos can be read",
        "The photos were moved or deleted after the annotations were read, or their files are "
        "damaged.",
        "Check that the photos lie where their annotations say, and copy damaged ones again. "
        "`boxwright check` names each of them.",
    ),
}
