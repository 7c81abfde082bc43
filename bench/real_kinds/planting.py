"""A training set of every kind and its bad cases, of which the truth is known because it is planted here.

For every kind and seed, ``PER_KIND`` bad cases:

- ``conflict``: one or two rows teach a wrong answer to the very prompt (two of three) or to another wording of it;
  0 to 4 rows around it are right. The model says what those rows say.
- ``ood``: a question of a topic or sentence kind that no row has; the model answers as the rows of the kind do.
- ``hard``: 2 to 4 rows answer the same question right, in half of the cases at the very prompt too; the model says
  what no row teaches (for KTO every other time what an *undesired* row says).
- ``serving_mismatch``, where the rows of the kind carry an instruction or a system prompt: the request left it out.
- equal: the model said the expected answer in another writing; such a case is to be closed.

Harmless neighbours stand beside the conflicts and the hard questions: rows in nearly the same words that ask for
something else (another entity, number, tense, a negation, an opposite) and rightly answer otherwise. A few rows
stand twice. About half of the other cases carry a request too, built as the rows are, so that a request alone
says nothing.

Rows are JSON objects in the formats that people have, cases are bodies of ``POST /v1/bad-cases``.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Final

import numpy as np

from app.domain.records import RootCause
from bench.real_kinds.item import Exchange, Item, Kind, Uncovered
from bench.real_kinds.kinds import KINDS
from bench.real_kinds.writing import chatml, turns

PER_KIND: Final = 25
CONFLICTS: Final = 9
UNCOVERED: Final = 4
HARD: Final = 5
UNLED: Final = 2
EQUAL: Final = 5
REPEATED_SHARE: Final = 0.03


class Part(StrEnum):
    """What a row is in its set. All but ``wrong`` are right and must stay as they are."""

    RIGHT = "right"
    NEIGHBOUR = "neighbour"
    UNDESIRED = "undesired"
    COPY = "copy"
    WRONG = "wrong"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlantedRow:
    """``body`` in ``format`` holds ``ask`` and ``answer``. ``answers``: the writings of the right answer that a
    mended wrong row may have."""

    id: str
    kind: str
    part: Part
    format: str
    body: Mapping[str, Any]
    ask: str
    answer: str
    answers: tuple[str, ...]
    whitespace_matters: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PlantedCase:
    """``cause`` None: the answer is right and the case is to be closed. ``differs``: in what the model's answer
    differs from the expected one (or by what it is equal). ``wrong_rows``: ids of the rows that teach it."""

    id: str
    kind: str
    cause: RootCause | None
    differs: str
    body: Mapping[str, Any]
    ask: str
    wrong_rows: tuple[str, ...] = ()
    around: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlantedSet:
    seed: int
    rows: tuple[PlantedRow, ...]
    cases: tuple[PlantedCase, ...]


def planted_set(seed: int, kinds: Sequence[Kind] = KINDS) -> PlantedSet:
    """All kinds in one training set, shuffled, as sets of several tasks are."""
    made = [_Planting(kind, np.random.default_rng([seed, _number(kind.name)])).made() for kind in kinds]
    rng = np.random.default_rng([seed, 0])
    rows = [row for kind in made for row in kind.rows]
    cases = [case for kind in made for case in kind.cases]
    return PlantedSet(
        seed=seed,
        rows=tuple(rows[i] for i in rng.permutation(len(rows))),
        cases=tuple(cases[i] for i in rng.permutation(len(cases))),
    )


def _number(name: str) -> int:
    return int.from_bytes(name.encode()[:6], "big") % 2**31 + len(name)


class _Planting:
    """One kind of one seed."""

    def __init__(self, kind: Kind, rng: np.random.Generator) -> None:
        self.kind, self.rng = kind, rng
        self.rows: list[PlantedRow] = []
        self.cases: list[PlantedCase] = []
        self.standing: set[str] = set()
        self.used: Counter[str] = Counter()

    def made(self) -> _Planting:
        items = list(self.kind.items(self.rng))
        items = [items[i] for i in self.rng.permutation(len(items))]
        led = bool(self.kind.instruction or self.kind.has_system)
        # A kind whose rows carry no instruction gets the cases of the mismatch as conflict and hard ones.
        conflicts, hard, unled = CONFLICTS + (not led), HARD + (not led), UNLED if led else 0
        for number in range(conflicts):
            self._conflict(items.pop(), number)
        for number in range(hard):
            self._hard(items.pop(), number)
        for number in range(unled):
            self._unled(items.pop(), number)
        for _ in range(EQUAL):
            self._equal(items.pop())
        for item in items:
            self._around(item, count=2)
        uncovered = self.kind.uncovered
        for number in self.rng.permutation(len(uncovered))[:UNCOVERED].tolist():
            self._uncovered(uncovered[number])
        self._repeat()
        return self

    def _conflict(self, item: Item, number: int) -> None:
        order = self.rng.permutation(len(item.asks)).tolist()
        asked, exact = order[0], number % 3 != 2
        taught = [order[0] if exact else order[1]]
        if number % 4 == 3:
            taught.append(order[1] if exact else order[2])
        wrong = [self._row(item, item.asks[at], item.wrong[0], Part.WRONG) for at in taught]
        rights = (0, 2, 1, 3, 4)[number % 5]
        free = [at for at in order[1:] if at not in taught]
        # The fourth right row stands at the very prompt: a contradiction word for word.
        places = [*free[: min(rights, 3)], *([asked] if rights == 4 else [])]
        for at in places:
            self._row(item, item.asks[at], item.right, Part.RIGHT)
        self._neighbours(item, asked)
        self._case(
            item,
            item.asks[asked],
            said=item.wrong[0],
            cause=RootCause.CONFLICT,
            differs=item.wrong[1],
            wrong_rows=tuple(row for row in wrong if row),
            around=f"{'exact' if exact else 'near'}, wrong {len(taught)}, right {len(places)}",
        )

    def _hard(self, item: Item, number: int) -> None:
        order = self.rng.permutation(len(item.asks)).tolist()
        self._around(item, count=2 + number % 3, order=order[1:])
        if number % 2:
            self._row(item, item.asks[order[0]], item.right, Part.RIGHT)
        self._neighbours(item, order[0])
        said, differs = item.slip
        if number % 3 == 2:
            said, differs = self._one(self.kind.astray), "another answer"
        if self.kind.undesired and number % 2:
            said, differs = self._undesired(item, order[0]), "undesired answer"
        self._case(item, item.asks[order[0]], said=said, cause=RootCause.HARD, differs=differs)

    def _unled(self, item: Item, number: int) -> None:
        order = self.rng.permutation(len(item.asks)).tolist()
        self._around(item, count=2 + number, order=order[1:])
        chinese = _is_chinese(item.asks[order[0]])
        said = self._one([s for s in self.kind.unled if _is_chinese(s) is chinese])
        self._case(
            item,
            item.asks[order[0]],
            said=said,
            cause=RootCause.SERVING_MISMATCH,
            differs="no system prompt" if self.kind.has_system else "no instruction",
        )

    def _equal(self, item: Item) -> None:
        order = self.rng.permutation(len(item.asks)).tolist()
        self._around(item, count=2, order=order[1:])
        writings = list(item.equals)
        if item.alternative:
            writings.append((f"<think>\n\n</think>\n\n{item.alternative}", "listed alternative"))
        # Every way of being equal gets its turn; reasoning blocks of any form are one way.
        order_of_turn = self.rng.permutation(len(writings)).tolist()
        said, by = writings[min(order_of_turn, key=lambda at: self.used[_way(writings[at][1])])]
        self.used[_way(by)] += 1
        self._case(item, item.asks[order[0]], said=said, cause=None, differs=by)

    def _around(self, item: Item, *, count: int, order: Sequence[int] | None = None) -> None:
        places = self.rng.permutation(len(item.asks)).tolist() if order is None else order
        for at in places[:count]:
            self._row(item, item.asks[at], item.right, Part.RIGHT)
        if self.kind.undesired:
            self._undesired(item, places[0])

    def _undesired(self, item: Item, at: int) -> str:
        self._row(item, item.asks[at], item.rejected, Part.UNDESIRED)
        return item.rejected

    def _neighbours(self, item: Item, asked: int) -> None:
        for ask, answer in item.neighbours:
            self._row(replace(item, right=answer, reasoning=""), ask, answer, Part.NEIGHBOUR)
        for twin in item.twins[:1]:
            self._row(twin, twin.asks[asked % len(twin.asks)], twin.right, Part.NEIGHBOUR)

    def _uncovered(self, asked: Uncovered) -> None:
        system = ""
        if self.kind.has_system:
            systems = [row.body for row in self.rows]
            system = _system_of(systems, chinese=_is_chinese(asked.ask))
        instruction = self.kind.instruction if asked.instruction is None else asked.instruction
        exchange = Exchange(ask=asked.ask, answer=asked.right, instruction=instruction, system=system)
        self._submit(exchange, asked.right, asked.said, RootCause.OOD, "another topic")

    def _row(self, item: Item, ask: str, answer: str, part: Part) -> str:
        """The id of the row, or '' where the very row stands already."""
        wrong, undesired = part is Part.WRONG, part is Part.UNDESIRED
        # A wrong row of a pair prefers the wrong answer to the right one.
        rejected = item.right if wrong and item.rejected else item.rejected
        exchange = self._exchange(item, ask, answer, rejected)
        exchange = replace(exchange, desirable=not undesired, reasoning=_reasoning(item, wrong))
        content = json.dumps([exchange.system, list(exchange.history), ask, answer])
        if content in self.standing:
            return ""
        self.standing.add(content)
        writer = self.kind.writers[len(self.rows) % len(self.kind.writers)]
        form, body = writer(exchange)
        row_id = f"{self.kind.name}-{len(self.rows):03}"
        self.rows.append(
            PlantedRow(
                id=row_id,
                kind=self.kind.name,
                part=part,
                format=form,
                body={"id": row_id, **body},
                ask=ask,
                answer=answer,
                answers=(item.right, *(said for said, _ in item.equals)),
                whitespace_matters=self.kind.whitespace_matters,
            )
        )
        return row_id

    def _exchange(self, item: Item, ask: str, answer: str, rejected: str = "") -> Exchange:
        return Exchange(
            ask=ask,
            answer=answer,
            instruction=self.kind.instruction,
            system=item.system,
            history=item.history,
            rejected=rejected,
        )

    def _case(
        self,
        item: Item,
        ask: str,
        *,
        said: str,
        cause: RootCause | None,
        differs: str,
        wrong_rows: tuple[str, ...] = (),
        around: str = "",
    ) -> None:
        exchange = self._exchange(item, ask, item.right)
        alternatives = (item.alternative,) if item.alternative else ()
        self._submit(exchange, item.right, said, cause, differs, alternatives, wrong_rows, around)

    def _submit(
        self,
        exchange: Exchange,
        right: str,
        said: str,
        cause: RootCause | None,
        differs: str,
        alternatives: tuple[str, ...] = (),
        wrong_rows: tuple[str, ...] = (),
        around: str = "",
    ) -> None:
        case_id = f"{self.kind.name}-case-{len(self.cases):02}"
        if self.kind.said is not None and cause is not None:
            said = self.kind.said(said, self.rng)
        body: dict[str, Any] = {"external_id": case_id, "model_output": said, "expected_output": right}
        if exchange.instruction and len(self.cases) % 2:
            body |= {"instruction": exchange.instruction, "input": exchange.ask}
        else:
            body["messages"] = turns(exchange)
        if alternatives:
            body["alternatives"] = list(alternatives)
        if cause is RootCause.SERVING_MISMATCH:
            lost = replace(exchange, instruction="", system="")
            body["request"] = {"prompt_text": chatml(lost)} | ({"system": ""} if exchange.system else {})
        elif self.rng.random() < 0.5:
            body["request"] = {"prompt_text": chatml(exchange)} | (
                {"system": exchange.system} if exchange.system else {}
            )
        self.cases.append(
            PlantedCase(
                id=case_id,
                kind=self.kind.name,
                cause=cause,
                differs=differs,
                body=body,
                ask=exchange.ask,
                wrong_rows=wrong_rows,
                around=around,
            )
        )

    def _repeat(self) -> None:
        """Some right rows stand twice: of these one may go."""
        right = [row for row in self.rows if row.part is Part.RIGHT]
        for at in self.rng.permutation(len(right))[: max(1, round(REPEATED_SHARE * len(right)))].tolist():
            row_id = f"{self.kind.name}-{len(self.rows):03}"
            row = right[at]
            self.rows.append(replace(row, id=row_id, part=Part.COPY, body={**row.body, "id": row_id}))

    def _one(self, texts: Sequence[str]) -> str:
        return texts[int(self.rng.integers(len(texts)))]


def _way(by: str) -> str:
    return "reasoning" if "reasoning" in by else by


def _reasoning(item: Item, wrong: bool) -> str:
    """A wrong row thinks otherwise, or it would contradict itself."""
    if not item.reasoning:
        return ""
    return "I take the first number that comes to mind." if wrong else item.reasoning


def _is_chinese(text: str) -> bool:
    return any("一" <= c <= "鿿" for c in text)


def _system_of(bodies: Sequence[Mapping[str, Any]], *, chinese: bool) -> str:
    """A system prompt that rows of the kind have."""
    for body in bodies:
        listed = body.get("messages") or []
        said = body.get("system") or next((t["content"] for t in listed if t["role"] == "system"), "")
        if said and _is_chinese(said) is chinese:
            return said
    return ""
