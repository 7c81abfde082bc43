"""The stages as Ray Data sees them: blocks of texts in, blocks of arrays out, in their order."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import ray  # pyright: ignore[reportMissingImports] - an optional dependency
import ray.data  # pyright: ignore[reportMissingImports]
from jaxtyping import Float32, UInt32
from numpy import ndarray

from app.domain import similarity, thresholds
from app.domain.records import Embedder
from workers.models.embedder import load_embedder

BLOCK_TEXTS = thresholds.SIGNATURE_CHUNK


class ClusterEmbedder:
    """:class:`app.domain.records.Embedder` whose blocks are embedded by the cluster's processes.

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


def cluster_signatures(texts: Sequence[str]) -> UInt32[ndarray, "n p"]:
    blocks = [texts[start : start + BLOCK_TEXTS] for start in range(0, len(texts), BLOCK_TEXTS)]
    made = [np.frombuffer(row["made"], dtype=np.uint32) for row in _mapped(_Sign, blocks, arguments=())]
    return np.concatenate([np.empty(0, dtype=np.uint32), *made]).reshape(-1, thresholds.MINHASH_PERMUTATIONS)


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


class _Sign:
    def __call__(self, batch: dict[str, Any]) -> dict[str, Any]:
        return {"made": [similarity.signatures(list(texts)).tobytes() for texts in batch["texts"]]}


def _mapped(
    stage: type, blocks: Sequence[Sequence[str]], *, arguments: tuple[Any, ...]
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
