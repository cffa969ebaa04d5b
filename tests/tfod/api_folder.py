"""A folder as somebody has it who trains with the Object Detection API, with a small network."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from boxwright import formats
from boxwright.io.protobuf_text import write
from boxwright.tfod.commands import named
from boxwright.tfod.config import parse_config
from boxwright.tfod.flags import parse
from squares import Squares

HELMET = (Path(__file__).parent / "configs" / "helmet.config").read_text(encoding="utf-8")
SMALL = """
model {{ ssd {{
  image_resizer {{ fixed_shape_resizer {{ height: 64 width: 64 }} }}
  feature_extractor {{ depth_multiplier: 0.1 min_depth: 4 }}
}} }}
train_config {{
  batch_size: 4
  num_steps: 2
  optimizer {{ rms_prop_optimizer {{ learning_rate {{ exponential_decay_learning_rate {{
    initial_learning_rate: 0.001 }} }} }} }}
}}
train_input_reader {{
  label_map_path: "{root}/label_map.pbtxt"
  tf_record_input_reader {{ input_path: "{root}/train.record" }}
}}
eval_input_reader {{
  label_map_path: "{root}/label_map.pbtxt"
  tf_record_input_reader {{ input_path: "{root}/val.record" }}
}}
"""


def instead_of(name: str, said: str, text: str) -> str:
    """A config's text with another message for the one of that name."""
    start = text.index(f"{name} {{")
    end = text.index("{", start) + 1
    while text[start:end].count("{") > text[start:end].count("}"):
        end += 1
    return text[:start] + said + text[end:]


@dataclass
class ApiFolder:
    """Records of photos with red squares, a label map, and configs for them."""

    root: Path
    said: list[str] = field(default_factory=list)

    @classmethod
    def made(cls, root: Path, train: int = 6, val: int = 3) -> ApiFolder:
        formats.write(Squares(root / "photos").dataset(train, val), root, "tfrecord")
        return cls(root)

    def config(self, override: str = "", name: str = "pipeline.config", text: str = HELMET) -> Path:
        """Write a config for the small network; it starts from scratch unless told otherwise."""
        lines = [line for line in text.splitlines() if "fine_tune_checkpoint:" not in line]
        small = parse_config("\n".join(lines), override=SMALL.format(root=self.root.as_posix()))
        full = parse_config(write(small.tree), override=override)
        path = self.root / name
        path.write_text(write(full.tree), encoding="utf-8", newline="\n")
        return path

    def with_optimizer(self, said: str, override: str = "", name: str = "other.config") -> Path:
        """A config of `config` whose optimiser is another, with a constant rate."""
        path = self.config(override, name)
        rate = "learning_rate { constant_learning_rate { learning_rate: 0.001 } }"
        text = path.read_text(encoding="utf-8")
        other = instead_of("rms_prop_optimizer", f"{said} {{ {rate} }}", text)
        path.write_text(other, encoding="utf-8", newline="\n")
        return path

    def run(self, line: str, say: Callable[[str], None] = lambda line: None) -> list[str]:
        """Run a command, `NAME --flag=value ...`, with `ROOT` for the folder; what it said, which
        `say` is told as it comes."""
        name, *words = line.split()
        command, said = named(name), list[str]()
        words = [word.replace("ROOT", self.root.as_posix()) for word in words]

        def hear(told: str) -> None:
            said.append(told)
            say(told)

        command.run(parse(command.Flags, words).flags, hear)
        self.said += said
        return said
