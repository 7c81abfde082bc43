"""BERT sentence encoders without padding: texts of one length together, in bfloat16 where that is fast.

Knows the plain BERT encoder with a mean over its tokens (MiniLM, mpnet's smaller sisters, bge without
instructions and the like). A model that is anything else is refused, and runs through sentence-transformers.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from sentence_transformers import SentenceTransformer
from tokenizers import Tokenizer
from torch import Tensor
from torch.nn import functional

BATCH_TOKENS = 4096
"""Tokens of a batch: its activations stay in the cache of one processor."""

LENGTH_SLACK = 1.05
"""Longest to shortest text of a batch: what is padded stays under a twentieth."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Linear:
    weight: Tensor
    bias: Tensor

    @classmethod
    def of(cls, *layers: Any, dtype: torch.dtype) -> _Linear:
        """Several layers with one input are one product."""
        return cls(
            weight=torch.cat([x.weight.detach() for x in layers]).to(dtype).contiguous(),
            bias=torch.cat([x.bias.detach() for x in layers]).to(dtype),
        )

    def __call__(self, rows: Tensor) -> Tensor:
        return functional.linear(rows.to(self.weight.dtype), self.weight, self.bias)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Layer:
    attention_in: _Linear
    attention_out: _Linear
    attention_norm: Any
    feed_in: _Linear
    feed_out: _Linear
    feed_norm: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class PackedBert:
    """Weights of a plain BERT encoder in the precision of their products; sums and norms stay float32."""

    tokenizer: Tokenizer
    embeddings: Any
    layers: tuple[_Layer, ...]
    heads: int
    max_tokens: int

    @classmethod
    def of(cls, model: SentenceTransformer, dtype: torch.dtype) -> PackedBert | None:
        """None where the model is not a plain BERT with a mean over its tokens."""
        bert = getattr(model[0], "auto_model", None)
        settings = getattr(bert, "config", None)
        tokenizer = getattr(model.tokenizer, "backend_tokenizer", None)
        if bert is None or tokenizer is None or settings is None:
            return None
        plain = (
            getattr(settings, "model_type", "") == "bert"
            and settings.hidden_act == "gelu"
            and getattr(settings, "position_embedding_type", "absolute") == "absolute"
            and not settings.is_decoder
            and type(model[1]).__name__ == "Pooling"
            and getattr(model[1], "pooling_mode", "") == "mean"
            and all(type(m).__name__ == "Normalize" for m in list(model)[2:])
            and not model.default_prompt_name
        )
        if not plain:
            return None
        alone = Tokenizer.from_str(tokenizer.to_str())
        alone.no_padding()
        alone.no_truncation()
        return cls(
            tokenizer=alone,
            embeddings=bert.embeddings,
            layers=tuple(
                _Layer(
                    attention_in=_Linear.of(
                        layer.attention.self.query,
                        layer.attention.self.key,
                        layer.attention.self.value,
                        dtype=dtype,
                    ),
                    attention_out=_Linear.of(layer.attention.output.dense, dtype=dtype),
                    attention_norm=layer.attention.output.LayerNorm,
                    feed_in=_Linear.of(layer.intermediate.dense, dtype=dtype),
                    feed_out=_Linear.of(layer.output.dense, dtype=dtype),
                    feed_norm=layer.output.LayerNorm,
                )
                for layer in bert.encoder.layer
            ),
            heads=settings.num_attention_heads,
            max_tokens=int(model.max_seq_length or settings.max_position_embeddings),
        )

    @torch.inference_mode()
    def encode(self, texts: Sequence[str]) -> Float[Tensor, "n d"]:
        """Mean of the last layer over the tokens of each text, float32, not normalised."""
        ids = [self._cut(e.ids) for e in self.tokenizer.encode_batch(list(texts))]
        order = sorted(range(len(ids)), key=lambda i: len(ids[i]))
        width = self.embeddings.word_embeddings.weight.shape[1]
        found = torch.empty(len(ids), width)
        for batch in _batches(order, ids):
            found[batch] = self._forward([ids[i] for i in batch]).cpu()
        return found

    def _cut(self, ids: list[int]) -> list[int]:
        return ids if len(ids) <= self.max_tokens else [*ids[: self.max_tokens - 1], ids[-1]]

    def _forward(self, ids: Sequence[list[int]]) -> Float[Tensor, "b d"]:
        device = self.embeddings.word_embeddings.weight.device
        longest = max(map(len, ids))
        tokens = torch.tensor([row + [0] * (longest - len(row)) for row in ids], device=device)
        lengths = torch.tensor([len(row) for row in ids], device=device)
        there = torch.arange(longest, device=device)[None, :] < lengths[:, None]
        mask = None if bool(there.all()) else there[:, None, None, :]
        e = self.embeddings
        rows = e.word_embeddings(tokens) + e.position_embeddings.weight[:longest]
        rows = e.LayerNorm(rows + e.token_type_embeddings.weight[0]).flatten(0, 1)
        for layer in self.layers:
            seen = layer.attention_in(rows).view(len(ids), longest, 3, self.heads, -1)
            query, key, value = seen.permute(2, 0, 3, 1, 4)
            said = functional.scaled_dot_product_attention(query, key, value, attn_mask=mask)
            said = layer.attention_out(said.transpose(1, 2).flatten(0, 1).flatten(1))
            rows = layer.attention_norm(said.float() + rows)
            rows = layer.feed_norm(layer.feed_out(functional.gelu(layer.feed_in(rows))).float() + rows)
        summed = (rows.view(len(ids), longest, -1) * there[:, :, None]).sum(1)
        return summed / lengths[:, None]


def _batches(order: Sequence[int], ids: Sequence[list[int]]) -> Iterator[list[int]]:
    """``order``: texts by length, ascending."""
    batch: list[int] = []
    for i in order:
        full = (len(batch) + 1) * len(ids[i]) > BATCH_TOKENS
        if batch and (full or len(ids[i]) > LENGTH_SLACK * len(ids[batch[0]])):
            yield batch
            batch = []
        batch.append(i)
    if batch:
        yield batch
