"""A person's own choice of the right answer, where a plan proposes one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from app.domain.answer_writing import content_with_answer
from app.domain.language import text
from app.domain.records import TrainingExample
from app.domain.repair.draft.actions import ActionKind, ProposedAction
from app.domain.repair.draft.draft import excerpt

Content = Mapping[str, Any]


def rows_concerned(action: ProposedAction) -> tuple[str, ...]:
    """Ids of the rows that stand in the dispute: those that would change, and those that would be followed."""
    sides = action.evidence.get("sides", ())
    return tuple(dict.fromkeys((*action.example_ids, *(i for side in sides for i in side["example_ids"]))))


def with_answer(action: ProposedAction, answer: str, contents: Mapping[str, Content]) -> ProposedAction:
    """The action with ``answer`` in the place of the one that it proposes.

    An action that proposes none (``actions.needs_answer``) gets its first.
    A relabel gives it to every row of the dispute that says something else, to those as well that were to be
    followed; a merged row says it. An answer that is the excerpt of a row's is that row's. ``contents``: the rows of
    ``rows_concerned`` as they stand in the version. From then on no policy decides the action, only a person.
    Raises ValueError for an empty answer, for an action that gives no answer, where every row says it already, and
    for the very answer that a row of preferences rejects.
    """
    if not answer.strip():
        raise ValueError("answer: must not be empty; drop the rows if they should go")
    proposed = action.evidence.get("proposed_reason", action.reason)
    answer = _in_full(answer, (*action.before, *contents.values()))
    evidence = {
        **action.evidence,
        "expected_output": answer,
        "proposed_reason": proposed,
        "asks_person": True,
    }
    for outdated in ("of", "score_of"):  # the row that was to be followed, and what was unsure
        evidence.pop(outdated, None)
    action = replace(action, evidence=evidence, reason=f'{proposed}; a person chose "{excerpt(answer)}"')
    match action.kind:
        case ActionKind.MERGE:
            proposed_row = action.after[0] if action.after else action.before[0]
            said = next((c for c in action.before if _says(c, answer)), proposed_row)
            return replace(action, after=(_answering(said, answer),))
        case ActionKind.RELABEL:
            return _relabelled(action, answer, contents)
        case _:
            raise ValueError(f"answer: an action that is a {action.kind} gives no answer; leave it out")


def _relabelled(action: ProposedAction, answer: str, contents: Mapping[str, Content]) -> ProposedAction:
    now = dict(zip(action.example_ids, action.before, strict=True))
    fixed = dict(zip(action.example_ids, action.after, strict=bool(action.after)))
    ids = [
        i
        for i in rows_concerned(action)
        if (i in now or i in contents) and _output(now.get(i) or contents[i]).strip() != answer.strip()
    ]
    if not ids:
        raise ValueError("answer: every row says that already; reject the action instead")
    before = [now[i] if i in now else dict(contents[i]) for i in ids]
    after = [_answering(fixed.get(i, row), answer) for i, row in zip(ids, before, strict=True)]
    return replace(action, example_ids=tuple(ids), before=tuple(before), after=tuple(after))


def _in_full(answer: str, contents: Iterable[Content]) -> str:
    outputs = [_output(content) for content in contents]
    return answer if answer in outputs else next((o for o in outputs if excerpt(o) == answer), answer)


def _output(content: Content) -> str:
    return TrainingExample.from_content(content).output


def _says(content: Content, answer: str) -> bool:
    said = _output(content)
    return (text.normalised(said) or said.strip()) == (text.normalised(answer) or answer.strip())


def _answering(content: Content, answer: str) -> dict[str, Any]:
    if TrainingExample.from_content(content).rejected_output.strip() == answer.strip():
        raise ValueError("answer: a row of preferences rejects this very answer; drop that row instead")
    return content_with_answer(content, answer)
