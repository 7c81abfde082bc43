"""MLflow: traces with feedback and expectations, as ``Trace.to_json()`` writes them, one or many.

A record holds ``request``, ``response``, ``feedback`` and ``expectation`` (values by their names),
``feedback_values``, ``tags`` and ``trace``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from app.domain.integrations.mapping import CaseField, FieldMapping
from app.domain.integrations.reading import Reading, Record, Unreadable, table

NEGATIVE: Final = frozenset({"no", "false", "bad", "incorrect", "wrong", "fail", "failed", "0"})
DEFAULT_MAPPING = FieldMapping(
    fields={
        CaseField.PROMPT: ["request.messages", "request.input", "request.question", "request"],
        CaseField.MODEL_OUTPUT: ["response"],
        CaseField.EXPECTED_OUTPUT: [
            "expectation.expected_response",
            "expectation.expected_output",
            "expectation.expected_answer",
            "expectation.expected",
        ],
    }
)


def read(body: bytes) -> Reading:
    """The traces. Raises Unreadable."""
    records: list[Record] = []
    unreadable: list[str] = []
    for number, row in table(body):
        if isinstance(row, str):
            unreadable.append(row)
            continue
        trace = _trace(row)
        if trace is None:
            unreadable.append(f"row {number} is no trace of MLflow ('info' with a 'trace_id' and 'data')")
        else:
            records.append(trace)
    if not records and unreadable:
        raise Unreadable(unreadable[0])
    return Reading(records=tuple(records), unreadable=tuple(unreadable))


def _trace(row: Mapping[str, Any]) -> Record | None:
    info = _decoded(row.get("info")) or _decoded(row.get("trace"))
    data = _decoded(row.get("data"))
    if isinstance(info, Mapping) and isinstance(info.get("info"), Mapping):
        info, data = info["info"], info.get("data")
    if not isinstance(info, Mapping):
        return None
    trace_id = info.get("trace_id") or info.get("request_id")
    if not isinstance(trace_id, str) or not isinstance(data, Mapping):
        return None
    spans = [s for s in data.get("spans") or () if isinstance(s, Mapping) and not _parent(s)]
    attributes = spans[0].get("attributes") if spans else None
    attributes = attributes if isinstance(attributes, Mapping) else {}
    request = attributes.get("mlflow.spanInputs", data.get("request"))
    response = attributes.get("mlflow.spanOutputs", data.get("response"))
    given = [a for a in info.get("assessments") or row.get("assessments") or () if isinstance(a, Mapping)]
    given = [a for a in given if a.get("valid") is not False]
    feedback = {_name(a): _value(a["feedback"]) for a in given if isinstance(a.get("feedback"), Mapping)}
    expectation = {
        _name(a): _value(a["expectation"]) for a in given if isinstance(a.get("expectation"), Mapping)
    }
    negative = any(json.dumps(v).strip('"').casefold() in NEGATIVE for v in feedback.values())
    stamps = [str(a.get("last_update_time") or a.get("create_time") or "") for a in given]
    return Record(
        key=f"trace:{trace_id}",
        value={
            "request": _only_input(_decoded(request)),
            "response": _decoded(response),
            "feedback": feedback,
            "feedback_values": list(feedback.values()),
            "expectation": expectation,
            "tags": info.get("tags") or {},
            "trace": {k: v for k, v in info.items() if k not in ("assessments", "tags")},
        },
        version=max(stamps, default=None) or None,
        case_key=trace_id,
        doubt=None if negative or expectation else "it has neither a negative feedback nor an expectation",
    )


def _parent(span: Mapping[str, Any]) -> object:
    return span.get("parent_span_id") or span.get("parent_id")


def _name(assessment: Mapping[str, Any]) -> str:
    return str(assessment.get("assessment_name") or assessment.get("name") or "")


def _value(held: Mapping[str, Any]) -> Any:
    serialized = held.get("serialized_value")
    if isinstance(serialized, Mapping):
        return _decoded(serialized.get("value"))
    return held.get("value")


def _only_input(request: Any) -> Any:
    """A function of one argument was asked with that argument."""
    if (
        isinstance(request, Mapping)
        and len(request) == 1
        and not {"messages", "input", "question"} & request.keys()
    ):
        return next(iter(request.values()))
    return request


def _decoded(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return value
