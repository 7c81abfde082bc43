"""Examples encoded in one pass hash as their definition says."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from app.db.repositories.example_encoding import encode
from app.domain.records import Message, Role, TrainingExample, canonical_json

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=30)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)
MESSAGES = st.lists(
    st.builds(
        Message,
        role=st.sampled_from(Role),
        content=TEXT,
        extra=st.just({})
        | st.dictionaries(TEXT.filter(lambda k: k not in ("role", "content")), JSON, max_size=2),
    ),
    min_size=1,
    max_size=4,
).map(tuple)
EXAMPLES = st.builds(
    TrainingExample,
    id=st.just("ex_1"),
    messages=MESSAGES,
    rejected=st.just(()) | MESSAGES,
    tools=JSON,
    instruction_length=st.integers(0, 5),
    source_id=st.none() | TEXT,
    metadata=st.dictionaries(TEXT, JSON, max_size=3),
)


@given(EXAMPLES)
def test_both_hashes_are_those_of_the_record(example: TrainingExample) -> None:
    encoded = encode(example)
    assert encoded.content_hash == example.content_hash
    assert encoded.record_hash == example.record_hash


@given(EXAMPLES)
def test_every_part_reads_back_as_it_was(example: TrainingExample) -> None:
    encoded = encode(example)
    assert json.loads(encoded.messages) == [m.as_dict() for m in example.messages]
    assert encoded.messages == canonical_json([m.as_dict() for m in example.messages])
    assert json.loads(encoded.metadata) == example.metadata
    assert (None if encoded.tools is None else json.loads(encoded.tools)) == example.tools
    assert (encoded.rejected is None) == (not example.rejected)
