"""Bodies: unpacked piece by piece, parsed strictly, checked for what cannot be stored."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.api.request_bodies import MAX_DEPTH, Inflater, MalformedBody, require_storable, strict_json
from app.errors import InvalidInput, ServiceError


def inflated(packed: bytes, *, chunk_bytes: int = 7) -> bytes:
    inflater, pieces = Inflater(), []
    for start in range(0, len(packed), chunk_bytes):
        pieces += inflater.feed(packed[start : start + chunk_bytes])
    inflater.close()
    return b"".join(pieces)


@given(st.lists(st.binary(max_size=200), max_size=4), st.integers(1, 50))
def test_members_of_a_gzip_stream_are_joined(members: list[bytes], chunk_bytes: int) -> None:
    packed = b"".join(gzip.compress(member) for member in members)
    assert inflated(packed, chunk_bytes=chunk_bytes) == b"".join(members)


def test_zero_padding_between_members_is_skipped() -> None:
    assert inflated(gzip.compress(b"a") + b"\0" * 20 + gzip.compress(b"b") + b"\0") == b"ab"


@given(st.binary(min_size=1, max_size=200), st.integers(1, 20))
def test_a_stream_that_was_cut_off_is_refused(content: bytes, cut: int) -> None:
    with pytest.raises(MalformedBody):
        inflated(gzip.compress(content)[:-cut])


def test_a_bomb_comes_in_pieces() -> None:
    pieces = list(Inflater().feed(gzip.compress(b"\0" * 50_000_000)))
    assert max(map(len, pieces)) <= 1 << 20


@given(st.binary(max_size=100))
def test_any_bytes_are_json_or_refused_with_a_reason(body: bytes) -> None:
    refused: ServiceError | None = None
    try:
        json.dumps(strict_json(body)).encode()
    except ServiceError as error:
        refused = error
    assert refused is None or (refused.status_code in (400, 422) and refused.detail)


@pytest.mark.parametrize(
    ("value", "pointer"),
    [
        ({"a": ["x", {"b/c~d": "\0"}]}, "/a/1/b~1c~0d"),
        ({"a": "\ud800"}, "/a"),
        (["ok", "\udfff"], "/1"),
        ({"\0": 1}, ""),
    ],
)
def test_what_cannot_be_stored_is_found_wherever_it_stands(value: Any, pointer: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        require_storable(value)
    assert caught.value.errors[0]["pointer"] == pointer


def test_nesting_is_bounded() -> None:
    def nested(depth: int) -> Any:
        value: Any = 1
        for _ in range(depth):
            value = [value]
        return value

    require_storable(nested(MAX_DEPTH))
    with pytest.raises(InvalidInput, match="nested"):
        require_storable(nested(MAX_DEPTH + 1))
