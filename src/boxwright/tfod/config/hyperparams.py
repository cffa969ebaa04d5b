"""`conv_hyperparams { ... }`: regularizer, initializer, activation and batch norm."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from boxwright.tfod.config.schema import (
    ConfigMessage,
    Fraction,
    Instead,
    Positive,
    one_of,
    only,
    refused,
    supported,
    unused,
)

TF2 = "it belongs to the API's TensorFlow 2 models"
Activation = Literal["NONE", "RELU", "RELU_6", "SWISH"]


@dataclass(frozen=True, kw_only=True)
class L1Regularizer(ConfigMessage):
    weight: Positive = 1.0


@dataclass(frozen=True, kw_only=True)
class L2Regularizer(ConfigMessage):
    """Adds weight * sum(kernel^2) / 2 of each kernel to the loss."""

    weight: Positive = 1.0


@dataclass(frozen=True, kw_only=True)
class TruncatedNormalInitializer(ConfigMessage):
    mean: float = 0.0
    stddev: Positive = 1.0


@dataclass(frozen=True, kw_only=True)
class RandomNormalInitializer(ConfigMessage):
    mean: float = 0.0
    stddev: Positive = 1.0


@dataclass(frozen=True, kw_only=True)
class VarianceScalingInitializer(ConfigMessage):
    factor: Positive = 2.0
    uniform: bool = False
    mode: Literal["FAN_IN", "FAN_OUT", "FAN_AVG"] = "FAN_IN"


@dataclass(frozen=True, kw_only=True)
class BatchNorm(ConfigMessage):
    decay: Fraction = 0.999
    center: bool = True
    scale: bool = False
    epsilon: Positive = 0.001
    train: bool = only(True, because="freeze_batchnorm of model.ssd freezes all of them")


Regularizer = L1Regularizer | L2Regularizer
Initializer = TruncatedNormalInitializer | RandomNormalInitializer | VarianceScalingInitializer


@dataclass(frozen=True, kw_only=True)
class Hyperparams(ConfigMessage):
    """Hyperparameters of convolutions. Without a batch norm they have a bias instead."""

    op: Literal["CONV", "FC"] = only("CONV", because="a detector's layers are convolutions")
    regularizer: Regularizer | None = one_of(
        default=None, l1_regularizer=L1Regularizer, l2_regularizer=L2Regularizer
    )
    initializer: Initializer | None = one_of(
        default=None,
        truncated_normal_initializer=TruncatedNormalInitializer,
        random_normal_initializer=RandomNormalInitializer,
        variance_scaling_initializer=VarianceScalingInitializer,
        keras_initializer_by_name=Instead(
            "only initializers with parameters are supported", "variance_scaling_initializer { }"
        ),
    )
    activation: Activation = supported("NONE", "RELU", "RELU_6", default="RELU", because=TF2)
    batch_norm: BatchNorm | None = None
    sync_batch_norm: BatchNorm | None = None
    group_norm: None = refused("the networks use batch norm")
    regularize_depthwise: bool = unused(False, "the TensorFlow 1 models ignore it")
    force_use_bias: bool = only(False, because=TF2)

    @property
    def norm(self) -> BatchNorm | None:
        """The batch norm. Its statistics are always those of the batch of all devices."""
        return self.batch_norm or self.sync_batch_norm
