"""Turns that hold a transcript or another speaker's words: "User: …\\nAssistant: …" in one turn, an answer that
begins with "Assistant:" or goes on to speak for the user, a row the wrong way round."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from typing import Final

from app.domain.language import phrases, text
from app.domain.records import Message, Role, TrainingExample
from app.domain.repair.rewriting.normalisation.set_rule import (
    STYLE_MAJORITY,
    SetView,
    Suggestion,
    only_user_turn,
    with_turn,
)

_ROLE_SCORE: Final = 0.6
# An output as long as this, found as another row's prompt, is no label.
_SWAPPED_MIN_CHARACTERS: Final = 12


_USER, _ASSISTANT = phrases.one_of("turns", "user"), phrases.one_of("turns", "assistant")
_ASKING = re.compile(
    rf"(?:{phrases.one_of('turns', 'asking', 'en')})\b|{phrases.one_of('turns', 'asking', 'zh')}"
)
_LABEL = re.compile(
    rf"(?:\A|(?<=\n))[ \t]*(?:#{{1,4}}[ \t]*|\*\*)?(?:(?P<user>{_USER})|(?P<assistant>{_ASSISTANT}))"
    r"(?:\*\*)?[ \t]*[:：](?:\*\*)?[ \t]*\n?",
    re.IGNORECASE,
)


def find(view: SetView) -> Iterator[Suggestion]:
    labelled = [_LABEL.search(e.answer.text) is not None for e in view.examples]
    # Where every answer is written like that, it is the task (a screenplay) and no mistake.
    usual = sum(labelled) > (1 - STYLE_MAJORITY) * len(labelled)
    pairs = _pairs(view)
    for row, example in enumerate(view.examples):
        made = _transcript(example)
        if made is None and labelled[row] and not usual:
            made = _answer(example)
        if made is None and pairs:
            made = _swapped(example, pairs)
        if made is None:
            made = _alternating(example)
        if made is not None:
            kind, reason, score, messages = made
            yield Suggestion(
                row=row,
                messages=messages,
                rejected=example.rejected,
                reason=f"roles are mixed up: {reason}",
                score=score,
                evidence={"found": kind},
            )


_Made = tuple[str, str, float, tuple[Message, ...]]


def _turns(content: str) -> list[Message] | None:
    """The turns of a transcript that begins with a label; empty ones left out, except for one in between."""
    labels = list(_LABEL.finditer(content))
    if not labels or labels[0].start():
        return None
    ends = [label.start() for label in labels[1:]] + [len(content)]
    turns = [
        Message(
            role=Role.USER if label.lastgroup == "user" else Role.ASSISTANT,
            content=content[label.end() : end].strip(),
        )
        for label, end in zip(labels, ends, strict=True)
    ]
    # "Assistant:" at the end asks for the answer, which is the next message.
    if not turns[-1].content and turns[-1].role is Role.ASSISTANT:
        turns.pop()
    alternate = all(a.role is not b.role for a, b in pairwise(turns))
    return turns if turns and alternate and all(turn.content for turn in turns) else None


def _transcript(example: TrainingExample) -> _Made | None:
    at = only_user_turn(example)
    if at is None or not _LABEL.match(example.messages[at].content):
        return None
    turns = _turns(example.messages[at].content)
    if turns is None or turns[0].role is not Role.USER or turns[-1].role is not Role.USER:
        return None
    reason = (
        f"a transcript of {len(turns)} turns stands in one user turn"
        if len(turns) > 1
        else "the user's turn begins with the speaker's name"
    )
    kind = "transcript" if len(turns) > 1 else "speaker_label"
    messages = (*example.messages[:at], *turns, *example.messages[at + 1 :])
    return kind, reason, _ROLE_SCORE, messages


def _answer(example: TrainingExample) -> _Made | None:
    """An answer that begins with its speaker's name, or speaks for the user as well."""
    whole, output = example.messages[example.answer_at].content, example.answer.text
    if example.answer.tool_calls or not whole.endswith(output):
        return None
    front = whole[: len(whole) - len(output)]
    labels = list(_LABEL.finditer(output))
    if labels[0].start() == 0 and labels[0].lastgroup == "assistant":
        own = labels.pop(0)
        output = output[own.end() :]
        labels = list(_LABEL.finditer(output))
        kind, reason = "speaker_label", "the answer begins with the speaker's name"
    else:
        kind, reason = "run_on", "the answer goes on to speak for the user"
    if labels and labels[0].lastgroup == "user" and labels[0].start():
        output, kind = output[: labels[0].start()], "run_on"
        reason = "the answer goes on to speak for the user"
    elif labels or kind == "run_on":
        return None
    if not output.strip():
        return None
    return kind, reason, _ROLE_SCORE, with_turn(example, example.answer_at, front + output.strip())


def _pairs(view: SetView) -> frozenset[tuple[str, str]]:
    """(prompt, output) of the rows of one turn, normalised."""
    return frozenset(
        (text.normalised(e.messages[at].content), text.normalised(e.output))
        for e in view.examples
        if (at := only_user_turn(e)) is not None and _may_be_asked(e)
    )


def _may_be_asked(example: TrainingExample) -> bool:
    """Whether the answer is words alone, and enough of them to be somebody's question."""
    turn = example.messages[example.answer_at]
    return turn.content == example.output and len(example.output) >= _SWAPPED_MIN_CHARACTERS


def _swapped(example: TrainingExample, pairs: frozenset[tuple[str, str]]) -> _Made | None:
    at = only_user_turn(example)
    if at is None or not _may_be_asked(example):
        return None
    asked, answered = text.normalised(example.messages[at].content), text.normalised(example.output)
    # Of two rows that are each other's mirror, the one that asks keeps its order.
    if asked == answered or (answered, asked) not in pairs or _asks(asked) >= _asks(answered):
        return None
    turned = list(example.messages)
    turned[at] = replace(turned[at], content=example.output)
    turned[example.answer_at] = replace(turned[example.answer_at], content=example.messages[at].content)
    return "swapped", "another row holds this pair the other way round", _ROLE_SCORE, tuple(turned)


def _asks(content: str) -> bool:
    return content.rstrip("\"'”’ ").endswith(("?", "？")) or _ASKING.match(content) is not None


def _alternating(example: TrainingExample) -> _Made | None:
    """One turn with the wrong role: with the other one, the speakers take turns."""
    turns = [at for at, m in enumerate(example.messages) if m.role is not Role.SYSTEM]
    roles = [example.messages[at].role for at in turns]
    if len(turns) < 4 or set(roles) - {Role.USER, Role.ASSISTANT}:
        return None
    expected = [Role.ASSISTANT if (len(turns) - n) % 2 else Role.USER for n in range(len(turns))]
    wrong = [at for at, role, right in zip(turns, roles, expected, strict=True) if role is not right]
    if len(wrong) != 1 or expected[0] is not Role.USER or wrong[0] == turns[-1]:
        return None
    messages = list(example.messages)
    right = Role.USER if messages[wrong[0]].role is Role.ASSISTANT else Role.ASSISTANT
    messages[wrong[0]] = replace(messages[wrong[0]], role=right)
    reason = f"turn {turns.index(wrong[0]) + 1} has the role of its neighbours"
    return "role", reason, _ROLE_SCORE, tuple(messages)
