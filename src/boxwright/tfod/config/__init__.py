"""pipeline.config: typed messages, unsupported fields, checks, and samples."""

from __future__ import annotations

from boxwright.tfod.config.checks import Checked, check_all, checked
from boxwright.tfod.config.fixes import corrected
from boxwright.tfod.config.overriding import overrides
from boxwright.tfod.config.reading import (
    Config,
    Problem,
    examined,
    parse_config,
    read_config,
    report,
    text_of,
)
from boxwright.tfod.config.samples import SAMPLES, sample_config
from boxwright.tfod.config.writing import config_text

__all__ = [
    "SAMPLES",
    "Checked",
    "Config",
    "Problem",
    "check_all",
    "checked",
    "config_text",
    "corrected",
    "examined",
    "overrides",
    "parse_config",
    "read_config",
    "report",
    "sample_config",
    "text_of",
]
