"""Vectors are made once for each text, whoever asks for them and how often."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import Barrier

import numpy as np
import pytest
from jaxtyping import Float16, Float32
from numpy import ndarray
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.artifacts import ArtifactStore
from app.db.models import VectorRow, VectorShardRow
from app.db.session import SessionFactory
from app.services import vectors


@dataclass(slots=True)
class Counting:
    """A random unit vector for each text, drawn from the text; remembers what it was asked for."""

    name: str = "counting"
    dimensions: int = 16
    fingerprint: str = "00"
    seen: list[str] = field(default_factory=list)
    before_answer: Callable[[], object] = lambda: None

    def encode(self, texts: Sequence[str]) -> Float32[ndarray, "n d"]:
        self.seen += texts
        self.before_answer()
        return np.stack([self._vector(text) for text in texts])

    def _vector(self, text: str) -> Float32[ndarray, " d"]:
        seed = int.from_bytes(
            hashlib.sha256(f"{self.name}{self.fingerprint}{text}".encode()).digest()[:8], "big"
        )
        vector = np.random.default_rng(seed).normal(size=self.dimensions)
        return (vector / np.linalg.norm(vector)).astype(np.float32)


Embed = Callable[[Counting, Sequence[str]], Float32[ndarray, "n d"]]


@pytest.fixture
def embed(sessions: SessionFactory, store: ArtifactStore) -> Embed:
    return lambda embedder, texts: vectors.vectors_for(sessions, store, embedder, texts)


def test_each_text_gets_its_own_unit_vector_in_order(embed: Embed) -> None:
    embedder = Counting()
    texts = ["b", "a", "b", "你好"]
    found = embed(embedder, texts)
    assert found.shape == (4, 16)
    assert found.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1.0, atol=1e-6)
    np.testing.assert_allclose(found, Counting().encode(texts), atol=2e-3)
    np.testing.assert_array_equal(found[0], found[2])


def test_a_text_is_embedded_once_however_often_it_stands_there(embed: Embed) -> None:
    embedder = Counting()
    embed(embedder, ["a", "b", "a", "a"])
    assert sorted(embedder.seen) == ["a", "b"]


def test_only_texts_never_seen_before_are_embedded(embed: Embed) -> None:
    embed(Counting(), ["a", "b"])
    later = Counting()
    embed(later, ["c", "b", "a", "d"])
    assert sorted(later.seen) == ["c", "d"]


def test_a_second_call_gives_the_same_vectors_to_the_bit(embed: Embed) -> None:
    texts = [f"text {i}" for i in range(300)]
    first = embed(Counting(), texts)
    again = Counting()
    np.testing.assert_array_equal(embed(again, texts), first)
    np.testing.assert_array_equal(embed(again, texts[::-1]), first[::-1])
    np.testing.assert_array_equal(embed(again, [*texts[:5], "new"])[:5], first[:5])
    assert again.seen == ["new"]


@pytest.mark.parametrize("nothing", ["", " ", "\n\t "])
def test_a_text_without_content_is_a_zero_row_and_costs_nothing(embed: Embed, nothing: str) -> None:
    embedder = Counting()
    found = embed(embedder, [nothing, "a", nothing])
    np.testing.assert_array_equal(found[[0, 2]], np.zeros((2, 16)))
    assert found[1].any()
    assert embedder.seen == ["a"]


def test_no_texts_give_no_rows(embed: Embed) -> None:
    embedder = Counting()
    assert embed(embedder, []).shape == (0, 16)
    assert embed(embedder, [""]).shape == (1, 16)
    assert embedder.seen == []


def test_embedders_do_not_answer_for_each_other(embed: Embed) -> None:
    one = embed(Counting(), ["a"])
    other = Counting(name="other")
    assert not np.array_equal(embed(other, ["a"]), one)
    assert other.seen == ["a"]


def test_an_embedder_with_other_weights_under_the_same_name_gives_its_own_vectors(embed: Embed) -> None:
    embed(Counting(), ["a", "b"])
    changed = Counting(fingerprint="01")
    found = embed(changed, ["a", "b", "c"])
    np.testing.assert_allclose(found, Counting(fingerprint="01").encode(["a", "b", "c"]), atol=2e-3)
    assert sorted(changed.seen) == ["a", "b", "c"]
    back = Counting()
    np.testing.assert_allclose(embed(back, ["a", "b"]), Counting().encode(["a", "b"]), atol=2e-3)
    assert back.seen == []


def test_known_texts_are_found_across_blocks_and_look_ups(
    sessions: SessionFactory, store: ArtifactStore
) -> None:
    texts = [f"text {i}" for i in range(40)]

    def small(embedder: Counting, texts: Sequence[str]) -> Float16[ndarray, "n d"]:
        return vectors.half_vectors_for(sessions, store, embedder, texts, embed_batch=7, lookup_batch=5)

    small(Counting(), texts[::2])
    later = Counting()
    np.testing.assert_allclose(small(later, texts), Counting().encode(texts), atol=2e-3)
    assert sorted(later.seen) == sorted(texts[1::2])


def test_half_a_surrogate_pair_is_a_text_like_any_other(embed: Embed) -> None:
    @dataclass(slots=True)
    class Fixed:
        name: str = "fixed"
        dimensions: int = 2
        fingerprint: str = "00"

        def encode(self, texts: Sequence[str]) -> Float32[ndarray, "n d"]:
            return np.tile(np.array([1, 0], dtype=np.float32), (len(texts), 1))

    found = embed(Fixed(), ["\ud83d", "a"])  # pyright: ignore[reportArgumentType]
    np.testing.assert_array_equal(found, [[1, 0], [1, 0]])


def test_progress_rises_to_one_and_a_run_that_breaks_keeps_its_blocks(
    sessions: SessionFactory, store: ArtifactStore, session: Session
) -> None:
    texts = [f"text {i}" for i in range(2 * vectors.EMBED_BATCH + 10)]
    said: list[float] = []

    def break_off(fraction: float) -> None:
        said.append(fraction)
        if len(said) == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        vectors.vectors_for(sessions, store, Counting(), texts, progress=break_off)
    assert session.scalar(select(func.count()).select_from(VectorRow)) == 2 * vectors.EMBED_BATCH
    rest = Counting()
    vectors.vectors_for(sessions, store, rest, texts, progress=said.append)
    assert rest.seen == sorted(texts)[-10:]
    size = vectors.EMBED_BATCH
    assert said == [pytest.approx(size / len(texts)), pytest.approx(2 * size / len(texts)), 1.0]


@pytest.mark.parametrize("turned", [False, True], ids=["in the same order", "in opposite orders"])
def test_two_runs_that_embed_the_same_texts_at_once_both_get_them(
    embed: Embed, session: Session, turned: bool
) -> None:
    rounds, size = 3, vectors.EMBED_BATCH
    for number in range(rounds):
        texts = [f"text {number} {i}" for i in range(size)]
        orders = [texts, texts[::-1] if turned else texts]
        both = Barrier(2, timeout=20)
        with ThreadPoolExecutor(2) as pool:
            runs = [pool.submit(embed, Counting(before_answer=both.wait), order) for order in orders]
            one, other = (run.result(timeout=60) for run in runs)
        np.testing.assert_array_equal(one, other[::-1] if turned else other)
        np.testing.assert_array_equal(embed(Counting(before_answer=both.abort), texts), one)
    assert session.scalar(select(func.count()).select_from(VectorRow)) == rounds * size
    shards = session.scalars(select(VectorShardRow)).all()
    assert {(s.model, s.rows, s.dimensions) for s in shards} == {("counting@00", size, 16)}
