"""Greedy answers of a base model, with or without an adapter, for many conversations at once.

It knows how to spend little time on that: equal prompts are answered once, prompts are read a few at a time with
those of their task and length, what these have in common at their start (system prompt, instruction) is computed
once, and a row that has ended leaves the batch. It does not know what an answer is worth.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from workers.models.base_models import LocalModel
from workers.models.batches import MAX_CACHE_TOKENS, joined, left_padded
from workers.models.chat import Conversation, prompt_ids
from workers.models.devices import fast_dtype, pick_device
from workers.models.weights import (
    context_of,
    load_tokenizer,
    load_weights,
    merge_adapter,
    shares_prefix,
    stop_tokens,
)

PROMPTS_READ_AT_ONCE = {"cpu": 16, "cuda": 128}
"""Rows whose prompts are padded to one length. On a processor every token costs its share, and sixteen rows are
enough for its matrix products; a GPU reads a whole batch in about the time of one."""

COMPACT_SHARE = 0.25
"""Ended rows leave the batch when they are a quarter of it: copying the cache costs about one step."""


class GenerationCancelled(Exception):
    """``should_cancel`` said so."""


def _never() -> bool:
    return False


def _ignore(_: float) -> None:
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Read:
    """Prompts that have been read: their key-value cache, its mask (rows, tokens), and the logits (rows, vocabulary)
    of the first token of each answer."""

    cache: Any
    mask: torch.Tensor
    logits: torch.Tensor


@dataclass(frozen=True, slots=True)
class Generator:
    """A loaded model. Make one with :meth:`load`; drop it to give the memory back."""

    model: Any
    tokenizer: Any
    device: torch.device

    @classmethod
    def load(cls, model: LocalModel, adapter_path: Path | None, device: str = "auto") -> Generator:
        """``model`` with the adapter merged in, in the precision that is fast on ``device``.

        The sum of weights and adapter is made in float32 and rounded once.
        """
        place = pick_device(device)
        dtype = fast_dtype(place)
        tokenizer = load_tokenizer(model)
        merging = adapter_path is not None
        weights = load_weights(model, dtype=torch.float32 if merging else dtype, device=place)
        if adapter_path is not None:
            weights = merge_adapter(weights, adapter_path).to(dtype)
        return cls(weights.eval(), tokenizer, place)

    def generate(
        self,
        conversations: Sequence[Conversation | Sequence[Mapping[str, Any]] | str],
        *,
        max_new_tokens: int,
        batch_size: int = 64,
        progress: Callable[[float], None] = _ignore,
        should_cancel: Callable[[], bool] = _never,
    ) -> list[str]:
        """The greedy answer to each conversation, in order, special tokens left out.

        A string is a raw prompt: it is answered as it stands, without the chat template around it.
        ``progress`` gets the share done, 0..1. ``should_cancel`` is asked before every step; then
        :class:`GenerationCancelled` is raised.
        """
        room = self.context - max_new_tokens
        if room < 1:
            raise ValueError(f"max_new_tokens={max_new_tokens} fills the context; give a smaller number")
        # Prompts that are too long keep their end: the question stands there, and the place to answer.
        prompts = [tuple(self._prompt(c)[-room:]) for c in conversations]
        answers: dict[tuple[int, ...], str] = {}
        distinct = sorted(set(prompts), key=lambda ids: (len(ids), ids))
        for batch in _batches(distinct, max_new_tokens, batch_size, MAX_CACHE_TOKENS[self.device.type]):
            answers.update(zip(batch, self._answer(batch, max_new_tokens, should_cancel), strict=True))
            progress(len(answers) / len(distinct))
        return [answers[p] for p in prompts]

    def _prompt(self, conversation: Conversation | Sequence[Mapping[str, Any]] | str) -> list[int]:
        if isinstance(conversation, Conversation):
            return prompt_ids(self.tokenizer, conversation.messages, tools=conversation.tools)
        if not isinstance(conversation, str):
            return prompt_ids(self.tokenizer, conversation)
        ids = list(self.tokenizer(conversation)["input_ids"])
        # An empty prompt still needs a token to continue from.
        return ids or [self.tokenizer.eos_token_id]

    @property
    def context(self) -> int:
        """Tokens of prompt and answer together that the model can see."""
        return context_of(self.model)

    @torch.inference_mode()
    def _answer(
        self, batch: Sequence[tuple[int, ...]], max_new_tokens: int, should_cancel: Callable[[], bool]
    ) -> list[str]:
        if shares_prefix(self.model.config):
            generated = self._decode_sharing_prefix(batch, max_new_tokens, should_cancel)
        else:
            generated = self._decode_with_transformers(batch, max_new_tokens, should_cancel)
        texts = (self.tokenizer.decode(ids, skip_special_tokens=True).strip() for ids in generated)
        # a byte-level model can say NUL, which PostgreSQL cannot store
        return [text.replace("\x00", "\ufffd") for text in texts]

    def _decode_sharing_prefix(
        self, batch: Sequence[tuple[int, ...]], max_new_tokens: int, should_cancel: Callable[[], bool]
    ) -> list[list[int]]:
        stop = torch.tensor(sorted(stop_tokens(self.model, self.tokenizer)), device=self.device)
        generated: list[list[int]] = [[] for _ in batch]
        groups = groups_to_read(batch, PROMPTS_READ_AT_ONCE[self.device.type])
        read = []
        for group in groups:
            if should_cancel():
                raise GenerationCancelled
            read.append(self._read([batch[row] for row in group]))
        rows = torch.tensor([row for group in groups for row in group], device=self.device)
        cache, mask = joined([r.cache for r in read], [r.mask for r in read])
        logits = torch.cat([r.logits for r in read])
        del read
        running = torch.ones(len(batch), dtype=torch.bool, device=self.device)
        for step in range(max_new_tokens):
            chosen = logits.argmax(-1)
            running &= ~torch.isin(chosen, stop)
            for row, token, goes_on in zip(rows.tolist(), chosen.tolist(), running.tolist(), strict=True):
                if goes_on:
                    generated[row].append(token)
            left = int(running.sum())
            if left == 0 or step + 1 == max_new_tokens:
                break
            if left <= (1 - COMPACT_SHARE) * len(running):
                keep = running.nonzero().squeeze(1)
                cache.batch_select_indices(keep)
                rows, chosen, mask, running = (x[keep] for x in (rows, chosen, mask, running))
            if should_cancel():
                raise GenerationCancelled
            positions = mask.sum(1, keepdim=True)
            mask = torch.cat([mask, mask.new_ones(len(mask), 1)], dim=1)
            logits = self.model(
                input_ids=chosen[:, None],
                attention_mask=mask,
                position_ids=positions,
                past_key_values=cache,
                use_cache=True,
                logits_to_keep=1,
            ).logits[:, -1]
        return generated

    def _read(self, prompts: Sequence[tuple[int, ...]]) -> _Read:
        """The prompts in a cache of their own, what they share at their start computed once."""
        from transformers import DynamicCache

        shared = common_prefix_length(prompts)
        cache = DynamicCache(config=self.model.config)
        if shared:
            self.model(
                input_ids=torch.tensor([prompts[0][:shared]], device=self.device),
                past_key_values=cache,
                use_cache=True,
                logits_to_keep=1,
            )
            cache.batch_repeat_interleave(len(prompts))
        rest, mask = left_padded([ids[shared:] for ids in prompts], self.tokenizer.pad_token_id, self.device)
        mask = torch.cat([mask.new_ones(len(prompts), shared), mask], dim=1)
        logits = self.model(
            input_ids=rest,
            attention_mask=mask,
            position_ids=(mask.cumsum(1) - 1).clamp(min=0)[:, shared:],
            past_key_values=cache,
            use_cache=True,
            logits_to_keep=1,
        ).logits[:, -1]
        return _Read(cache=cache, mask=mask, logits=logits)

    def _decode_with_transformers(
        self, batch: Sequence[tuple[int, ...]], max_new_tokens: int, should_cancel: Callable[[], bool]
    ) -> list[list[int]]:
        from transformers import StoppingCriteria, StoppingCriteriaList

        class Cancelled(StoppingCriteria):
            def __call__(self, input_ids: Any, scores: Any, **kwargs: Any) -> Any:  # noqa: ARG002
                if should_cancel():
                    raise GenerationCancelled
                return torch.zeros(len(input_ids), dtype=torch.bool, device=input_ids.device)

        ids, mask = left_padded(batch, self.tokenizer.pad_token_id, self.device)
        stop = stop_tokens(self.model, self.tokenizer)
        output = self.model.generate(
            input_ids=ids,
            attention_mask=mask,
            max_new_tokens=max_new_tokens,
            do_sample=False,
            eos_token_id=sorted(stop),
            pad_token_id=self.tokenizer.pad_token_id,
            stopping_criteria=StoppingCriteriaList([Cancelled()]),
        )
        return [_until(answer, stop) for answer in output[:, ids.shape[1] :].tolist()]


def common_prefix_length(batch: Sequence[list[int]] | Sequence[tuple[int, ...]]) -> int:
    """How many leading tokens all rows share, at least one token of each row left over."""
    ordered = sorted(batch)
    first, last = ordered[0], ordered[-1]  # whatever these two share, all between them share
    limit = min(map(len, batch)) - 1
    length = 0
    while length < limit and first[length] == last[length]:
        length += 1
    return length


def groups_to_read(batch: Sequence[tuple[int, ...]], at_once: int) -> list[list[int]]:
    """Positions in ``batch``, at most ``at_once`` a group: prompts of one task and of like length together."""
    groups = []
    for task in _tasks(batch, range(len(batch)), at_once):
        ordered = sorted(task, key=lambda row: len(batch[row]))
        groups += [ordered[i : i + at_once] for i in range(0, len(ordered), at_once)]
    return groups


def _tasks(batch: Sequence[tuple[int, ...]], rows: Sequence[int], fewest: int) -> list[Sequence[int]]:
    """``rows`` parted where their common start ends, while a part has ``fewest`` rows; the others stay together."""
    shared = common_prefix_length([batch[row] for row in rows])
    by_next: defaultdict[int, list[int]] = defaultdict(list)
    for row in rows:
        by_next[batch[row][shared]].append(row)
    if len(by_next) == 1:
        return [rows]
    parts = [part for part in by_next.values() if len(part) >= fewest]
    rest = [row for part in by_next.values() if len(part) < fewest for row in part]
    return [task for part in parts for task in _tasks(batch, part, fewest)] + ([rest] if rest else [])


def _batches(
    prompts: Sequence[tuple[int, ...]], max_new_tokens: int, batch_size: int, cache_tokens: int
) -> Iterator[list[tuple[int, ...]]]:
    """Prompts sorted by length, cut where ``batch_size`` rows or ``cache_tokens`` are reached. Longest first,
    so that a batch too big for the memory fails at once."""
    batch: list[tuple[int, ...]] = []
    for prompt in reversed(prompts):
        longest = len(batch[0]) if batch else len(prompt)
        if batch and (
            len(batch) >= batch_size or (len(batch) + 1) * (longest + max_new_tokens) > cache_tokens
        ):
            yield batch
            batch = []
        batch.append(prompt)
    if batch:
        yield batch


def _until(ids: Sequence[int], stop: AbstractSet[int]) -> list[int]:
    end = next((i for i, token in enumerate(ids) if token in stop), len(ids))
    return list(ids[:end])
