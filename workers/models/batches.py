"""Rows of unlike length in one batch: filled up on the left, with a mask and a key-value cache."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch.nn.functional import pad

MAX_CACHE_TOKENS = {"cpu": 16_384, "cuda": 131_072}
"""Most (rows x tokens) that one batch's key-value cache may hold: what bounds the memory."""


def left_padded(
    batch: Sequence[Sequence[int]], pad_token: int, device: torch.device
) -> tuple[torch.Tensor, torch.Tensor]:
    """Ids and mask, shape (rows, longest); 1 in the mask = a token of the prompt."""
    longest = max(map(len, batch))
    ids = torch.full((len(batch), longest), pad_token)
    mask = torch.zeros((len(batch), longest), dtype=torch.long)
    for row, tokens in enumerate(batch):
        ids[row, longest - len(tokens) :] = torch.tensor(list(tokens))
        mask[row, longest - len(tokens) :] = 1
    return ids.to(device), mask.to(device)


def joined(caches: Sequence[Any], masks: Sequence[torch.Tensor]) -> tuple[Any, torch.Tensor]:
    """Caches and masks one below the other, the shorter ones padded on the left. The first cache takes all."""
    longest = max(mask.shape[1] for mask in masks)
    missing = [longest - mask.shape[1] for mask in masks]
    for layers in zip(*(cache.layers for cache in caches), strict=True):
        for name in ("keys", "values"):
            parts = [
                pad(getattr(layer, name), (0, 0, more, 0))
                for layer, more in zip(layers, missing, strict=True)
            ]
            setattr(layers[0], name, torch.cat(parts))
            for layer in layers[1:]:
                setattr(layer, name, None)  # gives the memory back, layer by layer
    return caches[0], torch.cat([pad(mask, (more, 0)) for mask, more in zip(masks, missing, strict=True)])
