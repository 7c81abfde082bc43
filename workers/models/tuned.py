"""A tuned model with its adapter still apart, and what it thinks of given answers.

It knows how a conversation and an answer become tokens, in which batches, and what each answer costs the
model. It does not know which cases are asked about and what the figures mean.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from workers.models.base_models import BaseModelError, LocalModel
from workers.models.chat import UnrenderableConversation, prompt_and_answer_ids, prompt_ids
from workers.models.devices import fast_dtype, pick_device
from workers.models.weights import load_tokenizer, load_weights, require_safe_adapter

BATCH_TOKENS = {"cpu": 4_096, "cuda": 32_768}
"""Most tokens, padding counted, in one pass: what bounds the memory."""

MAX_TOKENS = 1_024
"""Of prompt and answer together. A longer pair loses the start of its prompt, as in training."""

IGNORED = -100


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerTokens:
    """One pair as token ids. Both are empty where the model's chat template refuses the conversation."""

    prompt: tuple[int, ...]
    answer: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.prompt) + len(self.answer)


@dataclass(frozen=True, slots=True)
class TunedModel:
    """Base model and adapter. Dropout is off; the adapter's weights are float32, the base's what is fast."""

    model: Any
    tokenizer: Any
    device: torch.device

    @classmethod
    def load(cls, model: LocalModel, adapter: Path, device: str = "auto") -> TunedModel:
        from peft import PeftModel

        require_safe_adapter(adapter)
        place = pick_device(device)
        base = load_weights(model, dtype=fast_dtype(place), device=place)
        base.config.use_cache = False
        try:
            tuned = PeftModel.from_pretrained(base, str(adapter), is_trainable=True)
        except (ValueError, RuntimeError) as error:
            raise BaseModelError(f"the adapter does not fit {model.name}: {error}") from error
        tuned.requires_grad_(False)
        return cls(tuned.eval(), load_tokenizer(model), place)

    def prompt(
        self, conversation: Sequence[Mapping[str, Any]], *, room: int, tools: Any = None
    ) -> tuple[int, ...]:
        """Tokens of the prompt alone, its start cut where it leaves less than ``room``; () as above."""
        try:
            ids = prompt_ids(self.tokenizer, conversation, tools=tools)
            return tuple(ids[-max(1, self._most() - room) :])
        except UnrenderableConversation:
            return ()

    def pair(
        self, conversation: Sequence[Mapping[str, Any]], answer: str | Mapping[str, Any], *, tools: Any = None
    ) -> AnswerTokens:
        """A prompt and an answer to it, a text or a turn, as the training renders them."""
        turn = {"role": "assistant", "content": answer} if isinstance(answer, str) else answer
        try:
            prompt, said = prompt_and_answer_ids(self.tokenizer, conversation, [turn], tools=tools)
        except UnrenderableConversation:
            return AnswerTokens(prompt=(), answer=())
        prompt = prompt or [self.tokenizer.eos_token_id]
        said = said[: self._most() - 1]
        return AnswerTokens(prompt=tuple(prompt[-(self._most() - len(said)) :]), answer=tuple(said))

    def _most(self) -> int:
        return min(MAX_TOKENS, int(getattr(self.model.config, "max_position_embeddings", None) or MAX_TOKENS))

    def batches(self, pairs: Sequence[AnswerTokens]) -> Iterator[list[int]]:
        """Positions of the pairs that have an answer, those of like length together, longest first."""
        asked = [i for i, pair in enumerate(pairs) if pair.answer]
        room = BATCH_TOKENS[self.device.type]
        batch: list[int] = []
        for i in sorted(asked, key=lambda i: (-len(pairs[i]), i)):
            if batch and (len(batch) + 1) * len(pairs[batch[0]]) > room:
                yield batch
                batch = []
            batch.append(i)
        if batch:
            yield batch

    def logits(self, pairs: Sequence[AnswerTokens]) -> tuple[torch.Tensor, torch.Tensor]:
        """What the model expects at every token of the answers, and these tokens.

        Shapes (rows, longest answer, vocabulary), float32, and (rows, longest answer); the answers stand at
        the right, in front of the shorter ones ``IGNORED``.
        """
        longest, answers = max(map(len, pairs)), max(len(p.answer) for p in pairs)
        ids = torch.full((len(pairs), longest), self.tokenizer.pad_token_id)
        mask = torch.zeros((len(pairs), longest), dtype=torch.long)
        labels = torch.full((len(pairs), answers), IGNORED)
        for row, pair in enumerate(pairs):
            ids[row, longest - len(pair) :] = torch.tensor([*pair.prompt, *pair.answer])
            mask[row, longest - len(pair) :] = 1
            labels[row, answers - len(pair.answer) :] = torch.tensor(pair.answer)
        output = self.model(
            input_ids=ids.to(self.device),
            attention_mask=mask.to(self.device),
            position_ids=(mask.cumsum(1) - 1).clamp(min=0).to(self.device),
            # The last but one positions predict the answers, which end where the rows end.
            logits_to_keep=torch.arange(longest - 1 - answers, longest - 1, device=self.device),
            use_cache=False,
        )
        return output.logits.float(), labels.to(self.device)


def mean_losses(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Mean negative log-likelihood of each answer's tokens in nats, shape (rows,); 0 = certain of it."""
    losses = torch.nn.functional.cross_entropy(
        logits.flatten(0, 1), labels.flatten(), ignore_index=IGNORED, reduction="none"
    ).view(labels.shape)
    return losses.sum(1) / (labels != IGNORED).sum(1)
