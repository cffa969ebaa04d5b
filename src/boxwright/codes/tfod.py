"""Codes of the drop-in for the Object Detection API."""

from __future__ import annotations

from boxwright.codes.meaning import Meaning

TFOD: dict[str, Meaning] = {
    "BW701": Meaning(
        "error",
        "There is no such command of the Object Detection API here",
        "The name after `boxwright tfod` is misspelled, or is of a script that has no counterpart.",
        "`boxwright tfod` alone lists the commands.",
    ),
    "BW702": Meaning(
        "error",
        "A command has no such flag",
        "The flag is misspelled, belongs to another script, or a word stands without the flag "
        "that it is the value of.",
        "Use the flag that the error proposes; `boxwright tfod NAME --help` explains them all.",
    ),
    "BW703": Meaning(
        "error",
        "Flags are missing",
        "The command cannot do anything without them.",
        "Add them, as in the line that the error shows.",
    ),
    "BW704": Meaning(
        "error",
        "A flag cannot have that value",
        "It is not a number where one is needed, is not one of the values that the flag may "
        "have, or is missing.",
        "Give one of the values that the error names.",
    ),
    "BW705": Meaning(
        "error",
        "A command does not find what it is to read",
        "There is no list, label map, annotation or photo where the flags say, or what is there "
        "is something else.",
        "Check the paths: the error names the one that it looked at. Paths in a tutorial are of "
        "its author's disk.",
    ),
    "BW706": Meaning(
        "error",
        "A class is not in the label map",
        "It is spelled in another way there, capitals included, or is missing. The original's "
        "scripts stop at it, or write 0, which stands for the background.",
        "Add the class to the label map, or correct its name in the annotations.",
    ),
    "BW707": Meaning(
        "error",
        "The installation test failed",
        "A package is damaged, or of a version that does not work with the others.",
        "Install Boxwright again into an empty environment: `pip install 'boxwright[train]'`.",
    ),
    "BW708": Meaning(
        "error",
        "A network cannot be quantised: nobody knows its ranges",
        "Eight bits say where between two values a number lies. Which two they are is learnt while "
        "a network trains for quantisation, and stands in the graph's FakeQuant nodes. This graph "
        "has none.",
        "Train with `graph_rewriter { quantization { ... } }` in pipeline.config, export and "
        "convert again; or convert with `--inference_type=FLOAT`.",
    ),
    "BW709": Meaning(
        "error",
        "TensorFlow cannot convert a frozen graph to TFLite",
        "A name of an input or output, or a shape, is not the graph's, or the graph was not made "
        "for TFLite: frozen_inference_graph.pb is not.",
        "Convert the tflite_graph.pb of export_tflite_ssd_graph, with the flags that the error "
        "shows.",
    ),
}
