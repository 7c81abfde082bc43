"""The stages as Ray Data sees them: blocks of texts in, blocks of arrays out, in their order."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import ray  # pyright: ignore[reportMissingImports] - an optional dependency
import ray.data  # pyright: ignore[reportMissingImports]
from jaxtyping import Float32, UInt32
from numpy import ndarray

from app.domain.answers.agreement import SIGNATURE_CHUNK
from app.domain.language import ngram_frequencies
from app.domain.language.ngram_frequencies import GRAM_CHUNK, NOVELTY_ORDERS, Lexicon
from app.domain.near_duplicates import signatures
from app.domain.near_duplicates.signatures import PART_ROWS, PERMUTATIONS, Signatures
from app.domain.vectors.embedder import Embedder
from workers.models.embedder import load_embedder

BLOCK_TEXTS = SIGNATURE_CHUNK


class ClusterEmbedder:
    """:class:`app.domain.vectors.embedder.Embedder` whose blocks are embedded by the cluster's processes.

    ``local`` embeds what comes alone and says name and fingerprint: a cluster with other weights would show.
    """

    def __init__(self, local: Embedder) -> None:
        self._local = local
        self.name: str = local.name
        self.dimensions: int = local.dimensions

    @property
    def fingerprint(self) -> str:
        return self._local.fingerprint

    def encode(self, texts: Sequence[str]) -> Float32[ndarray, "n d"]:
        return self._local.encode(texts)

    def encode_blocks(self, blocks: Sequence[Sequence[str]]) -> Iterator[Float32[ndarray, "n d"]]:
        """Each block as ``encode`` would have it, in order, as soon as it is there."""
        made = _mapped(_Embed, blocks, arguments=(self.name, self.fingerprint))
        for row in made:
            yield np.frombuffer(row["made"], dtype=np.float32).reshape(-1, self.dimensions)


def cluster_read(texts: Sequence[str]) -> tuple[UInt32[ndarray, "n p"], Lexicon]:
    """Sketches in the order of the texts, and how often each n-gram stands in them."""
    step = GRAM_CHUNK
    blocks = [texts[start : start + step] for start in range(0, len(texts), step)]
    sketches = [np.empty((0, ngram_frequencies.SKETCH_BINS), dtype=np.uint32)]
    parts: list[tuple[ndarray, ...]] = []
    for row in _mapped(_Read, blocks, arguments=()):
        read = np.frombuffer(row["sketches"], dtype=np.uint32)
        sketches.append(read.reshape(-1, ngram_frequencies.SKETCH_BINS))
        parts.append(tuple(np.frombuffer(row[name], dtype=np.uint32) for name in _READ_COLUMNS))
    return np.concatenate(sketches), ngram_frequencies.joined(len(texts), parts)


def cluster_signatures(texts: Sequence[str]) -> Signatures:
    """Signatures and what must be equal, in the order of the texts; words counted over all of them."""
    blocks = [
        # A lone surrogate is no character of a column of text.
        [t.encode("utf-8", "surrogatepass") for t in texts[start : start + PART_ROWS]]
        for start in range(0, len(texts), PART_ROWS)
    ]
    return signatures.joined(map(_part, _mapped(_Signatures, blocks, arguments=())))


def _part(row: dict[str, Any]) -> Signatures:
    return Signatures(
        values=np.frombuffer(row["values"], dtype=np.uint32).reshape(-1, PERMUTATIONS),
        texts=np.frombuffer(row["texts"], dtype=np.int64),
        numbers=np.frombuffer(row["numbers"], dtype=np.int64),
        words=Counter(json.loads(row["words"])),
    )


class _Embed:
    """One process of the cluster; loads the weights once."""

    def __init__(self, name: str, fingerprint: str) -> None:
        self._embedder = load_embedder(name)
        if self._embedder.fingerprint != fingerprint:
            raise RuntimeError(
                f"the embedder {name!r} of this node has the fingerprint {self._embedder.fingerprint}, not "
                f"{fingerprint}; install the same weights on every node"
            )

    def __call__(self, batch: dict[str, Any]) -> dict[str, Any]:
        return {"made": [self._embedder.encode(list(texts)).tobytes() for texts in batch["texts"]]}


_READ_COLUMNS = tuple(f"{kind}{order}" for order in NOVELTY_ORDERS for kind in ("bucket", "rows"))


class _Read:
    def __call__(self, batch: dict[str, Any]) -> dict[str, Any]:
        made: dict[str, list[bytes]] = {name: [] for name in ("sketches", *_READ_COLUMNS)}
        for texts in batch["texts"]:
            minhash, counted = ngram_frequencies.read_part(list(texts))
            made["sketches"].append(minhash.tobytes())
            for name, values in zip(_READ_COLUMNS, counted, strict=True):
                made[name].append(values.tobytes())
        return made


class _Signatures:
    def __call__(self, batch: dict[str, Any]) -> dict[str, Any]:
        made: dict[str, list[bytes]] = {name: [] for name in ("values", "texts", "numbers", "words")}
        for texts in batch["texts"]:
            part = signatures.read_part([t.decode("utf-8", "surrogatepass") for t in texts])
            for name in ("values", "texts", "numbers"):
                made[name].append(getattr(part, name).tobytes())
            made["words"].append(json.dumps(part.words).encode())
        return made


def _mapped(
    stage: type, blocks: Sequence[Sequence[str | bytes]], *, arguments: tuple[Any, ...]
) -> Iterator[dict[str, Any]]:
    """Every block through ``stage``, one processor each, in the order of the blocks."""
    if not blocks:
        return
    if not ray.is_initialized():
        ray.init(address=os.environ["RAY_ADDRESS"], log_to_driver=False)
    context = ray.data.DataContext.get_current()
    context.execution_options.preserve_order = True
    context.enable_progress_bars = False
    rows = [{"texts": list(block)} for block in blocks]
    processes = max(1, min(len(blocks), int(ray.cluster_resources().get("CPU", 1))))
    yield from (
        ray.data.from_items(rows, override_num_blocks=len(rows))
        .map_batches(
            stage,
            batch_size=1,
            compute=ray.data.ActorPoolStrategy(size=processes),
            fn_constructor_args=arguments,
            num_cpus=1,
        )
        .iter_rows()
    )
