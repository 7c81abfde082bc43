"""Arbitrary training examples: everything that the database can hold and a format may find hard to say."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from app.domain.formats.fields import ANSWER_ROLES
from app.domain.records import Message, Role, TrainingExample

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
    max_leaves=6,
)
json_objects = st.dictionaries(keys, json_values, max_size=3)
# `role` and `content` are the turn itself, never something besides.
extras = st.dictionaries(keys.filter(lambda k: k not in ("role", "content")), json_values, max_size=2)


def turns(roles: st.SearchStrategy[Role], content: st.SearchStrategy[str]) -> st.SearchStrategy[Message]:
    return st.builds(Message, role=roles, content=content, extra=st.just({}) | extras)


answers = turns(st.sampled_from(ANSWER_ROLES), said)


@st.composite
def training_examples(draw: st.DrawFn) -> TrainingExample:
    """Any example that an import lets in: it ends with an answer, and a user turn stands before it."""
    before = draw(st.lists(turns(st.sampled_from(Role), texts), max_size=4))
    asked = draw(turns(st.just(Role.USER), said))
    between = draw(st.lists(turns(st.sampled_from(Role), texts), max_size=2))
    messages = (*before, asked, *between, draw(answers))
    first = next(m.content for m in messages if m.role is Role.USER)
    rejected: Any = draw(st.just([]) | st.lists(answers, min_size=1, max_size=2))
    return TrainingExample(
        id="ex",
        messages=messages,
        rejected=tuple(rejected),
        tools=draw(st.none() | json_values),
        instruction_length=draw(st.integers(0, len(first))),
        source_id=draw(st.none() | texts),
        metadata=draw(json_objects),
    )
