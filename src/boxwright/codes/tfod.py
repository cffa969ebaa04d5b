"""Codes of the drop-in for the Object Detection API."""

from __future__ import annotations

from boxwright.codes.meaning import Meaning

TFOD: dict[str, Meaning] = {
    "BW701": Meaning(
        "error",
        "There is no such command of the Object Detection API here",
        "The name after `boxwright tfod` is misspelled, or is of a script that has no counterpart.",
        "Did you mean {nearest}?",
        "There are: {choices}.",
    ),
    "BW702": Meaning(
        "error",
        "A command has no such flag",
        "The flag is misspelled, belongs to another script, or a word stands without the flag "
        "that it is the value of.",
        "Did you mean {nearest}?",
        "Its flags: {choices}.",
        "Write for instance {example}; short names are {short}.",
        "`boxwright tfod NAME --help` explains all flags.",
    ),
    "BW703": Meaning(
        "error",
        "Flags are missing",
        "The command, or another of its flags, cannot do anything without them.",
        "Add them, such as: {example}",
    ),
    "BW704": Meaning(
        "error",
        "A flag cannot have that value",
        "It is not a number where one is needed, is not one of the values that the flag may "
        "have, or is missing.",
        "Did you mean {nearest}?",
        "Choose among: {choices}.",
        "Write {wanted}.",
        'The flag is explained as "{help}".',
        "Such as: {example}",
    ),
    "BW705": Meaning(
        "error",
        "A command does not find what it is to read",
        "There is no list, label map, annotation or photo where the flags say, or what is there "
        "is something else.",
        "Give the right path with {flag}.",
        "Lists there are: {choices}.",
        "Check the path that is named: paths in a tutorial are of its author's disk.",
    ),
    "BW706": Meaning(
        "error",
        "A class is not in the label map",
        "It is spelled in another way there, capitals included, or is missing. The original's "
        "scripts stop at it, or write 0, which stands for the background.",
        "Did you mean '{nearest}'?",
        "Capitals count: add the class to the label map, or correct it in the annotations and "
        "write the records again.",
    ),
    "BW707": Meaning(
        "error",
        "The installation test failed",
        "A package is damaged, or of a version that does not work with the others.",
        "Install again into an empty environment: `pip install 'boxwright[train]'`. If it still "
        "fails, please report it with the versions that were printed.",
    ),
    "BW708": Meaning(
        "error",
        "A network cannot be quantised: nobody knows its ranges",
        "Eight bits say where between two values a number lies. Which two they are is learnt "
        "while a network trains for quantisation, and stands in the graph's FakeQuant nodes. "
        "This graph has none.",
        "Train with graph_rewriter { quantization { ... } } in the config and export again; or "
        "convert with --inference_type=FLOAT, to which --post_training_quantize may be added. "
        "For trying speed alone, --default_ranges_min=0 --default_ranges_max=6 makes ranges up.",
    ),
    "BW709": Meaning(
        "error",
        "TensorFlow cannot convert a frozen graph to TFLite",
        "A name of an input or output, or a shape, is not the graph's, or the graph was not made "
        "for TFLite: frozen_inference_graph.pb is not.",
        "Give the tflite_graph.pb that export_tflite_ssd_graph wrote, with the flags of: {example}",
    ),
    "BW710": Meaning(
        "error",
        "Two flags contradict each other",
        "What one flag asks for has no meaning, or another one, beside the value of the other.",
        "Remove {flag}, or write {other}.",
    ),
    "BW711": Meaning(
        "error",
        "Listed photos are not labelled",
        "The list names photos that have no annotation, no file, or a trimap that shows nothing.",
        "Label these photos again, or take them out of the list.",
    ),
}
