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
        "`--html` replaces an older file of the same name. Only a name that ends in .html cannot "
        "be that of your images, annotations or folders.",
        "Give the name of a file that ends in .html, such as report.html.",
    ),
}
