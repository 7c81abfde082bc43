"""What plain rules make of the same set: nearest rows for the verdict, majority of equal prompts for the repair."""

from __future__ import annotations

from collections import Counter, defaultdict

import numpy as np

from app.domain.answers import agreement
from app.domain.language import text
from app.domain.records import TrainingExample
from bench.real_kinds.planting import PlantedSet
from bench.real_kinds.running import Outcome
from bench.real_kinds.scoring import repair_score, verdict_score

NEIGHBORS = 5


def nearest_rows(planted: PlantedSet, outcome: Outcome) -> dict[str, float]:
    """Far from the rows is ood; a near row that says what the model said is a conflict; the rest is hard. What the
    model said equals the expected answer after normalisation: closed."""
    read, vectors = outcome.read, outcome.vectors
    rows = vectors.example_inputs[:]
    found = agreement.nearest(vectors.case_inputs, rows, NEIGHBORS)
    own = agreement.nearest_others(rows, NEIGHBORS).similarities.mean(axis=1)
    far = found.similarities.mean(axis=1) < np.quantile(own, 0.1)
    outputs = [text.normalised(e.output) for e in read.examples]
    verdicts = {}
    for i, case in enumerate(read.cases):
        said = text.normalised(case.said)
        near = {outputs[row] for row in found.indices[i].tolist()}
        verdicts[case.id] = (
            "closed"
            if said == text.normalised(case.wanted)
            else "ood"
            if far[i]
            else "conflict"
            if said in near
            else "hard"
        )
    figures, _ = verdict_score(planted.cases, verdicts)
    equal = [c for c in planted.cases if c.cause is None]
    return figures | {
        "equal_closed": sum(verdicts[c.id] == "closed" for c in equal) / len(equal),
        "closed_though_wrong": float(
            sum(verdicts[c.id] == "closed" for c in planted.cases if c.cause is not None)
        ),
    }


def majority_of_equal_prompts(planted: PlantedSet, outcome: Outcome) -> dict[str, float]:
    """Exact duplicates go; of rows with one prompt those that the majority contradicts go; a tie stays."""
    groups: defaultdict[str, list[TrainingExample]] = defaultdict(list)
    for example in outcome.read.examples:
        groups[text.normalised(example.prompt)].append(example)
    after: dict[str, TrainingExample] = {}
    for group in groups.values():
        counts = Counter(text.normalised(e.output) for e in group)
        (best, most), *others = counts.most_common()
        tie = bool(others) and others[0][1] == most
        seen: set[str] = set()
        for example in group:
            if (tie or text.normalised(example.output) == best) and example.content_hash not in seen:
                seen.add(example.content_hash)
                after[example.id] = example
    figures, _ = repair_score(planted.rows, outcome.read.examples, after)
    return figures
