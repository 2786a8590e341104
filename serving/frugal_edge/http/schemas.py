"""JSON schemas of what the HTTP service reads and gives."""

from typing import Any

Schema = dict[str, Any]

_TEXT: Schema = {"type": "string"}
_COUNT: Schema = {"type": "integer", "minimum": 0}
_FLAG: Schema = {"type": "boolean"}
_TIME: Schema = {"type": "string", "format": "date-time"}
_NUMBER: Schema = {"type": "number"}
_NUMBERS: Schema = {"type": "array", "items": _NUMBER}
_WITH_GAPS: Schema = {"type": "array", "items": {"type": ["number", "null"]}}
_ROWS: Schema = {"type": "array", "items": _NUMBERS}
_TEXTS: Schema = {"type": "array", "items": _TEXT}
_STEP: Schema = {"type": "string", "description": "ISO 8601 duration", "examples": ["PT30M"]}


def ref(name: str) -> Schema:
    """Point to a schema of `COMPONENTS`."""
    return {"$ref": f"#/components/schemas/{name}"}


def _object(
    required: dict[str, Schema], optional: dict[str, Schema] | None = None, *, more: bool = False
) -> Schema:
    return {
        "type": "object",
        "properties": {**required, **(optional or {})},
        "required": list(required),
        "additionalProperties": more,
    }


def _list(of: str) -> Schema:
    return {"type": "array", "items": ref(of)}


_ROW: Schema = {
    "type": "object",
    "description": "The series' value and covariates by name; null takes a reading back.",
    "properties": {"timestamp": _TIME, "unit": _TEXT},
    "required": ["timestamp"],
    "additionalProperties": {"type": ["number", "null"]},
}
_COVARIATES: Schema = {
    "description": "Rows in the order of the model's columns, or a list for each column.",
    "oneOf": [_ROWS, {"type": "object", "additionalProperties": _NUMBERS}],
}

_PAST: Schema = {
    "description": "As known; null for a missing reading.",
    "oneOf": [
        {"type": "array", "items": _WITH_GAPS},
        {"type": "object", "additionalProperties": _WITH_GAPS},
    ],
}

COMPONENTS: dict[str, Schema] = {
    "Problem": {
        "type": "object",
        "description": "RFC 9457",
        "properties": {"type": _TEXT, "title": _TEXT, "status": _COUNT, "detail": _TEXT},
        "required": ["type", "title", "status", "detail"],
    },
    "Live": _object({"live": _FLAG}),
    "Ready": _object({"ready": _FLAG}),
    "Row": _ROW,
    "Observations": {
        "oneOf": [
            ref("Row"),
            {"type": "array", "items": ref("Row"), "minItems": 1},
            _object(
                {"observations": {"type": "array", "items": ref("Row"), "minItems": 1}},
                {"unit": _TEXT},
            ),
        ]
    },
    "Receipt": _object(
        {
            "accepted": _COUNT,
            "refused": _COUNT,
            "reasons": {
                "type": "array",
                "description": "Of the first refused rows.",
                "maxItems": 100,
                "items": _object({"index": _COUNT, "reason": _TEXT}),
            },
        }
    ),
    "History": _object(
        {"origin": _TIME},
        {
            "history": _WITH_GAPS,
            "known": _COVARIATES,
            "past": _PAST,
            "drift": _ROWS,
        },
    ),
    "Forecast": _object(
        {
            "series_id": _TEXT,
            "origin": _TIME,
            "issued_at": _TIME,
            "step": _STEP,
            "horizon": _COUNT,
            "unit": _TEXT,
            "quality": {
                "enum": [
                    "model",
                    "gap_filled",
                    "out_of_bounds",
                    "stuck",
                    "fallback",
                    "persistence",
                    "unavailable",
                ]
            },
            "model": {"type": ["string", "null"]},
            "simulated": _FLAG,
            "values": _NUMBERS,
            "warnings": _TEXTS,
        },
        {"quantile_levels": _NUMBERS, "quantiles": _ROWS},
    ),
    "Input": _object(
        {
            "name": _TEXT,
            "axes": _TEXTS,
            "shape": {"type": "array", "items": _COUNT},
            "columns": _TEXTS,
            "lookback": _COUNT,
        }
    ),
    "Model": _object(
        {
            "id": _TEXT,
            "sequence": _COUNT,
            "series_id": _TEXT,
            "kind": _TEXT,
            "rung": _TEXT,
            "simulated": _FLAG,
            "created": _TIME,
            "unit": _TEXT,
            "step": _STEP,
            "horizon": _COUNT,
            "quantile_levels": _NUMBERS,
            "history_steps": _COUNT,
            "inputs": _list("Input"),
            "origins": _object(
                {"valid_from": _TIME, "valid_until": _TIME, "local_time": _TEXTS, "timezone": _TEXT}
            ),
            "bytes": _COUNT,
            "on_trial": _FLAG,
        }
    ),
    "Models": _object({"models": _list("Model")}),
    "Series": _object(
        {
            "series_id": _TEXT,
            "unit": _TEXT,
            "step": _STEP,
            "horizon": _COUNT,
            "simulated": _FLAG,
            "columns": _object({"observed": _TEXTS, "known": _TEXTS}),
            "model": {"type": ["string", "null"]},
            "trouble": {"type": ["string", "null"]},
            "newest_reading": {"type": ["string", "null"], "format": "date-time"},
        }
    ),
    "SeriesList": _object({"series": _list("Series")}),
    "Document": {"type": "object"},
    "Server": _object({"name": _TEXT, "version": _TEXT, "extensions": _TEXTS}),
    "TensorMetadata": _object(
        {
            "name": _TEXT,
            "datatype": {"enum": ["FP32", "INT64"]},
            "shape": {"type": "array", "items": {"type": "integer"}},
        }
    ),
    "ModelMetadata": _object(
        {
            "name": _TEXT,
            "versions": _TEXTS,
            "platform": _TEXT,
            "inputs": _list("TensorMetadata"),
            "outputs": _list("TensorMetadata"),
        }
    ),
    "ModelReady": _object({"name": _TEXT, "ready": _FLAG}),
    "InferenceRequest": _object(
        {
            "inputs": {
                "type": "array",
                "items": _object(
                    {
                        "name": _TEXT,
                        "datatype": {"enum": ["FP32", "INT64"]},
                        "shape": {"type": "array", "items": _COUNT},
                    },
                    {"data": {"type": "array"}, "parameters": {"type": "object"}},
                ),
            }
        },
        {
            "id": _TEXT,
            "parameters": {"type": "object"},
            "outputs": {
                "type": "array",
                "items": _object({"name": _TEXT}, {"parameters": {"type": "object"}}),
            },
        },
    ),
    "InferenceResponse": _object(
        {
            "model_name": _TEXT,
            "model_version": _TEXT,
            "outputs": {
                "type": "array",
                "items": _object(
                    {"name": _TEXT, "datatype": _TEXT, "shape": {"type": "array", "items": _COUNT}},
                    {"data": {"type": "array"}, "parameters": {"type": "object"}},
                ),
            },
        },
        {"id": _TEXT},
    ),
}
