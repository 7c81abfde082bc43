"""What a language model adds to a diagnosis where one is configured: near ties broken, clusters named.

Nothing here stops a diagnosis: what the model did not answer, or answered in a way that does not count, is
counted and said.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from app.db.models import DiagnosisRow
from app.domain.diagnosis import roadmap
from app.domain.diagnosis.clusters import llm_names
from app.domain.diagnosis.evidence import findings as verdicts
from app.domain.diagnosis.evidence import llm_judge, rightness
from app.domain.diagnosis.triage import Diagnosis
from app.domain.evidence import Finding
from app.domain.records import BadCase, Cluster, RootCause
from app.services.diagnoses import judge_agreement
from workers.context import StageContext
from workers.llm.asking import Asking, client_of
from workers.llm.client import LLMClient
from workers.llm.questions import Sampling

ANSWER_TOKENS = 400
LABEL_TOKENS = 40
MOST_LABELS = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejudged:
    """``findings`` in their order. ``discarded``: answers that did not count, by reason. ``notes``: why not
    everything was asked."""

    findings: tuple[Finding, ...]
    asked: int = 0
    judged: int = 0
    turned: int = 0
    discarded: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Labelled:
    clusters: tuple[Cluster, ...]
    labelled: int = 0
    notes: tuple[str, ...] = ()


def ask_language_model(
    context: StageContext,
    diagnosis: Diagnosis,
    *,
    cases: Sequence[BadCase],
    training_rows: int,
    judge_wanted: bool,
    progress: Callable[[float], None],
) -> tuple[Diagnosis, dict[str, Any]]:
    """The diagnosis with ties broken and clusters named, and a summary of what was asked, JSON-ready.

    Without a configured endpoint the diagnosis is returned as it came, and the summary says so.
    """
    client = client_of(context)
    if client is None:
        note = "no language model is configured; nothing was judged"
        return diagnosis, {"notes": [note]} if judge_wanted else {}
    labelled = label_clusters(client, cases, diagnosis.clusters, progress=lambda share: progress(0.2 * share))
    diagnosis = replace(diagnosis, clusters=labelled.clusters)
    rejudged = Rejudged(findings=diagnosis.findings)
    if judge_wanted:
        with context.reading() as session:
            project_id = session.get_one(DiagnosisRow, context.claim.subject_id).project_id
            odds = llm_judge.odds_of(judge_agreement.of_project(session, project_id).overall)
        rejudged = judge_ties(
            client,
            cases,
            diagnosis.findings,
            odds=odds,
            progress=lambda share: progress(0.2 + 0.8 * share),
        )
    summary = {
        "model": client.model,
        "asked": rejudged.asked,
        "judged": rejudged.judged,
        "turned": rejudged.turned,
        "discarded": dict(rejudged.discarded),
        "clusters_labelled": labelled.labelled,
        "spent_tokens": client.spent_tokens,
        "notes": list(dict.fromkeys([*rejudged.notes, *labelled.notes])),
    }
    return with_findings(diagnosis, rejudged.findings, training_rows=training_rows), summary


def judge_ties(
    client: LLMClient,
    cases: Sequence[BadCase],
    findings: Sequence[Finding],
    *,
    odds: float = llm_judge.ODDS,
    progress: Callable[[float], None] = lambda _: None,
) -> Rejudged:
    """Ask about every near tie; a judgement that counts moves its finding's probabilities and is its evidence."""
    chosen = llm_judge.choose_cases(findings)
    questions = {i: llm_judge.question(cases[i], findings[i]) for i in chosen}
    notes: list[str] = []
    made = list(findings)
    discarded: Counter[str] = Counter()
    asked = turned = 0

    def read(i: int, answer: str) -> llm_judge.Judgement | llm_judge.Discarded:
        return llm_judge.parse(answer, questions[i].shown, may_be_right=questions[i].may_be_right)

    def accept(i: int, answer: str) -> str | None:
        judgement = read(i, answer)
        return judgement.value if isinstance(judgement, llm_judge.Discarded) else None

    for i, answer in _answers(
        client, [(i, q.messages) for i, q in questions.items()], accept, ANSWER_TOKENS, notes, progress
    ):
        asked += 1
        judgement = read(i, answer)
        if isinstance(judgement, llm_judge.Discarded):
            discarded[judgement.value] += 1
            continue
        made[i] = _with_judgement(cases[i], findings[i], judgement, client.model, odds)
        turned += made[i].root_cause is not findings[i].root_cause
    return Rejudged(
        findings=tuple(made),
        asked=asked,
        judged=asked - sum(discarded.values()),
        turned=turned,
        discarded=dict(sorted(discarded.items())),
        notes=tuple(notes),
    )


def _with_judgement(
    case: BadCase, finding: Finding, judgement: llm_judge.Judgement, model: str, odds: float
) -> Finding:
    probabilities = llm_judge.break_tie(finding.probabilities, judgement, odds=odds)
    # Of an output that only looks right no cause is named, unless the judge names one.
    is_open = finding.evidence.hard.looks_alike and judgement.verdict is RootCause.UNDETERMINED
    cause = verdicts.root_cause(probabilities, already_right=is_open)
    before = max(finding.probabilities, key=lambda c: finding.probabilities[c])
    said = llm_judge.evidence(judgement, model=model, before=before)
    hard = rightness.by_judge(finding.evidence.hard) if judgement.says_right else finding.evidence.hard
    judged = replace(
        finding,
        root_cause=cause,
        probabilities=probabilities,
        confidence=probabilities.get(cause, max(probabilities.values())),
        evidence=finding.evidence.model_copy(update={"judge": said, "hard": hard}),
    )
    if cause is finding.root_cause and not judgement.says_right:
        return judged
    actions = verdicts.recommended_actions(
        cause,
        finding.symptoms,
        has_expected=case.expected_output is not None,
        already_right=judgement.says_right,
    )
    return replace(judged, recommended_actions=actions)


def with_findings(diagnosis: Diagnosis, findings: Sequence[Finding], *, training_rows: int) -> Diagnosis:
    """The diagnosis with other verdicts, and everything that is counted from them counted again."""
    by_category = Counter(finding.root_cause for finding in findings)
    counts = {cause: by_category[cause] for cause in RootCause}
    clusters = tuple(
        replace(cluster, category_counts=_causes_in(findings, number))
        for number, cluster in enumerate(diagnosis.clusters)
    )
    return replace(
        diagnosis,
        findings=tuple(findings),
        clusters=clusters,
        by_category=counts,
        roadmap=roadmap.roadmap(counts, clusters),
        training_defaults=roadmap.training_defaults(counts, rows=training_rows),
    )


def _causes_in(findings: Sequence[Finding], cluster: int) -> dict[RootCause, int]:
    counts = Counter(f.root_cause for f in findings if f.cluster == cluster)
    return {cause: counts[cause] for cause in RootCause if counts[cause]}


def label_clusters(
    client: LLMClient,
    cases: Sequence[BadCase],
    clusters: Sequence[Cluster],
    *,
    progress: Callable[[float], None] = lambda _: None,
) -> Labelled:
    """Name the clusters, largest first; one that got no name that fits keeps its keywords."""
    by_id = {case.id: case for case in cases}
    prompts = [
        [by_id[i].prompt for i in dict.fromkeys([*c.exemplar_ids, *c.case_ids]) if i in by_id]
        for c in clusters
    ]
    asked = [
        (n, llm_names.label_messages(prompts[n], c.keywords))
        for n, c in enumerate(clusters[:MOST_LABELS])
        if prompts[n]
    ]
    notes: list[str] = []
    named: dict[int, str] = {}

    def accept(n: int, answer: str) -> str | None:
        return None if llm_names.parse_label(answer, prompts[n]) is not None else "no name that fits"

    for n, answer in _answers(client, asked, accept, LABEL_TOKENS, notes, progress):
        label = llm_names.parse_label(answer, prompts[n])
        if label is not None:
            named[n] = label
    left = len(asked) - len(named)
    if left:
        notes.append(f"{left} of {len(asked)} clusters are named by their keywords")
    return Labelled(
        clusters=tuple(replace(c, label=named.get(n, c.label)) for n, c in enumerate(clusters)),
        labelled=len(named),
        notes=tuple(notes),
    )


def _answers(
    client: LLMClient,
    questions: Sequence[tuple[int, Sequence[Mapping[str, Any]]]],
    accept: Callable[[int, str], str | None],
    max_tokens: int,
    notes: list[str],
    progress: Callable[[float], None],
) -> Iterator[tuple[int, str]]:
    """The answers that came, each with its number; a model that stays silent or costs too much is left alone."""
    asking = Asking(client=client, sampling=Sampling(temperature=0.0, max_tokens=max_tokens))
    for done, (number, messages) in enumerate(questions):
        progress(done / len(questions))
        answer = asking.ask(messages, partial(accept, number))
        if asking.given_up:
            notes.append(asking.given_up)
            return
        if answer is not None:
            yield number, answer
    progress(1.0)
