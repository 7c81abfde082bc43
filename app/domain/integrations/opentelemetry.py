"""OpenTelemetry: spans of the ``gen_ai`` conventions in OTLP/JSON, and their evaluations.

A record holds ``input`` and ``output`` (messages), ``evaluation`` (the last result), ``evaluations``, ``attributes``,
``resource`` and ``span``. An evaluation (``gen_ai.evaluation.result``) is an event of the span or a log record in the
same body.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from app.domain.integrations.mapping import CaseField, FieldMapping
from app.domain.integrations.reading import Reading, Record, Unreadable, json_value

NEGATIVE: Final = frozenset({"fail", "failed", "bad", "incorrect", "wrong", "no", "false", "not_relevant"})
EVALUATION: Final = "gen_ai.evaluation.result"
DETAILS: Final = "gen_ai.client.inference.operation.details"
DEFAULT_MAPPING = FieldMapping(
    fields={
        CaseField.PROMPT: ["input"],
        CaseField.SYSTEM: ["system"],
        CaseField.MODEL_OUTPUT: ["output"],
        CaseField.EXPECTED_OUTPUT: ['attributes["expected_output"]', "evaluation.expected_output"],
        CaseField.FAILURE_TYPE: ["evaluation.name"],
        CaseField.MODEL: ['attributes["gen_ai.response.model"]', 'attributes["gen_ai.request.model"]'],
    }
)
_EVENT_ROLES: Final = {
    "gen_ai.system.message": "system",
    "gen_ai.user.message": "user",
    "gen_ai.assistant.message": "assistant",
    "gen_ai.tool.message": "tool",
}


def read(body: bytes) -> Reading:
    """The spans that speak of a model. Raises Unreadable."""
    value = json_value(body)
    parts = value if isinstance(value, list) else [value]
    if (
        not all(isinstance(p, Mapping) and ("resourceSpans" in p or "resourceLogs" in p) for p in parts)
        or not parts
    ):
        raise Unreadable("this is no OTLP/JSON: 'resourceSpans' or 'resourceLogs' is expected")
    logs = [log for part in parts for log in _logs(part)]
    records = [record for part in parts for record in _spans(part, logs)]
    ignored = None if records else "no span has gen_ai attributes"
    return Reading(records=tuple(records), ignored=ignored)


def _spans(part: Mapping[str, Any], logs: list[dict[str, Any]]) -> Iterator[Record]:
    for resource in _objects(part.get("resourceSpans")):
        about = resource.get("resource")
        shared = attributes_of(about.get("attributes") if isinstance(about, Mapping) else None)
        for scope in _objects(resource.get("scopeSpans")):
            for span in _objects(scope.get("spans")):
                attributes = attributes_of(span.get("attributes"))
                if any(key.startswith("gen_ai.") for key in attributes):
                    record = _record(span, attributes, shared, logs)
                    if record is not None:
                        yield record


def _record(
    span: Mapping[str, Any], attributes: dict[str, Any], resource: dict[str, Any], logs: list[dict[str, Any]]
) -> Record | None:
    events = [(str(e.get("name")), attributes_of(e.get("attributes"))) for e in _objects(span.get("events"))]
    response_id = attributes.get("gen_ai.response.id")
    for log in logs:
        its_response = log["attributes"].get("gen_ai.response.id")
        if log["span_id"] == span.get("spanId") or (response_id and its_response == response_id):
            events.append((log["name"], log["attributes"]))
    for name, said in events:
        if name == DETAILS:
            attributes = {**said, **attributes}
    prompt = messages_of(attributes.get("gen_ai.input.messages")) or _asked(events)
    output = messages_of(attributes.get("gen_ai.output.messages")) or _answered(events)
    if not prompt:
        return None  # a tool's run, an embedding, or content that is not captured
    evaluations = [
        {
            "name": said.get("gen_ai.evaluation.name"),
            "label": said.get("gen_ai.evaluation.score.label"),
            "score": said.get("gen_ai.evaluation.score.value"),
            "explanation": said.get("gen_ai.evaluation.explanation"),
            **{k: v for k, v in said.items() if not k.startswith("gen_ai.")},
        }
        for name, said in events
        if name == EVALUATION
    ]
    failed = [e for e in evaluations if str(e["label"]).casefold() in NEGATIVE]
    trace_id, span_id = span.get("traceId"), span.get("spanId")
    is_expected = "expected_output" in attributes or any("expected_output" in e for e in evaluations)
    return Record(
        key=f"span:{trace_id}:{span_id}",
        value={
            "input": prompt,
            "system": _system(attributes.get("gen_ai.system_instructions")),
            "output": output[0] if output else None,
            "evaluation": (failed or evaluations or [{}])[-1],
            "evaluations": evaluations,
            "attributes": attributes,
            "resource": resource,
            "span": {"name": span.get("name"), "trace_id": trace_id, "span_id": span_id},
        },
        group=f"trace:{trace_id}",
        case_key=f"{trace_id}:{span_id}",
        doubt=None if failed or is_expected else "it has neither a failed evaluation nor an expected output",
    )


def messages_of(value: Any) -> list[dict[str, Any]]:
    """Messages made of parts, also as JSON text, as OpenAI writes them."""
    listed = _decoded(value)
    return [_message(m) for m in listed if isinstance(m, Mapping)] if isinstance(listed, list) else []


def _message(message: Mapping[str, Any]) -> dict[str, Any]:
    if not isinstance(message.get("parts"), list):
        return dict(message)
    texts: list[str] = []
    calls: list[dict[str, Any]] = []
    made: dict[str, Any] = {"role": message.get("role", "user")}
    for part in _objects(message["parts"]):
        match part.get("type"):
            case "text":
                texts.append(str(part.get("content", "")))
            case "tool_call":
                arguments = part.get("arguments")
                written = (
                    arguments if isinstance(arguments, str) else json.dumps(arguments, ensure_ascii=False)
                )
                function = {"name": part.get("name"), "arguments": written}
                calls.append({"id": part.get("id"), "type": "function", "function": function})
            case "tool_call_response":
                response = part.get("response", part.get("result"))
                texts.append(
                    response if isinstance(response, str) else json.dumps(response, ensure_ascii=False)
                )
                made |= {"role": "tool", "tool_call_id": part.get("id")}
            case "reasoning":
                made["reasoning_content"] = str(part.get("content", ""))
            case _:
                texts.append(json.dumps(part, ensure_ascii=False))
    made["content"] = "\n".join(texts)
    return {**made, "tool_calls": calls} if calls else made


def _system(value: Any) -> str | None:
    parts = _decoded(value)
    if isinstance(parts, list):
        return "\n".join(str(p.get("content", "")) for p in _objects(parts)) or None
    return parts if isinstance(parts, str) else None


def _asked(events: list[tuple[str, dict[str, Any]]]) -> list[dict[str, Any]]:
    """The prompt where older conventions write it: an event for each message, or one for all."""
    turns = [
        {"role": _EVENT_ROLES[name], "content": said.get("content", "")}
        for name, said in events
        if name in _EVENT_ROLES
    ]
    if turns:
        return turns
    prompt = next(
        (said.get("gen_ai.prompt") for name, said in events if name == "gen_ai.content.prompt"), None
    )
    if isinstance(prompt, str):
        return messages_of(prompt) or [{"role": "user", "content": prompt}]
    return []


def _answered(events: list[tuple[str, dict[str, Any]]]) -> list[dict[str, Any]]:
    for name, said in events:
        if name == "gen_ai.choice":
            message = _decoded(said.get("message"))
            return [
                dict(message)
                if isinstance(message, Mapping)
                else {"role": "assistant", "content": said.get("content", "")}
            ]
        if name == "gen_ai.content.completion":
            text = said.get("gen_ai.completion")
            return messages_of(text) or [{"role": "assistant", "content": text}]
    return []


def _logs(part: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for resource in _objects(part.get("resourceLogs")):
        for scope in _objects(resource.get("scopeLogs")):
            for log in _objects(scope.get("logRecords")):
                attributes = attributes_of(log.get("attributes"))
                body = plain(log.get("body"))
                inside = body if isinstance(body, Mapping) else {}
                name = log.get("eventName") or attributes.get("event.name")
                yield {
                    "name": str(name),
                    "span_id": log.get("spanId"),
                    "attributes": {**inside, **attributes},
                }


def attributes_of(listed: object) -> dict[str, Any]:
    """OTLP's list of key and typed value as an object."""
    return {str(item["key"]): plain(item.get("value")) for item in _objects(listed) if "key" in item}


def plain(value: object) -> Any:
    """A typed value of OTLP/JSON without its type; 64-bit integers come as texts."""
    if not isinstance(value, Mapping):
        return value
    for kind, inner in value.items():
        match kind:
            case "intValue":
                return (
                    int(inner) if isinstance(inner, int | str) and str(inner).lstrip("-").isdigit() else inner
                )
            case "arrayValue":
                return [plain(v) for v in inner.get("values") or ()] if isinstance(inner, Mapping) else []
            case "kvlistValue":
                return attributes_of(inner.get("values")) if isinstance(inner, Mapping) else {}
            case _:
                return inner
    return None


def _objects(value: object) -> Iterator[Mapping[str, Any]]:
    for item in value if isinstance(value, list) else ():
        if isinstance(item, Mapping):
            yield item


def _decoded(value: Any) -> Any:
    if isinstance(value, str) and value.lstrip()[:1] in ("[", "{"):
        try:
            return json.loads(value)
        except (ValueError, RecursionError):
            return value
    return value
