"""pipeline.config: typed messages, unsupported fields, checks, and samples."""

from __future__ import annotations

from boxwright.tfod.config.checks import Checked, checked
from boxwright.tfod.config.overriding import overrides
from boxwright.tfod.config.reading import Config, parse_config, read_config, report
from boxwright.tfod.config.samples import SAMPLES, sample_config
from boxwright.tfod.config.writing import config_text

__all__ = [
    "SAMPLES",
    "Checked",
    "Config",
    "checked",
    "config_text",
    "overrides",
    "parse_config",
    "read_config",
    "report",
    "sample_config",
]
