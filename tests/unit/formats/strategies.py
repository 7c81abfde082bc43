"""Arbitrary training examples: everything that the database can hold and a format may find hard to say."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from app.domain.records import Message, Role, TrainingExample
from tests.effort import examples

# Examples are large: how long they take to draw says more of the machine than of the test.
unhurried = settings(max_examples=examples(60), suppress_health_check=[HealthCheck.too_slow])

# What PostgreSQL can store: no NUL, no surrogates.
texts = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=12)
said = texts.filter(lambda t: t.strip() != "")
# Names that the formats themselves use are the likeliest to collide.
keys = st.one_of(
    texts,
    st.sampled_from(
        [
            *("id", "metadata", "_casemend", "system", "tools"),
            *("instruction", "input", "output", "history"),
            *("conversations", "from", "value", "messages", "role", "content"),
            *("prompt", "completion", "chosen", "rejected", "preferred_output", "non_preferred_output"),
            *("label", "kto_tag", "rejected_response", "rejected_messages", "functions", "desirable"),
            *("question", "answer", "query", "response", "text", "system_prompt", "context", "data"),
            *("tool_calls", "function_call", "reasoning_content", "weight", "name"),
        ]
    ),
)
numbers = st.one_of(
    st.integers(-(2**63), 2**63),
    st.floats(allow_nan=False, allow_infinity=False).filter(lambda x: 0 < abs(x) < 1e16),
)
json_values = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3),
    max_leaves=4,
)
json_objects = st.dictionaries(keys, json_values, max_size=3)
calls = st.builds(
    lambda name, arguments: {
        "id": "c",
        "type": "function",
        "function": {"name": name, "arguments": arguments},
    },
    st.sampled_from(["find", "查询"]),
    st.sampled_from(['{"q": "x"}', "{}", ""]) | json_objects,
)
# `role` and `content` are the turn itself, never something besides.
extras = st.dictionaries(
    keys.filter(lambda k: k not in ("role", "content")), json_values, max_size=2
) | st.fixed_dictionaries(
    {},
    optional={
        "tool_calls": st.lists(calls, max_size=2),
        "reasoning_content": texts,
        "weight": st.sampled_from([0, 1, 0.5]),
    },
)


def turns(roles: st.SearchStrategy[Role], content: st.SearchStrategy[str]) -> st.SearchStrategy[Message]:
    return st.builds(Message, role=roles, content=content, extra=st.just({}) | extras)


thought = st.builds(lambda block, text: f"<think>{block}</think>{text}", texts, said)
as_json = st.sampled_from(["5", "true", "-0.0", "1e+16", "NaN", '{"name": "Bob"}', "[1, 2]", '"x"', "null"])
answers = turns(st.sampled_from([Role.ASSISTANT, Role.FUNCTION_CALL]), said | thought | as_json) | st.builds(
    Message,
    role=st.just(Role.ASSISTANT),
    content=st.just(""),
    extra=st.lists(calls, min_size=1, max_size=2).map(lambda made: {"tool_calls": made}),
)


@st.composite
def training_examples(draw: st.DrawFn) -> TrainingExample:
    """Any example that an import lets in: it ends with an answer, and a user turn stands before it."""
    before = draw(st.lists(turns(st.sampled_from(Role), texts), max_size=2))
    asked = draw(turns(st.just(Role.USER), said))
    between = draw(st.lists(turns(st.sampled_from(Role), texts), max_size=1))
    messages = (*before, asked, *between, draw(answers))
    first = next(m.content for m in messages if m.role is Role.USER)
    rejected: Any = draw(st.just([]) | st.lists(answers, min_size=1, max_size=2))
    noted = st.fixed_dictionaries(
        {"json": st.lists(st.sampled_from(["output", "messages.1.content", "x.0"]))},
        optional={"null": st.lists(texts), "text": st.lists(st.sampled_from(["messages.1.content"]))},
    )
    metadata = draw(json_objects)
    if draw(st.booleans()):
        metadata = {**metadata, "_casemend": draw(noted)}
    return TrainingExample(
        id="ex",
        desirable=draw(st.none() | st.booleans()),
        messages=messages,
        rejected=tuple(rejected),
        tools=draw(st.none() | json_values),
        instruction_length=draw(st.integers(0, len(first))),
        source_id=draw(st.none() | texts),
        metadata=metadata,
    )
