"""What a tuned model makes of answers that it is given, and of its own: losses, entropies, samples.

It knows how to ask. It does not know what the figures mean: ``app.domain.diagnosis.evidence.adapter_signals`` does.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from workers.models.batches import left_padded
from workers.models.tuned import IGNORED, AnswerTokens, TunedModel, mean_losses


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerCost:
    """``loss``: mean negative log-likelihood of the answer's tokens in nats. ``first_token_entropy``: of what
    the model expects at the first of them, mean, in nats; 0 = it is sure."""

    loss: float
    first_token_entropy: float


@torch.inference_mode()
def answer_costs(
    tuned: TunedModel,
    pairs: Sequence[AnswerTokens],
    *,
    first_tokens: int,
    progress: Callable[[float], None] = lambda _: None,
) -> list[AnswerCost | None]:
    """What each answer costs the model, in order; None for a pair without an answer."""
    costs: list[AnswerCost | None] = [None] * len(pairs)
    done = 0
    for batch in tuned.batches(pairs):
        logits, labels = tuned.logits([pairs[i] for i in batch])
        losses = mean_losses(logits, labels).tolist()
        answered = labels != IGNORED
        first = answered & (answered.cumsum(1) <= first_tokens)
        logs = torch.log_softmax(logits[first], dim=-1)
        flat = torch.zeros(labels.shape, device=logits.device)
        flat[first] = -(logs.exp() * logs).sum(-1)
        entropies = (flat.sum(1) / first.sum(1)).tolist()
        for i, loss, entropy in zip(batch, losses, entropies, strict=True):
            costs[i] = AnswerCost(loss=loss, first_token_entropy=entropy)
        done += len(batch)
        progress(done / len(pairs))
    return costs


@torch.inference_mode()
def sampled_answers(
    tuned: TunedModel,
    prompts: Sequence[tuple[int, ...]],
    *,
    samples: int,
    temperature: float,
    max_new_tokens: int,
    seed: int,
    progress: Callable[[float], None] = lambda _: None,
) -> list[list[str]]:
    """``samples`` answers to each prompt, drawn at ``temperature``; none for a prompt without tokens.

    The same seed gives the same answers on the same kind of machine; the process' own random state stays.
    """
    answers: list[list[str]] = [[] for _ in prompts]
    # Equal lengths of prompt and answer share the work best; the batch holds every sample of its prompts.
    as_pairs = [AnswerTokens(prompt=p, answer=(0,) * max_new_tokens if p else ()) for p in prompts]
    done = 0
    devices = [tuned.device] if tuned.device.type == "cuda" else []
    with torch.random.fork_rng(devices=devices):
        torch.manual_seed(seed)
        for batch in _in_parts(tuned.batches(as_pairs), samples):
            ids, mask = left_padded([prompts[i] for i in batch], tuned.tokenizer.pad_token_id, tuned.device)
            generated = tuned.model.generate(
                input_ids=ids,
                attention_mask=mask,
                max_new_tokens=max_new_tokens,
                do_sample=True,
                temperature=temperature,
                top_k=0,
                top_p=1.0,
                num_return_sequences=samples,
                pad_token_id=tuned.tokenizer.pad_token_id,
                use_cache=True,
            )[:, ids.shape[1] :]
            texts = tuned.tokenizer.batch_decode(generated, skip_special_tokens=True)
            for place, i in enumerate(batch):
                own = texts[place * samples : (place + 1) * samples]
                # a byte-level model can say NUL, which PostgreSQL cannot store
                answers[i] = [t.strip().replace("\x00", "\ufffd") for t in own]
            done += len(batch)
            progress(done / len(prompts))
    return answers


def _in_parts(batches: Any, samples: int) -> Any:
    """The batches cut so that ``samples`` copies of each row are as much as the batch was."""
    for batch in batches:
        step = max(1, len(batch) // samples)
        for start in range(0, len(batch), step):
            yield batch[start : start + step]
