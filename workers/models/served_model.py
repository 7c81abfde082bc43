"""A base model that stays in memory, and the adapters that take turns on it.

One copy of the base's weights serves every adapter; at most ``kept_adapters`` lie beside it, the one that was used
longest ago makes room. Does not know requests.
"""

from __future__ import annotations

import gc
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import torch

from workers.models.base_models import BaseModelError, LocalModel
from workers.models.chat import Conversation, prompt_ids
from workers.models.devices import fast_dtype, pick_device
from workers.models.running_batch import RunningBatch
from workers.models.weights import (
    context_of,
    load_tokenizer,
    load_weights,
    require_safe_adapter,
    stop_tokens,
)


class ServedModel:
    def __init__(self, model: LocalModel, *, kept_adapters: int, device: str = "auto") -> None:
        self.name = model.name
        self.device = pick_device(device)
        self.tokenizer = load_tokenizer(model)
        self._model = load_weights(model, dtype=fast_dtype(self.device), device=self.device).eval()
        self._stops = stop_tokens(self._model, self.tokenizer)
        self._longest_token = max(map(len, self.tokenizer.get_vocab()))
        self._kept = kept_adapters
        self._adapters: OrderedDict[str, Path] = OrderedDict()

    @property
    def context(self) -> int:
        """Tokens of prompt and answer together that the model can see."""
        return context_of(self._model)

    @property
    def adapters(self) -> tuple[str, ...]:
        """Those in memory, the one used last at the end."""
        return tuple(self._adapters)

    def is_stop(self, token: int) -> bool:
        return token in self._stops

    def prompt(self, conversation: Conversation | str) -> tuple[int, ...]:
        """Token ids; raises UnrenderableConversation. A string is continued as it stands."""
        if isinstance(conversation, Conversation):
            return tuple(prompt_ids(self.tokenizer, conversation.messages, tools=conversation.tools))
        return tuple(self.tokenizer(conversation)["input_ids"]) or (self.tokenizer.eos_token_id,)

    def surely_exceeds_context(self, conversation: Conversation | str) -> bool:
        """Whether so many characters cannot fit, however they are cut into tokens: told without reading them."""
        if isinstance(conversation, Conversation):
            texts = [str(turn.get("content") or "") for turn in conversation.messages]
        else:
            texts = [conversation]
        return sum(map(len, texts)) > self.context * self._longest_token

    def text(self, tokens: Sequence[int]) -> str:
        """A byte-level model can say NUL, which is no text."""
        return self.tokenizer.decode(list(tokens), skip_special_tokens=True).replace("\x00", "\ufffd")

    def batch(self) -> RunningBatch:
        return RunningBatch(self._model, self.device, self.tokenizer.pad_token_id)

    @contextmanager
    def answering_as(self, adapter: str | None) -> Iterator[None]:
        """The forward passes inside are the adapter's; None: the base model's."""
        if not self._adapters:
            yield
        elif adapter is None:
            with self._model.disable_adapter():
                yield
        else:
            self._model.set_adapter(adapter, inference_mode=True)
            yield

    def use(self, name: str, folder: Path) -> None:
        """Have the adapter in ``folder`` in memory under ``name``. BaseModelError where it does not fit."""
        from peft import PeftModel

        if self._adapters.get(name) == folder:
            self._adapters.move_to_end(name)
            return
        self.forget(name)
        require_safe_adapter(folder)
        while len(self._adapters) >= self._kept:
            self.forget(next(iter(self._adapters)))
        try:
            if isinstance(self._model, PeftModel):
                self._model.load_adapter(str(folder), adapter_name=name, torch_device=str(self.device))
            else:
                self._model = PeftModel.from_pretrained(self._model, str(folder), adapter_name=name).eval()
        except (ValueError, RuntimeError, KeyError) as error:
            raise BaseModelError(f"the adapter does not fit {self.name}: {error}") from error
        self._adapters[name] = folder

    def forget(self, name: str) -> None:
        if self._adapters.pop(name, None) is None:
            return
        if self._adapters:
            self._model.delete_adapter(name)
        else:
            self._model = self._model.unload()
        gc.collect()


def free_memory() -> None:
    """What a model that was dropped leaves behind."""
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
