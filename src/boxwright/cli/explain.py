"""`boxwright explain`"""

from __future__ import annotations

import re
from typing import Annotated

import typer

from boxwright.console import FAILED, plain, say, show, show_json


def explain(
    code: Annotated[
        str | None,
        typer.Argument(metavar="CODE", help="A code such as BW104. [default: list all]"),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Explain a code: its meaning, its cause, and what to do.

    \b
    Examples:
      boxwright explain BW104
      boxwright explain
    """
    from boxwright.codes import MEANINGS

    if code is None:
        if json:
            show_json([_as_json(each) for each in MEANINGS])
        else:
            show(_list())
        return
    known = _known(code)
    if json:
        show_json(_as_json(known))
        return
    meaning = MEANINGS[known]
    show(
        f"[bold]{known}[/] {plain(meaning.title)} [dim]({meaning.severity})[/]\n"
        f"\n{plain(meaning.cause)}\n"
        f"\n[bold]What to do:[/] {plain(meaning.remedy)}"
    )


def _known(asked: str) -> str:
    """Return the code for `BW104`, `bw104` or `104`."""
    from boxwright.codes import MEANINGS

    number = re.fullmatch(r"(?:bw)?[ -]?([0-9]{1,4})", asked.strip(), re.IGNORECASE)
    if number is None:
        say(f"'{plain(asked)}' is not a code. A code is BW and three digits, such as BW104.")
        raise typer.Exit(FAILED)
    wanted = int(number[1])
    nearest = min(MEANINGS, key=lambda code: abs(int(code[2:]) - wanted))
    if nearest != f"BW{number[1]}":
        title = MEANINGS[nearest].title
        say(f"There is no code BW{number[1]}. The nearest is {nearest}: {plain(title)}.")
        raise typer.Exit(FAILED)
    return nearest


def _list() -> str:
    """All codes with their titles, by range."""
    from boxwright.codes import MEANINGS, RANGES

    lines = []
    for start, subject in RANGES.items():
        lines += [f"[bold]{subject}[/]"]
        lines += [
            f"  {code}  {plain(meaning.title)}"
            for code, meaning in MEANINGS.items()
            if code.startswith(start)
        ]
    return "\n".join([*lines, "", "To explain one of them: boxwright explain BW104"])


def _as_json(code: str) -> dict[str, str]:
    from boxwright.codes import MEANINGS

    meaning = MEANINGS[code]
    return {
        "code": code,
        "severity": meaning.severity,
        "title": meaning.title,
        "cause": meaning.cause,
        "remedy": meaning.remedy,
    }
