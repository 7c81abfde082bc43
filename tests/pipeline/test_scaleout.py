"""A Ray cluster changes where the work is done and not what comes out."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

# Ray warns of much that is not ours, and warnings are errors in this process: it has one of its own.
ON_TWO_WORKERS = """
import os, sys
import numpy as np, ray
os.environ["RAY_ADDRESS"] = ""
from workers import scaleout
from app.domain.near_duplicates.comparison import Comparison
from app.embedding import DEFAULT_EMBEDDER

words = ["freeze", "unfreeze", "card", "冻结", "账户", "12", "please", "my", "now"]
rng = np.random.default_rng(0)
texts = sorted({" ".join(rng.choice(words, rng.integers(1, 25))) for _ in range(5000)})
blocks = [texts[i : i + 700] for i in range(0, len(texts), 700)]
here = scaleout.embedder_for(DEFAULT_EMBEDDER)
vectors, (sketches, lexicon) = [here.encode(b) for b in blocks], scaleout.read_texts(texts)
assert "ClusterEmbedder" not in type(here).__name__

odd = [*texts, "", chr(0xD800), "😀", "x" * 100_000]
mine_read = scaleout.read_signatures(odd)
mine_pairs = Comparison.of(odd, [""] * len(odd), 0.8).found()

ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False, object_store_memory=100_000_000)
os.environ["RAY_ADDRESS"] = ray.get_runtime_context().gcs_address
there = scaleout.embedder_for(DEFAULT_EMBEDDER)
assert type(there).__name__ == "ClusterEmbedder"
for mine, theirs in zip(vectors, there.encode_blocks(blocks), strict=True):
    np.testing.assert_array_equal(theirs, mine)
their_sketches, their_lexicon = scaleout.read_texts(texts)
np.testing.assert_array_equal(their_sketches, sketches)
np.testing.assert_array_equal(their_lexicon.frequencies, lexicon.frequencies)
assert their_lexicon.rows == lexicon.rows == len(texts)
their_read = scaleout.read_signatures(odd)
for name in ("values", "texts", "numbers"):
    np.testing.assert_array_equal(getattr(their_read, name), getattr(mine_read, name))
assert their_read.words == mine_read.words
assert Comparison.of(odd, [""] * len(odd), 0.8, read=scaleout.read_signatures).found() == mine_pairs != {}
assert list(there.encode_blocks([])) == [] and scaleout.read_texts([])[0].shape == (0, 128)
ray.shutdown()
print("same to the bit")
"""


@pytest.mark.ray
@pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="ray is not installed")
def test_two_workers_of_a_cluster_give_the_same_to_the_bit() -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "RAY_USAGE_STATS_ENABLED": "0"}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", ON_TWO_WORKERS],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.strip().endswith("same to the bit")


def test_without_an_address_nothing_imports_ray() -> None:
    program = (
        "import sys, numpy; from workers import scaleout; e = scaleout.embedder_for('use-multilingual-v3');"
        "e.encode(['hello']); scaleout.read_texts(['hello']); print('ray' in sys.modules)"
    )
    environment = {k: v for k, v in os.environ.items() if k != "RAY_ADDRESS"}
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "False"
