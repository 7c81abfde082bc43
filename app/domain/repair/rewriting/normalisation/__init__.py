"""Format normalisation: what a tokenizer sees differently though a reader does not.

Knows wrong encodings, invisible characters, special tokens of chat templates, widths, spaces and repeated
punctuation, one file each. Does not touch code, formulas and addresses, and never empties a message.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from app.domain.records import Message, TrainingExample
from app.domain.repair.rewriting.normalisation import (
    characters,
    encoding,
    punctuation,
    spaces,
    special_tokens,
    width,
)
from app.domain.repair.rewriting.normalisation.cleaned import Normalisation
from app.domain.repair.rewriting.normalisation.text_rule import TextRule, TextStep, pieces_of

# In the order in which they see a text: encoding first, since the others would break what it reads.
TEXT_RULES: tuple[TextRule, ...] = (
    encoding.RULE,
    characters.RULE,
    special_tokens.RULE,
    width.RULE,
    spaces.RULE,
    punctuation.RULE,
)

# What one round takes away may bring a token or a space to an edge: two rounds do for real texts. A resource bound.
_MAX_ROUNDS = 50


def normalise_example(
    example: TrainingExample, rules: Sequence[TextRule] = TEXT_RULES
) -> Normalisation | None:
    """The cleaned turns, or None where there is nothing to clean. No message is ever emptied."""
    done: Counter[str] = Counter()
    messages = tuple(_normalise_message(m, rules, done) for m in example.messages)
    rejected = tuple(_normalise_message(m, rules, done) for m in example.rejected)
    if not done:
        return None
    changes = tuple(f"{name} ({count})" if count > 1 else name for name, count in sorted(done.items()))
    return Normalisation(messages=messages, rejected=rejected, changes=changes)


def normalise_text(text: str, rules: Sequence[TextRule] = TEXT_RULES) -> str:
    """The text as it should stand in a training row. Applied to its own result, it changes nothing."""
    return _normalise(text, rules, Counter())


def _normalise_message(message: Message, rules: Sequence[TextRule], done: Counter[str]) -> Message:
    trial: Counter[str] = Counter()
    cleaned = _normalise(message.content, rules, trial)
    if cleaned == message.content or (not cleaned.strip() and message.content.strip()):
        return message
    done.update(trial)
    return replace(message, content=cleaned)


def _normalise(text: str, rules: Sequence[TextRule], done: Counter[str]) -> str:
    for _ in range(_MAX_ROUNDS):
        cleaned = text
        for rule in rules:
            if rule.trigger.search(cleaned):
                cleaned = _by_rule(rule, cleaned, done)
        if cleaned == text:
            break
        text = cleaned
    return text


def _by_rule(rule: TextRule, text: str, done: Counter[str]) -> str:
    pieces, open_fence = pieces_of(text)
    pieces[::2] = [_in_turn(rule.steps, piece, done) if piece else piece for piece in pieces[::2]]
    cleaned = "".join(pieces)
    # A text that ends inside a code block has no edge there.
    return cleaned if open_fence else _in_turn(rule.edge_steps, cleaned, done)


def _in_turn(steps: Sequence[tuple[str, TextStep]], text: str, done: Counter[str]) -> str:
    for name, step in steps:
        cleaned, count = step(text)
        if cleaned != text:
            done[name] += max(count, 1)
        text = cleaned
    return text
