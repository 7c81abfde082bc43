"""Gradients of single answers with respect to the adapter: two that point the same way teach the same.

TracIn (Pruthi et al. 2020, eq. 1, at the last checkpoint) compares the gradient of a training row's loss with
that of a test answer's; LESS (Xia et al. 2024) does it for LoRA parameters, randomly projected, by cosine. It
knows how to get many rows' gradients out of one backward pass. It does not know which rows to compare.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from jaxtyping import Float32
from numpy import ndarray

from workers.models.base_models import BaseModelError
from workers.models.tuned import AnswerTokens, TunedModel, mean_losses

LAYERS = 8
"""Of the model's last layers; those in front add cost and little else."""

SIDE = 32
"""Dimensions to which the long side of a LoRA matrix's gradient is projected; the rank's side stays."""

DIMENSIONS = 8_192
"""Of a whole gradient, as in LESS. The sketch alone gives a cosine a standard error of at most sqrt(2 / 8192), .016;
the projection to ``SIDE`` adds at most sqrt(2 / 32), .25, by the root of how many matrices share the gradient."""

_LAYER = re.compile(r"\.(\d+)\.")


def answer_gradients(
    tuned: TunedModel,
    pairs: Sequence[AnswerTokens],
    *,
    layers: int = LAYERS,
    seed: int = 0,
    progress: Callable[[float], None] = lambda _: None,
) -> Float32[ndarray, "n d"]:
    """The direction in which learning each answer would move the adapter: unit rows, shape (n, DIMENSIONS).

    The inner product of two rows is their gradients' cosine, -1..1; larger = learning the one answer makes
    the other likelier. A pair without an answer is a row of zeros. ``progress`` gets the share done.
    """
    made = np.zeros((len(pairs), DIMENSIONS), dtype=np.float32)
    done = 0
    with _watched(tuned, layers, seed) as watch:
        for batch in tuned.batches(pairs):
            logits, labels = tuned.logits([pairs[i] for i in batch])
            # The rows do not meet in the model, so the gradient of the sum holds each row's own.
            mean_losses(logits, labels).sum().backward()
            gradients = watch.collect()
            norms = gradients.norm(dim=1, keepdim=True)
            usable = torch.isfinite(norms) & (norms > 0)
            made[batch] = torch.where(usable, gradients / norms, 0.0).cpu().numpy()
            done += len(batch)
            progress(done / len(pairs))
    return made


class GradientSketch:
    """Random linear map of a LoRA gradient to ``DIMENSIONS`` numbers, the same for the same seed everywhere.

    Inner products survive in expectation, each with a standard error. ``project`` maps the long side of one
    matrix (LoGra, Choe et al. 2024); ``combine`` sketches all matrices together.
    """

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._projections: dict[str, torch.Tensor] = {}
        self._sketch: tuple[torch.Tensor, torch.Tensor] | None = None

    def project(self, name: str, side: torch.Tensor) -> torch.Tensor:
        """Shape (..., width) to (..., SIDE); a side of at most ``SIDE`` stays. ``name``: of the matrix."""
        width = side.shape[-1]
        if width <= SIDE:
            return side
        if name not in self._projections:
            signs = _signs(self._seed, name, width * SIDE).view(width, SIDE)
            self._projections[name] = (signs / SIDE**0.5).to(side.device)
        return side @ self._projections[name]

    def combine(self, parts: Mapping[str, torch.Tensor]) -> torch.Tensor:
        """Projected gradients by matrix, each (rows, values), to shape (rows, DIMENSIONS)."""
        whole = torch.cat([parts[name] for name in sorted(parts)], dim=1)
        if self._sketch is None:
            # Count sketch (Charikar et al. 2002): every coordinate into one bucket, with a random sign.
            generator = torch.Generator().manual_seed(self._seed)
            buckets = torch.randint(DIMENSIONS, (whole.shape[1],), generator=generator)
            signs = _signs(self._seed, "sketch", whole.shape[1])
            self._sketch = buckets.to(whole.device), signs.to(whole.device)
        buckets, signs = self._sketch
        return whole.new_zeros(len(whole), DIMENSIONS).index_add_(1, buckets, whole * signs)


class _Watch:
    """Collects a batch's gradients, row by row, from what flows through the LoRA matrices.

    The gradient of a linear layer's weight is the sum over tokens of (gradient of its output) x (its input):
    both are at hand in a batched pass, and each row keeps its own sum (as in Goodfellow 2015). The long side
    is projected before the sum, so no whole gradient is ever made.
    """

    def __init__(self, seed: int) -> None:
        self._sketch = GradientSketch(seed)
        self._parts: dict[str, torch.Tensor] = {}

    def hook(self, name: str, *, project_input: bool) -> Callable[..., None]:
        def on_forward(_: Any, inputs: tuple[torch.Tensor, ...], output: torch.Tensor) -> None:
            seen = inputs[0].detach().float()

            def on_backward(gradient: torch.Tensor) -> None:
                left, right = gradient.float(), seen
                if project_input:
                    right = self._sketch.project(name, right)
                else:
                    left = self._sketch.project(name, left)
                self._parts[name] = torch.einsum("bto,bti->boi", left, right).flatten(1)

            output.register_hook(on_backward)

        return on_forward

    def collect(self) -> torch.Tensor:
        """The gradients of the pass just made, shape (rows, DIMENSIONS)."""
        parts, self._parts = self._parts, {}
        return self._sketch.combine(parts)


def _signs(seed: int, name: str, count: int) -> torch.Tensor:
    """-1 or 1, the same for the same seed and name wherever it runs."""
    generator = torch.Generator().manual_seed(zlib.crc32(f"{seed}:{name}".encode()))
    return torch.randint(2, (count,), generator=generator).float() * 2 - 1


@contextmanager
def _watched(tuned: TunedModel, layers: int, seed: int) -> Iterator[_Watch]:
    """The LoRA matrices of the last ``layers`` layers with hooks on, everything else frozen."""
    matrices = _lora_matrices(tuned.model, layers)
    watch = _Watch(seed)
    hooks = [
        module.register_forward_hook(watch.hook(name, project_input=".lora_A." in name))
        for name, module in matrices.items()
    ]
    for module in matrices.values():
        module.weight.requires_grad_(True)
    try:
        yield watch
    finally:
        for hook in hooks:
            hook.remove()
        for module in matrices.values():
            module.weight.requires_grad_(False)
            module.weight.grad = None


def _lora_matrices(model: Any, layers: int) -> dict[str, Any]:
    found = {
        name: module
        for name, module in model.named_modules()
        if (".lora_A." in name or ".lora_B." in name) and isinstance(module, torch.nn.Linear)
    }
    if not found:
        raise BaseModelError("the adapter has no LoRA matrices on linear layers; attribution needs some")
    layer_of = {name: int(match.group(1)) if (match := _LAYER.search(name)) else -1 for name in found}
    last = sorted(set(layer_of.values()))[-layers:]
    return {name: module for name, module in found.items() if layer_of[name] in last}
