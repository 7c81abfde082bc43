"""How does a model answer a whole dataset version? Prompts in, scored answers out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from app.db.models import AdapterRow, AnswerRow, EvaluationRow
from app.domain.answers.scoring import score_answer
from app.domain.records import Message, Role, TrainingExample
from app.domain.verification.options import EvaluationOptions
from app.services.versions import versions
from workers.context import StageContext
from workers.generation import Prompt, generate, prompt_of, tokens_for


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    examples: Sequence[TrainingExample]
    left_out: int
    base_model: str
    adapter: AdapterRow | None
    max_new_tokens: int


def run(context: StageContext) -> None:
    inputs = load(context)
    outputs = generate(
        context,
        base_model=inputs.base_model,
        adapter=inputs.adapter,
        prompts=[served(e) for e in inputs.examples],
        max_new_tokens=inputs.max_new_tokens,
        progress=context.span(0.05, 0.95),
    )
    save(context, inputs, outputs)


def load(context: StageContext) -> Inputs:
    with context.reading() as session:
        row = session.get_one(EvaluationRow, context.claim.subject_id)
        options = EvaluationOptions.from_dict(row.options)
        versions.require_alive(session, row.dataset_version_id)
        # The answer of an undesired row is no measure of anything.
        rows = list(versions.iter_examples(session, row.dataset_version_id))
        examples = [e for e in rows if e.teaches]
        return Inputs(
            examples=examples,
            left_out=len(rows) - len(examples),
            base_model=row.base_model,
            adapter=session.get(AdapterRow, row.adapter_id) if row.adapter_id else None,
            max_new_tokens=options.max_new_tokens or tokens_for([e.answer for e in examples]),
        )


def served(example: TrainingExample) -> Prompt:
    """The conversation, built as ``metadata.request`` says it is served: a raw ``prompt_text`` as it
    stands, or another ``system`` prompt in front."""
    request = example.metadata.get("request")
    turns = example.prompt_messages
    if isinstance(request, dict) and isinstance(request.get("prompt_text"), str):
        return request["prompt_text"]
    if isinstance(request, dict) and isinstance(request.get("system"), str):
        system = Message(role=Role.SYSTEM, content=request["system"])
        turns = (system, *(m for m in turns if m.role is not Role.SYSTEM))
    return prompt_of(turns, example.tools)


def save(context: StageContext, inputs: Inputs, outputs: Sequence[str]) -> None:
    scores = [
        score_answer(o, e.output, prompt=e.prompt) for o, e in zip(outputs, inputs.examples, strict=True)
    ]
    with context.saving() as (session, row):
        assert isinstance(row, EvaluationRow)
        session.add_all(
            AnswerRow(
                evaluation_id=row.id,
                ordinal=i,
                example_id=example.id,
                output=output,
                score=score.score,
                correct=score.correct,
            )
            for i, (example, output, score) in enumerate(zip(inputs.examples, outputs, scores, strict=True))
        )
        correct = sum(s.correct for s in scores)
        row.summary = {
            "answers": len(scores),
            "correct": correct,
            "accuracy": correct / len(scores) if scores else None,
            "rows_left_out": inputs.left_out,
        }
