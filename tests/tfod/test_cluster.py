"""TF_CONFIG and --num_clones."""

from __future__ import annotations

import json
from typing import Any

import pytest

from boxwright.errors import SystemFaultError, TrainingError
from boxwright.tfod.cluster import Task, resources_of
from boxwright.tfod.commands import run_line
from boxwright.training.processes import ALONE, Cluster

pytestmark = pytest.mark.tiny

HOSTS = {"chief": ["a:7000"], "worker": ["b:7000", "c:7000"], "ps": ["d:7000"]}
ESTIMATORS = {"master": ["a:7000"], "worker": ["b:7000", "c:7000"], "evaluator": ["e:7000"]}
WORKERS = {"worker": ["a:7000", "b:7000", "c:7000"]}
COMMANDS = {
    "train": "--train_dir=training",
    "model_main": "--model_dir=training",
    "model_main_tf2": "--model_dir=training",
}


@pytest.fixture
def config(monkeypatch: pytest.MonkeyPatch) -> Any:
    def set_to(cluster: Any, kind: str, index: int = 0) -> None:
        value = {"cluster": cluster, "task": {"type": kind, "index": index}}
        monkeypatch.setenv("TF_CONFIG", json.dumps(value))

    return set_to


@pytest.mark.parametrize(
    ("cluster", "kind", "index", "number"),
    [
        (HOSTS, "chief", 0, 0),
        (HOSTS, "worker", 0, 1),
        (HOSTS, "worker", 1, 2),
        (ESTIMATORS, "master", 0, 0),
        (ESTIMATORS, "worker", 1, 2),
        (WORKERS, "worker", 0, 0),
        (WORKERS, "worker", 2, 2),
    ],
)
def test_hosts_and_ranks(cluster: Any, kind: str, index: int, number: int, config: Any) -> None:
    config(cluster, kind, index)
    assert Task.of_environment() == Task(kind, Cluster("a:7000", 3, number))


@pytest.mark.parametrize("text", [None, "", "{}", '{"cluster": {"chief": ["a:1"]}}'])
def test_without_others_a_training_is_one_process(
    text: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TF_CONFIG", raising=False)
    if text is not None:
        monkeypatch.setenv("TF_CONFIG", text)
    task = Task.of_environment()
    assert task.cluster is None
    with task.connected() as (processes, control):
        assert (processes, control) == (ALONE, None)


@pytest.mark.parametrize("text", ["{", "[]", '{"cluster": [], "task": {"index": "x"}}'])
def test_a_variable_that_cannot_be_read(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TF_CONFIG", text)
    with pytest.raises(SystemFaultError, match=r"BW907.*TF_CONFIG"):
        Task.of_environment()


@pytest.mark.parametrize("command", COMMANDS)
def test_a_parameter_server_ends_with_a_sentence(
    command: str, config: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    config(HOSTS, "ps")
    run_line([command, "--pipeline_config_path=absent.config", COMMANDS[command]])
    assert "parameter server" in capsys.readouterr().out


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("kind", ["chief", "worker"])
def test_on_tensorflow_several_processes_are_an_error(
    command: str, kind: str, config: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("boxwright.backend.framework.engine", lambda: "tensorflow")
    config(HOSTS, kind)
    with pytest.raises(TrainingError, match=r"BW315.*boxwright\[jax\]"):
        run_line([command, "--pipeline_config_path=absent.config", COMMANDS[command]])


@pytest.mark.parametrize("command", COMMANDS)
def test_an_evaluator_evaluates_the_training_folder(
    command: str, config: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from boxwright.tfod import config as configs
    from boxwright.tfod import evaluation

    evaluated = []
    monkeypatch.setattr(configs, "read_config", lambda path, *_: path)
    monkeypatch.setattr(evaluation, "images_of", lambda *_, **__: None)
    monkeypatch.setattr(
        evaluation, "evaluate_folder", lambda *given, **_: evaluated.append(given[2].name)
    )
    config({**HOSTS, "evaluator": ["e:7000"]}, "evaluator")
    run_line([command, "--pipeline_config_path=a.config", COMMANDS[command]])
    assert evaluated == ["training"]


def test_clones_are_devices_of_this_host(monkeypatch: pytest.MonkeyPatch) -> None:
    class Two:
        local_device_count = staticmethod(lambda: 2)

    said: list[str] = []
    monkeypatch.setattr("boxwright.backend.framework.engine", lambda: "jax")
    monkeypatch.setattr("boxwright.backend.framework.jax", Two)
    assert resources_of(ALONE, None, said.append).devices == 1
    assert resources_of(ALONE, 2, said.append).devices == 2
    assert said == []
    assert resources_of(ALONE, 4, said.append).devices == 2
    assert said == ["--num_clones is 4, and this host has 2: training takes those"]


def test_on_tensorflow_clones_are_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("boxwright.backend.framework.engine", lambda: "tensorflow")
    with pytest.raises(TrainingError, match=r"BW315.*boxwright\[jax\]"):
        resources_of(ALONE, 2, print)
