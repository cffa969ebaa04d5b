"""Time training on JAX with one device, two devices of a process, and two processes.

    python benchmarks/devices.py ../shared/data/raccoon --steps 30

All share the cores of this machine, so that the difference is what dividing a batch costs.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

TWO = "--xla_force_host_platform_device_count=2"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--steps", type=int, default=30)
    parser.add_argument("--options", default="", help="further options of `boxwright train`")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for name, commands in ways().items():
            out = Path(folder) / name.replace(" ", "-")
            began = time.monotonic()
            children = [
                subprocess.Popen(
                    [
                        *(sys.executable, "-m", "boxwright", "train", given.data, "--out", out),
                        *("--steps", str(given.steps), "--no-report", *given.options.split()),
                        *options,
                    ],
                    env={**os.environ, "KERAS_BACKEND": "jax", "XLA_FLAGS": flags},
                    stderr=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                )
                for options, flags in commands
            ]
            codes = [child.wait() for child in children]
            seconds = time.monotonic() - began
            print(f"{name:<16} {codes} {seconds:5.0f} s, {per_second(out):.2f} steps/s", flush=True)


def ways() -> dict[str, list[tuple[list[str], str]]]:
    """Options and flags of XLA of each process."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    members = ["--coordinator", address, "--processes", "2", "--process"]
    return {
        "one device": [([], "")],
        "two devices": [(["--devices", "2"], TWO)],
        "two processes": [([*members, str(index)], "") for index in range(2)],
    }


def per_second(run: Path) -> float:
    lines = [json.loads(line) for line in (run / "log.jsonl").read_text("utf-8").splitlines()]
    return median(line["global_step/sec"] for line in lines[1:] if "global_step/sec" in line)


if __name__ == "__main__":
    main()
