"""Convert a pipeline.config to a recipe."""

from __future__ import annotations

from boxwright.models.ssd.objective import Focal, Matching, Mining, Objective, Ranking
from boxwright.tfod.config import pipeline as config
from boxwright.tfod.config.hyperparams import L1Regularizer
from boxwright.tfod.config.model import ArgMaxMatcher, HardExampleMiner, Ssd, WeightedSigmoidFocal
from boxwright.tfod.config.pipeline import Pipeline
from boxwright.tfod.mapping.network import norm_decays_of, penalties_of
from boxwright.tfod.mapping.pyramid import has_pyramid
from boxwright.tfod.mapping.transforms import transforms_of
from boxwright.training.config import LayerGroupValues, Quantization
from boxwright.training.learning_rates import (
    Constant,
    CosineDecay,
    ExponentialDecay,
    LearningRate,
    ManualSteps,
)
from boxwright.training.optimizers import Adam, Averaging, Momentum, Optimizer, RmsProp
from boxwright.training.recipe import CACHE_MARGIN, Recipe

FOREVER = 2**31 - 1  # steps
RANKINGS: dict[str, Ranking] = {
    "CLASSIFICATION": "classes",
    "LOCALIZATION": "boxes",
    "BOTH": "both",
}


def recipe_of(pipeline: Pipeline, steps: int | None = None) -> Recipe:
    """Return the recipe that trains as the config describes.

    Args:
        pipeline: messages of a checked config.
        steps: number of steps; None takes the config's `num_steps`, where 0 means endless.
    """
    train, ssd = pipeline.train_config, pipeline.model
    side = ssd.image_resizer.height
    bits = pipeline.graph_rewriter.quantization
    return Recipe(
        side,
        depth_multiplier=ssd.feature_extractor.depth_multiplier,
        batch_size=train.batch_size,
        objective=_objective(ssd),
        l2=penalties_of(pipeline) if train.add_regularization_loss else LayerGroupValues(),
        l1=penalties_of(pipeline, L1Regularizer)
        if train.add_regularization_loss
        else LayerGroupValues(),
        optimizer=_optimizer(train.optimizer, keras=ssd.feature_extractor.is_keras),
        learning_rate=_learning_rate(train.optimizer.algorithm.learning_rate),
        clip_norm=train.gradient_clipping_by_norm or None,
        bias_gradients=train.bias_grad_multiplier or 1.0,
        averaging=_averaging(pipeline),
        frozen_through=-1,
        trained_names=train.update_trainable_variables,
        frozen_names=train.freeze_variables,
        train_depthwise=True,
        train_norm=not ssd.freeze_batchnorm,
        absorb_scale=False,
        norm_decay=norm_decays_of(pipeline),
        class_head_init=False,
        augmentation=transforms_of(train.data_augmentation_options),
        cache_side=round(side * CACHE_MARGIN),
        shuffle=pipeline.train_input_reader.shuffle,
        held_out=0.0,
        steps=steps or train.num_steps or FOREVER,
        quantization=Quantization(bits.delay, bits.weight_bits, bits.activation_bits)
        if bits
        else None,
        model="ssd_fpn" if has_pyramid(pipeline) else "ssd",
    )


def _objective(ssd: Ssd) -> Objective:
    loss, classes = ssd.loss, ssd.loss.classification_loss
    return Objective(
        classification_loss=Focal(classes.alpha, classes.gamma)
        if isinstance(classes, WeightedSigmoidFocal)
        else None,
        background=0.0 if ssd.encode_background_as_zeros else 1.0,
        huber_delta=loss.localization_loss.delta,
        matching=_matching(ssd.matcher),
        mining=_mining(loss.hard_example_miner) if loss.hard_example_miner else None,
        class_weight=loss.classification_weight,
        box_weight=loss.localization_weight,
        normalize_by_num_matches=ssd.normalize_loss_by_num_matches,
        normalize_by_code_size=ssd.normalize_loc_loss_by_codesize,
    )


def _matching(matcher: ArgMaxMatcher) -> Matching:
    """Convert the matcher. Without thresholds each anchor matches the box with the largest IoU."""
    positive_iou, negative_iou = matcher.matched_threshold, matcher.unmatched_threshold
    if matcher.ignore_thresholds:
        positive_iou = negative_iou = 0.0
    return Matching(
        positive_iou,
        negative_iou,
        ignore_between=matcher.negatives_lower_than_unmatched,
        force_match=matcher.force_match_for_each_row,
    )


def _mining(miner: HardExampleMiner) -> Mining:
    """Convert the miner. In the config, 0 means no limit."""
    return Mining(
        RANKINGS[miner.loss_type],
        miner.num_hard_examples or None,
        miner.iou_threshold,
        miner.max_negatives_per_positive or None,
        miner.min_negatives_per_image,
    )


def _optimizer(optimizer: config.Optimizer, *, keras: bool) -> Optimizer:
    match optimizer.algorithm:
        case config.RmsProp() as own:
            return RmsProp(own.decay, own.momentum_optimizer_value, own.epsilon)
        case config.Momentum() as own:
            return Momentum(own.momentum_optimizer_value, accumulates_steps=keras)
        case config.Adam() as own:
            return Adam(beta_2=0.999, epsilon=own.epsilon)


def _averaging(pipeline: Pipeline) -> Averaging | None:
    """Convert the moving average. It is validated and kept if the evaluation uses it."""
    optimizer = pipeline.train_config.optimizer
    if not optimizer.use_moving_average:
        return None
    return Averaging(
        optimizer.moving_average_decay,
        warm_up=False,
        statistics=False,
        kept=pipeline.eval_config.use_moving_averages,
    )


def _learning_rate(rate: config.LearningRate) -> LearningRate:
    match rate:
        case config.ConstantLearningRate():
            return Constant(rate.learning_rate)
        case config.ExponentialDecay():
            return ExponentialDecay(
                rate.initial_learning_rate,
                rate.decay_steps,
                rate.decay_factor,
                rate.staircase,
                rate.burnin_learning_rate,
                rate.burnin_steps,
                rate.min_learning_rate,
            )
        case config.ManualSteps():
            return ManualSteps(
                tuple(each.step for each in rate.schedule),
                (rate.initial_learning_rate, *(each.learning_rate for each in rate.schedule)),
                rate.warmup,
            )
        case config.CosineDecay():
            return CosineDecay(
                rate.learning_rate_base,
                rate.total_steps,
                rate.warmup_learning_rate,
                rate.warmup_steps,
                rate.hold_base_rate_steps,
            )
