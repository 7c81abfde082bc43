"""A BERT encoder without padding says what sentence-transformers says."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import Pooling

from workers.models.embedder import MINILM, SentenceEncoder, _bundled_minilm, load_embedder
from workers.models.packed_bert import PackedBert

pytestmark = pytest.mark.model

TEXTS = [
    "I lost my bank card",
    "freeze",
    "Tom has 3 bags of 12 apples and gives 7 away. How many are left? " * 2,
    "word " * 600,
    "我的银行卡丢了",
    *[f"please {'really ' * (i % 23)}block card number {i}" for i in range(70)],
]


@pytest.fixture(scope="module")
def model() -> SentenceTransformer:
    return SentenceTransformer(_bundled_minilm(), device="cpu")


@pytest.mark.parametrize(("dtype", "floor"), [(torch.float32, 0.999999), (torch.bfloat16, 0.9999)])
def test_the_vectors_are_those_of_sentence_transformers(
    model: SentenceTransformer, dtype: torch.dtype, floor: float
) -> None:
    packed = PackedBert.of(model, dtype)
    assert packed is not None
    found = torch.nn.functional.normalize(packed.encode(TEXTS)).numpy()
    expected = model.encode(TEXTS, batch_size=32, show_progress_bar=False)
    assert np.einsum("ij,ij->i", found, expected).min() >= floor


def test_a_model_that_pools_otherwise_is_left_to_its_library(model: SentenceTransformer) -> None:
    first = SentenceTransformer(modules=[model[0], Pooling(384, pooling_mode="cls")], device="cpu")
    assert PackedBert.of(first, torch.float32) is None


def test_other_weights_in_the_same_folder_have_another_fingerprint(tmp_path: Path) -> None:
    original = load_embedder(MINILM)
    assert original.fingerprint == SentenceEncoder("a copy", _bundled_minilm()).fingerprint
    SentenceTransformer(_bundled_minilm(), device="cpu").save_pretrained(str(tmp_path))
    weights = load_file(tmp_path / "model.safetensors")
    name = next(n for n in weights if n.endswith("layer.3.output.dense.bias"))
    weights[name] = weights[name] + 0.01
    save_file(weights, tmp_path / "model.safetensors", metadata={"format": "pt"})
    assert SentenceEncoder(MINILM, str(tmp_path)).fingerprint != original.fingerprint
