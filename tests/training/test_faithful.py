"""The recipe of a pipeline.config: the same training as the Object Detection API's.

From one checkpoint and one batch: losses, the gradients of all 129 variables, every variable after
a step, and the course of ten steps.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from boxwright.augment.transforms import (
    SSD_CROP,
    Contrast,
    HorizontalFlip,
    Pad,
    Rotate90,
    SelfConcat,
)
from boxwright.backend import framework
from boxwright.inference.detector import Detector
from boxwright.tfod.config import read_config
from boxwright.tfod.mapping.recipe import recipe_of
from boxwright.training.checkpoint import Checkpoint
from boxwright.training.config import LayerGroupValues
from boxwright.training.optimizers import Averaging, Momentum
from boxwright.training.recipe import Recipe

if TYPE_CHECKING:
    from squares import Squares

pytestmark = [pytest.mark.slow, pytest.mark.shared]

CONFIG = Path(__file__).parents[1] / "tfod" / "configs" / "helmet.config"
FAITHFUL = replace(
    recipe_of(read_config(CONFIG).pipeline), batch_size=4, augmentation=(), steps=None
)


@dataclass
class Bench:
    """The network of the golden checkpoint on an engine, and the golden batch.

    The golden numbers are of the helmet detector's config.
    """

    golden: dict[str, Any]
    checkpoint: Any
    recipe: Recipe = FAITHFUL

    def __post_init__(self) -> None:
        from boxwright.models.ssd.detector import SsdModel
        from boxwright.models.ssd.spec import ModelSpec
        from boxwright.training import start
        from boxwright.training.step_tensorflow import Engine

        spec = ModelSpec(1, background=True)
        model = start.built(SsdModel, spec, self.recipe, "float32")
        self.model = model
        self.variables = model.named_variables()
        for name, variable in self.variables.items():
            variable.assign(self.checkpoint.get_tensor(name))
        trained = start.trained_variables(model, self.recipe)
        names = {id(variable): name for name, variable in self.variables.items()}
        self.trained = [names[id(variable)] for variable in trained]
        kernels = start.regularized_kernels(model, self.recipe)
        self.regularized = {names[id(kernel)] for kernel, *_ in kernels}
        self.engine = Engine(
            model,
            trained,
            start.statistics_of(model, self.recipe),
            self.recipe,
            scale=2 / 255,
            offset=-1.0,
            kernels=kernels,
        )
        self.fresh = self.engine.state()

    def step(self, number: int = 0, rate: float | None = None, images: Any = None) -> Any:
        rate = self.recipe.learning_rate.at(number, 0.0) if rate is None else rate
        images = self.golden["images"].astype(np.float32) if images is None else images
        sizes, draws = np.ones((4, 2), np.float32), np.zeros((4, 0), np.float32)
        return self.engine.step(
            images, *truth_of(self.golden), sizes, draws, number=number, learning_rate=rate
        )

    def start_again(self) -> None:
        """Everything as it was before the first step."""
        for name, variable in self.variables.items():
            variable.assign(self.checkpoint.get_tensor(name))
        self.engine.restore(self.fresh)

    def slots(self, name: str) -> dict[str, Any]:
        return dict(zip(self.trained, self.engine.slots()[name], strict=True))


def truth_of(golden: dict[str, Any]) -> tuple[Any, Any]:
    boxes, labels = np.zeros((4, 2, 4), np.float32), np.full((4, 2), -1, np.int32)
    for i in range(4):
        own = golden[f"gt_boxes_{i}"]
        boxes[i, : len(own)], labels[i, : len(own)] = own, 0
    return boxes, labels


@dataclass
class Nearness:
    """How near a step here can come to the golden one.

    Batch norm after batch norm, this random network makes a difference in the last bits of its
    images some ten thousand times larger. On a processor that sums in the order of the one that
    made the golden numbers, nothing differs and everything has to agree to float32's precision
    (`exact`). On others a number may differ by as much as it does where the images change by
    ROUNDING, which is what the sums of a batch norm over 90,000 numbers lose.
    """

    exact: bool
    changed: list[Any]  # images

    def of(self, values: list[Any], strict: float, what: Any = np.abs) -> float:
        """What `values[0]` may differ by, where the others are of the changed images."""
        if self.exact:
            return strict
        return strict + SEVERAL * max(float(what(each - values[0]).max()) for each in values[1:])


ROUNDING, CHANGES, SEVERAL = 1e-5, 3, 4


@pytest.fixture(scope="module")
def given(shared: Path) -> tuple[dict[str, Any], Any]:
    folder = shared / "golden/ckpt_parity_v1_c1"
    checkpoint = framework.tensorflow().train.load_checkpoint(str(folder / "model.ckpt"))
    return dict(np.load(folder / "train_step.npz")), checkpoint


@pytest.fixture(scope="module")
def nearness(given: Any) -> Nearness:
    golden = given[0]
    images = golden["images"].astype(np.float32)
    outputs = Bench(*given).model.network(images * (2 / 255) - 1, training=True)
    apart = np.abs(np.asarray(outputs["class_logits"]) - golden["train_class_logits"][..., 1:])
    random = np.random.default_rng(0)
    changes = (random.uniform(-1, 1, images.shape) * ROUNDING for _ in range(CHANGES))
    return Nearness(apart.max() < 1e-4, [np.float32(images * (1 + each)) for each in changes])


def test_the_losses_of_the_golden_outputs(given: Any) -> None:
    """The same on every processor: no network makes rounding larger."""
    from boxwright.models.ssd.losses import detection_loss
    from boxwright.models.ssd.spec import ModelSpec, anchors
    from boxwright.training.step_tensorflow import suppress

    golden, tf = given[0], framework.tensorflow()
    logits = tf.constant(golden["train_class_logits"])
    outputs = {
        "box_encodings": tf.constant(golden["train_box_encodings"]),
        "background_logits": logits[..., :1],
        "class_logits": logits[..., 1:],
    }
    boxes, labels = (tf.constant(each) for each in truth_of(golden))
    weights = tf.cast(labels >= 0, tf.float32)
    reference = anchors(ModelSpec(1, background=True))
    loss = detection_loss(outputs, boxes, labels, weights, reference, FAITHFUL.objective, suppress)
    assert float(loss.boxes) == pytest.approx(golden["loc_loss"], rel=1e-6)
    assert float(loss.classes) == pytest.approx(golden["cls_loss"], rel=1e-6)


def test_losses_and_all_gradients(given: Any, nearness: Nearness) -> None:
    """After one step at rate 0 the momentum is the gradient."""
    bench = Bench(*given, replace(FAITHFUL, optimizer=Momentum(), averaging=None))
    golden, losses, every = bench.golden, [], []
    for images in (None, *nearness.changed):
        bench.start_again()
        loss = bench.step(rate=0.0, images=images)
        losses.append(np.array([loss.boxes, loss.classes, loss.total]))
        every.append({n: g.astype(np.float64) for n, g in bench.slots("Momentum").items()})
    theirs = np.array([golden[f"{name}_loss"] for name in ("loc", "cls", "total")])
    near = nearness.of(losses, 1e-6 * float(theirs.max()))
    np.testing.assert_allclose(losses[0], theirs, rtol=0, atol=near)
    assert near < 0.01 * theirs.min()
    assert loss.penalty == pytest.approx(golden["reg_loss"], rel=1e-6)
    assert set(every[0]) == set(golden["grad_names"])
    assert len(every[0]) == 129
    for name, norm, total in zip(
        *(golden[key] for key in ("grad_names", "grad_l2", "grad_sum")), strict=True
    ):
        ours = [gradients[name] for gradients in every]
        near = nearness.of(ours, 1e-5 * norm, np.linalg.norm)
        assert np.linalg.norm(ours[0]) == pytest.approx(norm, abs=near + 1e-12), name
        many = ours[0].size ** 0.5
        assert ours[0].sum() == pytest.approx(total, abs=2 * near * many + 1e-12), name
        if f"grad/{name}" in golden:
            wanted = golden[f"grad/{name}"].astype(np.float64)
            near = nearness.of(ours, 5e-5 * float(np.abs(wanted).max()))
            np.testing.assert_allclose(ours[0], wanted, atol=near, err_msg=name)
            lengths = np.linalg.norm(ours[0]) * np.linalg.norm(wanted)
            assert (ours[0] * wanted).sum() >= 0.9 * lengths, name  # nearly the same direction


def test_a_step_and_the_course_of_ten(given: Any, nearness: Nearness) -> None:
    bench = Bench(*given)
    golden, after, courses = bench.golden, [], []
    before = {name: variable.numpy() for name, variable in bench.variables.items()}
    for images in (*nearness.changed, None):  # the course goes on after the golden images
        bench.start_again()
        course = [bench.step(images=images)]
        after.append({name: variable.numpy() for name, variable in bench.variables.items()})
        averages = bench.slots("ExponentialMovingAverage")
        course.append(bench.step(1, images=images))
        courses.append(np.array([[loss.boxes, loss.classes] for loss in course]))
    after.reverse()
    for name in bench.variables:
        if f"after1/{name}" in golden:
            near = nearness.of([each[name] for each in after], 1e-6)
            np.testing.assert_allclose(
                after[0][name], golden[f"after1/{name}"], rtol=1e-6, atol=near, err_msg=name
            )
    for name, average in averages.items():
        expected = before[name] + 1e-4 * (after[0][name] - before[name])
        np.testing.assert_allclose(average, expected, rtol=1e-6, atol=1e-7)
    course += [bench.step(number) for number in range(2, 10)]
    ours = np.array([[loss.boxes, loss.classes, loss.penalty] for loss in course])
    theirs = golden["trajectory_loc_cls_reg"]
    near = nearness.of(courses[::-1], 1e-4)
    np.testing.assert_allclose(ours[:2, :2], theirs[:2, :2], rtol=1e-4, atol=near)
    np.testing.assert_allclose(ours[:, 2], theirs[:, 2], rtol=1e-3)
    # Mining takes other anchors at the slightest difference, and with gradients of this size
    # every step makes it some hundred times larger: two runs of ours, on threads that sum in
    # another order, differ from each other as much from the sixth step on.
    np.testing.assert_allclose(ours[:, 0], theirs[:, 0], atol=0.4)
    np.testing.assert_allclose(ours[:, 1], theirs[:, 1], atol=0.7)
    assert np.abs(ours[:, :2].sum(axis=1) / theirs[:, :2].sum(axis=1) - 1).mean() < 0.03


def test_what_is_regularized(given: Any) -> None:
    bench = Bench(*given)
    scope = "FeatureExtractor/MobilenetV1/"
    theirs = {name.replace(scope + "MobilenetV1/", scope) for name in
              bench.golden["regularized_variable_names"]}  # fmt: skip
    assert bench.regularized == {name.replace("/kernel", "/weights") for name in theirs}


def thin(recipe: Recipe) -> Any:
    from boxwright.models.ssd.detector import SsdModel
    from boxwright.models.ssd.spec import ModelSpec
    from boxwright.training import start

    return start.built(SsdModel, ModelSpec(1, 0.1, 64, background=True), recipe, "float32")


@pytest.mark.parametrize(
    ("names", "left"),
    [
        pytest.param({}, 129, id="everything"),
        pytest.param({"frozen_names": ("FeatureExtractor",)}, 24, id="no feature extractor"),
        pytest.param({"frozen_names": ("BatchNorm", "Box.*biases")}, 47, id="only kernels"),
        pytest.param({"trained_names": ("ClassPredictor",)}, 12, id="only the class head"),
        pytest.param(
            {"trained_names": ("Predictor",), "frozen_names": ("^BoxPredictor_0/", "biases$")},
            10,
            id="both",
        ),
    ],
)
def test_trained_and_frozen_by_name(names: dict[str, Any], left: int) -> None:
    from boxwright.training import start

    recipe = replace(FAITHFUL, **names)
    assert len(start.trained_variables(thin(recipe), recipe)) == left


def test_parts_of_the_network() -> None:
    from boxwright.training import start

    recipe = replace(
        FAITHFUL, l2=LayerGroupValues(1.0, 2.0, 3.0), norm_decay=LayerGroupValues(0.1, 0.2)
    )
    model = thin(recipe)
    weights = [weight for _, weight, _ in start.regularized_kernels(model, recipe)]
    assert {weight: weights.count(weight) for weight in weights} == {1.0: 27, 2.0: 8, 3.0: 12}
    decays = [layer.decay for layer in model.network.layers if hasattr(layer, "decay")]
    assert (decays.count(0.1), decays.count(0.2)) == (27, 8)


def test_a_frozen_batch_norm_whose_scale_trains_and_clipped_gradients(
    op_by_op: None, given: Any
) -> None:
    """`freeze_batchnorm`: statistics stay, gamma and beta do not; `gradient_clipping_by_norm`."""
    recipe = replace(
        FAITHFUL, train_norm=False, absorb_scale=False, optimizer=Momentum(), clip_norm=0.5
    )
    bench = Bench(*given, recipe)
    before = {name: variable.numpy() for name, variable in bench.variables.items()}
    bench.step()
    changed = {n for n, v in bench.variables.items() if (v.numpy() != before[n]).any()}
    assert changed >= {name for name in bench.trained if name.endswith("gamma")}
    assert not {name for name in changed if "moving_" in name}
    squares = [(gradient**2).sum() for gradient in bench.engine.slots()["Momentum"]]
    assert sum(squares) ** 0.5 == pytest.approx(0.5, rel=1e-4)


def test_a_run_of_such_a_recipe_trains_and_goes_on(
    op_by_op: None, squares: Squares, small_trainer: Any, tmp_path: Path
) -> None:
    """The one trainer: cache, augmentation, engine, checkpoints and evaluation."""
    recipe = replace(
        FAITHFUL,
        input_size=64,
        depth_multiplier=0.1,
        batch_size=8,
        cache_side=80,
        steps=12,
        averaging=Averaging(0.5, warm_up=False, statistics=False),
        augmentation=(
            HorizontalFlip(),
            Rotate90(),
            SSD_CROP,
            Pad(max_pixels=(20.0, 20.0)),
            SelfConcat(),
            Contrast(),
        ),
    )
    dataset = squares.dataset(train=12, val=2)
    stopped, _ = small_trainer(dataset, tmp_path / "run", recipe=recipe, interrupt_at=5)
    assert stopped.run.artifact.model["background"]
    kept = Checkpoint.load(stopped.run.checkpoint)
    assert Recipe.from_json(kept.recipe) == recipe
    assert {"average/0", "RMSProp/0", "RMSProp_1/0"} <= kept.arrays.keys()
    resumed, listener = small_trainer(dataset, tmp_path / "run", resume=True)
    assert [report.step for report in listener.reports] == [*range(6, 13)]
    assert Checkpoint.load(resumed.run.checkpoint).step == 12
    assert len(Detector.load(stopped.run.folder).predict(dataset.image(0), threshold=0))
