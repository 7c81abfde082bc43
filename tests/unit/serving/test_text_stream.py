"""What of an answer may go out while it is still being written."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from workers.serving.text_stream import TextStream


def of_bytes(tokens: Sequence[int]) -> str:
    """A byte is a token, as in a byte-level model."""
    return bytes(tokens).decode(errors="replace")


def pieces(text: str, *stops: str) -> tuple[list[str], TextStream]:
    stream = TextStream(of_bytes, stops)
    made = []
    for token in text.encode():
        made.append(stream.add(token))
        if stream.stopped:
            return made, stream
    return [*made, stream.rest()], stream


def test_a_character_of_several_tokens_goes_out_whole() -> None:
    made, _ = pieces("a退b")
    assert [p for p in made if p] == ["a", "退", "b"]


def test_a_stop_sequence_never_goes_out_not_even_its_beginning() -> None:
    made, stream = pieces("yes\n\nQ: and", "\n\nQ:")
    assert "".join(made) == "yes"
    assert stream.stopped
    assert all("\n" not in piece for piece in made)


def test_what_only_began_like_a_stop_sequence_goes_out_after_all() -> None:
    made, stream = pieces("one\ntwo\n", "\n\n")
    assert "".join(made) == "one\ntwo\n"
    assert not stream.stopped


def test_the_earliest_of_several_stop_sequences_counts() -> None:
    made, _ = pieces("abc END xyz STOP", "STOP", " END")
    assert "".join(made) == "abc"


@given(st.text(max_size=30), st.lists(st.text(min_size=1, max_size=3), max_size=3))
def test_the_pieces_are_the_text_up_to_the_first_stop_sequence(text: str, stops: list[str]) -> None:
    text = text.encode(errors="replace").decode().replace("\ufffd", "")
    made, stream = pieces(text, *stops)
    said = "".join(made)
    assert text.startswith(said)
    found = [text.find(stop) for stop in stops if stop in text]
    assert stream.stopped == bool(found)
    # a stop sequence ends the answer with the token that completes it, so a longer one that began earlier may win
    assert not any(stop in said for stop in stops)
    assert found or said == text
