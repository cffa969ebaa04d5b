"""Codes of the commands of the Object Detection API."""

from __future__ import annotations

from boxwright.codes.meaning import Meaning

TFOD: dict[str, Meaning] = {
    "BW701": Meaning(
        "error",
        "There is no such command of the Object Detection API",
        "The name after `boxwright tfod` is misspelled, or Boxwright has no counterpart of the "
        "script.",
        "Did you mean {nearest}?",
        "There are: {choices}.",
    ),
    "BW702": Meaning(
        "error",
        "The command has no such flag",
        "The flag is misspelled or belongs to another script, or a value is given without its "
        "flag.",
        "Did you mean {nearest}?",
        "Its flags: {choices}.",
        "Write for example {example}; short names are {short}.",
        "`boxwright tfod NAME --help` explains all flags.",
    ),
    "BW703": Meaning(
        "error",
        "Flags are missing",
        "The command, or another of its flags, requires them.",
        "Add them, such as: {example}",
    ),
    "BW704": Meaning(
        "error",
        "Invalid value of a flag",
        "It is not a number where one is needed, is not one of the flag's choices, or is missing.",
        "Did you mean {nearest}?",
        "Choose among: {choices}.",
        "Write {wanted}.",
        'The flag is explained as "{help}".',
        "Such as: {example}",
    ),
    "BW705": Meaning(
        "error",
        "The input of a command is missing",
        "There is no list, label map, annotation or image at the path that the flags give, or "
        "there is something else.",
        "Give the right path with {flag}.",
        "Existing lists are: {choices}.",
        "Check the named path: paths in a tutorial are those of its author.",
    ),
    "BW706": Meaning(
        "error",
        "A class is not in the label map",
        "It is spelled differently there, capitals included, or is missing. The original scripts "
        "stop here or write 0, which is the background.",
        "Did you mean '{nearest}'?",
        "Capitals count: add the class to the label map, or correct it in the annotations and "
        "write the records again.",
    ),
    "BW707": Meaning(
        "error",
        "The installation test failed",
        "A package is damaged, or its version does not work with the others.",
        "Install again into an empty environment, as the README describes. If it still fails, "
        "please report it with the printed versions.",
    ),
    "BW708": Meaning(
        "error",
        "The graph has no quantization ranges",
        "Full int8 conversion needs the range of every tensor. Quantization-aware training "
        "(QAT) learns these ranges and stores them in FakeQuant nodes. This graph has none.",
        "Train with graph_rewriter { quantization { ... } } in the config and export again; or "
        "convert with --inference_type=FLOAT, to which --post_training_quantize may be added. "
        "Ranges made up with --default_ranges_min do not replace them. Without QAT, `boxwright "
        "export training --to tflite --quantize int8` measures ranges on images; training is the "
        "folder of the training.",
    ),
    "BW709": Meaning(
        "error",
        "TensorFlow cannot convert the frozen graph to TFLite",
        "The graph has no input or output of the given name or shape, or it was not made for "
        "TFLite: frozen_inference_graph.pb is not.",
        "Give the tflite_graph.pb that export_tflite_ssd_graph wrote, with the flags of: {example}",
    ),
    "BW710": Meaning(
        "error",
        "Two flags contradict each other",
        "With the value of one flag, the other has no effect or a different one.",
        "Remove {flag}, or write {other}.",
    ),
    "BW711": Meaning(
        "error",
        "Listed images are not labeled",
        "The list names images that have no annotation, no file, or an empty trimap.",
        "Label these images again, or remove them from the list.",
    ),
}
