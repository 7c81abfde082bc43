"""What an adapter that was really trained, with wrong rows planted, says of the cases that it gets wrong."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.metrics import roc_auc_score

from app.artifacts import ArtifactStore
from app.db.models import AdapterRow
from app.db.session import SessionFactory, transaction
from app.domain.diagnosis.triage import Diagnosis
from app.domain.evidence import Evidence, Finding
from app.domain.records import BadCase, Message, Role, RootCause, TrainingExample
from app.errors import StageCancelled
from app.queue import Stage
from app.settings import Settings
from tests.integration.builders import add_diagnosis, claim
from tests.pipeline.test_training import prepare, row, train_here
from tests.pipeline.tiny_model import make_tiny_model
from workers.context import Resources, StageContext
from workers.diagnosis.adapter import (
    AdapterAnswers,
    attribution_of,
    look_at_adapter,
    signals_of,
    with_adapter_evidence,
)
from workers.diagnosis.options import with_options
from workers.models.adapter_signals import answer_costs, sampled_answers
from workers.models.attribution import DIMENSIONS, SIDE, GradientSketch, answer_gradients
from workers.models.base_models import BaseModelError, LocalModel, resolve
from workers.models.tuned import MAX_TOKENS, AnswerTokens, TunedModel, mean_losses

TOPICS = {"refund": "money", "parcel": "post", "login": "help", "card": "bank"}
ASKED = [
    "my {}",
    "a {} please",
    "about the {}",
    "{} today",
    "the {} is gone",
    "no {}",
    "{}?",
    "where is my {}",
]
WRONG = {"refund": "post", "card": "help"}
UNSEEN = "zebra stripes"


@dataclass(frozen=True, slots=True)
class Trained:
    tuned: TunedModel
    model: LocalModel
    adapter: Path
    examples: Sequence[TrainingExample]
    planted: np.ndarray


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """Four topics of eight rows; in two of them three rows carry another topic's answer."""
    data = [
        (asked.format(topic), WRONG[topic] if topic in WRONG and i < 3 else answer)
        for topic, answer in TOPICS.items()
        for i, asked in enumerate(ASKED)
    ]
    folder = make_tiny_model(tmp_path_factory.mktemp("tiny"))
    model = resolve(str(folder), tmp_path_factory.mktemp("cache"))
    run = prepare(
        tmp_path_factory.mktemp("run"),
        model,
        [row(prompt, answer) for prompt, answer in data],
        learning_rate=1e-2,
        epochs=40,
        batch_size=8,
        warmup_steps=2,
    )
    train_here(run)
    examples = [
        TrainingExample(
            id=f"t{i}",
            messages=(Message(role=Role.USER, content=p), Message(role=Role.ASSISTANT, content=a)),
        )
        for i, (p, a) in enumerate(data)
    ]
    planted = np.array([TOPICS[next(t for t in TOPICS if t in p)] != a for p, a in data])
    return Trained(TunedModel.load(model, run / "adapter", "cpu"), model, run / "adapter", examples, planted)


def case(prompt: str, said: str, expected: str | None) -> BadCase:
    turn = Message(role=Role.USER, content=prompt)
    return BadCase(id=f"bc {prompt}", messages=(turn,), model_output=said, expected_output=expected)


def finding(of: BadCase, cause: RootCause = RootCause.CONFLICT) -> Finding:
    return Finding(
        bad_case_id=of.id, root_cause=cause, probabilities={cause: 1.0}, confidence=1.0, evidence=Evidence()
    )


def pair(trained: Trained, prompt: str, answer: str) -> AnswerTokens:
    return trained.tuned.pair([{"role": "user", "content": prompt}], answer)


def sketched_exact_gradient(trained: Trained, asked: AnswerTokens) -> torch.Tensor:
    """Of one pair alone, by plain autograd over every LoRA weight, behind the same linear map; unit length."""
    weights = {n: p for n, p in trained.tuned.model.named_parameters() if "lora_" in n}
    for weight in weights.values():
        weight.requires_grad_(True)
    loss = mean_losses(*trained.tuned.logits([asked])).sum()
    gradients = torch.autograd.grad(loss, list(weights.values()))
    for weight in weights.values():
        weight.requires_grad_(False)
    sketch = GradientSketch(seed=0)
    parts = {}
    for parameter, gradient in zip(weights, gradients, strict=True):
        name = parameter.removesuffix(".weight")
        long_side_last = ".lora_A." in name
        whole = gradient.float() if long_side_last else gradient.float().T
        projected = sketch.project(name, whole)
        parts[name] = (projected if long_side_last else projected.T).flatten()[None]
    (whole,) = sketch.combine(parts)
    return whole / whole.norm()


def test_gradients_of_a_batch_are_those_of_its_rows_alone(trained: Trained) -> None:
    asked = [
        ("my refund", "money"),
        ("a parcel please, and quickly", "help"),
        ("login", "post"),
        ("my refund", "post"),
    ]
    pairs = [pair(trained, p, a) for p, a in asked]
    exact = torch.stack([sketched_exact_gradient(trained, p) for p in pairs]).numpy()
    made = answer_gradients(trained.tuned, pairs)
    # The map is linear and fixed by its seed: behind it only rounding differs. A bfloat16 base keeps 8 bits, and a
    # cosine loses the square of what they lose.
    assert np.abs((made * exact).sum(axis=1) - 1).max() < 1e-3
    alone = np.concatenate([answer_gradients(trained.tuned, [p]) for p in pairs])
    assert np.abs((made * alone).sum(axis=1) - 1).max() < 1e-3
    assert (answer_gradients(trained.tuned, pairs) == made).all()
    assert not any(p.requires_grad or p.grad is not None for p in trained.tuned.model.parameters())


def test_a_sketch_keeps_inner_products_within_its_own_standard_error() -> None:
    rng = torch.Generator().manual_seed(5)
    rows, cols, seeds = 8, 256, 64
    first = torch.randn(rows, cols, generator=rng)
    second = 0.5 * first + torch.randn(rows, cols, generator=rng)
    errors = []
    for seed in range(seeds):
        sketch = GradientSketch(seed)
        kept = [sketch.combine({"m": sketch.project("m", g).flatten()[None]})[0] for g in (first, second)]
        errors.append((kept[0] @ kept[1] - (first * second).sum()).item())
    # A quadratic form of random signs, sum over the SIDE columns of p'Mp / SIDE with M = first' second, varies by
    # 2 |sym(M)|^2 / SIDE without the diagonal; the count sketch by at most 2 |first|^2 |second|^2 / DIMENSIONS.
    symmetric = (first.T @ second + second.T @ first) / 2
    projection = 2 * (symmetric.square().sum() - symmetric.diagonal().square().sum()) / SIDE
    count = 2 * first.square().sum() * second.square().sum() / DIMENSIONS
    # The mean of 64 independent errors is close to normal: five standard errors, less than once in a million.
    assert abs(np.mean(errors)) < 5 * ((projection + count).item() / seeds) ** 0.5


def test_a_cancelled_attribution_leaves_the_model_as_it_was(trained: Trained) -> None:
    def stop(_: float) -> None:
        raise StageCancelled

    pairs = [pair(trained, "my refund", "money")]
    before = answer_gradients(trained.tuned, pairs)
    with pytest.raises(StageCancelled):
        answer_gradients(trained.tuned, pairs, progress=stop)
    assert not any(p.requires_grad for p in trained.tuned.model.parameters())
    assert not any(m._forward_hooks for m in trained.tuned.model.modules())
    assert (answer_gradients(trained.tuned, pairs) == before).all()


def test_a_pair_without_an_answer_has_no_gradient_and_no_cost(trained: Trained) -> None:
    pairs = [AnswerTokens(prompt=(), answer=()), pair(trained, "my refund", "money")]
    made = answer_gradients(trained.tuned, pairs)
    assert not made[0].any()
    assert np.linalg.norm(made[1]) == pytest.approx(1.0, abs=1e-5)
    costs = answer_costs(trained.tuned, pairs, first_tokens=2)
    assert costs[0] is None
    assert costs[1] is not None
    assert answer_gradients(trained.tuned, []).shape[0] == 0


def test_the_planted_rows_are_found_to_have_taught_the_wrong_answer(trained: Trained) -> None:
    cases = [
        case(f"{start} {topic}", WRONG[topic], TOPICS[topic])
        for topic in WRONG
        for start in ("hello", "so my")
    ]
    rows = np.arange(len(trained.examples))
    found = attribution_of(
        trained.tuned, trained.examples, cases, [finding(c) for c in cases], np.tile(rows, (len(cases), 1))
    )
    pairs = [pair(trained, c.prompt, c.model_output) for c in cases]
    pairs += [pair(trained, c.prompt, c.expected_output or "") for c in cases]
    gradients = answer_gradients(
        trained.tuned, pairs + [pair(trained, e.prompt, e.output) for e in trained.examples]
    )
    n = len(cases)
    scores = (gradients[:n] - gradients[n : 2 * n]) @ gradients[2 * n :].T
    areas = []
    for i, asked in enumerate(cases):
        topic = next(t for t in WRONG if t in asked.prompt)
        near = np.array([topic in e.prompt for e in trained.examples])  # right and wrong rows of its topic
        areas.append(roc_auc_score(trained.planted[near], scores[i][near]))
        shown = [e.example_id for e in found[i]]
        assert any(trained.planted[int(id_[1:])] for id_ in shown[:3]), (asked.prompt, found[i])
        assert [e.score for e in found[i]] == sorted((e.score for e in found[i]), reverse=True)
    assert np.mean(areas) > 0.8, areas  # at random .5, and so by closeness: both kinds are worded alike


def test_losses_tell_what_is_learnt_from_what_is_not(trained: Trained) -> None:
    learnt = answer_costs(trained.tuned, [pair(trained, "my parcel", "post")], first_tokens=4)[0]
    unseen = answer_costs(trained.tuned, [pair(trained, "my parcel", UNSEEN)], first_tokens=4)[0]
    assert learnt is not None
    assert unseen is not None
    assert learnt.loss < 0.3
    assert unseen.loss > 2
    logits, labels = trained.tuned.logits([pair(trained, "my parcel", "post")])
    chances = torch.log_softmax(logits[0], -1)
    by_hand = -chances[torch.arange(labels.shape[1]), labels[0]].mean().item()
    assert learnt.loss == pytest.approx(by_hand, abs=1e-4)
    entropy = -(chances[:4].exp() * chances[:4]).sum(-1).mean().item()
    assert learnt.first_token_entropy == pytest.approx(entropy, abs=1e-4)


def test_the_adapters_signals_stand_in_the_evidence(trained: Trained) -> None:
    cases = [
        case("my refund", "post", "money"),
        case("my parcel", UNSEEN, "post"),
        case("my login", "", "help"),
        case("my login", "bank", None),
    ]
    nearest = np.array([[0, 1, 2], [8, 9, 10], [16, 17, 18], [-1, -1, -1]])
    shares: list[float] = []
    found = signals_of(
        trained.tuned,
        trained.examples,
        cases,
        [finding(c, RootCause.HARD) for c in cases],
        nearest,
        progress=shares.append,
    )
    taught, preferred, silent, unknown = (found[i] for i in range(4))
    assert taught.wrong_loss < taught.expected_loss
    assert taught.modal_answer == "post"
    assert taught.says_the_recorded_output is True
    assert (taught.reading, preferred.reading) == ("learned_wrong", "prefers_expected")
    assert preferred.says_the_recorded_output is False
    assert (silent.wrong_loss, silent.reading) == (None, "unclear")
    assert silent.expected_loss < 0.5
    assert (unknown.expected_loss, unknown.near_rows_loss) == (None, None)
    assert all(0 <= f.modal_share <= 1 and f.samples == 5 for f in found.values())
    assert shares == sorted(shares)
    assert shares[-1] == 1.0


def test_samples_are_the_same_for_the_same_seed_and_leave_the_random_state_alone(trained: Trained) -> None:
    prompts = [trained.tuned.prompt([{"role": "user", "content": p}], room=8) for p in (UNSEEN, "my refund")]

    def drawn(seed: int) -> list[list[str]]:
        return sampled_answers(
            trained.tuned, [*prompts, ()], samples=8, temperature=1.5, max_new_tokens=8, seed=seed
        )

    before = torch.random.get_rng_state()
    first = drawn(1)
    assert torch.equal(before, torch.random.get_rng_state())
    assert first == drawn(1) != drawn(2)
    assert [len(answers) for answers in first] == [8, 8, 0]
    assert len(set(first[0])) > 1


def test_a_long_prompt_loses_its_start_and_a_refused_one_is_no_pair(trained: Trained) -> None:
    long = pair(trained, "x" * 3 * MAX_TOKENS + " the end", "yes")
    assert len(long) == MAX_TOKENS
    assert trained.tuned.tokenizer.decode(long.prompt).endswith("the end<|im_end|>\n<|im_start|>assistant\n")
    assert trained.tuned.pair([{"role": "user", "content": None}], "yes").answer
    refusing: Any = trained.tuned.tokenizer.chat_template
    trained.tuned.tokenizer.chat_template = "{{ raise_exception('no') }}"
    try:
        assert trained.tuned.pair([{"role": "user", "content": "q"}], "yes") == AnswerTokens(
            prompt=(), answer=()
        )
        assert trained.tuned.prompt([{"role": "user", "content": "q"}], room=8) == ()
    finally:
        trained.tuned.tokenizer.chat_template = refusing


def test_an_adapter_of_another_model_is_refused_by_name(trained: Trained, tmp_path: Path) -> None:
    other = resolve(str(make_tiny_model(tmp_path / "wide", hidden_size=32)), tmp_path)
    with pytest.raises(BaseModelError, match="does not fit"):
        TunedModel.load(other, trained.adapter, "cpu")


@pytest.fixture
def context(settings: Settings, sessions: SessionFactory, store: ArtifactStore, project: str) -> StageContext:
    with transaction(sessions) as session:
        row = add_diagnosis(session, project)
        taken = claim(session, Stage.DIAGNOSE, row.id)
    return StageContext(resources=Resources(settings=settings, sessions=sessions, store=store), claim=taken)


def stored(context: StageContext, trained: Trained, project: str, base_model: str) -> str:
    uri = context.store.put_directory(trained.adapter).uri
    with transaction(context.sessions) as session:
        row = AdapterRow(project_id=project, name="a", base_model=base_model, uri=uri, size_bytes=1, card={})
        session.add(row)
        session.flush()
        return row.id


def looked(context: StageContext, trained: Trained, adapter_id: str | None) -> AdapterAnswers:
    asked = case("hello refund", "post", "money")
    return look_at_adapter(
        context,
        adapter_id,
        examples=trained.examples,
        cases=[asked],
        findings=[finding(asked)],
        nearest=np.arange(32)[None],
        seed=0,
        progress=lambda _: None,
    )


def test_a_diagnosis_that_names_an_adapter_shows_both_kinds_of_evidence(
    context: StageContext, trained: Trained, project: str
) -> None:
    found = looked(context, trained, stored(context, trained, project, str(trained.model.path)))
    assert found.notes == ()
    (shown,) = with_adapter_evidence([finding(case("hello refund", "post", "money"))], found)
    assert shown.evidence.hard.adapter is not None
    assert shown.evidence.attribution[0].output == "post"
    assert shown.probabilities == {RootCause.CONFLICT: 1.0}


def test_an_adapter_that_cannot_be_asked_is_said_and_stops_nothing(
    context: StageContext, trained: Trained, project: str
) -> None:
    assert looked(context, trained, None) == AdapterAnswers()
    gone = looked(context, trained, "adp_gone")
    assert "adp_gone is gone" in gone.notes[0]
    homeless = looked(context, trained, stored(context, trained, project, "/no/such/model"))
    assert "no base model named" in homeless.notes[0]
    unchanged = finding(case("hello refund", "post", "money"))
    assert with_adapter_evidence([unchanged], homeless) == (unchanged,)


def test_the_options_of_a_diagnosis_decide_what_is_asked(
    context: StageContext, trained: Trained, project: str
) -> None:
    cases = [case("hello refund", "post", "money")]
    rng = np.random.default_rng(0)
    vectors = {
        "case_vectors": rng.normal(size=(1, 8)).astype(np.float32),
        "example_vectors": rng.normal(size=(len(trained.examples), 8)).astype(np.float32),
    }
    plain = Diagnosis(
        findings=(finding(cases[0]),),
        clusters=(),
        roadmap=(),
        by_category={RootCause.CONFLICT: 1},
        calibration={"method": "m"},
    )

    def optioned(**options: Any) -> Diagnosis:
        return with_options(
            context,
            plain,
            options,
            examples=trained.examples,
            cases=cases,
            progress=lambda _: None,
            **vectors,
        )

    assert optioned() == plain
    judged = optioned(judge=True)
    assert judged.findings == plain.findings
    assert "no language model" in judged.calibration["language_model"]["notes"][0]
    adapter_id = stored(context, trained, project, str(trained.model.path))
    asked = optioned(adapter_id=adapter_id, seed=1)
    assert asked.findings[0].evidence.attribution
    assert asked.calibration["adapter"] == {
        "id": adapter_id,
        "cases_asked": 1,
        "cases_attributed": 1,
        "notes": [],
    }
    assert asked.calibration["method"] == "m"
