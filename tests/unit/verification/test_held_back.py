from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from app.domain.evidence import Evidence, Finding
from app.domain.near_duplicates.leakage import leaked
from app.domain.records import BadCase, Message, Role, RootCause
from app.domain.verification.held_back import choose_held_back


def case(name: str, *, prompt: str | None = None, expected: str | None = "right") -> BadCase:
    return BadCase(
        id=name,
        messages=(Message(role=Role.USER, content=prompt or f"prompt {name}"),),
        model_output="wrong",
        expected_output=expected,
    )


def finding(name: str, cause: RootCause = RootCause.OOD, cluster: int = 0) -> Finding:
    return Finding(
        bad_case_id=name,
        root_cause=cause,
        probabilities={cause: 1.0},
        confidence=1.0,
        evidence=Evidence(),
        cluster=cluster,
    )


def chosen(
    cases: list[BadCase], findings: list[Finding], share: float = 0.25, **known: set[str]
) -> frozenset[str]:
    return choose_held_back(
        cases,
        findings,
        training_prompts=known.get("training_prompts", set()),
        share=share,
        rng=np.random.default_rng(0),
    )


@given(st.permutations(range(12)), st.floats(0, 0.5))
def test_the_choice_depends_on_the_cases_and_not_on_their_order(order: list[int], share: float) -> None:
    names = [f"c{i:02}" for i in range(12)]
    findings = [finding(n, cluster=i % 3) for i, n in enumerate(names)]
    straight = chosen([case(n) for n in names], findings, share)
    mixed = chosen([case(names[i]) for i in order], [findings[i] for i in order], share)
    assert straight == mixed


def test_a_quarter_of_each_group_is_held_back_and_a_group_of_three_gives_one() -> None:
    cases = [case(f"a{i}") for i in range(8)] + [case(f"b{i}") for i in range(3)]
    findings = [finding(c.id, cluster=int(c.id[0] == "b")) for c in cases]
    held = chosen(cases, findings)
    assert len([h for h in held if h.startswith("a")]) == 2
    assert len([h for h in held if h.startswith("b")]) == 1


def test_cases_that_cannot_be_judged_or_were_seen_in_training_are_never_held_back() -> None:
    cases = [
        *(case(f"no{i}", expected=None) for i in range(4)),
        *(case(f"seen{i}", prompt=f"Known prompt {i}") for i in range(4)),
        *(case(f"served{i}") for i in range(4)),
    ]
    findings = [
        finding(c.id, RootCause.SERVING_MISMATCH if c.id.startswith("served") else RootCause.CONFLICT)
        for c in cases
    ]
    known = {f"known  PROMPT {i}" for i in range(4)}
    assert chosen(cases, findings, 0.5, training_prompts=known) == frozenset()


def test_two_cases_with_one_prompt_are_never_split_between_training_and_checking() -> None:
    cases = [case(f"c{i}", prompt="the same words") for i in range(6)]
    assert chosen(cases, [finding(c.id) for c in cases], 0.5) == frozenset()


def test_near_duplicate_cases_are_held_back_together_or_not_at_all() -> None:
    wordings = [
        f"why was my transfer to {place} declined" for place in ("Oslo", "Rome", "Lima", "Bern", "Kyiv")
    ]
    cases = [
        case(f"c{i}{j}", prompt=f"{wording}{tail}", expected="right")
        for i, wording in enumerate(wordings)
        for j, tail in enumerate(("", " yesterday"))
    ]
    held = chosen(cases, [finding(c.id, cluster=int(c.id[2])) for c in cases], 0.5)
    assert len(held) == 4
    trained = [c.prompt for c in cases if c.id not in held]
    assert leaked(trained, [c.prompt for c in cases if c.id in held], frozenset()) == {}


def test_the_newest_cases_and_whole_conversations_are_held_back() -> None:
    named = [
        f"{i} {word}"
        for i, word in enumerate(
            ["parcel", "refund", "invoice", "coupon", "garden", "museum", "violin", "pension"]
        )
    ]
    dated = [replace(case(n), occurred_at=datetime(2026, 1, 1 + i, tzinfo=UTC)) for i, n in enumerate(named)]
    assert chosen(dated, [finding(c.id) for c in dated]) == {named[6], named[7]}
    talks = [replace(case(n), metadata={"conversation_id": i // 2}) for i, n in enumerate(named)]
    held = chosen(talks, [finding(c.id) for c in talks])
    assert len(held) == 2
    assert len({named.index(n) // 2 for n in held}) == 1


def test_nothing_is_held_back_when_nothing_is_asked_to_be() -> None:
    cases = [case(f"c{i}") for i in range(10)]
    assert chosen(cases, [finding(c.id) for c in cases], 0.0) == frozenset()
