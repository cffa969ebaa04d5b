"""Every command line that the two tutorials print, and what becomes of it here."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from boxwright.tfod.commands import COMMANDS, named
from boxwright.tfod.flags import parse

pytestmark = pytest.mark.tiny

CONFIG = "E:/demo/training/ssd_mobilenet_v1_quantized_300x300_coco14_sync.config"


@dataclass(frozen=True)
class Runs:
    """The line works as it is printed, with `boxwright tfod` for `python`.

    Attributes:
        flags: some of what it means.
        hints: how many slips in it are pointed out.
    """

    flags: dict[str, Any]
    hints: int = 0
    command: str = ""  # where the name of the script is the reader's own


@dataclass(frozen=True)
class NotNeeded:
    """Nothing takes its place, and why."""

    reason: str


ONE_PACKAGE = NotNeeded("pip install 'boxwright[train]' brings everything")
NO_PATH = NotNeeded("one installed package: no path to set")
NO_PROTOC = NotNeeded("no protocol buffers to compile")
NO_CLONE = NotNeeded("the commands are in the package")
AS_IT_IS = NotNeeded("TensorBoard reads the folder as it is")

BECOMES: dict[str, Runs | NotNeeded] = {
    # the first tutorial
    "git clone https://github.com/tensorflow/models.git": NO_CLONE,
    "python3 -c 'import tensorflow as tf; print(tf.__version__)'": NotNeeded(
        "model_builder_test says what is installed"
    ),
    "python3 -c 'help(\"tensorflow\")'": NotNeeded("model_builder_test says what is installed"),
    "pip3 install --upgrade tensorflow-gpu": ONE_PACKAGE,
    "python object_detection/dataset_tools/{my_create_tf_record}.py --set=train "
    "--data_dir=path/to/VoTToutputFolder --output_dir=path/to/TFRecordsOutput": Runs(
        {
            "set": "train",
            "data_dir": Path("path/to/VoTToutputFolder"),
            "output_dir": Path("path/to/TFRecordsOutput"),
            "output_path": None,
        },
        command="create_pascal_tf_record",
    ),
    "python object_detection/dataset_tools/{my_create_tf_record}.py --set=val "
    "--data_dir=path/to/VoTToutputFolder --output_dir=path/to/TFRecordsOutput": Runs(
        {"set": "val"}, command="create_pascal_tf_record"
    ),
    "python object_detection/model_main.py --pipeline_config_path=path/to/modified_pipeline.config "
    "--model_dir=path/to/training_output --alsologtostderr": Runs(
        {
            "pipeline_config_path": Path("path/to/modified_pipeline.config"),
            "model_dir": Path("path/to/training_output"),
            "num_train_steps": None,
        }
    ),
    "tensorboard --logdir=path/to/training_output": AS_IT_IS,
    "python object_detection/export_inference_graph.py --input_type=image_tensor "
    "--pipeline_config_path=path/to/pipeline.config "
    "--trained_checkpoint_prefix=path/to/training_output_dir/model.ckpt-{checkpoint#} "
    "--output_directory=path/to/output_model_files_for_inference": Runs(
        {
            "input_type": "image_tensor",
            "trained_checkpoint_prefix": Path(
                "path/to/training_output_dir/model.ckpt-{checkpoint#}"
            ),
        }
    ),
    "export PYTHONPATH=$PYTHONPATH:`pwd`:`pwd`/slim": NO_PATH,
    # the second tutorial
    "conda create -n tf1 python=3.7": ONE_PACKAGE,
    "conda activate tf1": ONE_PACKAGE,
    "conda install tensorflow-gpu=1.15": ONE_PACKAGE,
    "conda install tensorflow=1.15": ONE_PACKAGE,
    "conda install pillow Cython lxml jupyter matplotlib": ONE_PACKAGE,
    "conda install -c anaconda protobuf": ONE_PACKAGE,
    "cd models/research": NO_CLONE,
    r"for /f %i in ('dir /b object_detection\protos\*.proto') ^do protoc "
    r"object_detection\protos\%i --python_out=.": NO_PROTOC,
    "python setup.py build": ONE_PACKAGE,
    "python setup.py install": ONE_PACKAGE,
    r"set PYTHONPATH=E:\models\research;E:\models\research\slim": NO_PATH,
    "python object_detection/builders/model_builder_test.py": Runs({}),
    "git clone https://github.com/EscVM/OIDv4_ToolKit.git": NO_CLONE,
    "cd OIDv4_ToolKit": NO_CLONE,
    "pip install -r requirements.txt": ONE_PACKAGE,
    "python main.py downloader --classes Apple Orange --type_csv validation": Runs(
        {
            "command": "downloader",
            "classes": ("Apple", "Orange"),
            "type_csv": "validation",
            "multiclasses": "0",
            "limit": None,
        }
    ),
    "git clone https://github.com/asmaamirkhan/OpenImagesTool.git": NO_CLONE,
    "cd OpenImagesTool/src": NO_CLONE,
    r"python script.py -i E:\pre_trainded_model\OIDv4_ToolKit\OID\Dataset "
    r"-o E:\pre_trainded_model\images": Runs(
        {
            "input_dir": Path(r"E:\pre_trainded_model\OIDv4_ToolKit\OID\Dataset"),
            "output_dir": Path(r"E:\pre_trainded_model\images"),
            "ignore_val": False,
        }
    ),
    r"python xml_to_csv.py -i E:\demo\images\train -o E:\demo\annotations\train_labels.csv": Runs(
        {
            "input": Path(r"E:\demo\images\train"),
            "output": Path(r"E:\demo\annotations\train_labels.csv"),
        }
    ),
    r"python xml_to_csv.py -i E:\demo\images\test -o E:\demo\annotations\test_labels.csv": Runs(
        {"input": Path(r"E:\demo\images\test")}
    ),
    r"python generate_tfrecords.py --label_map=E:/demo/annotations/label_map.pbtxt "
    r"--csv_input=E:\demo\annotations\train_labels.csv --img_path= E:\demo\images\train "
    r"--output_path=E:\demo\annotations\train.record": Runs(
        {
            "label_map": Path("E:/demo/annotations/label_map.pbtxt"),
            "csv_input": Path(r"E:\demo\annotations\train_labels.csv"),
            "img_path": Path(r"E:\demo\images\train"),
            "output_path": Path(r"E:\demo\annotations\train.record"),
        },
        hints=1,
    ),
    r"python generate_tfrecords.py --label_map=E:/demo/annotations/label_map.pbtxt "
    r"--csv_input=E:\demo\annotations\test_labels.csv --img_path= E:\demo\images\test "
    r"--output_path=E:\demo\annotations\test.record": Runs(
        {"img_path": Path(r"E:\demo\images\test")}, hints=1
    ),
    f"python train.py --train_dir=E:/demo/training --pipline_config_path={CONFIG}": Runs(
        {"train_dir": Path("E:/demo/training"), "pipeline_config_path": Path(CONFIG)}, hints=1
    ),
    f"python eval.py --pipline_config_path={CONFIG} "
    "--checkpoint_dir=--pipline_config_path=E:/demo/training "
    "--eval_dir=--pipline_config_path=E:/demo/eval": Runs(
        {
            "pipeline_config_path": Path(CONFIG),
            "checkpoint_dir": Path("E:/demo/training"),
            "eval_dir": Path("E:/demo/eval"),
        },
        hints=3,
    ),
    "tensorboard --logdir=E:/demo/eval": AS_IT_IS,
    f"python export_inference_graph.py --input_type image_tensor --pipline_config_path={CONFIG} "
    "--trained_checkpoing_prefix E:/demo/training/model.ckpt-16438 "
    "--output_directory E:/demo/inference/ssd_v1_quant": Runs(
        {
            "input_type": "image_tensor",
            "pipeline_config_path": Path(CONFIG),
            "trained_checkpoint_prefix": Path("E:/demo/training/model.ckpt-16438"),
            "output_directory": Path("E:/demo/inference/ssd_v1_quant"),
        },
        hints=2,
    ),
    f"python export_tflite_ssd_graph.py --input_type image_tensor --pipline_config_path={CONFIG} "
    "--trained_checkpoing_prefix E:/demo/training/model.ckpt-16438 "
    "--output_directory E:/demo/inference/ssd_v1_quant": Runs(
        {"output_directory": Path("E:/demo/inference/ssd_v1_quant"), "max_detections": 10},
        hints=3,
    ),
    r"toco --graph_def_file=E:\demo\inference\ssd_v1_quant\tflite_graph.pb "
    r"--output_file=E:\demo\tflite\ssd_mobilenet.tflite --input_shapes=1,300,300,3 "
    "--input_arrays=normalized_input_image_tensor "
    "--output_arrays=TFLite_Detection_PostProcess,TFLite_Detection_PostProcess:1,"
    "TFLite_Detection_PostProcess:2,TFLite_Detection_PostProcess:3 "
    "--inference_type=QUATIZED_UINT8 --mean_values=128 --std_dev_values=128 "
    "--change_concat_input_ranges=false --allow_custom_ops": Runs(
        {
            "graph_def_file": Path(r"E:\demo\inference\ssd_v1_quant\tflite_graph.pb"),
            "input_shapes": "1,300,300,3",
            "inference_type": "QUANTIZED_UINT8",
            "mean_values": 128.0,
            "std_dev_values": 128.0,
            "change_concat_input_ranges": False,
            "allow_custom_ops": True,
        },
        hints=1,
    ),
}

# The lines with placeholders that stand above them as comments, placeholders filled in.
TEMPLATES: dict[str, Runs | NotNeeded] = {
    "conda create -n <ENV_NAME> python=<REQUIRED_VERSION>": ONE_PACKAGE,
    "conda activate <ENV_NAME>": ONE_PACKAGE,
    "python main.py downloader --classes <OBJECT_LIST> --type_csv <TYPE>": Runs(
        {"classes": ("OBJECT_LIST",), "type_csv": "validation"}
    ),
    "python script.py -i <INPUT_PATH> -o <OUTPUT_PATH>": Runs({"input_dir": Path("INPUT_PATH")}),
    "python generate_tfrecords.py --label_map=<PATH_TO_LABEL_MAP> --csv_input=<PATH_TO_CSV_FILE> "
    "--img_path=<PATH_TO_IMAGE_FOLDER> --output_path=<PATH_TO_OUTPUT_FILE>": Runs(
        {"img_path": Path("PATH_TO_IMAGE_FOLDER")}
    ),
    "python train.py --train_dir=<DIRECTORY_TO_SAVE_CHECKPOINTS> "
    "--pipline_config_path=<PATH_TO_CONFIG_FILE>": Runs(
        {"pipeline_config_path": Path("PATH_TO_CONFIG_FILE")}, hints=1
    ),
    "python eval.py --logtostderr --pipline_config_path=<PATH_TO_CONFIG_FILE> "
    "--checkpoint_dir=<DIRECTORY_OF_CHECKPOINTS> "
    "--eval_dir=<DIRECTORY_TO_SAVE_EVAL_RESULTS>": Runs(
        {"eval_dir": Path("DIRECTORY_TO_SAVE_EVAL_RESULTS")}, hints=1
    ),
    "python export_inference_graph.py --input_type image_tensor "
    "--pipline_config_path <PATH_TO_CONFIG_FILE> "
    "--trained_checkpoing_prefix <PATH_TO_LAST_CHECKPOINT> "
    "--output_directory <PATH_TO_SAVE_EXPORTED_MODEL>": Runs(
        {"trained_checkpoint_prefix": Path("PATH_TO_LAST_CHECKPOINT")}, hints=2
    ),
    "python export_tflite_ssd_graph.py --input_type image_tensor "
    "--pipline_config_path <PATH_TO_CONFIG_FILE> "
    "--trained_checkpoing_prefix <PATH_TO_LAST_CHECKPOINT> "
    "--output_directory <PATH_TO_SAVE_EXPORTED_MODEL>": Runs(
        {"trained_checkpoint_prefix": Path("PATH_TO_LAST_CHECKPOINT")}, hints=3
    ),
    "toco --graph_def_file=<PATH_TO_PB_FILE> --output_file=<PATH_TO_SAVE> "
    "--input_shapes=<INPUT_SHAPES> --input_arrays=<INPUT_ARRAYS> --output_arrays=<OUTPUT_ARRAYS> "
    "--inference_type=<QUATIZED_UINT8|FLOAT> --change_concat_input_ranges=<true|false> "
    "--alow_custom_ops --mean_values=<MEAN_VALUES> std_dev_values=<STD_DEV_VALUES>": Runs(
        {
            "inference_type": "QUANTIZED_UINT8",
            "change_concat_input_ranges": True,
            "allow_custom_ops": True,
            "mean_values": 128.0,
            "std_dev_values": 128.0,
        },
        hints=3,
    ),
}
PAGE = Path(__file__).resolve().parents[2] / "docs" / "how-to" / "from-object-detection-api.md"
VALUES = {"<MEAN_VALUES>": "128", "<STD_DEV_VALUES>": "128", "<TYPE>": "validation"}
PROMPT = re.compile(r"^(?:\(tf1\) )?[A-Z]:\\[^>]*>\s*|^\(tf1\) ")
STARTS = re.compile(r"(?:python3?|pip3?|conda|git|tensorboard|toco|protoc|export|set|for|cd) ")


def words_of(line: str) -> tuple[str, list[str]]:
    """The command's name and its words, as a shell of the tutorial's system splits them."""
    for placeholder, value in VALUES.items():
        line = line.replace(placeholder, value)
    line = re.sub(r"<(\w+)(?:\|\w+)?>", r"\1", line)  # the first of several values
    words = shlex.split(line.replace("\\", "\\\\"))
    return (words[1], words[2:]) if words[0].startswith("python") else (words[0], words[1:])


def printed(text: str) -> tuple[set[str], set[str]]:
    """The lines of a tutorial that are commands, and those that stand in comments."""
    lines, templates = set(), set()
    for block in re.findall(r"^ *```bash *\n(.*?)^ *```", text, re.DOTALL | re.MULTILINE):
        comment = ""
        for raw in [*block.splitlines(), ""]:
            line = raw.strip()
            if line.startswith("# "):
                said = line[2:].strip()
                goes_on = comment and said.startswith(("-", "args for"))
                comment = f"{comment} {said}" if goes_on else comment
                if not goes_on and STARTS.match(said) and ("<" in said or "--" in said):
                    templates |= {comment} - {""}
                    comment = said
                continue
            templates |= {comment} - {""}
            comment = ""
            if STARTS.match(command := PROMPT.sub("", line)):
                lines.add(command)
    inline = re.findall(r"```([^`\n]+)```", text)
    return lines | {each for each in inline if STARTS.match(each)}, templates


@pytest.mark.shared
def test_the_tables_hold_every_printed_line(shared: Path) -> None:
    lines, templates = set(), set()
    for seed in sorted((shared / "seeds").glob("*.md")):
        found = printed(seed.read_text(encoding="utf-8"))
        lines |= found[0]
        templates |= {re.sub(r" args for .*? inference", "", each) for each in found[1]}
    assert lines == set(BECOMES)
    assert templates == set(TEMPLATES)


@pytest.mark.parametrize(
    "line", [line for line, fate in {**BECOMES, **TEMPLATES}.items() if isinstance(fate, Runs)]
)
def test_a_printed_line_works(line: str) -> None:
    fate = {**BECOMES, **TEMPLATES}[line]
    assert isinstance(fate, Runs)
    script, words = words_of(line)
    name = fate.command or Path(script).stem
    kind = named(script if not fate.command else name).Flags
    parsed = parse(kind, words)
    assert {key: getattr(parsed.flags, key) for key in fate.flags} == fate.flags
    assert len(parsed.hints) == fate.hints
    assert parse(kind, parsed.words).hints == ()


def test_the_page_shows_every_command() -> None:
    text = PAGE.read_text(encoding="utf-8")
    for name in COMMANDS:
        assert f"boxwright tfod {name}" in text
