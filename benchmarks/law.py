"""Check the law of reading on many drawn data folders, 10,000 by default.

    python benchmarks/law.py [--examples 10000] [--format voc ...] [--seed 0]

A drawn folder has images of one name, deleted and renamed images, and annotations with paths of
other computers (`tests/worlds.py`). A box must be on its own image or its annotation named in a
finding, and an image may count as background only if no label can be its own. Prints the folders
per format and the first that breaks the law.
"""

from __future__ import annotations

import argparse
import runpy
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, given, seed, settings

TESTS = Path(__file__).parents[1] / "tests"


def _checked(worlds: Any, check: Callable[[Any], None], examples: int, number: int) -> None:
    """Check as many drawn worlds; raises the error of the smallest that fails."""

    @seed(number)
    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    @given(world=worlds)
    def run(world: Any) -> None:
        check(world)

    run()


def main() -> None:
    sys.path.insert(0, str(TESTS))
    law = runpy.run_path(str(TESTS / "formats" / "test_law.py"))
    writers = law["WRITERS"]
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--examples", type=int, default=10_000, help="in all formats together")
    parser.add_argument("--format", nargs="+", choices=writers, default=list(writers))
    parser.add_argument("--seed", type=int, default=0)
    given_ = parser.parse_args()
    each = -(-given_.examples // len(given_.format))
    for form in given_.format:
        start = time.monotonic()
        _checked(law["worlds"](form), law["check_world"], each, given_.seed)
        print(f"{form}: {each} folders, no box elsewhere, {time.monotonic() - start:.0f} s")


if __name__ == "__main__":
    main()
