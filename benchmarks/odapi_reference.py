"""Compute what the Object Detection API itself gets from configs, for `tests/tfod`.

It needs an environment of its own, with the API:

    pip install tf-models-research-object-detection tensorflow-cpu==2.15.1
    python benchmarks/odapi_reference.py tests/tfod

For each of `CASES` it writes an .npz with the config, images and boxes, and what the API makes of
them: anchors, targets, outputs, losses, small variables and the size of all after a training step,
and detections. Weights are a function of the variable's name
(`tests/named_weights.py`), so that only outputs are stored. `graph` is the object graph of a
checkpoint that the API writes. Of `SLIM`, networks of TensorFlow 1, it stores anchors and outputs;
they need `tf-slim`, and the API's folder `slim` on the path. `api_fields.json` has the fields of
all messages of a pipeline.config, each with the name of its message, if it is one.
"""

from __future__ import annotations

import importlib
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from named_weights import weights

tf: Any = importlib.import_module("tensorflow")

SMALL = 600  # numbers of a variable that is stored whole
HYPERPARAMS = """
conv_hyperparams {
  activation: RELU_6
  regularizer { l2_regularizer { weight: 0.00004 } }
  initializer { random_normal_initializer { stddev: 0.01 mean: 0.0 } }
  batch_norm { scale: true decay: 0.97 epsilon: 0.001 }
}
"""
PYRAMID = """
model { ssd {
  num_classes: 3
  inplace_batchnorm_update: true
  encode_background_as_zeros: true
  image_resizer { fixed_shape_resizer { height: SIDE width: SIDE } }
  feature_extractor {
    type: "TYPE" depth_multiplier: MULTIPLIER min_depth: 8 use_depthwise: DEPTHWISE
    fpn { min_level: 3 max_level: 7 additional_layer_depth: 64 }
    override_base_feature_extractor_hyperparams: OVERRIDE
    HYPERPARAMS
  }
  box_coder { faster_rcnn_box_coder { } }
  matcher { argmax_matcher {
    matched_threshold: 0.5 unmatched_threshold: 0.5 force_match_for_each_row: true
    use_matmul_gather: true
  } }
  similarity_calculator { iou_similarity { } }
  box_predictor { weight_shared_convolutional_box_predictor {
    depth: 32 kernel_size: 3 num_layers_before_predictor: 2 class_prediction_bias_init: -4.6
    use_depthwise: DEPTHWISE share_prediction_tower: SHARED
    HYPERPARAMS
  } }
  anchor_generator { multiscale_anchor_generator {
    min_level: 3 max_level: 7 anchor_scale: 4.0 aspect_ratios: [1.0, 2.0, 0.5]
    scales_per_octave: 2
  } }
  post_processing {
    batch_non_max_suppression {
      score_threshold: 0.00000001 iou_threshold: 0.6 max_detections_per_class: 100
      max_total_detections: 100
    }
    score_converter: SIGMOID
  }
  normalize_loss_by_num_matches: true
  normalize_loc_loss_by_codesize: true
  loss {
    localization_loss { weighted_smooth_l1 { } }
    classification_loss { weighted_sigmoid_focal { alpha: 0.25 gamma: 2.0 } }
  }
} }
"""
SSD = """
model { ssd {
  num_classes: 3
  inplace_batchnorm_update: true
  encode_background_as_zeros: true
  image_resizer { fixed_shape_resizer { height: SIDE width: SIDE } }
  feature_extractor {
    type: "TYPE" depth_multiplier: MULTIPLIER min_depth: 8
    override_base_feature_extractor_hyperparams: OVERRIDE
    HYPERPARAMS
  }
  box_coder { faster_rcnn_box_coder { } }
  matcher { argmax_matcher {
    matched_threshold: 0.5 unmatched_threshold: 0.5 force_match_for_each_row: true
  } }
  similarity_calculator { iou_similarity { } }
  box_predictor { convolutional_box_predictor {
    kernel_size: 1 use_dropout: false class_prediction_bias_init: -4.6
    HYPERPARAMS
  } }
  anchor_generator { ssd_anchor_generator {
    num_layers: 6 min_scale: 0.2 max_scale: 0.95 aspect_ratios: [1.0, 2.0, 0.5, 3.0, 0.3333]
  } }
  post_processing {
    batch_non_max_suppression {
      score_threshold: 0.00000001 iou_threshold: 0.6 max_detections_per_class: 100
      max_total_detections: 100
    }
    score_converter: SIGMOID
  }
  normalize_loss_by_num_matches: true
  normalize_loc_loss_by_codesize: true
  loss {
    localization_loss { weighted_smooth_l1 { delta: 1.0 } }
    classification_loss { weighted_sigmoid_focal { alpha: 0.75 gamma: 2.0 } }
  }
} }
"""
TRAINING = """
train_config {
  batch_size: 2
  optimizer {
    momentum_optimizer {
      learning_rate { constant_learning_rate { learning_rate: 0.01 } }
      momentum_optimizer_value: 0.9
    }
    use_moving_average: false
  }
}
"""
# In Keras, the API multiplies the filters of MobileNet v1 twice, so its multiplier is 1.
WIDE, NARROW = {"MULTIPLIER": "1.0"}, {"MULTIPLIER": "0.35"}
SEPARABLE = {"DEPTHWISE": "true", "SHARED": "true", "OVERRIDE": "true"}
PLAIN = {"DEPTHWISE": "false", "SHARED": "false", "OVERRIDE": "false"}
V1, V2 = "ssd_mobilenet_v1", "ssd_mobilenet_v2"
CASES = {
    "v2_fpnlite": (PYRAMID, {"TYPE": f"{V2}_fpn_keras", "SIDE": "128", **SEPARABLE, **NARROW}),
    "v1_fpnlite": (PYRAMID, {"TYPE": f"{V1}_fpn_keras", "SIDE": "64", **SEPARABLE, **WIDE}),
    "v1_fpn": (PYRAMID, {"TYPE": f"{V1}_fpn_keras", "SIDE": "64", **PLAIN, **WIDE}),
    "v2": (SSD, {"TYPE": f"{V2}_keras", "SIDE": "96", **SEPARABLE, **NARROW}),
    "v1": (SSD, {"TYPE": f"{V1}_keras", "SIDE": "96", **PLAIN, **WIDE}),
}
SLIM_SIDE = 64
OF_SLIM = {"SIDE": str(SLIM_SIDE), **PLAIN, **NARROW}
SLIM = {f"{kind}_fpn_slim": (PYRAMID, {"TYPE": f"ssd_mobilenet_{kind}_fpn", **OF_SLIM})
        for kind in ("v1", "v2")}  # fmt: skip
BOXES = (
    np.array([[0.1, 0.1, 0.6, 0.5], [0.4, 0.5, 0.95, 0.9]], np.float32),
    np.array([[0.3, 0.2, 0.4, 0.35]], np.float32),
)
LABELS = (np.array([0, 2]), np.array([1]))


def config_of(case: str) -> str:
    """The text of a case's config."""
    text, values = (CASES | SLIM)[case]
    for name, value in {"HYPERPARAMS": HYPERPARAMS, **values}.items():
        text = text.replace(name, value)
    return text + TRAINING


def short(variable: Any) -> str:
    """The name of a variable in Keras."""
    return variable.name.removesuffix(":0")


def images_of(side: int) -> Any:
    """Two images with structure at several scales."""
    rng = np.random.default_rng(3)
    colors = rng.integers(0, 256, (2, 8, 8, 3)).astype(np.float32)
    images = tf.image.resize(colors, (side, side), "bilinear").numpy()
    return np.clip(images + rng.normal(0, 20, images.shape), 0, 255).astype(np.uint8)


class Api:
    """The API's network of a case, with weights by the names of its variables."""

    def __init__(self, case: str, *, training: bool) -> None:
        from google.protobuf import text_format
        from object_detection.builders import model_builder
        from object_detection.protos import pipeline_pb2

        config = text_format.Parse(config_of(case), pipeline_pb2.TrainEvalPipelineConfig())
        self.train_config = config.train_config
        self.pixels = images_of(config.model.ssd.image_resizer.fixed_shape_resizer.height)
        tf.keras.backend.clear_session()
        tf.keras.backend.set_learning_phase(training)
        self.model = model_builder.build(config.model, is_training=training)
        self.images, self.shapes = self.model.preprocess(tf.constant(self.pixels, tf.float32))
        self.predicted()  # creates the variables
        for variable in self.model.variables:
            variable.assign(weights(short(variable), tuple(variable.shape)))

    def predicted(self) -> Any:
        return self.model.predict(self.images, self.shapes)


def inference(case: str) -> dict[str, Any]:
    """Anchors, outputs and detections."""
    api = Api(case, training=False)
    outputs = api.predicted()
    detections = api.model.postprocess(outputs, api.shapes)
    names = ("detection_boxes", "detection_scores", "detection_classes", "num_detections")
    return {
        "config": np.array(config_of(case)),
        "images": api.pixels,
        "names": np.array([short(variable) for variable in api.model.variables]),
        "anchors": api.model.anchors.get().numpy(),
        "box_encodings": outputs["box_encodings"].numpy().reshape(2, -1, 4),
        "class_predictions": outputs["class_predictions_with_background"].numpy(),
        **{name: detections[name].numpy() for name in names},
    }


def training(case: str) -> dict[str, Any]:
    """Targets, losses, the variables after a step, and the graph of a checkpoint."""
    from object_detection.builders import optimizer_builder

    api = Api(case, training=True)
    model = api.model
    one_hot = [tf.one_hot(labels, 3) for labels in LABELS]
    model.provide_groundtruth([tf.constant(boxes) for boxes in BOXES], one_hot)
    with tf.GradientTape() as tape:
        losses = model.loss(api.predicted(), api.shapes)
        penalty = tf.add_n(model.regularization_losses())
        total = tf.add_n([*losses.values(), penalty])
    gradients = tape.gradient(total, model.trainable_variables)
    assigned = model._assign_targets(*map(model.groundtruth_lists, ("boxes", "classes")))
    _, class_weights, box_targets, box_weights, match = map(np.asarray, assigned[:5])
    optimizer, _ = optimizer_builder.build(api.train_config.optimizer)
    optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
    small = [each for each in model.variables if np.prod(each.shape) <= SMALL]
    step = tf.Variable(1, dtype=tf.int64)
    saved = tf.train.Checkpoint(step=step, model=model, optimizer=optimizer)
    with tempfile.TemporaryDirectory() as folder:
        reader = tf.train.load_checkpoint(saved.save(f"{folder}/ckpt"))
        graph = reader.get_tensor("_CHECKPOINTABLE_OBJECT_GRAPH")
    of_boxes, of_classes = (
        losses[f"Loss/{name}_loss"] for name in ("localization", "classification")
    )
    return {
        **{f"boxes_{i}": boxes for i, boxes in enumerate(BOXES)},
        **{f"labels_{i}": labels for i, labels in enumerate(LABELS)},
        "class_weights": class_weights[..., 0],
        "box_targets": box_targets,
        "box_weights": box_weights,
        "match": match.astype(np.int8),
        "losses": np.array([of_boxes, of_classes, penalty]),
        "norms_after": np.array([np.linalg.norm(each.numpy()) for each in model.variables]),
        **{f"after/{short(each)}": each.numpy() for each in small},
        "graph": np.frombuffer(graph, np.uint8),
    }


def slim_inference(case: str, pixels: Any) -> dict[str, Any]:
    """Anchors and outputs of a network of TensorFlow 1, as which the process goes on."""
    v1 = tf.compat.v1
    v1.disable_v2_behavior()
    from google.protobuf import text_format
    from object_detection.builders import model_builder
    from object_detection.protos import pipeline_pb2

    config = text_format.Parse(config_of(case), pipeline_pb2.TrainEvalPipelineConfig())
    with v1.Graph().as_default(), v1.Session() as session:
        model = model_builder.build(config.model, is_training=False)
        outputs = model.predict(*model.preprocess(tf.constant(pixels, tf.float32)))
        variables = v1.global_variables()
        session.run(v1.global_variables_initializer())
        for variable in variables:
            variable.load(weights(short(variable), tuple(variable.shape.as_list())), session)
        names = ("box_encodings", "class_predictions_with_background")
        boxes, classes = session.run([outputs[name] for name in names])
        return {
            "config": np.array(config_of(case)),
            "images": pixels,
            "names": np.array([short(variable) for variable in variables]),
            "anchors": session.run(model.anchors.get()),
            "box_encodings": boxes.reshape(2, -1, 4),
            "class_predictions": classes,
        }


def fields() -> dict[str, dict[str, str]]:
    """The fields of each message of a config, with the names of their messages."""
    from object_detection.protos import pipeline_pb2

    found: dict[str, dict[str, str]] = {}
    waiting = [pipeline_pb2.TrainEvalPipelineConfig.DESCRIPTOR]
    while waiting:
        message = waiting.pop()
        if message.name not in found:
            inner = {each.name: each.message_type for each in message.fields}
            waiting += filter(None, inner.values())
            found[message.name] = {name: kind.name if kind else "" for name, kind in inner.items()}
    return found


def main() -> None:
    lines = ",\n".join(f'"{name}": {json.dumps(inner)}' for name, inner in fields().items())
    (Path(sys.argv[1]) / "api_fields.json").write_text(f"{{\n{lines}\n}}\n", encoding="utf-8")
    pixels = images_of(SLIM_SIDE)
    for case in sys.argv[2:] or [*CASES, *SLIM]:
        slim = case in SLIM
        found = slim_inference(case, pixels) if slim else inference(case) | training(case)
        path = Path(sys.argv[1]) / f"odapi_{case}.npz"
        np.savez_compressed(path, **found)
        print(f"{path}: {path.stat().st_size:,} bytes, losses {found.get('losses', '-')}")


if __name__ == "__main__":
    main()
