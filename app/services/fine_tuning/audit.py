"""What the plan of an audit says about a training file, a topic at a time, for the events of its job."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from app.domain.near_duplicates.grouping import DropReason
from app.domain.repair.plan import Decision, ProposedAction, ResolutionRule

EXAMPLES_SHOWN: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """``words``: what is said of the number of rows. ``warns``: it makes a training worse, or its figures a lie."""

    name: str
    words: str
    warns: bool


LEAKS = Topic(name="leaks", words="repeat rows of the validation file", warns=True)
DUPLICATES = Topic(name="duplicates", words="are duplicates of others", warns=True)
CONTRADICTIONS = Topic(name="contradictions", words="contradict each other", warns=True)
PERSONAL_DATA = Topic(name="personal_data", words="hold personal data or keys", warns=True)
FORM = Topic(name="form", words="are written in another form than the rest", warns=False)
QUALITY = Topic(name="quality", words="may be of poor quality", warns=False)
TOPICS: Final = (LEAKS, DUPLICATES, CONTRADICTIONS, PERSONAL_DATA, FORM, QUALITY)

_BY_RULE: Final[dict[str, Topic]] = {
    DropReason.EXACT_DUPLICATE.value: DUPLICATES,
    DropReason.NEAR_DUPLICATE.value: DUPLICATES,
    "same_meaning": DUPLICATES,
    "label_group": CONTRADICTIONS,
    **{rule.value: CONTRADICTIONS for rule in ResolutionRule},
}
_BY_START: Final = {"leakage_": LEAKS, "pii_": PERSONAL_DATA, "normalise_": FORM}


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    topic: Topic
    message: str
    data: dict[str, Any]


def topic_of(rule: str) -> Topic:
    by_start = (topic for start, topic in _BY_START.items() if rule.startswith(start))
    return _BY_RULE.get(rule) or next(by_start, QUALITY)


def told(actions: Sequence[ProposedAction], repair_id: str) -> Iterator[Told]:
    """One for each topic with rows in it."""
    by_topic: defaultdict[str, list[ProposedAction]] = defaultdict(list)
    for action in actions:
        by_topic[topic_of(str(action.evidence["rule"])).name].append(action)
    url = f"/repairs/{repair_id}"
    for topic in TOPICS:
        found = by_topic[topic.name]
        if not found:
            continue
        rows = len({example_id for action in found for example_id in action.example_ids})
        approved = sum(action.decision is Decision.APPROVED for action in found)
        data = {
            "topic": topic.name,
            "rows": rows,
            "actions": len(found),
            "actions_approved_by_policy": approved,
            "examples": [_example(action) for action in found[:EXAMPLES_SHOWN]],
            "repair_id": repair_id,
            "url": url,
        }
        yield Told(topic=topic, message=f"{rows} rows {topic.words}; see {url}", data=data)


def _example(action: ProposedAction) -> dict[str, Any]:
    return {
        "action": action.kind.value,
        "rule": action.evidence["rule"],
        "decision": action.decision.value,
        "reason": action.reason,
        "example_ids": list(action.example_ids[:EXAMPLES_SHOWN]),
    }
