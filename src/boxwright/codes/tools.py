"""Codes of what labeling tools write besides boxes."""

from __future__ import annotations

from boxwright.codes.meaning import Meaning

TOOLS: dict[str, Meaning] = {
    "BW164": Meaning(
        "warning",
        "One of several attributes is the class",
        "The regions have several attributes, such as a class and a color, and the file does not "
        "say which one is the class. The one that most regions have is taken.",
        "No action is needed if the named attribute is the class. Otherwise delete the values of "
        "the other attributes in a copy of the project.",
    ),
    "BW165": Meaning(
        "warning",
        "Tags of whole images are not used",
        "The labeling tool can tag an image without saying where the object is. A detector learns "
        "from boxes only, so a tagged image without boxes counts as an image without objects.",
        "No action is needed if the tags do not name objects of your classes. Otherwise draw a box "
        "around each object.",
    ),
    "BW166": Meaning(
        "error",
        "The frames of a video are not here as images",
        "The annotations are tracks in a video, and a detector is trained on images of its frames.",
        "Export the task again with its images. Or extract the frames, numbered from 0: `ffmpeg "
        "-i video.mp4 -fps_mode passthrough -start_number 0 images/frame_%06d.png`, in an existing "
        "folder images beside the annotations.",
    ),
    "BW187": Meaning(
        "note",
        "Parts of objects are not used",
        "The annotations have boxes of parts, such as the head of a person, inside of objects. "
        "Tools and data sets label parts only in some images, so that a detector would learn those "
        "of others as background.",
        "No action is needed. To detect parts, make an object of each, in all images.",
    ),
}
