"""What the causes are learnt from is there for every task, however small."""

import numpy as np

from app.domain.diagnosis.simulation.scenarios import CONFLICT, HARD, scenarios_of
from tests.unit.diagnosis.builders import case, diagnose, example, fitted, intents, utterance

LABELLING = "Name the intent."


def _set_with_sums(count: int) -> list:
    """A task of labels beside a small one whose answers hardly repeat: no label model has a say on it."""
    rng = np.random.default_rng(1)
    made = [example(i, row.prompt, row.output, instruction=LABELLING) for i, row in enumerate(intents())]
    for _ in range(count):
        price, pieces = int(rng.integers(2, 90)), int(rng.integers(2, 9))
        asked = (
            f"{pieces} {rng.choice(['lamps', 'mugs', 'books', 'tickets'])} at {price} EUR each, what is due"
        )
        made.append(example(len(made), asked, f"{price * pieces} EUR", instruction="Work out the amount."))
    return made


def test_a_small_task_without_labels_has_hard_cases_and_conflicts_alike_and_keeps_rows_to_cover_them() -> (
    None
):
    rows = _set_with_sums(30)
    sums = np.arange(len(rows)) >= len(rows) - 30
    known = fitted(rows).known
    assert not known.placed[known.training.tasks[sums]].any()
    made = {HARD: 0, CONFLICT: 0}
    for scenario in scenarios_of(known, np.random.default_rng(0)):
        of = scenario.cases.causes[sums[scenario.cases.rows]]
        for cause in made:
            made[cause] += int((of == cause).sum())
        if np.isin(of, list(made)).any():
            assert scenario.kept[sums].sum() >= sums.sum() // 6
    assert min(made.values()) >= 12, made


def test_a_hard_sum_in_a_task_of_thirty_rows_is_covered() -> None:
    rows = _set_with_sums(30)
    asked = [f"{n} lamps and 2 mugs at {p} EUR each, what is due" for n, p in ((3, 17), (5, 23), (4, 61))]
    cases = [
        case(f"c{i}", f"Work out the amount.\n{prompt}", "12 EUR", f"{100 + i} EUR")
        for i, prompt in enumerate(asked)
    ]
    unseen = case(
        "c9",
        f"{LABELLING}\n" + utterance(("tiger", "glacier", "violin", "orchard"), np.random.default_rng(0)),
        "a",
        "b",
    )
    found = diagnose(rows, [*cases, unseen])
    causes = [f.root_cause.value for f in found.findings]
    assert causes[:-1].count("hard") >= 2, causes
    assert causes[-1] == "ood"
