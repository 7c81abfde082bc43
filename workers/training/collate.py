"""Rows to one batch of tensors, with as few tokens in it as give the same gradients.

Rows of a fine-tuning set mostly start alike (system prompt, instruction) and differ in a dozen tokens. In a
*shared-prefix* batch the rows lie one behind the other in one sequence, their common start once in front; a
mask lets each token see the start and its own row only, and positions count as if each row stood alone. For
plain causal attention that is the same computation, without what is repeated and without padding.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

from workers.models.generator import common_prefix_length

IGNORED = -100


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerCollator:
    """Batches for answer-only loss.

    A batch holds the model's inputs; ``keep``, the positions whose next token is part of an answer;
    ``shift_labels``, these next tokens, and ``weights``, their rows' weights, both of shape (1, kept) in a
    shared-prefix batch and (rows, kept) in a padded one; ``tokens``, how many the rows hold in all.
    """

    pad_token_id: int
    hidden_size: int
    share_prefix: bool

    def __call__(self, rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
        lengths = [len(r["prompt"]) + len(r["answer"]) for r in rows]
        if self.share_prefix:
            shared = common_prefix_length([r["prompt"] for r in rows])
            packed = shared + sum(n - shared for n in lengths)
            if self._cost(packed, 1) <= self._cost(max(lengths), len(rows)):
                return {**_shared_prefix(rows, shared), "tokens": sum(lengths)}
        return {**_left_padded(rows, self.pad_token_id), "tokens": sum(lengths)}

    def _cost(self, length: int, rows: int) -> float:
        """Tokens through the linear layers, plus attention scores in the same unit: a layer multiplies a
        token with some 12 x hidden^2 weights, and a score costs about 2 x hidden."""
        return rows * (length + length**2 / (6 * self.hidden_size))


def _shared_prefix(rows: Sequence[dict[str, Any]], shared: int) -> dict[str, Any]:
    ids: list[int] = list(rows[0]["prompt"][:shared])
    positions = list(range(shared))
    owner = [0] * shared  # 0 = everybody's
    keep: list[int] = []
    labels: list[int] = []
    weights: list[float] = []
    for number, row in enumerate(rows, start=1):
        own = [*row["prompt"][shared:], *row["answer"]]
        answer_at = len(ids) + len(row["prompt"]) - shared
        keep += range(answer_at - 1, answer_at - 1 + len(row["answer"]))
        labels += row["answer"]
        weights += [row["weight"]] * len(row["answer"])
        ids += own
        positions += range(shared, shared + len(own))
        owner += [number] * len(own)
    owners = torch.tensor(owner)
    order = torch.arange(len(ids))
    visible = (order[:, None] >= order[None, :]) & (
        (owners == 0)[None, :] | (owners[:, None] == owners[None, :])
    )
    return {
        "input_ids": torch.tensor([ids]),
        "position_ids": torch.tensor([positions]),
        "attention_mask": visible[None, None],
        "keep": torch.tensor(keep),
        "shift_labels": torch.tensor([labels]),
        "weights": torch.tensor([weights]),
    }


def _left_padded(rows: Sequence[dict[str, Any]], pad_token_id: int) -> dict[str, Any]:
    longest = max(len(r["prompt"]) + len(r["answer"]) for r in rows)
    answers = max(len(r["answer"]) for r in rows)
    ids = torch.full((len(rows), longest), pad_token_id)
    mask = torch.zeros((len(rows), longest), dtype=torch.long)
    labels = torch.full((len(rows), answers), IGNORED)
    weights = torch.zeros((len(rows), answers))
    for i, row in enumerate(rows):
        tokens = torch.tensor([*row["prompt"], *row["answer"]])
        ids[i, longest - len(tokens) :] = tokens
        mask[i, longest - len(tokens) :] = 1
        labels[i, answers - len(row["answer"]) :] = torch.tensor(row["answer"])
        weights[i, answers - len(row["answer"]) :] = row["weight"]
    return {
        "input_ids": ids,
        "position_ids": (mask.cumsum(1) - 1).clamp(min=0),
        "attention_mask": mask,
        # Answers end where the rows end: the last but one positions predict them.
        "keep": torch.arange(longest - 1 - answers, longest - 1),
        "shift_labels": labels,
        "weights": weights,
    }
