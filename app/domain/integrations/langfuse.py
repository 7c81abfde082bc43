"""Langfuse: scores of the type CORRECTION, with what they correct.

Reads traces as its API gives them (``scores`` and ``observations`` inside), and an object of the lists ``scores``,
``traces`` and ``observations``. A record holds ``input``, ``output``, ``correction``, ``score``, ``trace`` and
``observation``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from app.domain.integrations.mapping import CaseField, FieldMapping
from app.domain.integrations.reading import Reading, Record, Unreadable, json_value

CORRECTION: Final = "CORRECTION"
DEFAULT_MAPPING = FieldMapping(
    fields={
        CaseField.PROMPT: ["input"],
        CaseField.MODEL_OUTPUT: ["output"],
        CaseField.EXPECTED_OUTPUT: ["correction"],
        CaseField.MODEL: ["observation.model"],
        CaseField.OCCURRED_AT: ["trace.timestamp"],
    }
)


def read(body: bytes) -> Reading:
    """The corrections. Raises Unreadable."""
    value = json_value(body)
    if isinstance(value, Mapping) and isinstance(value.get("data"), list):
        value = value["data"]  # a page of a list
    scores: list[Mapping[str, Any]] = []
    traces: dict[str, Mapping[str, Any]] = {}
    observations: dict[str, Mapping[str, Any]] = {}
    if isinstance(value, Mapping) and "input" not in value and ("scores" in value or "traces" in value):
        scores += _objects(value.get("scores"))
        listed = list(_objects(value.get("traces")))
        observations |= {str(o["id"]): o for o in _objects(value.get("observations")) if "id" in o}
    else:
        listed = list(_objects(value if isinstance(value, list) else [value]))
    for item in listed:
        if "dataType" in item:
            scores.append(item)
        elif "id" in item:
            traces[str(item["id"])] = item
            scores += _objects(item.get("scores"))
            observations |= {str(o["id"]): o for o in _objects(item.get("observations")) if "id" in o}
    if not scores and not traces:
        raise Unreadable("this is neither traces of Langfuse nor its scores")
    records: list[Record] = []
    unreadable: list[str] = []
    for score in scores:
        if score.get("dataType") != CORRECTION:
            continue
        made = _record(score, traces, observations)
        if isinstance(made, str):
            unreadable.append(made)
        else:
            records.append(made)
    ignored = None if records or unreadable else "there is no score of the type CORRECTION"
    return Reading(records=tuple(records), unreadable=tuple(unreadable), ignored=ignored)


def _record(
    score: Mapping[str, Any],
    traces: Mapping[str, Mapping[str, Any]],
    observations: Mapping[str, Mapping[str, Any]],
) -> Record | str:
    subject = score.get("subject")
    subject = subject if isinstance(subject, Mapping) else {}
    is_trace = subject.get("kind") == "trace"
    trace_id = score.get("traceId") or (subject.get("id") if is_trace else subject.get("traceId"))
    observation_id = score.get("observationId") or (
        subject.get("id") if subject.get("kind") == "observation" else None
    )
    inside = score.get("trace")
    trace = traces.get(str(trace_id)) or (inside if isinstance(inside, Mapping) else {})
    observation = observations.get(str(observation_id), {}) if observation_id else {}
    corrected = observation or ({} if observation_id else trace)
    if "input" not in corrected:
        what = f"observation {observation_id}" if observation_id else f"trace {trace_id}"
        return f"score {score.get('id')} corrects {what}, which is not in the body: send it along"
    if "id" not in score:
        return "a score has no 'id'"
    return Record(
        key=f"score:{score['id']}",
        # The text stands in stringValue where value is a number, else in value.
        value={
            "input": corrected.get("input"),
            "output": corrected.get("output"),
            "correction": score.get("stringValue") or score.get("value"),
            "score": score,
            "trace": {k: v for k, v in trace.items() if k not in ("scores", "observations")},
            "observation": observation,
        },
        version=_text(score.get("updatedAt")),
        group=f"trace:{trace_id}",
        case_key=str(observation_id or trace_id),
    )


def _objects(value: object) -> Iterator[Mapping[str, Any]]:
    for item in value if isinstance(value, list) else ():
        if isinstance(item, Mapping):
            yield item


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
