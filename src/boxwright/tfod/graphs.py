"""Frozen graphs for TensorFlow 1 and toco, like those of the Object Detection API."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from boxwright.backend import framework
from boxwright.export import api_graph, graph
from boxwright.export.fake_quant import Ranges
from boxwright.export.frozen import OUTPUTS, frozen_graph
from boxwright.images.preprocessing import Preprocessing
from boxwright.inference import litert
from boxwright.ops.box_coder import centered
from boxwright.ops.postprocess import NmsConfig

if TYPE_CHECKING:
    from boxwright.models.ssd.detector import SsdModel
    from boxwright.models.ssd.spec import ModelSpec

InputType = Literal[
    "image_tensor", "float_image_tensor", "encoded_image_string_tensor", "tf_example"
]
PIXELS = {"image_tensor": "uint8", "float_image_tensor": "float32"}
TFLITE_INPUT = "normalized_input_image_tensor"
RAW_OUTPUTS = ("raw_outputs/box_encodings", "raw_outputs/class_predictions")
ANCHORS = "anchors"


@dataclass(frozen=True)
class PostProcess:
    """Options of the node `TFLite_Detection_PostProcess` beyond those in `NmsConfig`."""

    max_detections: int = 10
    max_classes_per_detection: int = 1
    detections_per_class: int = 100
    use_regular_nms: bool = False


def inference_graph(
    model: SsdModel,
    preprocessing: Preprocessing,
    nms_config: NmsConfig,
    input_type: InputType = "image_tensor",
    shape: tuple[int | None, ...] = (None, None, None, 3),
    ranges: Mapping[str, Ranges] | None = None,
) -> Any:
    """Build a GraphDef from images to detections, with frozen weights.

    Input: `image_tensor` `(B, H, W, 3)` uint8, or `float_image_tensor` float32, RGB, of any size;
    or `(B,)` strings, each a JPEG or PNG file of its own size, or a tf.Example with one in
    `image/encoded`. Images are resized bilinearly without half-pixel centers, as in TensorFlow 1.
    Outputs, float32, best first and padded with zeros to N = `max_total` rows: `detection_boxes`
    `(B, N, 4)` normalized yxyx within [0, 1]; `detection_scores` and `detection_classes`, 1-based,
    `(B, N)`; `num_detections` `(B,)`.

    Args:
        model: the detector.
        preprocessing: preprocessing of its input.
        nms_config: NMS options.
        input_type: name and kind of the input.
        shape: shape of an `image_tensor`.
        ranges: quantization ranges by layer, of a network trained with QAT.
    """
    tf = graph.tensorflow_for(model)
    pixels, side = PIXELS.get(input_type), preprocessing.size

    def detect(inputs: Any) -> list[Any]:
        images = resized(tf, inputs, side) if pixels else _decoded(tf, inputs, input_type, side)
        decoded = api_graph.candidates(tf, model, preprocessing, images, ranges)
        outputs = api_graph.suppressed(tf, *decoded, nms_config, drop_empty=True)
        return [tf.identity(values, name=name) for name, values in outputs.items()]

    signature = tf.TensorSpec(shape, pixels) if pixels else tf.TensorSpec((None,), tf.string)
    return frozen_graph(tf, detect, signature, input_type, OUTPUTS)


def resized(tf: Any, images: Any, side: int) -> Any:
    """Resize images `(B, H, W, 3)` to squares `(B, side, side, 3)` float32, bilinearly without
    half-pixel centers, like TensorFlow 1 and the API's `fixed_shape_resizer`."""
    return tf.compat.v1.image.resize_bilinear(tf.cast(images, tf.float32), (side, side))


def tflite_graph(
    model: SsdModel,
    side: int,
    nms_config: NmsConfig,
    post_process: PostProcess | None,
    ranges: Mapping[str, Ranges] | None = None,
) -> Any:
    """Build a GraphDef for TFLite's converter, with frozen weights.

    Input: `normalized_input_image_tensor` `(1, S, S, 3)` float32. Raw outputs: box encodings
    `(1, A, 4)` and scores with the background column `(1, A, 1 + C)`; also the node `anchors`
    `(A, 4)`: center y, center x, height, width. With a `post_process` they are the inputs of
    `TFLite_Detection_PostProcess`, which only TFLite can run. Its outputs are boxes, 0-based
    classes, scores and the number of detections.

    Args:
        model: detector with a background column.
        side: input size `S` in pixels.
        nms_config: NMS options; its maximum numbers of boxes are ignored.
        post_process: the other options of that node; None leaves it out.
        ranges: quantization ranges by layer, of a network trained with QAT.
    """
    tf = graph.tensorflow_for(model)

    def detect(images: Any) -> list[Any]:
        raw = api_graph.raw_outputs(tf, model, images, ranges)
        logits = tf.concat([raw["background_logits"], raw["class_logits"]], axis=-1)
        return [
            tf.identity(raw["box_encodings"], name=RAW_OUTPUTS[0]),
            tf.sigmoid(logits, name=RAW_OUTPUTS[1]),
            tf.constant(centered(model.anchors), name=ANCHORS),
        ]

    signature = tf.TensorSpec((1, side, side, 3), tf.float32)
    frozen = frozen_graph(tf, detect, signature, TFLITE_INPUT, (*RAW_OUTPUTS, ANCHORS))
    if post_process is not None:
        _append(frozen, model.spec, nms_config, post_process, tf.float32.as_datatype_enum)
    return frozen


def write_saved_model(folder: Path, frozen: Any, input_name: str) -> None:
    """Write an `inference_graph` as a SavedModel of TensorFlow 1.

    Its signature `serving_default` takes `inputs` and returns the four outputs by name.

    Args:
        folder: folder to write; it must not exist yet.
        frozen: the GraphDef.
        input_name: name of its input node.
    """
    v1 = framework.tensorflow().compat.v1
    with v1.Graph().as_default() as whole, v1.Session() as session:
        v1.import_graph_def(frozen, name="")
        info = {
            name: v1.saved_model.build_tensor_info(whole.get_tensor_by_name(f"{name}:0"))
            for name in (input_name, *OUTPUTS)
        }
        signature = v1.saved_model.build_signature_def(
            {"inputs": info.pop(input_name)}, info, "tensorflow/serving/predict"
        )
        builder = v1.saved_model.Builder(str(folder))
        builder.add_meta_graph_and_variables(
            session, ["serve"], signature_def_map={"serving_default": signature}
        )
        with framework.hushed():
            builder.save()


def write_callable(folder: Path, frozen: Any, input_name: str) -> None:
    """Write an `inference_graph` as a SavedModel of TensorFlow 2, like exporter_main_v2.py.

    The loaded object is called with the input and returns the four outputs by name; so does its
    signature `serving_default`, whose input is `input_tensor`. Arguments as `write_saved_model`.
    """
    tf = framework.tensorflow()
    (node,) = (node for node in frozen.node if node.name == input_name)
    shape = tf.TensorShape(node.attr["shape"].shape)
    spec = tf.TensorSpec(shape, tf.as_dtype(node.attr["dtype"].type), name="input_tensor")

    # A function of its own: TensorFlow 2 cannot order what follows a loop of TensorFlow 1.
    whole = tf.compat.v1.wrap_function(lambda: tf.import_graph_def(frozen, name=""), [])
    tensors = {name: whole.graph.as_graph_element(f"{name}:0") for name in (input_name, *OUTPUTS)}
    run = whole.prune(tensors.pop(input_name), tensors)

    def detect(input_tensor: Any) -> dict[str, Any]:
        return dict(run(input_tensor))

    module = tf.Module()
    module.__call__ = tf.function(detect, input_signature=[spec], autograph=False)
    with framework.hushed():
        signature = module.__call__.get_concrete_function()
    graph.save_module(tf, folder, module, signature)


def write_tflite_saved_model(
    folder: Path, model: SsdModel, side: int, nms_config: NmsConfig, options: PostProcess
) -> None:
    """Write a SavedModel for TFLite's converter, like export_tflite_graph_tf2.py.

    Input: `(1, S, S, 3)` float32, scaled as the network expects. The converter replaces the last
    function by `TFLite_Detection_PostProcess`, with the outputs of `tflite_graph`.

    Args:
        folder: folder to write; it must not exist yet.
        model, side, nms_config: as in `tflite_graph`.
        options: the other options of the operator.
    """
    tf, rows = graph.tensorflow_for(model), options.max_detections
    attributes = " ".join(
        f'attr {{ key: "{key}" value {{ {kind}: {str(value).lower()} }} }}'
        for key, (kind, value) in _attributes(model.spec, nms_config, options).items()
    )

    @tf.function(  # type: ignore[untyped-decorator]
        experimental_implements=f'name: "{litert.POSTPROCESS}" {attributes}', autograph=False
    )
    def post_process(encodings: Any, scores: Any, anchors: Any) -> tuple[Any, ...]:
        return tf.zeros((1, rows, 4)), tf.zeros((1, rows)), tf.zeros((1, rows)), tf.zeros((1,))

    def detect(images: Any) -> tuple[Any, ...]:
        raw = model.network(images, training=False)
        logits = tf.concat([raw["background_logits"], raw["class_logits"]], axis=-1)
        anchors = tf.constant(centered(model.anchors))
        found = post_process(raw["box_encodings"], tf.sigmoid(logits), anchors)
        return tuple(reversed(found))  # the order in which the API's clients know the outputs

    module = tf.Module()
    module.weights = [variable.value for variable in model.network.variables]
    spec = tf.TensorSpec((1, side, side, 3), tf.float32, name="input")
    module.detect = tf.function(detect, input_signature=[spec], autograph=False)
    with framework.hushed():
        signature = module.detect.get_concrete_function()
    graph.save_module(tf, folder, module, signature)


def _decoded(tf: Any, inputs: Any, input_type: InputType, side: int) -> Any:
    """Decode image files, each of its own size, and resize them: `(B, side, side, 3)` float32."""
    if input_type == "tf_example":
        feature = {"image/encoded": tf.io.FixedLenFeature((), tf.string)}
        inputs = tf.io.parse_example(inputs, feature)["image/encoded"]

    def decode(content: Any) -> Any:
        image = tf.io.decode_image(content, channels=3, expand_animations=False)
        return resized(tf, image[None], side)[0]

    signature = tf.TensorSpec((side, side, 3), tf.float32)
    return tf.map_fn(decode, inputs, fn_output_signature=signature)


def _append(
    frozen: Any, spec: ModelSpec, nms_config: NmsConfig, options: PostProcess, float32: int
) -> None:
    """Add the post-processing operator, which TFLite's converter knows but TensorFlow does not."""
    node = frozen.node.add()
    node.name = node.op = litert.POSTPROCESS
    node.input.extend([*RAW_OUTPUTS, ANCHORS])
    for key, (kind, value) in _attributes(spec, nms_config, options).items():
        setattr(node.attr[key], kind, value)
    node.attr["_output_quantized"].b = True
    node.attr["_support_output_type_float_in_quantized_op"].b = True
    node.attr["_output_types"].list.type.extend([float32] * 4)


def _attributes(
    spec: ModelSpec, nms_config: NmsConfig, options: PostProcess
) -> dict[str, tuple[str, float | int | bool]]:
    """Return the operator's attributes, each with the name of its type's field."""
    y, x, height, width = spec.box_scales
    return {
        "y_scale": ("f", y),
        "x_scale": ("f", x),
        "h_scale": ("f", height),
        "w_scale": ("f", width),
        "nms_score_threshold": ("f", nms_config.score_threshold),
        "nms_iou_threshold": ("f", nms_config.iou_threshold),
        "num_classes": ("i", spec.num_classes),
        "max_detections": ("i", options.max_detections),
        "max_classes_per_detection": ("i", options.max_classes_per_detection),
        "detections_per_class": ("i", options.detections_per_class),
        "use_regular_nms": ("b", options.use_regular_nms),
    }
