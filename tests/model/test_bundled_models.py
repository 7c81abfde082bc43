"""The models that come as wheels: they load, in time, and do what they are there for."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from app.embedding import DEFAULT_EMBEDDER
from workers.models.base_models import LocalModel, resolve
from workers.models.embedder import MINILM, EmbedderNotFound, load_embedder
from workers.models.generator import Generator

pytestmark = pytest.mark.model

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def smollm(model_cache: Path) -> LocalModel:
    return resolve("bundled", model_cache)


def test_the_bundled_model_is_converted_once(smollm: LocalModel) -> None:
    written = (smollm.path / "model.safetensors").stat().st_mtime_ns
    again = resolve("smollm2-135m-instruct", smollm.path.parent)
    assert again == smollm
    assert (again.path / "model.safetensors").stat().st_mtime_ns == written
    assert "quantization_config" not in json.loads((smollm.path / "config.json").read_text())


def test_the_bundled_model_answers_a_question(smollm: LocalModel) -> None:
    generator = Generator.load(smollm, None)
    question = [{"role": "user", "content": "What is the capital of France?"}]
    answers = generator.generate([question, question], max_new_tokens=16)
    assert "Paris" in answers[0]
    assert answers[0] == answers[1]


@pytest.mark.parametrize("name", [DEFAULT_EMBEDDER, MINILM])
def test_an_embedder_puts_a_paraphrase_nearer_than_another_topic(name: str) -> None:
    embedder = load_embedder(name)
    texts = ["I lost my bank card", "my debit card is gone", "what is the weather tomorrow", "  "]
    vectors = embedder.encode(texts)
    assert vectors.shape == (4, embedder.dimensions)
    assert vectors.dtype == np.float32
    assert np.allclose(np.linalg.norm(vectors, axis=1), [1, 1, 1, 0], atol=1e-5)
    assert vectors[0] @ vectors[1] > vectors[0] @ vectors[2] + 0.1
    assert embedder.encode([]).shape == (0, embedder.dimensions)
    assert np.isfinite(embedder.encode(["x" * 1_000_000])).all()


def test_the_default_embedder_reads_chinese() -> None:
    card, lost, weather = load_embedder(DEFAULT_EMBEDDER).encode(
        ["我的银行卡丢了", "银行卡找不到了怎么办", "明天天气怎么样"]
    )
    assert card @ lost > card @ weather + 0.1


def test_an_unknown_embedder_is_named_with_what_was_looked_for(tmp_path: Path) -> None:
    with pytest.raises(EmbedderNotFound, match="looked for a folder of that name"):
        load_embedder("no-such-embedder")
    with pytest.raises(EmbedderNotFound, match=r"neither of modules\.json"):
        load_embedder(str(tmp_path))


def test_the_default_embedder_needs_no_torch() -> None:
    program = (
        "import sys; from workers.models.embedder import load_embedder;"
        "load_embedder().encode(['hello']); assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True, cwd=ROOT)
