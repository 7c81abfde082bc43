"""From a repaired version to what is trained on: which row, how often, in which role.

Knows recipes, roles and held-back prompts. Does not know how training weighs a row.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Final, Self, assert_never

import numpy as np
from pydantic import Field, model_validator

from app.domain.instructions import known_instructions
from app.domain.language import text
from app.domain.mixing import sampling
from app.domain.mixing.curriculum import Curriculum, order_rows
from app.domain.near_duplicates.leakage import leaked
from app.domain.records import TrainingExample
from app.domain.section import Number, Section, Seed, Share, Whole

# Share of the targeted rows in a "full" mixture: enough to be learnt, little enough to forget nothing.
_TARGETED_SHARE: Final = 0.08

# A targeted row is seen at most this often: more is learnt by heart.
_MAX_REPEATS: Final = 4

# Exponent of temperature sampling over replay groups: 1 keeps their sizes, 0 makes them equal
# (mT5, Xue et al. 2021, samples languages with 0.3; XLM-R with 0.3; multilingual BERT with 0.7).
_REPLAY_EXPONENT: Final = 0.6

# Share of the replay rows in a "targeted_replay" mixture.
_REPLAY_SHARE: Final = 0.3

_QUICK_CHECK_RATIO: Final = 5.0
# An answer is compared with its peers when it stands on this many rows.
_PARITY_MIN_ROWS: Final = 5


class MixtureStrategy(StrEnum):
    """``full``: every repaired row, targeted ones brought up to a share. ``targeted_replay``: the targeted rows and a
    share of others (``replay_share``). ``quick_check``: five replay rows for each targeted one, to see in minutes
    whether a fix takes."""

    FULL = "full"
    TARGETED_REPLAY = "targeted_replay"
    QUICK_CHECK = "quick_check"


class MixtureRole(StrEnum):
    TARGETED = "targeted"
    REPLAY = "replay"


class LeftOut(StrEnum):
    HELD_BACK = "held_back"
    NOT_DRAWN = "not_drawn"


class MixtureRecipe(Section):
    """How a mixture is made."""

    title = "recipe"
    strategy: MixtureStrategy = MixtureStrategy.FULL
    targeted_share: Annotated[Number, Field(ge=0, le=0.5)] = _TARGETED_SHARE
    """Share of the rows as trained (repeats counted) that ``full`` brings the targeted rows up to, and ``parity`` new
    answers beyond."""
    replay_share: Annotated[Number, Field(ge=0, le=0.95)] = _REPLAY_SHARE
    """Share of the rows of ``targeted_replay`` that are drawn from the rest."""
    max_repeats: Annotated[Whole, Field(ge=1, le=100)] = _MAX_REPEATS
    """A targeted row is seen at most this often."""
    replay_exponent: Share = _REPLAY_EXPONENT
    """1 keeps the sizes of the replay groups, 0 makes them equal."""
    targeted_weight: Annotated[Number, Field(ge=0.01, le=100)] = 1.0
    """Loss weight of a targeted row."""
    parity: Annotated[bool, Field(strict=True)] = True
    """In ``full``, an answer that the targeted rows bring in anew is seen as often as the median repeated answer is,
    as far as ``max_repeats`` allows."""
    order: Curriculum = Curriculum.SHUFFLED
    seed: Seed = 0

    @model_validator(mode="after")
    def _says_nothing_in_vain(self) -> Self:
        for name, strategies in _READ_BY.items():
            changed = getattr(self, name) != type(self).model_fields[name].default
            if changed and self.strategy not in strategies:
                others = " or ".join(strategies)
                raise ValueError(
                    f"{name} has no effect in {self.strategy.value}; leave it out, or choose {others}"
                )
        return self


_READ_BY: Final[Mapping[str, tuple[MixtureStrategy, ...]]] = {
    "targeted_share": (MixtureStrategy.FULL,),
    "parity": (MixtureStrategy.FULL,),
    "max_repeats": (MixtureStrategy.FULL,),
    "replay_share": (MixtureStrategy.TARGETED_REPLAY,),
    "replay_exponent": (MixtureStrategy.TARGETED_REPLAY, MixtureStrategy.QUICK_CHECK),
}
"""Fields that only some strategies read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MixtureRow:
    """One row as trained: seen ``repeat`` times, its loss times ``weight``."""

    example_id: str
    weight: float
    role: MixtureRole
    repeat: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Dropped:
    """A row that is not trained on; ``of`` is the held-back prompt that it repeats (None: not drawn)."""

    example_id: str
    reason: LeftOut
    of: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Mixture:
    """``rows`` in training order; ``counts`` says what the recipe came to."""

    rows: tuple[MixtureRow, ...]
    dropped: tuple[Dropped, ...]
    counts: dict[str, int]
    recipe: MixtureRecipe

    @property
    def targeted_share(self) -> float:
        """Share 0..1 of the rows as trained (repeats counted) that are targeted."""
        total = self.counts["rows_as_trained"]
        return self.counts["targeted_as_trained"] / total if total else 0.0


def build_mixture(
    *,
    repaired: Sequence[TrainingExample],
    targeted_ids: AbstractSet[str],
    held_back_prompts: Collection[str],
    recipe: MixtureRecipe,
    rng: np.random.Generator,
    evaluation_prompts: Collection[str] = (),
) -> Mixture:
    """Choose the rows of a mixture.

    Every targeted row that repeats no held-back or evaluation prompt is in it once at least; no row that asks what
    one of these asks ever is, in whatever words around the question (``leakage.leaked``). Counts are exact; equal
    arguments and generator state give equal mixtures.
    """
    instructions = known_instructions(repaired)
    kept_out = [*held_back_prompts, *evaluation_prompts]
    repeated = leaked([example.prompt for example in repaired], kept_out, instructions)
    dropped = [
        Dropped(example_id=repaired[i].id, reason=LeftOut.HELD_BACK, of=prompt)
        for i, prompt in repeated.items()
    ]
    standing = [example for i, example in enumerate(repaired) if i not in repeated]
    targeted = [example.id for example in standing if example.id in targeted_ids]
    replay = [example for example in standing if example.id not in targeted_ids]
    drawn, seen = _chosen(targeted, replay, recipe, rng)
    times = dict(zip(targeted, sampling.repeats(len(targeted), seen, recipe.max_repeats, rng), strict=True))

    kept = [example for example in standing if example.id in times or example.id in drawn]
    if recipe.strategy is MixtureStrategy.FULL and recipe.parity:
        times = _with_parity(kept, times, recipe.max_repeats, rng)
    dropped += [
        Dropped(example_id=example.id, reason=LeftOut.NOT_DRAWN)
        for example in replay
        if example.id not in drawn
    ]
    rows = tuple(
        MixtureRow(
            example_id=example.id,
            weight=recipe.targeted_weight if example.id in times else 1.0,
            role=MixtureRole.TARGETED if example.id in times else MixtureRole.REPLAY,
            repeat=times.get(example.id, 1),
        )
        for example in order_rows(kept, recipe.order, rng, targeted=times.keys())
    )
    return Mixture(rows=rows, dropped=tuple(dropped), counts=_counts(rows, dropped), recipe=recipe)


def _chosen(
    targeted: Sequence[str],
    replay: Sequence[TrainingExample],
    recipe: MixtureRecipe,
    rng: np.random.Generator,
) -> tuple[AbstractSet[str], int]:
    """The replay rows drawn, and how often targeted rows are seen in all."""
    match recipe.strategy:
        case MixtureStrategy.FULL:
            # t / (t + r) = s, solved for t; never fewer than one each.
            share = recipe.targeted_share
            return {example.id for example in replay}, round(share / (1 - share) * len(replay))
        case MixtureStrategy.TARGETED_REPLAY:
            count = round(len(targeted) * recipe.replay_share / (1 - recipe.replay_share))
            return _draw_replay(replay, count, recipe, rng), len(targeted)
        case MixtureStrategy.QUICK_CHECK:
            count = round(len(targeted) * _QUICK_CHECK_RATIO)
            return _draw_replay(replay, count, recipe, rng), len(targeted)
        case _:
            assert_never(recipe.strategy)


def _with_parity(
    kept: Sequence[TrainingExample], times: Mapping[str, int], max_repeats: int, rng: np.random.Generator
) -> dict[str, int]:
    """More repeats for targeted rows whose answer would be seen less often than the median one.

    Only answers that stand on several rows are counted: free texts have no peers to be level with.
    """
    groups: defaultdict[str, list[str]] = defaultdict(list)
    for example in kept:
        groups[text.normalised(example.output)].append(example.id)
    seen = {
        answer: sum(times.get(i, 1) for i in ids)
        for answer, ids in groups.items()
        if len(ids) >= _PARITY_MIN_ROWS
    }
    level = int(np.median(list(seen.values()))) if seen else 0
    raised = dict(times)
    for answer, count in sorted(seen.items()):
        targeted = [i for i in groups[answer] if i in times]
        if targeted and count < level:
            wanted = sum(times[i] for i in targeted) + level - count
            again = sampling.repeats(len(targeted), wanted, max_repeats, rng)
            raised.update(zip(targeted, again, strict=True))
    return raised


def _draw_replay(
    replay: Sequence[TrainingExample], count: int, recipe: MixtureRecipe, rng: np.random.Generator
) -> AbstractSet[str]:
    groups: defaultdict[str, list[str]] = defaultdict(list)
    for example in replay:
        groups[_group_of(example)].append(example.id)
    sizes = {name: len(ids) for name, ids in sorted(groups.items())}
    parts = sampling.draw_without_repeats(count, sizes, recipe.replay_exponent)
    return {i for name, part in parts.items() for i in sampling.draw_examples(groups[name], part, rng)}


def _group_of(example: TrainingExample) -> str:
    """What a replay row stands for: its task instruction where it has one, and a short answer as a label."""
    answer = text.normalised(example.output)
    return f"{example.system or ''}\0{example.instruction or ''}\0{answer if len(answer) <= 60 else ''}"


def _counts(rows: Sequence[MixtureRow], dropped: Sequence[Dropped]) -> dict[str, int]:
    seen: Counter[str] = Counter()
    for row in rows:
        seen[row.role.value] += row.repeat
    total = seen.total()
    left_out = Counter(d.reason.value for d in dropped)
    return {
        "rows": len(rows),
        "rows_as_trained": total,
        "targeted": sum(row.role is MixtureRole.TARGETED for row in rows),
        "targeted_as_trained": seen[MixtureRole.TARGETED.value],
        "replay": sum(row.role is MixtureRole.REPLAY for row in rows),
        "held_back": left_out[LeftOut.HELD_BACK.value],
        "not_drawn": left_out[LeftOut.NOT_DRAWN.value],
    }
