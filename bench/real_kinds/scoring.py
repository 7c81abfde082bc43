"""Figures of one run: the truth is what was planted, and it scores and nothing else."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from app.domain.answers.answer import read_text
from app.domain.evidence import Finding
from app.domain.records import RootCause, TrainingExample, content_hash_of
from app.domain.repair.policy.decision import Decision
from bench.real_kinds.planting import Part, PlantedCase, PlantedRow, PlantedSet
from bench.real_kinds.running import Outcome

CAUSES = (RootCause.OOD, RootCause.CONFLICT, RootCause.HARD, RootCause.SERVING_MISMATCH)
_SPACES = re.compile(r"\s+")
_TRAILING = re.compile(r"[ \t]+(?=\n|$)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """One thing that went wrong, in words; ``what`` is the figure that it counts in."""

    what: str
    kind: str
    id: str
    detail: str


@dataclass(slots=True)
class Score:
    """Figures of one kind, and the failures behind them."""

    figures: dict[str, float]
    failures: list[Failure] = field(default_factory=list)


def verdict_of(finding: Finding) -> str:
    """The cause that a finding names; ``closed`` where it says that the answer is right already."""
    if any(a.action == "close_case" for a in finding.recommended_actions):
        return "closed"
    return finding.root_cause.value


def verdict_score(
    cases: Sequence[PlantedCase], verdicts: Mapping[str, str]
) -> tuple[dict[str, float], list[PlantedCase]]:
    """Macro-F1 over the causes that the kind has (what is undetermined or closed is wrong), and the wrong ones."""
    wrong = [c for c in cases if c.cause is not None and verdicts[c.id] != c.cause.value]
    scored = [c for c in cases if c.cause is not None]
    f1 = {}
    for cause in CAUSES:
        true = {c.id for c in scored if c.cause is cause}
        said = {c.id for c in scored if verdicts[c.id] == cause.value}
        if true:
            f1[cause.value] = 2 * len(true & said) / (len(true) + len(said))
    return {"macro_f1": sum(f1.values()) / len(f1), **{f"f1_{name}": v for name, v in f1.items()}}, wrong


def score(planted: PlantedSet, outcome: Outcome) -> dict[str, Score]:
    """By kind, and under ``all``."""
    verdicts = {f.bad_case_id: verdict_of(f) for f in outcome.findings}
    findings = {f.bad_case_id: f for f in outcome.findings}
    kinds = list(dict.fromkeys(row.kind for row in planted.rows))
    open_questions = _open_questions(outcome)
    made = {}
    for kind in sorted(kinds):
        cases = [c for c in planted.cases if c.kind == kind]
        rows = [r for r in planted.rows if r.kind == kind]
        figures, wrong = verdict_score(cases, verdicts)
        failures = [
            Failure(what="verdict", kind=kind, id=c.id, detail=_told(c, findings[c.id], verdicts[c.id]))
            for c in wrong
        ]
        closed, closing = _closing(cases, verdicts)
        repaired, losses = repair_score(rows, outcome.read.examples, outcome.after)
        refused = [
            Failure(what="row refused", kind=kind, id=i, detail=why)
            for i, why in outcome.read.refused
            if i.startswith(f"{kind}-")
        ]
        figures |= _shown(cases, findings)
        figures |= (
            closed
            | repaired
            | {"rows_refused": float(len(refused)), "questions": float(open_questions[kind])}
        )
        made[kind] = Score(figures=figures, failures=[*closing, *failures, *losses, *refused])
    made["all"] = Score(figures=_overall(planted, verdicts, made))
    return made


def _told(case: PlantedCase, finding: Finding, verdict: str) -> str:
    probabilities = ", ".join(f"{c.value} {p:.2f}" for c, p in finding.probabilities.items())
    near = finding.evidence.neighbors[:2]
    shown = "; ".join(
        f"{n.similarity:.2f} {n.agrees_with.value}: {_short(n.input)} -> {_short(n.output)}" for n in near
    )
    planted = ", ".join(filter(None, [case.differs, case.around]))
    return (
        f"{case.cause} ({planted}) called {verdict} [{probabilities}]. "
        f"Asked {_short(case.ask, 110)!r}, said {_short(case.body['model_output'], 110)!r}, "
        f"expected {_short(case.body['expected_output'], 110)!r}. Neighbours: {shown}"
    )


def _short(text: str, length: int = 90) -> str:
    flat = _SPACES.sub(" ", text)
    return flat if len(flat) <= length else f"{flat[: length // 2]}…{flat[-length // 2 :]}"


def _shown(cases: Sequence[PlantedCase], findings: Mapping[str, Finding]) -> dict[str, float]:
    """Whether a conflict shows a row that teaches the wrong answer, and how often a case is called uncovered beside
    a row of the very prompt."""
    conflicts = [c for c in cases if c.cause is RootCause.CONFLICT]
    named = sum(
        any(n.example_id in c.wrong_rows for n in findings[c.id].evidence.neighbors) for c in conflicts
    )
    contradictory = sum(
        findings[c.id].root_cause is RootCause.OOD
        and any(n.similarity > 0.9999 for n in findings[c.id].evidence.neighbors)
        for c in cases
    )
    return {
        "wrong_row_shown": named / len(conflicts),
        "uncovered_beside_the_very_prompt": float(contradictory),
    }


def equal_by_writing(cases: Sequence[PlantedCase], verdicts: Mapping[str, str]) -> dict[str, tuple[int, int]]:
    """Of the certainly equal ones: how many are closed, and how many there are, by what makes them equal."""
    made: dict[str, tuple[int, int]] = {}
    for case in cases:
        if case.cause is None:
            closed, of = made.get(case.differs, (0, 0))
            made[case.differs] = closed + (verdicts[case.id] == "closed"), of + 1
    return made


def _compared(case: PlantedCase, verdict: str) -> str:
    said, expected = case.body["model_output"], case.body["expected_output"]
    return (
        f"({case.differs}) said {_short(said, 160)!r}, expected {_short(expected, 160)!r}; called {verdict}"
    )


def _closing(
    cases: Sequence[PlantedCase], verdicts: Mapping[str, str]
) -> tuple[dict[str, float], list[Failure]]:
    equal = [c for c in cases if c.cause is None]
    wrong = [c for c in cases if c.cause is not None]
    kept = [c for c in equal if verdicts[c.id] != "closed"]
    closed = [c for c in wrong if verdicts[c.id] == "closed"]
    failures = [
        Failure(what=what, kind=c.kind, id=c.id, detail=_compared(c, verdicts[c.id]))
        for what, of in (("closed though wrong", closed), ("equal, not closed", kept))
        for c in of
    ]
    return {
        "closed_though_wrong": float(len(closed)),
        "equal_closed": 1 - len(kept) / len(equal) if equal else float("nan"),
    }, failures


def repair_score(
    rows: Sequence[PlantedRow], examples: Sequence[TrainingExample], after: Mapping[str, TrainingExample]
) -> tuple[dict[str, float], list[Failure]]:
    """Right rows that are lost (dropped while no row of the same content stays) or changed (anything but harmless
    white space); wrong rows that are dropped, say the right answer, or are marked as undesired."""
    before = {e.id: e for e in examples}
    standing = Counter(
        _content(after[i], loose=not r.whitespace_matters) for r in rows if (i := r.id) in after
    )
    lost, changed, fixed, failures = 0, 0, 0, []
    for row in rows:
        if row.id not in before:
            continue
        was, now = before[row.id], after.get(row.id)
        if row.part is Part.WRONG:
            mended = is_mended(row, now)
            fixed += mended
            if not mended:
                failures.append(_row_failure("wrong row kept", row, was, now))
            continue
        loose = not row.whitespace_matters
        if now is None:
            if not standing[_content(was, loose=loose)]:
                lost += 1
                failures.append(_row_failure("right row lost", row, was, now))
        elif _content(was, loose=loose) != _content(now, loose=loose):
            changed += 1
            failures.append(_row_failure("right row changed", row, was, now))
    wrong = sum(r.part is Part.WRONG and r.id in before for r in rows)
    return {
        "right_lost": float(lost),
        "right_changed": float(changed),
        "wrong_rows": float(wrong),
        "wrong_fixed": fixed / wrong if wrong else float("nan"),
    }, failures


def _row_failure(what: str, row: PlantedRow, was: TrainingExample, now: TrainingExample | None) -> Failure:
    told = f"{row.part.value}: {_short(was.prompt, 110)!r} -> {_short(was.output, 110)!r}"
    if now is not None and now.content() != was.content():
        told += f"; now {_short(now.prompt, 110)!r} -> {_short(now.output, 110)!r}"
    return Failure(what=what, kind=row.kind, id=row.id, detail=told)


def is_mended(row: PlantedRow, now: TrainingExample | None) -> bool:
    if now is None or now.desirable is False:
        return True
    right = {_plain(read_text(a).compared) for a in row.answers}
    return _plain(now.output) in right and _plain(now.rejected_output) not in right


def _plain(text: str) -> str:
    return _SPACES.sub(" ", text).strip()


def _content(example: TrainingExample, *, loose: bool) -> str:
    """Of what a row teaches; ``loose``: runs of white space are one, else only those at the end of lines go."""

    def plain(value: Any) -> Any:
        if isinstance(value, str):
            return _plain(value) if loose else _TRAILING.sub("", value).rstrip()
        if isinstance(value, Mapping):
            return {k: plain(v) for k, v in value.items()}
        return [plain(v) for v in value] if isinstance(value, list | tuple) else value

    return content_hash_of(plain(example.content()))


def _open_questions(outcome: Outcome) -> Counter[str]:
    """Actions that wait for a person, by the kind of their first row."""
    kinds = {e.id: e.id.rsplit("-", 1)[0] for e in outcome.read.examples}
    return Counter(
        kinds.get(a.example_ids[0], "") if a.example_ids else ""
        for a in outcome.actions
        if a.decision is Decision.PROPOSED
    )


def _overall(
    planted: PlantedSet, verdicts: Mapping[str, str], kinds: Mapping[str, Score]
) -> dict[str, float]:
    """Counts are sums; shares are over all cases and rows."""
    figures, _ = verdict_score(planted.cases, verdicts)
    closed, _ = _closing(planted.cases, verdicts)
    sums = {
        name: sum(s.figures[name] for s in kinds.values())
        for name in (
            "right_lost",
            "right_changed",
            "rows_refused",
            "questions",
            "wrong_rows",
            "uncovered_beside_the_very_prompt",
        )
    }
    fixed = sum(s.figures["wrong_fixed"] * s.figures["wrong_rows"] for s in kinds.values())
    shown = sum(s.figures["wrong_row_shown"] for s in kinds.values()) / len(kinds)
    return figures | closed | sums | {"wrong_fixed": fixed / sums["wrong_rows"], "wrong_row_shown": shown}
