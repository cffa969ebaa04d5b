"""Writes the pages that the program itself determines, and llms.txt: `python docs/generate.py`."""

from __future__ import annotations

import inspect
import re
import sys
import textwrap
from collections.abc import Callable, Iterator
from dataclasses import fields
from pathlib import Path
from types import NoneType
from typing import Any, get_args, get_origin, get_type_hints

import typer
import yaml
from typer.models import ArgumentInfo, ParameterInfo

import boxwright
from boxwright.cli.main import app
from boxwright.codes import MEANINGS, RANGES, Meaning
from boxwright.tfod.commands import COMMANDS, named
from boxwright.tfod.flags import FlagClass, default_of, example, written

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
WIDTH = 120  # columns
LATER = ("Experiments", "Project")  # groups of pages that llms.txt calls optional
NOTE = "<!-- Written by docs/generate.py from the program: change the texts there. -->\n"


def codes() -> str:
    """A section for each code."""
    lines = [
        "# Codes\n",
        NOTE,
        _filled(
            "Every error and finding of Boxwright has a code, and this page explains all of them. "
            "`boxwright explain BW104` prints the text of one."
        ),
        _filled(
            "An **error** stops the work or makes its result worthless; a **warning** costs "
            "accuracy or trust; a **note** is worth knowing."
        ),
    ]
    for start, subject in RANGES.items():
        lines.append(f"## {subject}\n")
        for code, meaning in MEANINGS.items():
            if code.startswith(start):
                lines += [
                    f"### {code}: {meaning.title}\n",
                    _filled(f"*{meaning.severity.capitalize()}.* {meaning.cause}"),
                    _filled(f"**What to do:** {_shown_remedy(meaning)}"),
                ]
    return "\n".join(lines)


def _shown_remedy(meaning: Meaning) -> str:
    """What to do; a fact's name in angle brackets would be taken for HTML."""
    return meaning.remedy.replace("<", "\\<")


def _filled(text: str) -> str:
    lines = textwrap.wrap(text, WIDTH, break_long_words=False, break_on_hyphens=False)
    return "\n".join(lines) + "\n"


def commands() -> str:
    """Every command with its arguments and options, as `--help` has them."""
    lines = [
        "# Commands\n",
        NOTE,
        "This page lists every command with its arguments and options, like "
        "`boxwright COMMAND --help`.\n",
    ]
    for command in app.registered_commands:
        if command.callback:
            lines += _section(command.callback)
    lines.append("## Commands of the Object Detection API\n")
    for name in COMMANDS:
        lines += _tfod_section(named(name).Flags)
    return "\n".join(lines)


def _section(command: Callable[..., Any]) -> Iterator[str]:
    name = command.__name__.replace("_", "-")
    text, _, examples = inspect.cleandoc(command.__doc__ or "").partition("\b\n")
    parameters = list(_parameters(command))
    usage = " ".join([name, *(shown for shown, *_, needed in parameters if needed)])
    yield f"## {name}\n"
    yield f"`boxwright {usage}`\n"
    yield f"{text.strip()}\n"
    yield f"```sh\n{inspect.cleandoc(examples.partition(chr(10))[2])}\n```\n"
    yield "| argument | meaning | default |\n|---|---|---|"
    for shown, help_text, default, _ in parameters:
        yield "| {} | {} | {} |".format(
            *(_cell(each) for each in (f"`{shown}`", help_text, default))
        )
    yield ""


def _tfod_section(kind: type[FlagClass]) -> Iterator[str]:
    yield f"### tfod {kind.NAME}\n"
    yield f"{inspect.cleandoc(kind.__doc__ or '')}\n"
    yield f"```sh\n{example(kind)}\n```\n"
    if fields(kind):
        yield "| argument | meaning | default |\n|---|---|---|"
        for one in fields(kind):
            default = f"`{default_of(one)}`" if default_of(one) else ""
            cells = (f"`{written(one)}`", one.metadata["text"], default)
            yield "| {} | {} | {} |".format(*map(_cell, cells))
        yield ""


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _parameters(command: Callable[..., Any]) -> Iterator[tuple[str, str, str, bool]]:
    """For each parameter: how it is written, its help, its default, whether it must be given."""
    hints = get_type_hints(command, include_extras=True)
    for parameter in inspect.signature(command).parameters.values():
        if hints[parameter.name] is typer.Context:  # typer's own, nobody types it
            continue
        kind, info = get_args(hints[parameter.name])
        needed = parameter.default is inspect.Parameter.empty
        unset = needed or parameter.default is None or parameter.default is False
        default = "" if unset else f"`{parameter.default}`"
        yield _shown(parameter.name, kind, info), info.help or "", default, needed


def _shown(name: str, kind: Any, info: ParameterInfo) -> str:
    """`DATA`, `--seed NUMBER`, `--to tflite|savedmodel`"""
    inner = next((each for each in get_args(kind) if each is not NoneType), kind)
    if isinstance(info, ArgumentInfo):
        return (info.metavar or name.upper()) + ("..." if get_origin(kind) is list else "")
    # In Annotated, the first name that typer.Option is given lands in its default.
    given = [info.default, *(info.param_decls or ())]
    options = [each for each in given if isinstance(each, str) and each.startswith("--")]
    option = next(iter(options), f"--{name.replace('_', '-')}")
    if inner is bool:
        return option
    words = {Path: "PATH", int: "NUMBER", float: "NUMBER", str: "TEXT"}
    return f"{option} {(info.metavar or words[inner]).strip('<>')}"


def api() -> str:
    """The names that `import boxwright` offers; the site shows the docstrings of each."""
    lines = [
        "# Python API\n",
        NOTE,
        _filled(
            "This page documents the names that `import boxwright` offers. Each is imported when "
            "it is first used. [Use Boxwright from Python](../how-to/python.md) has examples."
        ),
        "| name | summary |\n|---|---|",
    ]
    for name in boxwright.__all__:
        summary = (inspect.getdoc(getattr(boxwright, name)) or "").partition("\n")[0]
        lines.append(f"| [`{name}`](#boxwright.{name}) | {_cell(summary)} |")
    lines += [f"\n::: boxwright.{name}" for name in boxwright.__all__]
    return "\n".join(lines) + "\n"


def llms() -> str:
    """The pages with what each is about, for language models: https://llmstxt.org."""
    site = yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))
    lines = [f"# {site['site_name']}\n", f"> {site['site_description']}\n"]
    titles = []
    for title, pages in (item for group in site["nav"] for item in group.items()):
        titles.append("Optional" if title in LATER else title)
        if titles.count(titles[-1]) == 1:
            lines.append(f"\n## {titles[-1]}\n")
        for page in [f"{pages}README.md"] if isinstance(pages, str) else pages:
            outside = site["extra"]["outside"].get(page)
            lines.append(_entry(f"../{outside}" if outside else page))
    return "\n".join(lines) + "\n"


def _entry(page: str) -> str:
    """A link to a page, with its title and the first sentence of what follows, if it has one."""
    text = (HERE / page).read_text(encoding="utf-8").replace(NOTE, "", 1)
    title, _, rest = text.removeprefix("# ").partition("\n")
    prose = re.sub(r"\[([^\]]+)\]\([^)]+\)", r"\1", rest)
    # A picture and its caption may come before the first paragraph.
    sentence = re.search(r"(?<=\n\n)\w.*?\.(?=\s|$)", f"\n{prose}", re.DOTALL)
    return f"- [{title}]({page})" + (f": {' '.join(sentence[0].split())}" if sentence else "")


PAGES = {
    "reference/codes.md": codes,
    "reference/commands.md": commands,
    "reference/api.md": api,
    "llms.txt": llms,  # the last: it quotes the others
}

if __name__ == "__main__":
    for page, text in PAGES.items():
        (HERE / page).write_text(text(), encoding="utf-8", newline="\n")
        sys.stdout.write(f"{HERE / page}\n")
