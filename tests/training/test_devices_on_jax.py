"""JAX: a batch that several devices and processes share is trained on as on one device."""

from __future__ import annotations

import importlib.util
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from boxwright.api import write
from boxwright.training.checkpoint import Checkpoint
from boxwright.training.processes import Processes
from squares import Squares

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        importlib.util.find_spec("jax") is None, reason="jax is not installed: boxwright[jax]"
    ),
]
PROGRAM = Path(__file__).with_name("devices_on_jax.py")
QUICK = (  # to compile
    "--xla_backend_optimization_level=0",
    "--xla_llvm_disable_expensive_passes=true",
    "--xla_cpu_use_fusion_emitters=false",
)
TWO = "--xla_force_host_platform_device_count=2"
PATIENCE = 60  # seconds in which all processes end after one was killed

Arrays = dict[str, NDArray[Any]]
Child = subprocess.Popen[str]


def begin(*arguments: str | Path, flags: tuple[str, ...] = QUICK) -> Child:
    return subprocess.Popen(
        [sys.executable, PROGRAM, *map(str, arguments)],
        env={**os.environ, "XLA_FLAGS": " ".join(flags), "KERAS_BACKEND": "jax"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,  # a terminal of its own, as far as Ctrl-C is concerned
    )


def free_address() -> str:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{free.getsockname()[1]}"


def ended(child: Child, code: int = 0, seconds: float = 500) -> str:
    said, _ = child.communicate(timeout=seconds)
    assert child.returncode == code, said
    assert "Traceback" not in said
    return said


@dataclass
class Runs:
    """What all programs have written and said.

    Attributes:
        out: the folder in which they have written.
        said: of each of two processes.
        seconds: from the end of the one that was killed to the end of the other.
        stopped: what each of two processes said of which the first got Ctrl-C.
    """

    out: Path
    said: list[str]
    seconds: float
    stopped: list[str]

    def arrays(self, name: str, step: int) -> Arrays:
        return dict(np.load(self.out / f"{name}-{step}.npz"))


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Runs:
    root = tmp_path_factory.mktemp("devices")
    data, out = root / "data", root / "out"
    write(Squares(root / "squares").dataset(train=14, val=3), data, "voc")
    out.mkdir()
    with ExitStack() as stack:

        def begun(*arguments: str | Path, flags: tuple[str, ...] = QUICK) -> Child:
            child = stack.enter_context(begin(*arguments, flags=flags))
            stack.callback(child.kill)
            return child

        address = free_address()
        children = [begun(data, out, address, str(index)) for index in range(2)]
        local = begun(data, out, "local", flags=(*QUICK, TWO))
        first = ended(children[0], code=1)
        began = time.monotonic()
        said = [first, ended(children[1], code=1)]
        seconds = time.monotonic() - began
        assert "signal 9" in first, said
        resumed = begun(data, out, "resume")
        address = free_address()
        stopping = [begun(data, out, address, str(index), "stop") for index in range(2)]
        ended(resumed)
        ended(local)
        while not (out / "stepping").exists():
            assert stopping[0].poll() is None, stopping[0].communicate()
            time.sleep(0.05)
        os.killpg(stopping[0].pid, signal.SIGINT)
        stopped = [ended(child, 130, seconds=PATIENCE) for child in stopping]
    return Runs(out, said, seconds, stopped)


def apart(one: NDArray[Any], other: NDArray[Any]) -> float:
    return float(np.linalg.norm(other - one))


@pytest.mark.parametrize("name", ["two", "processes"])
def test_the_first_step_is_that_of_one_device(name: str, runs: Runs) -> None:
    """Every weight, statistic of batch norm, slot and average."""
    one, other = runs.arrays("one", 1), runs.arrays(name, 1)
    assert one.keys() == other.keys()
    for key, value in one.items():
        assert apart(value, other[key]) <= 1e-5 * np.linalg.norm(value), key


@pytest.mark.parametrize("kind", ["kernel", "moving_mean", "moving_variance", "average"])
@pytest.mark.parametrize(
    ("name", "step"),
    [("two", 50), ("processes", 50), ("processes", 60)],
    ids=["two devices", "two processes", "resumed by one process"],
)
def test_later_they_differ_as_by_the_order_of_rows_in_a_batch(
    name: str, step: int, kind: str, runs: Runs
) -> None:
    one, other, permuted = (runs.arrays(each, step) for each in ("one", name, "permuted"))
    of_kind = [key for key in one if kind in key]
    rounding, difference = (
        np.linalg.norm([apart(one[key], each[key]) for key in of_kind])
        for each in (permuted, other)
    )
    assert 0 < difference <= 3 * rounding


def test_a_process_reads_its_rows_of_a_batch_only(runs: Runs) -> None:
    read = [(runs.out / f"rows-{index}").read_text("utf-8") for index in range(2)]
    assert read == ["[10, 11]", "[12, 13]"]


def test_if_one_is_killed_all_end_with_a_code(runs: Runs) -> None:
    assert runs.seconds < PATIENCE
    assert "signal 9" in runs.said[0]
    for said in runs.said:
        assert "BW318" in said
        assert "--resume" in said


def test_ctrl_c_at_process_0_ends_all_with_a_checkpoint_and_the_code_of_one(runs: Runs) -> None:
    first, second = runs.stopped
    assert "Stopped. To continue: boxwright train" in first
    assert "The training was stopped after step" in second
    with (runs.out / "stopped" / "checkpoint.npz").open("rb") as file:
        step = Checkpoint.read(file).step
    assert f"after step {step}." in second


FOUND = """if True:
    import os
    from boxwright.errors import TrainingError
    from boxwright.training.processes import Cluster
    try:
        with Cluster("auto").joined():
            pass
    except TrainingError as error:
        print(error.code)
    os.environ.update(
        SLURM_JOB_ID="7", SLURM_STEP_NODELIST="localhost", SLURM_NTASKS="1", SLURM_PROCID="0",
        SLURM_LOCALID="0", JAX_COORDINATOR_PORT={port!r},
    )
    with Cluster("auto").joined() as processes:
        print(processes)
"""


def test_jax_finds_the_processes_that_slurm_has_started() -> None:
    known = ("SLURM", "OMPI", "PMIX", "KUBERNETES", "JAX_")
    outside = {name: value for name, value in os.environ.items() if not name.startswith(known)}
    program = FOUND.format(port=free_address().rpartition(":")[2])
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**outside, "JAX_PLATFORMS": "cpu"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.splitlines() == ["BW319", str(Processes(0, 1))], done.stderr
