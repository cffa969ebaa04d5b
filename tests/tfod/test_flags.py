"""Flags in all the ways in which tutorials write them, rightly or wrongly."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import pytest

from boxwright.errors import FlagError
from boxwright.tfod.commands import COMMANDS, named, run_line
from boxwright.tfod.flags import flag, help_text, parse, wants_help

pytestmark = pytest.mark.tiny


@dataclass(frozen=True, kw_only=True)
class Sample:
    """Do something.

    And say it.
    """

    NAME = "sample"
    EXAMPLE = "--pipeline_config_path=pipeline.config"
    IGNORED: ClassVar = {"old": "nobody reads it", "use_tpu": "there is none", "o": "it is short"}

    pipeline_config_path: Path = flag("A config.")
    size: int = flag("A number.", 3, also="s big_size")
    share: float | None = flag("A share.", None)
    kind: str = flag("A kind.", "png", choices=("png", "QUANTIZED_UINT8"))
    faces: bool = flag("Faces only.", True)
    name: str = flag("A name.", "", bare=True)


CONFIG = "--pipeline_config_path=p.config"

UNDERSTOOD: dict[str, tuple[str, object]] = {
    f"{CONFIG}": ("size", 3),
    "--pipeline_config_path p.config": ("pipeline_config_path", Path("p.config")),
    "-pipeline_config_path p.config": ("pipeline_config_path", Path("p.config")),
    f"{CONFIG} --size=4": ("size", 4),
    f"{CONFIG} --size 4": ("size", 4),
    f"{CONFIG} -s 4": ("size", 4),
    f"{CONFIG} --big_size=4": ("size", 4),
    f"{CONFIG} --size -4": ("size", -4),
    f"{CONFIG} --share -.5": ("share", -0.5),
    f"{CONFIG} --size=4 --size=5": ("size", 5),
    f"{CONFIG} --share=.5": ("share", 0.5),
    f"{CONFIG} --share=": ("share", None),
    f"{CONFIG} word": ("name", "word"),
    f"word=4 {CONFIG}": ("name", "word=4"),
    f"{CONFIG} --faces": ("faces", True),
    f"{CONFIG} --nofaces": ("faces", False),
    f"{CONFIG} --faces=false": ("faces", False),
    f"{CONFIG} --faces=False": ("faces", False),
    f"{CONFIG} --faces false --size 4": ("faces", False),
    f"{CONFIG} --faces=1": ("faces", True),
    f"{CONFIG} --logtostderr --alsologtostderr": ("size", 3),
    f"--logtostderr=true {CONFIG} --stderrthreshold error --verbosity=1": ("size", 3),
    r"'--pipeline_config_path=E:\my demo\p.config'": (
        "pipeline_config_path",
        Path(r"E:\my demo\p.config"),
    ),
    "--pipeline_config_path=fotos/größe=1.config": (
        "pipeline_config_path",
        Path("fotos/größe=1.config"),
    ),
}

HINTED: dict[str, tuple[str, object, str]] = {
    "--pipline_config_path=p.config": (
        "pipeline_config_path",
        Path("p.config"),
        "--pipline_config_path is misspelled: read as --pipeline_config_path.",
    ),
    "--pipeline_config_path= p.config": (
        "pipeline_config_path",
        Path("p.config"),
        "--pipeline_config_path= has a space before its value: the space is ignored.",
    ),
    "--pipeline_config_path=--pipline_config_path=p.config": (
        "pipeline_config_path",
        Path("p.config"),
        "--pipeline_config_path repeats the name of a flag in its value "
        "'--pipline_config_path=p.config': read as --pipeline_config_path=p.config.",
    ),
    f"{CONFIG} size=4": ("size", 4, "'size=4' needs two dashes: read as --size=4."),
    f"{CONFIG} --kind=QUATIZED_UINT8": (
        "kind",
        "QUANTIZED_UINT8",
        "QUATIZED_UINT8 is misspelled: read as QUANTIZED_UINT8.",
    ),
    f"{CONFIG} --old=x": ("size", 3, "--old is ignored: nobody reads it."),
    f"{CONFIG} word --old x": ("size", 3, "--old is ignored: nobody reads it."),
    f"{CONFIG} word --old -1 -s 4": ("size", 4, "--old is ignored: nobody reads it."),
    f"{CONFIG} --use_tpu --size=4": ("size", 4, "--use_tpu is ignored: there is none."),
    f"{CONFIG} --nouse_tpu": ("size", 3, "--use_tpu is ignored: there is none."),
    f"{CONFIG} -o x": ("name", "x", "-o is ignored: it is short."),
    f"--kind=png{CONFIG}": (
        "pipeline_config_path",
        Path("p.config"),
        f"'--kind=png{CONFIG}' has no space before --pipeline_config_path: read as two flags.",
    ),
    "--logtostderr--pipeline_config_path p.config": (
        "pipeline_config_path",
        Path("p.config"),
        "'--logtostderr--pipeline_config_path' has no space before --pipeline_config_path: read as "
        "two flags.",
    ),
    "\u2014pipeline_config_path=\u201cp.config\u201d": (
        "pipeline_config_path",
        Path("p.config"),
        "'\u2014pipeline_config_path=\u201cp.config\u201d' has typographic signs: read as "
        "--pipeline_config_path=p.config.",
    ),
}

EXPLAINED = 'The flag is explained as "'
REFUSED = {
    "": ("BW703", "needs --pipeline_config_path.", "Add them, such as: boxwright tfod sample --p"),
    "--pipeline_config_path=": ("BW703", "needs --pipeline_config_path", ""),
    "--pipeline_config_path": ("BW704", "--pipeline_config_path has no value.", "Such as: "),
    "--pipeline_config_path --size=4": ("BW704", "--pipeline_config_path has no value.", ""),
    f"{CONFIG} --sizes=4": ("BW702", "has no flag --sizes.", "Did you mean --size? Its flags: --p"),
    f"{CONFIG} --model_dir=x": ("BW702", "has no flag --model_dir.", "Its flags: --pipeline_con"),
    f"{CONFIG} --pipeline-config-path=x": (
        "BW702",
        "has no flag",
        "Did you mean --pipeline_config",
    ),
    f"{CONFIG} --use_tpus": ("BW702", "has no flag --use_tpus.", "Did you mean --use_tpu?"),
    f"{CONFIG} --size_of_it=4": ("BW702", "has no flag --size_of_it.", "Its flags: "),
    f"{CONFIG} a word": ("BW702", "does not expect the argument 'word'.", "Its flags: "),
    f"{CONFIG} a word=4": ("BW702", "does not expect the argument 'word=4'.", "Its flags: "),
    f"{CONFIG} --nosize": ("BW702", "has no flag --nosize.", ""),
    f"{CONFIG} --size=big": (
        "BW704",
        "--size is 'big', which is not a whole number.",
        EXPLAINED + "A number.",
    ),
    f"{CONFIG} --share=big": (
        "BW704",
        "--share is 'big', which is not a number.",
        EXPLAINED + "A share.",
    ),
    f"{CONFIG} --kind=PNG": ("BW704", "--kind cannot be 'PNG'.", "Did you mean png? Choose among:"),
    f"{CONFIG} --faces=maybe": ("BW704", "not true or false", "Write --faces or --nofaces."),
}


@pytest.mark.parametrize("line", UNDERSTOOD)
def test_a_line_is_understood(line: str) -> None:
    name, value = UNDERSTOOD[line]
    parsed = parse(Sample, shlex.split(line))
    assert getattr(parsed.flags, name) == value
    assert parsed.hints == ()


@pytest.mark.parametrize("line", HINTED)
def test_a_wrong_line_is_understood_with_a_hint(line: str) -> None:
    name, value, hint = HINTED[line]
    parsed = parse(Sample, shlex.split(line))
    assert getattr(parsed.flags, name) == value
    assert hint in parsed.hints
    again = parse(Sample, parsed.words)
    assert again.hints == ()
    assert again.flags == parsed.flags


@pytest.mark.parametrize("line", REFUSED)
def test_what_cannot_be_understood_is_said_with_a_remedy(line: str) -> None:
    code, message, remedy = REFUSED[line]
    with pytest.raises(FlagError) as caught:
        parse(Sample, shlex.split(line))
    assert caught.value.code == code
    assert message in caught.value.message
    assert caught.value.remedy.startswith(remedy)


def test_the_corrected_line_switches_flags_on_and_off() -> None:
    parsed = parse(Sample, ["--pipline_config_path", "p.config", "me", "--nofaces", "-s", "4"])
    assert parsed.words == ("--pipeline_config_path=p.config", "me", "--nofaces", "--size=4")


@pytest.mark.parametrize("word", ["--help", "-h", "--helpfull", "-helpfull", "--helpshort"])
def test_help_is_asked_for_anywhere(word: str) -> None:
    assert wants_help([CONFIG, word])
    assert not wants_help([CONFIG])


def test_help_explains_every_flag() -> None:
    assert (
        help_text(Sample)
        == """\
Do something.

And say it.

  boxwright tfod sample --pipeline_config_path=pipeline.config

  --pipeline_config_path=PATH
      A config. Required.
  -s, --big_size, --size=NUMBER
      A number. Default: 3.
  --share=NUMBER
      A share.
  --kind=png|QUANTIZED_UINT8
      A kind. Default: png.
  --[no]faces
      Faces only. Default: true.
  NAME
      A name.
  --old
      Ignored: nobody reads it.
  --use_tpu
      Ignored: there is none.
  -o
      Ignored: it is short."""
    )


# A command, a flag of another version of its script, and what it is not taken for.
OTHER_VERSIONS = [
    ("model_main", "--num_eval_steps=50", "num_train_steps"),
    ("model_main", "--checkpoint_every_n=100", "checkpoint_dir"),
    ("model_main", "--num_workers=1", "num_train_steps"),
    ("model_main_tf2", "--use_tpu=false", "model_dir"),
    ("model_main_tf2", "--norecord_summaries", "run_once"),
    ("train", "--gpu_deterministic", "train_dir"),
    ("eval", "--eval_config_path=e.config", "pipeline_config_path"),
    ("export_inference_graph", "--use_side_inputs=False", "input_type"),
    ("exporter_main_v2", "--side_input_names=x", "input_type"),
    ("toco", "--enable_v1_converter", "inference_type"),
]


@pytest.mark.parametrize(("name", "word", "other"), OTHER_VERSIONS)
def test_a_flag_of_another_version_is_ignored_with_its_reason(
    name: str, word: str, other: str
) -> None:
    kind = named(name).Flags
    words = shlex.split(kind.EXAMPLE)
    parsed = parse(kind, [*words, word])
    assert parsed.flags == parse(kind, words).flags
    (hint,) = parsed.hints
    assert "is ignored: " in hint
    assert f"--{other}" not in hint


def test_names_of_other_versions_are_the_same_flags() -> None:
    kind = named("toco").Flags
    words = shlex.split(kind.EXAMPLE)
    assert parse(kind, [*words, "--std_values=127.5"]).flags.std_dev_values == 127.5
    kind = named("model_main").Flags
    words = [*shlex.split(kind.EXAMPLE), "--eval_on_train_data"]
    assert parse(kind, words).flags.eval_training_data


@pytest.mark.parametrize("name", COMMANDS)
def test_the_example_of_a_command_is_right(name: str) -> None:
    kind = named(name).Flags
    parsed = parse(kind, shlex.split(kind.EXAMPLE))
    assert parsed.hints == ()
    assert kind.EXAMPLE in help_text(kind)


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("object_detection/model_main.py", "model_main"),
        (r".\exporter_main_v2.py", "exporter_main_v2"),
        ("object_detection.model_main_tf2", "model_main_tf2"),
        ("create_helmet_tf_record.py", "create_pascal_tf_record"),
        ("generate_tfrecord.py", "generate_tfrecords"),
        ("create_tfrecord", "generate_tfrecords"),
        ("tflite_convert", "toco"),
        ("main.py", "oidv4"),
    ],
)
def test_a_script_is_known_by_its_path_its_module_and_its_other_names(
    written: str, name: str
) -> None:
    assert name == named(written).Flags.NAME


def test_a_module_is_run_as_by_python(capsys: pytest.CaptureFixture[str]) -> None:
    run_line(["-m", "object_detection.model_main", "--helpshort"])
    assert "boxwright tfod model_main" in capsys.readouterr().out
