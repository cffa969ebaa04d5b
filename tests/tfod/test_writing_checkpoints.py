"""Checkpoints as training writes them: the API's to the last name and bit, and back."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from boxwright.backend import framework
from boxwright.errors import SystemFaultError, WeightsError

SLOTS = ("RMSProp", "RMSProp_1", "ExponentialMovingAverage")


@pytest.fixture(scope="module")
def network(small_network: None) -> Iterator[Any]:
    """Two classes, a background column, and weights of its own."""
    framework.keras()
    from boxwright.models.ssd.network import build
    from boxwright.models.ssd.spec import ModelSpec

    model = build(ModelSpec(2, 0.25, 64, background=True))
    rng = np.random.default_rng(5)
    for variable in model.weights:
        variable.assign(rng.normal(size=variable.shape))
    return model


@pytest.fixture(scope="module")
def slots(network: Any) -> dict[str, Any]:
    """What RMSProp and the averaging keep beside each variable that trains."""
    from boxwright.models.weights.variables import variables_by_name

    rng = np.random.default_rng(6)
    return {
        f"{name}/{slot}": rng.normal(size=variable.shape).astype(np.float32)
        for name, variable in variables_by_name(network).items()
        if variable.trainable
        for slot in SLOTS
    }


def values_of(model: Any) -> dict[str, Any]:
    from boxwright.models.weights.variables import variables_by_name

    return {name: variable.numpy() for name, variable in variables_by_name(model).items()}


def same(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert one.keys() == other.keys()
    for name, value in one.items():
        assert value.dtype == other[name].dtype, name
        np.testing.assert_array_equal(value, other[name], err_msg=name)


def test_there_and_back(network: Any, slots: dict[str, Any], tmp_path: Path) -> None:
    from boxwright.models.weights.checkpoint import read_variables
    from boxwright.tfod.checkpoint import resume, save

    folder = tmp_path / "Übung mit Helm"
    prefix = save(folder, network, 1200, slots)
    before = values_of(network)
    everything = {**before, **slots, "global_step": np.array(1200, np.int64)}
    same(read_variables(prefix), everything)

    for variable in network.weights:
        variable.assign(variable * 0)
    step, read = resume(network, folder)
    assert step == 1200
    same(values_of(network), before)
    same(read, slots)


def test_files_are_the_originals(network: Any, tmp_path: Path) -> None:
    from boxwright.tfod.checkpoint import save

    save(tmp_path, network, 7)
    save(tmp_path, network, 7)  # again
    ends = {".index", ".meta", ".data-00000-of-00001"}
    assert {path.name for path in tmp_path.iterdir()} == {
        "checkpoint",
        *(f"model.ckpt-7{end}" for end in ends),
    }
    tf = framework.tensorflow()
    assert Path(tf.train.latest_checkpoint(str(tmp_path))) == tmp_path / "model.ckpt-7"
    assert tf.compat.v1.train.checkpoint_exists(str(tmp_path / "model.ckpt-7"))


def test_tensorflow_1_goes_on_from_the_meta_graph(
    network: Any, slots: dict[str, Any], tmp_path: Path
) -> None:
    from boxwright.tfod.checkpoint import resume, save

    own = values_of(network)
    prefix = str(save(tmp_path, network, 33, slots))
    tf = framework.tensorflow()
    v1 = tf.compat.v1
    with tf.Graph().as_default(), v1.Session() as session:
        saver = v1.train.import_meta_graph(f"{prefix}.meta")
        saver.restore(session, prefix)
        restored = session.run({each.op.name: each for each in v1.global_variables()})
        assert session.run(v1.train.get_global_step()) == 33
        assert {each.op.name for each in v1.trainable_variables()} == {
            name for name in own if "moving" not in name
        }
        further = saver.save(session, str(tmp_path / "model.ckpt"), global_step=34)
    same(restored, {**own, **slots, "global_step": np.array(33, np.int64)})
    assert further == str(tmp_path / "model.ckpt-34")
    assert resume(network, tmp_path).step == 33  # the variable's; the latest file is theirs
    save(tmp_path, network, 35)
    state = tf.train.get_checkpoint_state(str(tmp_path))
    later = [str(tmp_path / f"model.ckpt-{step}") for step in (34, 35)]
    assert list(state.all_model_checkpoint_paths) == later


def test_the_last_five_stay_and_what_is_not_ours(network: Any, tmp_path: Path) -> None:
    from boxwright.models.weights.checkpoint import listed
    from boxwright.tfod.checkpoint import save

    save(tmp_path, network, 0)
    for end in (".index", ".data-00000-of-00001"):
        (tmp_path / f"model.ckpt-0{end}").rename(tmp_path / f"model.ckpt{end}")
    state = 'model_checkpoint_path: "model.ckpt"\nall_model_checkpoint_paths: "model.ckpt"\n'
    (tmp_path / "checkpoint").write_text(state, encoding="utf-8")
    for step in range(1, 8):
        save(tmp_path, network, step)
    assert listed(tmp_path) == [f"model.ckpt-{step}" for step in range(3, 8)]
    indices = {path.stem for path in tmp_path.glob("*.index")}
    assert indices == {"model.ckpt", *listed(tmp_path)}
    assert len(list(tmp_path.glob("*.data-*"))) == 6


def test_a_full_disk_leaves_the_earlier_ones(
    network: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from boxwright.models.weights.checkpoint import find_prefix
    from boxwright.tfod import checkpoint

    checkpoint.save(tmp_path, network, 1)

    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, "no space left on device")

    monkeypatch.setattr(checkpoint, "_save_values", full)
    with pytest.raises(SystemFaultError, match="BW902"):
        checkpoint.save(tmp_path, network, 2)
    assert find_prefix(tmp_path) == tmp_path / "model.ckpt-1"
    assert not list(tmp_path.glob("*-2*"))


def test_a_checkpoint_of_another_network_is_not_gone_on_from(network: Any, tmp_path: Path) -> None:
    from boxwright.models.ssd.network import build
    from boxwright.models.ssd.spec import ModelSpec
    from boxwright.tfod.checkpoint import resume, save

    save(tmp_path, network, 1)
    before = values_of(network)
    other = build(ModelSpec(5, 0.25, 64, background=True))
    wanted = (
        r"BW206 .*model.ckpt-1: has BoxPredictor_0/ClassPredictor/weights with shape .*, 9\), but "
    )
    with pytest.raises(WeightsError, match=wanted):
        resume(other, tmp_path)
    same(values_of(network), before)
