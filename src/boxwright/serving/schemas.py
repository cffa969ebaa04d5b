"""The schemas of bodies in `/openapi.json`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

from boxwright.serving.dialects import v2
from boxwright.serving.dialects.tensors import BOXES, CLASSES, COUNT, SCORES

Json: TypeAlias = dict[str, Any]


def _list(items: Json, **more: Any) -> Json:
    return {"type": "array", "items": items, **more}


def _object(properties: Mapping[str, Json], optional: Mapping[str, Json] | None = None) -> Json:
    return {
        "type": "object",
        "properties": {**properties, **(optional or {})},
        "required": list(properties),
    }


TEXT: Json = {"type": "string"}
NUMBER: Json = {"type": "number"}
FRACTION: Json = {"type": "number", "minimum": 0, "maximum": 1}
WHOLE: Json = {"type": "integer", "minimum": 0}
ANY_OBJECT: Json = {"type": "object"}
PERCENT: Json = {"type": "number", "minimum": -1e-3, "maximum": 100.001}
BOX: Json = _list(NUMBER, minItems=4, maxItems=4)
ROW: Json = _object(
    {BOXES: _list(BOX), CLASSES: _list(NUMBER), SCORES: _list(FRACTION), COUNT: NUMBER}
)
COLUMNS: Json = _object({name: _list({}) for name in (BOXES, CLASSES, SCORES, COUNT)})
BASE64: Json = _object({"b64": {"type": "string", "contentEncoding": "base64"}})
PIXELS: Json = _list(_list(_list(WHOLE, minItems=3, maxItems=3)))
IMAGE: Json = {"anyOf": [BASE64, PIXELS]}
NAMED: Json = {"type": "object", "minProperties": 1, "maxProperties": 1}
SIGNATURE: Json = {"signature_name": {"const": "serving_default"}}
TENSOR: Json = _object({"name": TEXT, "datatype": TEXT, "shape": _list({"type": "integer"})})
SCHEMAS: Mapping[str, Json] = {
    "Refusal": _object({"error": TEXT}),
    "Detections": _object(
        {
            "model": TEXT,
            "version": WHOLE,
            "width": WHOLE,
            "height": WHOLE,
            "detections": _list(_object({"class": TEXT, "score": FRACTION, "box": BOX})),
        }
    ),
    "Models": _object(
        {
            "models": _list(
                _object(
                    {"name": TEXT, "ready": {"type": "boolean"}},
                    {
                        "version": WHOLE,
                        "kind": TEXT,
                        "classes": _list(TEXT),
                        "thresholds": {"type": "object", "additionalProperties": FRACTION},
                    },
                )
            )
        }
    ),
    "Predict": {
        "oneOf": [
            _object(
                {"instances": _list({"anyOf": [IMAGE, {**NAMED, "additionalProperties": IMAGE}]})},
                SIGNATURE,
            ),
            _object(
                {
                    "inputs": {
                        "anyOf": [_list(IMAGE), {**NAMED, "additionalProperties": _list(IMAGE)}]
                    }
                },
                SIGNATURE,
            ),
        ]
    },
    "Predicted": {"oneOf": [_object({"predictions": _list(ROW)}), _object({"outputs": COLUMNS})]},
    "Status": _object(
        {
            "model_version_status": _list(
                _object({"version": TEXT, "state": TEXT, "status": ANY_OBJECT})
            )
        }
    ),
    "Metadata": _object({"model_spec": ANY_OBJECT, "metadata": ANY_OBJECT}),
    "ServerMetadata": _object({"name": TEXT, "version": TEXT, "extensions": _list(TEXT)}),
    "ModelMetadata": _object(
        {
            "name": TEXT,
            "versions": _list(TEXT),
            "platform": TEXT,
            "inputs": _list(TENSOR),
            "outputs": _list(TENSOR),
        },
        {"parameters": _object({"classes": _list(TEXT)})},
    ),
    "InferenceRequest": _object(
        {
            "inputs": _list(
                _object(
                    {
                        "name": TEXT,
                        "shape": _list(WHOLE),
                        "datatype": {"enum": [v2.PIXELS, v2.FILES]},
                    },
                    {"data": _list({}), "parameters": ANY_OBJECT},
                ),
                minItems=1,
                maxItems=1,
            )
        },
        {
            "id": TEXT,
            "parameters": ANY_OBJECT,
            "outputs": _list(_object({"name": TEXT}, {"parameters": ANY_OBJECT})),
        },
    ),
    "InferenceResponse": _object(
        {
            "model_name": TEXT,
            "model_version": TEXT,
            "outputs": _list(
                _object(
                    {"name": TEXT, "shape": _list(WHOLE), "datatype": {"const": "FP32"}},
                    {"data": _list(NUMBER), "parameters": ANY_OBJECT},
                )
            ),
        },
        {"id": TEXT},
    ),
    "SetupRequest": _object({"schema": TEXT}, {"project": TEXT}),
    "Setup": _object({"model_version": TEXT}),
    "Tasks": _object({"tasks": _list(_object({"data": ANY_OBJECT})), "label_config": TEXT}),
    "Proposals": _object(
        {
            "model_version": TEXT,
            "results": _list(
                _object(
                    {
                        "result": _list(
                            _object(
                                {
                                    "from_name": TEXT,
                                    "to_name": TEXT,
                                    "type": {"const": "rectanglelabels"},
                                    "original_width": WHOLE,
                                    "original_height": WHOLE,
                                    "score": FRACTION,
                                    "value": _object(
                                        {
                                            "rectanglelabels": _list(TEXT),
                                            **dict.fromkeys(("x", "y", "width", "height"), PERCENT),
                                        }
                                    ),
                                }
                            )
                        ),
                        "score": FRACTION,
                        "model_version": TEXT,
                    }
                )
            ),
        }
    ),
}
