"""A score and a band for every row. Rows of low quality are proposed to be dropped, never dropped without a person;
what is vetoed is not trained on until somebody decides."""

from __future__ import annotations

from collections import Counter

from app.domain.estimators.noise_mixture import STATISTICAL_CEILING
from app.domain.repair.draft.draft import Draft
from app.domain.repair.draft.inputs import PlanInputs
from app.domain.repair.draft.open_questions import ROWS_STAY
from app.domain.repair.draft.row_bands import RowQuality, Use, Veto
from app.domain.repair.row_quality.reading import quality_scores

_VETOED = 0.75
"""P(the row should go) where something in its answer is vetoed."""

_SAID = {
    Veto.SECRET: "gives a secret away",
    Veto.TOXIC: "is abusive",
    Veto.LOOP: "goes round in circles",
    Veto.BROKEN_JSON: "is broken JSON",
}


def propose(draft: Draft, material: PlanInputs) -> None:
    policy = draft.policy.quality
    if policy is None:
        return
    found = quality_scores(draft, material, policy)
    spoken_for = {
        example_id
        for action in draft.actions
        if action.kind.value == "drop"
        for example_id in action.example_ids
    }
    draft.row_quality = tuple(
        RowQuality(
            example_id=example.id,
            score=round(float(found.scores[row]), 4),
            band=found.use(row),
            components=found.shown(row),
            vetoes=found.vetoes[row],
        )
        for row, example in enumerate(draft.examples)
    )
    draft.notes["quality"] = {
        "bands": {band.value: sum(q.band is band for q in draft.row_quality) for band in Use},
        "vetoes": dict(Counter(veto.value for q in draft.row_quality for veto in q.vetoes)),
    }
    for row, quality in enumerate(draft.row_quality):
        example = draft.examples[row]
        if quality.band is not Use.DROP:
            continue
        asked = example.id in spoken_for and not quality.vetoes
        if row in draft.dropped or row in draft.resolved or asked:
            continue
        draft.drop(
            row,
            _reason(quality, policy.drop_below),
            min(1.0 - quality.score, STATISTICAL_CEILING) if not quality.vetoes else _VETOED,
            {
                "rule": "quality",
                "quality": quality.score,
                "use": quality.band.value,
                "components": dict(quality.components),
                "vetoes": [veto.value for veto in quality.vetoes],
                # A score is a hint: the row stays until somebody looks. A veto is not.
                ROWS_STAY: not quality.vetoes,
            },
            ask=True,
        )


def _reason(quality: RowQuality, drop_below: float) -> str:
    if quality.vetoes:
        seen = " and ".join(_SAID[veto] for veto in quality.vetoes)
        return f"the answer {seen}: it is not trained on until somebody decides"
    components = ", ".join(
        f"{name} {value:.2f}" for name, value in quality.components.items() if value is not None
    )
    return f"quality {quality.score:.2f}, below {drop_below:.2f}: {components}"
