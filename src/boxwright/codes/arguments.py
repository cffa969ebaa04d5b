"""Codes of arguments, on a command line or in Python."""

from __future__ import annotations

from boxwright.codes.meaning import Meaning

ARGUMENTS: dict[str, Meaning] = {
    "BW801": Meaning(
        "error",
        "Invalid budget",
        "A budget is a number with a unit: s, m or h; without a unit it is in seconds. It "
        "includes the start of the training, so a few seconds are not enough.",
        "Write 30s, 2m or 1h.",
    ),
    "BW802": Meaning(
        "error",
        "Conflicting or missing arguments",
        "Two of the arguments contradict each other, or one requires another that is not given.",
        "Change them as the message says.",
    ),
    "BW803": Meaning(
        "error",
        "Invalid choice",
        "The argument takes one of a few values, and another was given.",
        "Choose among: {choices}.",
    ),
    "BW804": Meaning(
        "error",
        "Not the name of a page",
        "A page replaces an older file of the same name, and a report also the JSON file beside "
        "it. Only a name that ends in .html cannot be that of your images, annotations or folders, "
        "and only an older report is replaced by one.",
        "Give the name of a file that ends in .html, such as report.html, in another folder if the "
        "JSON file is yours.",
    ),
    "BW805": Meaning(
        "error",
        "Invalid latency",
        "A latency is a number of milliseconds for an image, after it `@` and a number of threads "
        "if there are several, or `fast`: half the time of the published SSD MobileNet v1.",
        "Write 20, 20@2 or fast.",
    ),
    "BW806": Meaning(
        "error",
        "No model meets the limits",
        "The models were exported and timed on this machine before training. None is as fast and "
        "as small as `--latency` and `--size-limit` ask for, at any input size.",
        "Allow more time or a larger file. On a processor with int8 instructions, an int8 file is "
        "faster: train without a limit, export with --quantize int8 and measure with boxwright "
        "bench.",
    ),
    "BW807": Meaning(
        "error",
        "Unknown aim of a threshold",
        "A threshold can be chosen for the best F1, or for a precision or recall between 0 and 1.",
        "Write f1, precision=.95 or recall=.9.",
    ),
    "BW808": Meaning(
        "error",
        "Malformed request",
        "The studio got a request that its page does not send: a value is missing, or is none of "
        "those that are possible.",
        "Reload the page. A program of yours finds an example of each request in the page's code.",
    ),
    "BW809": Meaning(
        "error",
        "Another step is in progress",
        "The studio trains, exports or reports one at a time: each needs all of the processor.",
        "Wait until it has ended.",
    ),
    "BW810": Meaning(
        "error",
        "Unusable name of a served model",
        "Clients use the name of a model in addresses, so each has another one, of letters, "
        "digits, dots, hyphens and underscores.",
        "Give it a name: boxwright serve MODEL=NAME.",
    ),
    "BW815": Meaning(
        "error",
        "No Ray cluster answers",
        "Nothing listens at the address, its version of Ray or Python is another one, or Ray could "
        "not start a cluster on this machine.",
        "Give the address that `ray start` printed, such as --on ray=10.0.0.1:6379, or --on ray "
        "alone on a machine of the cluster.",
    ),
}
