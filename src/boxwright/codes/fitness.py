"""Codes of `boxwright check` and of the format writers."""

from __future__ import annotations

from boxwright.codes.meaning import Meaning

FITNESS: dict[str, Meaning] = {
    "BW123": Meaning(
        "warning",
        "An image's name does not match its content",
        "For example, the file is named .jpg but holds a PNG, because it was renamed instead of "
        "converted. Some tools trust the name and fail.",
        "Boxwright reads the content, so it needs no change. For other tools, correct the file's "
        "suffix and the format in its annotation.",
    ),
    "BW124": Meaning(
        "warning",
        "A box is only a few pixels wide or high",
        "The mouse slipped, or the object is too far away to be recognized.",
        "Look at it. Delete the box if there is no object; draw it again if it was a slip.",
    ),
    "BW125": Meaning(
        "note",
        "A box covers the whole image",
        "The image shows one object from edge to edge, or a box was drawn around everything by "
        "mistake.",
        "Look at it. An image filled by its object teaches little about where objects are.",
    ),
    "BW126": Meaning(
        "warning",
        "A box is drawn twice",
        "The same object was labeled twice with the same class, often when a labeling session was "
        "interrupted and resumed. The detector learns to report such objects twice.",
        "No action is needed where the finding says that one was dropped. Otherwise check whether "
        "there are two objects, and delete one box if not.",
    ),
    "BW127": Meaning(
        "warning",
        "Two classes have nearly the same name",
        "They differ only in blanks, hyphens and underscores, or by one letter and one of them is "
        "rare. This is probably a typing error.",
        "If they mean the same, rename the rarer one in the labeling tool. If both are intended, "
        "no action is needed.",
    ),
    "BW128": Meaning(
        "warning",
        "A class has too few examples",
        "A detector needs dozens of examples of a class, in different places and light.",
        "Label more images of it, or leave the class out. A class without any box is left out "
        "of training.",
    ),
    "BW129": Meaning(
        "warning",
        "A class is tested but not trained",
        "All images with the class are in the test set, so the detector cannot learn it and its "
        "AP will be 0.",
        "Move some of these images to the training set, or make a new split with `boxwright "
        "split --anew`.",
    ),
    "BW130": Meaning(
        "note",
        "There are duplicates or near-duplicates",
        "Some images are copies, resized or cropped versions of each other, or neighboring video "
        "frames. Each adds little to what the detector learns.",
        "No action is needed if they are on the same side of the split. Delete copies to save "
        "time.",
    ),
    "BW131": Meaning(
        "warning",
        "The same scene is on both sides of the split",
        "Copies, crops or neighboring frames of an image are in more than one split, so the "
        "detector is evaluated on scenes that it has seen, and the score is too high.",
        "Make a new split with `boxwright split --anew`, which keeps such images together, or "
        "move them to the same split.",
    ),
    "BW132": Meaning(
        "warning",
        "Boxes are too small for the network's input",
        "The network sees every image at its input size. An object of less than about 8 pixels "
        "there leaves no trace in the feature maps.",
        "Train with `boxwright train --input-size` and the size that the finding proposes, or cut "
        "large images into tiles.",
    ),
    "BW133": Meaning(
        "warning",
        "No anchor matches a box",
        "A single-shot detector starts from anchors of fixed sizes and shapes. It learns a box "
        "badly if no anchor overlaps it by half, as happens with very long or very small boxes.",
        "No action is needed for a few boxes, or where the finding proposes no size. Otherwise "
        "train with `boxwright train --input-size` and the proposed size; larger inputs take "
        "longer.",
    ),
    "BW134": Meaning(
        "warning",
        "One object is labeled as two classes",
        "Two boxes of different classes coincide. The class was changed by drawing a new box, or "
        "two people labeled the image.",
        "Decide on one class and delete the other box.",
    ),
    "BW135": Meaning(
        "note",
        "An image is blurred",
        "The camera moved or was out of focus.",
        "Keep it if the detector will see such images in use; otherwise leave it out.",
    ),
    "BW136": Meaning(
        "note",
        "An image is nearly black or nearly white",
        "It was badly exposed, so hardly anything is visible.",
        "Keep it if the detector will see such images in use; otherwise leave it out.",
    ),
    "BW137": Meaning(
        "warning",
        "An image is tiny",
        "It is probably a thumbnail from an image search or a preview. Enlarged to the network's "
        "input it has no detail.",
        "Get the image in full size.",
    ),
    "BW138": Meaning(
        "note",
        "There are few images",
        "With fewer than 50 labeled images the score depends strongly on which of them are in the "
        "test set: its confidence interval will be wide.",
        "Label more images, or judge the detector by looking at its detections.",
    ),
    "BW139": Meaning(
        "note",
        "An annotation states no image size",
        "The tool that wrote it did not open the image, and wrote 0 x 0 or nothing.",
        "No action is needed: the size is read from the image.",
    ),
    "BW140": Meaning(
        "note",
        "The format cannot store something",
        "Formats differ: YOLO has no flag for difficult boxes, and CSV cannot list an image "
        "without boxes.",
        "No action is needed if you do not use it. Otherwise choose a format that can store it, "
        "such as COCO.",
    ),
    "BW141": Meaning(
        "error",
        "A name cannot be written in this format",
        "A class or image name contains a character that the format reserves, or that no text "
        "file can hold.",
        "Rename the class or the image, or choose another format.",
    ),
    "BW142": Meaning(
        "note",
        "Images were renamed",
        "Images with the same name from different folders were put into one folder.",
        "No action is needed: the annotations use the new names.",
    ),
    "BW143": Meaning(
        "note",
        "Shapes were read as boxes",
        "The annotations contain polygons, rotated boxes or circles. A detector learns upright "
        "boxes, so the bounding box of each shape is used.",
        "No action is needed.",
    ),
    "BW144": Meaning(
        "note",
        "Coordinates are in an unusual order",
        "Some tools write the corners of boxes in their own order. It is recognized because "
        "the usual order would turn nearly all boxes inside out.",
        "Look at a few images with their boxes drawn, to be sure.",
    ),
    "BW145": Meaning(
        "error",
        "Read-back check failed",
        "After a dataset is written it is read again and compared, and the two differ. This is an "
        "error in Boxwright or on the disk.",
        "Please report it. Nothing was left under the final name.",
    ),
    "BW146": Meaning(
        "error",
        "The split file cannot be used",
        "The file boxwright.split was edited by hand or comes from another version.",
        "Correct the named line, or delete the file and run `boxwright split` again; images may "
        "then change sides.",
    ),
    "BW147": Meaning(
        "warning",
        "Shards of a TFRecord are missing",
        "A file such as train.record-00000-of-00010 is one of ten, and some of the others are not "
        "here because a download or copy was interrupted.",
        "Copy the missing files too, or write the records again. Until then their images are not "
        "used.",
    ),
    "BW148": Meaning(
        "note",
        "Class names are unknown",
        "The annotations give numbers for their classes, or nothing at all, and no file beside "
        "them has the names: data.yaml or classes.txt for YOLO, a class column for CSV, "
        "class-descriptions-boxable.csv for Open Images.",
        "Put the file with the names beside the annotations, or add a class column to a CSV "
        "file. Until then the finding says which names are used.",
    ),
    "BW149": Meaning(
        "note",
        "Images are labeled as empty",
        "They have an annotation without boxes. Such images teach the detector what is "
        "background, and an object that was forgotten is learned as background too.",
        "Look at them, and label the objects that were forgotten. If there are none, no action is "
        "needed.",
    ),
    "BW150": Meaning(
        "error",
        "A compressed TFRecord cannot be unpacked",
        "The file was cut off or changed, for example by an interrupted download, or it unpacks to "
        "more than 256 GiB or, above 64 MiB, to more than 100 times its own size. None of its "
        "records is used.",
        "Copy the file again, or write its records again without compression.",
    ),
    "BW151": Meaning(
        "error",
        "The repaired copy would be empty",
        "Every image is missing, is damaged, or has no usable annotation.",
        "Correct the problems that `boxwright check` lists, beginning with the errors.",
    ),
    "BW152": Meaning(
        "error",
        "None of the images can be read",
        "The images were moved or deleted after the annotations were read, or their files are "
        "damaged.",
        "Check that the images are where their annotations say, and copy damaged ones again. "
        "`boxwright check` names each of them.",
    ),
    "BW153": Meaning(
        "error",
        "An annotation fits several images",
        "Several images have the name that the annotation gives, and its path does not say which "
        "one is meant; or the only image of this name is in another folder than the path says; or "
        "several files that are not beside the image give its name, so that each may mean another "
        "one, or was drawn by another person.",
        "Write the image's path below the data folder into the annotation, put the annotation "
        "beside its image, or delete it if its image is gone. Of the files of several people who "
        "labeled the same images, keep one.",
    ),
    "BW154": Meaning(
        "note",
        "Images are in another place than their annotations say",
        "The annotations name paths on another computer or in another folder, are in a folder of "
        "another name, or in a list of another split. Only the end of each path is that of an "
        "image here, and no other image or annotation has its name.",
        "No action is needed if the named pair of paths is the same image.",
    ),
    "BW155": Meaning(
        "warning",
        "Annotations in another format are not used",
        "The folder has annotations in several formats. The one with the most images is read. The "
        "others have more boxes, or other ones. Or a file is in a format that is not read, or has "
        "the name of an image without annotation.",
        "Choose the format with --format, move the other annotations to a folder of their own, or "
        "combine both with `boxwright merge`. Export what is not read in a format that is, and "
        "move files away that are no annotations.",
    ),
    "BW156": Meaning(
        "error",
        "It is unclear which image a region is on",
        "A task of Label Studio has several images. Its regions name the image tag of the labeling "
        "configuration that they were drawn on, and the export does not say which image that tag "
        "shows.",
        "Save the labeling configuration (Settings, Labeling Interface, Code) as an .xml file "
        "beside the export, and export JSON, not JSON-MIN.",
    ),
    "BW157": Meaning(
        "error",
        "Records of different images have the same name",
        "A file states two sizes for one image, or two files of different videos or tasks name the "
        "same one. Frames of several videos were probably numbered alike, and their folders were "
        "left out; or two tasks have the frames of one video.",
        "Write the image's path below the data folder into each record, or put the frames of each "
        "video into a folder called after its annotation file, or delete the wrong records. Of two "
        "tasks of one video, keep the file of one.",
    ),
    "BW158": Meaning(
        "note",
        "Class names come from a file elsewhere",
        "The annotations give numbers for their classes, and no usual file beside them has the "
        "names. A file with names is near; whether it is used depends on what it is.",
        "Check that the named file belongs to these images. To use it, or to use another one, put "
        "the names into classes.txt beside the annotations, one per line from class 0.",
    ),
    "BW159": Meaning(
        "warning",
        "Boxes of replaced annotations are not used",
        "The same image was annotated several times, and one of these annotations replaces the "
        "others: in Label Studio the last one that was not skipped, in VoTT its own file, and of "
        "CSV lists those of the splits.",
        "No action is needed if the other annotations are outdated. Otherwise delete the ones "
        "that should not count.",
    ),
    "BW160": Meaning(
        "error",
        "A text file is in an unknown encoding",
        "The file is neither UTF-8 nor marked as UTF-16: a program saved it in the encoding of its "
        "own country or system. Or it is not text, or cannot be read with your permissions.",
        "Save it again as UTF-8 text that you may read: with 'Save with encoding' in an editor, as "
        "'CSV UTF-8' in a spreadsheet. Delete it only if nothing needs it.",
    ),
    "BW161": Meaning(
        "error",
        "The unit of boxes is unclear",
        "Coordinates are pixels or parts of the image's sides. The numbers in the file do not "
        "fit the unit of its format, and they do not all fit one other unit.",
        "State the unit with `--units pixels`, `fractions`, `percent` or `thousandths`. If the "
        "file has several units, export it again, or correct the boxes that the message names.",
    ),
    "BW162": Meaning(
        "note",
        "Annotations count in another unit than their format",
        "For example, the boxes in a COCO file are fractions of the image's sides instead of "
        "pixels, or the classes in YOLO's labels are counted from 1 instead of 0. All numbers in "
        "the file say so, and with this unit all boxes are inside their images.",
        "No action is needed. Look at a few images with their boxes drawn, to be sure; if the unit "
        "is wrong, state it with `--units`.",
    ),
    "BW163": Meaning(
        "error",
        "A class id has no name",
        "A box has a class id that the list of classes lacks: data.yaml, classes.txt, or the "
        "categories of a COCO file. The list was cut off, or is that of another dataset; or the "
        "ids are counted from 1 and some are missing, so that this cannot be seen.",
        "Add the missing name to the list, or put the list beside the labels that was used for "
        "labeling. If the id is wrong, correct it at the named place.",
    ),
}
