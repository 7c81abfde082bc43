"""What each tool's bodies are read as, in their documented or recorded shapes; paths and mappings."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.integrations import label_studio, langfuse, mapping, mlflow, opentelemetry, promptfoo
from app.domain.integrations.label_studio_tasks import CannotPush, Pushed, push_of
from app.domain.integrations.mapping import FieldMapping
from app.domain.integrations.promptfoo import SuiteCase
from app.domain.integrations.reading import Reading, Unreadable
from app.domain.integrations.tools import TOOLS

FIXTURES = Path(__file__).parent.parent / "fixtures"
WORDS = """
action annotation annotations task tasks id data result scores traces dataType traceId info trace_id
assessments spans attributes resourceSpans scopeSpans events key value results prompt success testCase assert
gradingResult response project input from_name subject
"""
KEYS = tuple(WORDS.split())
CALL = {"id": "1", "type": "function", "function": {"name": "look_up", "arguments": '{"order": 7}'}}


def cases(reading: Reading, default: FieldMapping) -> list[dict[str, Any]]:
    taken = [r for r in reading.records if r.value is not None and r.skip is None and r.doubt is None]
    return [mapping.to_case(r.value or {}, default) for r in taken]


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("a.b", 1),
        ("$.a.b", 1),
        ('["x.y"].z', 2),
        ("list[0].n", 1),
        ("list[-1].n", 3),
        ("list.n", [1, 3]),
        ("list[*].n", [1, 3]),
        ("list[7].n", None),
        ("a.b.c", None),
        ("nothing", None),
    ],
)
def test_a_path_goes_through_objects_and_lists(path: str, found: object) -> None:
    record = {"a": {"b": 1}, "x.y": {"z": 2}, "list": [{"n": 1}, {"n": 3}]}
    assert mapping.find(record, path) == found
    assert mapping.has(record, path) is (found is not None)


@pytest.mark.parametrize("path", ["", "$", "a..b", "a[b", "a['x]", "[", "a]"])
def test_what_is_no_path_is_refused(path: str) -> None:
    with pytest.raises(ValueError, match=r"path|names no field"):
        mapping.steps(path)


@given(
    st.dictionaries(st.text(min_size=1, max_size=5).filter(lambda k: '"' not in k), st.integers(), max_size=4)
)
def test_every_listed_path_finds_its_field(record: dict[str, int]) -> None:
    for path in mapping.fields_of(record):
        assert mapping.has(record, path)


@given(st.binary(max_size=200))
def test_no_body_breaks_a_tool(body: bytes) -> None:
    for tool in TOOLS:
        with suppress(Unreadable):
            tool.read(body)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(KEYS),
                inner,
                max_size=4,
            )
        ),
        max_leaves=25,
    )
)
def test_no_shape_breaks_a_tool(value: object) -> None:
    for tool in TOOLS:
        try:
            reading = tool.read(json.dumps(value).encode())
        except Unreadable:
            continue
        for record in reading.records:
            if record.value is not None:
                mapping.to_case(record.value, tool.mapping)


def test_label_studio_reads_json_min() -> None:
    row = {
        "id": 5,
        "prompt": "What is 12 * 12?",
        "response": "124",
        "annotation_id": 6,
        "annotator": 1,
        "updated_at": "2026-11-22T02:03:07.442966Z",
        "verdict": "bad",
        "kinds": {"choices": ["a", "b"]},
        "expected": "144",
    }
    reading = label_studio.read(json.dumps([row]).encode())
    (case,) = cases(reading, label_studio.DEFAULT_MAPPING)
    assert case == {"instruction": "What is 12 * 12?", "model_output": "124", "expected_output": "144"}
    record = reading.records[0]
    assert (record.key, record.group, record.version) == ("annotation:6", "task:5", row["updated_at"])
    assert record.value is not None
    assert record.value["result"]["kinds"] == ["a", "b"]


def test_label_studio_skips_what_was_cancelled_and_takes_bulk_actions() -> None:
    body = json.loads((FIXTURES / "label_studio/webhook_annotation_created.json").read_text())
    body["annotation"]["was_cancelled"] = True
    assert label_studio.read(json.dumps(body).encode()).records[0].skip == "the annotator skipped the task"
    body["action"], body["annotation"]["was_cancelled"] = "ANNOTATIONS_CREATED", False
    other = {**body["annotation"], "id": 77, "task": 78}
    body["annotation"], body["task"] = [body["annotation"], other], [body["task"], {**body["task"], "id": 78}]
    assert [r.group for r in label_studio.read(json.dumps(body).encode()).records] == ["task:5", "task:78"]


def test_langfuse_corrections_of_traces_and_observations() -> None:
    trace = {
        "id": "t1",
        "timestamp": "2026-11-01T10:00:00.000Z",
        "input": {"messages": [{"role": "user", "content": "Capital of Peru?"}]},
        "output": {"role": "assistant", "content": "Quito"},
        "observations": [{"id": "o1", "type": "GENERATION", "model": "m", "input": "2+2?", "output": "5"}],
        "scores": [
            {"id": "s1", "name": "output", "dataType": "CORRECTION", "value": 0, "stringValue": "Lima",
             "traceId": "t1", "observationId": None, "source": "ANNOTATION", "updatedAt": "2026-11-02T10:00:00.000Z"},
            {"id": "s2", "name": "output", "dataType": "CORRECTION", "value": "4", "traceId": "t1",
             "observationId": "o1", "source": "API"},
            {"id": "s3", "name": "helpful", "dataType": "NUMERIC", "value": 1, "traceId": "t1"},
        ],
    }  # fmt: skip
    reading = langfuse.read(json.dumps({"data": [trace], "meta": {"page": 1}}).encode())
    first, second = cases(reading, langfuse.DEFAULT_MAPPING)
    assert first["messages"] == [{"role": "user", "content": "Capital of Peru?"}]
    assert (first["model_output"], first["expected_output"]) == ("Quito", "Lima")
    assert (second["instruction"], second["model_output"], second["expected_output"]) == ("2+2?", "5", "4")
    assert [r.case_key for r in reading.records] == ["t1", "o1"]
    # the third version of its API says what a score is of in `subject`
    newer = {
        "id": "s4",
        "dataType": "CORRECTION",
        "value": "4",
        "subject": {"kind": "observation", "id": "o1"},
    }
    apart = {"scores": [newer], "observations": trace["observations"], "traces": []}
    assert (
        cases(langfuse.read(json.dumps(apart).encode()), langfuse.DEFAULT_MAPPING)[0]["expected_output"]
        == "4"
    )
    alone = langfuse.read(json.dumps([newer]).encode())
    assert alone.unreadable == ("score s4 corrects observation o1, which is not in the body: send it along",)


def test_mlflow_traces_with_feedback_and_expectations() -> None:
    """Recorded from MLflow 3: `mlflow.get_trace(id).to_json()`."""
    reading = mlflow.read((FIXTURES / "mlflow/traces.jsonl").read_bytes())
    first, second = cases(reading, mlflow.DEFAULT_MAPPING)
    assert first == {"instruction": "Capital of Peru?", "model_output": "Quito", "expected_output": "Lima"}
    assert second["messages"] == [{"role": "user", "content": "Hello"}]
    assert second["model_output"] == {"tool_calls": [CALL]}
    assert second["expected_output"] == "Hello, how can I help?"
    assert [r.doubt for r in reading.records][2] == "it has neither a negative feedback nor an expectation"


def span(**more: Any) -> dict[str, Any]:
    def attribute(key: str, value: Any) -> dict[str, Any]:
        return {"key": key, "value": {"stringValue": value if isinstance(value, str) else json.dumps(value)}}

    attributes = {
        "gen_ai.operation.name": "chat",
        "gen_ai.request.model": "m",
        "gen_ai.system_instructions": [{"type": "text", "content": "Be brief."}],
        "gen_ai.input.messages": [{"role": "user", "parts": [{"type": "text", "content": "Order 7?"}]}],
        "gen_ai.output.messages": [
            {
                "role": "assistant",
                "finish_reason": "tool_call",
                "parts": [{"type": "tool_call", "id": "1", "name": "look_up", "arguments": {"order": 7}}],
            }
        ],
    }
    return {
        "traceId": "5b8efff798038103d269b633813fc60c",
        "spanId": "eee19b7ec3c1b174",
        "name": "chat m",
        "attributes": [attribute(k, v) for k, v in attributes.items()]
        + [{"key": "gen_ai.usage.input_tokens", "value": {"intValue": "12"}}],
        **more,
    }


def otlp(*spans: dict[str, Any], logs: list[dict[str, Any]] | None = None) -> bytes:
    body: dict[str, Any] = {"resourceSpans": [{"resource": {}, "scopeSpans": [{"spans": list(spans)}]}]}
    if logs:
        body["resourceLogs"] = [{"scopeLogs": [{"logRecords": logs}]}]
    return json.dumps(body).encode()


def evaluation(label: str) -> list[dict[str, Any]]:
    said = {"gen_ai.evaluation.name": "Correctness", "gen_ai.evaluation.score.label": label}
    return [{"key": k, "value": {"stringValue": v}} for k, v in said.items()]


def test_opentelemetry_spans_that_were_judged() -> None:
    event = {"name": "gen_ai.evaluation.result", "attributes": evaluation("fail")}
    log = {
        "eventName": "gen_ai.evaluation.result",
        "spanId": "eee19b7ec3c1b174",
        "attributes": evaluation("fail"),
    }
    for body in (otlp(span(events=[event])), otlp(span(), logs=[log])):
        (case,) = cases(opentelemetry.read(body), opentelemetry.DEFAULT_MAPPING)
        assert case["messages"] == [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "Order 7?"},
        ]
        assert case["model_output"] == {"tool_calls": [CALL]}
        assert (case["tags"], case["model"]) == (["Correctness"], "m")
    passed = {"name": "gen_ai.evaluation.result", "attributes": evaluation("pass")}
    for quiet in (span(), span(events=[passed])):
        assert cases(opentelemetry.read(otlp(quiet)), opentelemetry.DEFAULT_MAPPING) == []
    database = {"traceId": "1", "spanId": "2", "name": "SELECT", "attributes": []}
    assert opentelemetry.read(otlp(database)).ignored == "no span has gen_ai attributes"


def test_opentelemetry_older_events() -> None:
    def event(name: str, **said: str) -> dict[str, Any]:
        return {
            "name": name,
            "attributes": [{"key": k, "value": {"stringValue": v}} for k, v in said.items()],
        }

    events = [
        event("gen_ai.user.message", content="Capital of Peru?"),
        event("gen_ai.choice", message='{"role": "assistant", "content": "Quito"}'),
    ]
    wanted = {"key": "expected_output", "value": {"stringValue": "Lima"}}
    old = span(
        events=events, attributes=[{"key": "gen_ai.system", "value": {"stringValue": "openai"}}, wanted]
    )
    (case,) = cases(opentelemetry.read(otlp(old)), opentelemetry.DEFAULT_MAPPING)
    assert case["messages"] == [{"role": "user", "content": "Capital of Peru?"}]
    assert (case["model_output"], case["expected_output"]) == ("Quito", "Lima")


def test_promptfoo_results() -> None:
    """Recorded from promptfoo: `promptfoo eval -o results.json`."""
    reading = promptfoo.read((FIXTURES / "promptfoo/results.json").read_bytes())
    (case,) = cases(reading, promptfoo.DEFAULT_MAPPING)
    assert case["messages"] == [{"role": "user", "content": 'hi "q" {{ not_a_var }} <b>'}]
    assert case["expected_output"] == "Lima {{x}}"
    assert (case["external_id"], case["tags"], case["model"]) == ("x1", ["equals"], "echo")
    assert [(r.skip, r.withdraws) for r in reading.records] == [(None, False), ("it passed", False)]


def test_a_promptfoo_suite_keeps_texts_out_of_templates() -> None:
    messages = [{"role": "user", "content": "{{ braces }}"}]
    case = SuiteCase(external_id="x", messages=messages, accepted=["a", "{{b}}"], description="x")
    made = promptfoo.suite([case], description="d")
    (test,) = made["tests"]
    assert test["vars"] == {"messages": messages, "accepted": ["a", "{{b}}"]}
    assert [a["value"] for a in test["assert"][0]["assert"]] == ["{{ accepted[0] }}", "{{ accepted[1] }}"]
    assert test["assert"][0]["threshold"] == 0.5


PROJECT = json.loads((FIXTURES / "label_studio/webhook_annotation_created.json").read_text())["project"]
MAPPING = FieldMapping.from_dict(
    {
        "fields": {
            "prompt": "data.prompt",
            "model_output": "data.response",
            "expected_output": "result.expected",
            "external_id": "data.external_id",
        },
        "bad_when": {"path": "result.verdict", "values": ["bad"]},
    }
)


def pushed(**more: Any) -> Pushed:
    turns = [
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": "?"},
        {"role": "user", "content": "Go"},
    ]
    return Pushed(
        about={"finding_id": "fd_1"}, prompt="user: Hi ...", messages=turns, model_output="no",
        expected_output="yes", external_id="log-9", score=0.75, **more,
    )  # fmt: skip


def test_a_pushed_task_comes_back_as_the_case_it_was() -> None:
    push = push_of([pushed()], MAPPING, PROJECT, model_version="casemend dg_1")
    (task,) = push.tasks
    assert task["data"]["prompt"] == "user: Hi ..."
    said = label_studio.by_control(task["predictions"][0]["result"])
    assert said == {"expected": "yes", "verdict": "bad"}
    annotation = {"id": 1, "result": task["predictions"][0]["result"], "updated_at": "2026"}
    reading = label_studio.read(
        json.dumps([{"id": 2, "data": task["data"], "annotations": [annotation]}]).encode()
    )
    assert reading.records[0].adds
    (case,) = cases(reading, MAPPING)
    assert case["messages"] == pushed().messages
    assert (case["external_id"], case["expected_output"]) == ("log-9", "yes")


def test_a_finding_of_a_known_task_is_a_prediction_of_it() -> None:
    push = push_of([pushed(task_id=5)], MAPPING, PROJECT, model_version="casemend dg_1")
    assert push.tasks == []
    assert push.predictions[0]["task"] == 5


def test_an_answer_to_a_question_is_no_bad_case() -> None:
    data = {"prompt": "x", "casemend": {"action_id": "ra_1"}}
    body = [{"id": 2, "data": data, "annotations": [{"id": 1, "result": []}]}]
    (record,) = label_studio.read(json.dumps(body).encode()).records
    assert record.skip == "it answers the question ra_1: decide on it in the plan"


@pytest.mark.parametrize(
    "project", [{}, {"parsed_label_config": {}}, {"parsed_label_config": {"x": {"inputs": []}}}]
)
def test_a_project_that_shows_no_prompt_is_refused(project: dict[str, Any]) -> None:
    with pytest.raises(CannotPush):
        push_of([pushed()], MAPPING, project, model_version="v")
