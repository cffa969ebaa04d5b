"""Devices, processes and storage, as users give them."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from boxwright import ranks
from boxwright.errors import ArgumentError, TrainingError
from boxwright.training.control import Control
from boxwright.training.placement import Placement
from boxwright.training.processes import ALONE, Cluster, Processes
from boxwright.training.resources import Resources, Storage

pytestmark = pytest.mark.tiny


@pytest.mark.parametrize(
    ("devices", "processes", "number", "several"),
    [
        ("1", None, 1, False),
        (2, None, 2, True),
        ("all", None, None, True),
        (1, Processes(1, 2), 1, True),
    ],
)
def test_devices(
    devices: Any,
    processes: Processes | None,
    number: int | None,
    several: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("boxwright.backend.framework.engine", lambda: "jax")
    asked = Resources.of(devices, processes, None, None)
    assert (asked.devices, asked.several) == (number, several)


@pytest.mark.parametrize("devices", ["0", "-1", "1.5", "some", 0])
def test_devices_that_are_none(devices: Any) -> None:
    with pytest.raises(ArgumentError, match=r"BW803.*all, or a number from 1"):
        Resources.of(devices, None, None, None)


@pytest.mark.parametrize("devices", [2, "all"])
def test_tensorflow_trains_on_one_device(devices: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("boxwright.backend.framework.engine", lambda: "tensorflow")
    with pytest.raises(TrainingError, match=r"BW315.*boxwright\[jax\]"):
        Resources.of(devices, None, None, None)


def test_storage() -> None:
    assert Storage.of("there", 1.5) == Storage(Path("there"), 1_500_000_000)
    assert Storage.of(None, None) == Storage()
    with pytest.raises(ArgumentError, match=r"BW802.*-1"):
        Storage.of(None, -1)


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        (("host:7000",), "needs processes and process"),
        (("host:7000", 2), "needs processes and process"),
        (("auto", 2, 0), "leave out processes"),
        (("host", 2, 0), "host and a port"),
        ((":7000", 2, 0), "host and a port"),
        (("host:7000", 2, 2), "counts from 0"),
        (("host:7000", 2, -1), "counts from 0"),
    ],
)
def test_a_cluster_with_something_missing(given: tuple[Any, ...], problem: str) -> None:
    with pytest.raises(ArgumentError, match=f"BW802.*{problem}"):
        Cluster(*given)


@pytest.mark.parametrize("given", [("auto",), ("10.0.0.5:7000", 2, 1), ("[::1]:7000", 1, 0)])
def test_a_cluster(given: tuple[Any, ...]) -> None:
    Cluster(*given)


@pytest.mark.parametrize("length", [0, 1, 56, 57, 5000])
def test_a_message_of_any_length_arrives(length: int) -> None:
    sent: list[Any] = []

    class Connected(Processes):
        def _broadcast(self, values: Any) -> Any:
            if not self.leads:
                assert values.shape == sent[0].shape
                return sent.pop(0)
            sent.append(values)
            return values

    message = bytes(i % 251 for i in range(length))
    assert Connected(0, 2).broadcast(message) == message
    assert Connected(1, 2).broadcast() == message
    assert not sent


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("UNKNOWN: Gloo all-reduce failed: Connection closed by peer\nmore", "BW318"),
        ("UNAVAILABLE: failed to connect to all addresses", "BW318"),
        ("RESOURCE_EXHAUSTED: Out of memory", ""),
        ("a shape is wrong", ""),
    ],
)
def test_a_lost_connection_is_told_from_other_failures(text: str, code: str) -> None:
    for kind in (RuntimeError, ValueError):
        with pytest.raises((TrainingError, kind)) as caught, Processes(0, 2).together():
            raise kind(text)
        assert getattr(caught.value, "code", "") == code
        assert ("more" in str(caught.value)) == ("more" in text and not code)


@pytest.mark.parametrize(("index", "stops"), [(0, True), (1, False)])
def test_ctrl_c_stops_process_0_and_any_when_pressed_again(index: int, stops: bool) -> None:
    names = ("SIGINT", *ranks.PASSED_ON)
    numbers = [getattr(signal, name) for name in names if hasattr(signal, name)]
    before = {number: signal.getsignal(number) for number in numbers}
    try:
        control = Control()
        ranks._stop_by_ctrl_c(control, Processes(index, 2))
        signal.raise_signal(signal.SIGINT)
        assert control.stopped == stops
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def test_a_process_stays_until_all_are_done(monkeypatch: pytest.MonkeyPatch) -> None:
    """JAX gives a process that leaves the others 20 seconds, and process 0 evaluates at the end."""
    done: list[str] = []
    distributed = SimpleNamespace(
        initialize=lambda *_, **__: done.append("connected"),
        shutdown=lambda: done.append("left"),
    )
    fake = SimpleNamespace(
        distributed=distributed, process_index=lambda: 1, process_count=lambda: 2
    )
    monkeypatch.setattr("boxwright.backend.framework.jax", lambda: fake)
    utilities = SimpleNamespace(
        broadcast_one_to_all=lambda values, is_source: done.append("waited") or values
    )
    monkeypatch.setitem(sys.modules, "jax.experimental.multihost_utils", utilities)
    with Cluster("10.0.0.5:7000", 2, 1).joined():
        done.append("trained")
    assert done == ["connected", "waited", "trained", "waited", "left"]


def test_alone_nothing_is_sent() -> None:
    assert ALONE.broadcast(b"a message") == b"a message"
    assert ALONE.leads


@pytest.mark.parametrize(
    ("devices", "processes", "batch_size", "problem"),
    [
        (3, ALONE, 6, "3 devices were asked for, and there are 2"),
        (2, Processes(0, 2), 8, "2 devices were asked for, and a process has 1"),
        (None, Processes(0, 2), 16, r"16 images cannot be .* 3 devices.*batch_size=15\."),
        (2, ALONE, 1, r"1 images cannot be .* 2 devices.*batch_size=2\."),
    ],
)
def test_devices_that_do_not_fit(
    devices: int | None,
    processes: Processes,
    batch_size: int,
    problem: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    there = [SimpleNamespace(process_index=process) for process in (0, 0, 1)]
    fake = SimpleNamespace(devices=lambda: there)
    monkeypatch.setattr("boxwright.backend.framework.jax", lambda: fake)
    with pytest.raises(TrainingError, match=f"BW316.*{problem}"):
        Placement(Resources(devices, processes), batch_size)


@pytest.mark.parametrize(
    ("options", "code"),
    [
        (["--processes", "2"], "BW802"),
        (["--process", "0"], "BW802"),
        (["--coordinator", "host:7000"], "BW802"),
        (["--coordinator", "host:7000", "--processes", "2", "--process", "0"], "BW315"),
        (["--devices", "2"], "BW315"),
        (["--devices", "many"], "BW803"),
    ],
)
def test_the_command_refuses_before_it_reads_anything(
    options: list[str], code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from typer.testing import CliRunner

    from boxwright.cli.main import app

    monkeypatch.setattr("boxwright.backend.framework.engine", lambda: "tensorflow")
    result = CliRunner().invoke(app, ["train", str(tmp_path / "absent"), *options])
    assert result.exit_code == (1 if code == "BW315" else 2)
    assert result.output.startswith(code)


@pytest.mark.parametrize("words", [[], ["train", "--help"]])
def test_neither_import_nor_help_load_jax(words: list[str]) -> None:
    program = (
        "import sys, boxwright\n"
        "from boxwright.cli.main import main\n"
        f"try:\n    {words} and main({words})\nfinally:\n"
        "    print('loaded', [name for name in ('jax', 'keras') if sys.modules.get(name)])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.endswith("loaded []\n")
