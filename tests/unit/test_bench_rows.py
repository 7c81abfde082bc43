"""What the benches measure on is what they say."""

from __future__ import annotations

import numpy as np

from bench.perturbed import grown, perturbed


def test_a_perturbed_row_is_near_its_own_and_not_it() -> None:
    rng = np.random.default_rng(0)
    others = ["the parcel has not come", "明天天气怎么样"]
    for text in ("I lost my bank card on 12 May", "小明有12个苹果又买了3袋"):
        made = {perturbed(text, others, rng) for _ in range(50)}
        assert len(made) > 30
        assert all(abs(len(m) - len(text)) < 15 for m in made)
        shared = [len(set(m) & set(text)) / len(set(text)) for m in made]
        assert min(shared) > 0.5


def test_a_grown_set_begins_with_the_real_rows_and_keeps_their_outputs() -> None:
    rows = [
        {"id": f"r{i}", "instruction": "do", "input": f"row number {i}", "output": f"o{i}"} for i in range(5)
    ]
    made = grown(rows, 40)
    assert made[:5] == rows
    assert len({r["id"] for r in made}) == 40
    assert {r["output"] for r in made} == {r["output"] for r in rows}
    assert grown(rows, 40) == made
    assert grown(rows, 3) == rows[:3]
