"""Rows that are answered together, one token a step: a row joins between two steps and leaves when it has ended.

Iteration-level batching as in Yu et al. 2022 ("Orca", OSDI, section 3.1). Rows that join are read in one pass of
their own; then their key-value cache is put under that of the running ones, both filled up on the left.

Does not know text, requests and adapters.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import torch

from workers.models.batches import joined, left_padded
from workers.models.weights import shares_prefix

MAX_ALTERNATIVES = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampling:
    """``temperature`` 0 = greedy, else 0..2. ``top_p`` 0..1: the smallest set of tokens that holds as much is drawn
    from. ``alternatives``: of each token so many likely ones are told, None = no probabilities at all."""

    temperature: float = 0.0
    top_p: float = 1.0
    seed: int | None = None
    alternatives: int | None = None


@dataclass(frozen=True, slots=True)
class Chosen:
    """A token of an answer. ``logprob`` and ``alternatives`` ((token, log probability), likeliest first) are of the
    model's own distribution, before temperature and top_p."""

    token: int
    logprob: float | None = None
    alternatives: tuple[tuple[int, float], ...] = ()


@dataclass(slots=True)
class Row:
    """``prompt``: token ids, at least one."""

    prompt: Sequence[int]
    sampling: Sampling
    generator: torch.Generator | None = field(default=None)


class RunningBatch:
    """``model`` is called with the forward of a causal language model; its adapter is whoever's business it is."""

    def __init__(self, model: Any, device: torch.device, pad_token: int) -> None:
        self._model = model
        self._device = device
        self._pad = pad_token
        self.rows: list[Row] = []
        self._cache: Any = None
        self._mask = torch.zeros((0, 0), dtype=torch.long, device=device)
        self._positions = torch.zeros((0,), dtype=torch.long, device=device)
        self._next = torch.zeros((0,), dtype=torch.long, device=device)

    @property
    def takes_more(self) -> bool:
        """Whether another row may join: any time where attention sees masks and positions alone, else one by one."""
        return not self.rows or shares_prefix(self._model.config)

    @torch.inference_mode()
    def join(self, rows: Sequence[Row]) -> list[Chosen]:
        """Read the prompts; the first token of each row."""
        ids, mask = left_padded([row.prompt for row in rows], self._pad, self._device)
        for row in rows:
            if row.sampling.temperature > 0:
                row.generator = torch.Generator(device=self._device)
                if row.sampling.seed is None:
                    row.generator.seed()
                else:
                    row.generator.manual_seed(row.sampling.seed)
        positions = (mask.cumsum(1) - 1).clamp(min=0)
        read = self._model(
            input_ids=ids, attention_mask=mask, position_ids=positions, use_cache=True, logits_to_keep=1
        )
        chosen, tokens = _choose(read.logits[:, -1], rows)
        running = ([self._cache], [self._mask]) if self.rows else ([], [])
        self._cache, self._mask = joined([*running[0], read.past_key_values], [*running[1], mask])
        self._positions = torch.cat([self._positions, positions[:, -1]])
        self._next = torch.cat([self._next, tokens])
        self.rows.extend(rows)
        return chosen

    @torch.inference_mode()
    def step(self) -> list[Chosen]:
        """The next token of each row, in the order of ``rows``."""
        self._positions = self._positions + 1
        self._mask = torch.cat([self._mask, self._mask.new_ones(len(self.rows), 1)], dim=1)
        read = self._model(
            input_ids=self._next[:, None],
            attention_mask=self._mask,
            position_ids=self._positions[:, None],
            past_key_values=self._cache,
            use_cache=True,
            logits_to_keep=1,
        )
        chosen, self._next = _choose(read.logits[:, -1], self.rows)
        return chosen

    @torch.inference_mode()
    def keep(self, indices: Sequence[int]) -> None:
        """The rows that go on, by their place in ``rows``; the others leave, and so does the room that was theirs."""
        if len(indices) == len(self.rows):
            return
        self.rows = [self.rows[i] for i in indices]
        if not self.rows:
            self.clear()
            return
        kept = torch.tensor(list(indices), device=self._device)
        self._cache.batch_select_indices(kept)
        self._mask, self._positions, self._next = self._mask[kept], self._positions[kept], self._next[kept]
        empty = int(self._mask.any(0).nonzero()[0])
        if empty and shares_prefix(self._model.config):
            self._mask = self._mask[:, empty:]
            for layer in self._cache.layers:
                layer.keys, layer.values = layer.keys[:, :, empty:], layer.values[:, :, empty:]

    def clear(self) -> None:
        self.__init__(self._model, self._device, self._pad)


def _choose(logits: torch.Tensor, rows: Sequence[Row]) -> tuple[list[Chosen], torch.Tensor]:
    """One token a row of ``logits`` (rows, vocabulary), and the tokens as a tensor (rows,)."""
    tokens = logits.argmax(-1)
    for i, row in enumerate(rows):
        if row.sampling.temperature > 0:
            tokens[i] = _drawn(logits[i].float(), row)
    asked = [i for i, row in enumerate(rows) if row.sampling.alternatives is not None]
    said: dict[int, tuple[float, tuple[tuple[int, float], ...]]] = {}
    if asked:
        logprobs = torch.log_softmax(logits[asked].float(), dim=-1)
        likeliest = logprobs.topk(MAX_ALTERNATIVES, dim=-1)
        for at, i in enumerate(asked):
            wanted = rows[i].sampling.alternatives or 0
            pairs = zip(likeliest.indices[at].tolist(), likeliest.values[at].tolist(), strict=True)
            said[i] = (float(logprobs[at, tokens[i]]), tuple(pairs)[:wanted])
    untold: tuple[None, tuple[()]] = (None, ())
    return [Chosen(token, *said.get(i, untold)) for i, token in enumerate(tokens.tolist())], tokens


def _drawn(logits: torch.Tensor, row: Row) -> torch.Tensor:
    """Nucleus sampling, Holtzman et al. 2020 ("The Curious Case of Neural Text Degeneration")."""
    chances, order = torch.softmax(logits / row.sampling.temperature, dim=-1).sort(descending=True)
    outside = chances.cumsum(0) - chances >= row.sampling.top_p
    outside[0] = False  # the likeliest one is never outside
    chances = chances.masked_fill(outside, 0.0)
    return order[torch.multinomial(chances, 1, generator=row.generator)[0]]
