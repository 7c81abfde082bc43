"""promptfoo: results of an evaluation in (``promptfoo eval -o results.json``), a suite of tests out.

A record holds ``prompt``, ``vars``, ``output``, ``expected`` (of an ``equals`` assertion), ``failed_assertions``,
``reason``, ``provider`` and ``test``. What passed is no bad case, and takes none away.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from app.domain.integrations.mapping import CaseField, FieldMapping
from app.domain.integrations.reading import Reading, Record, Unreadable, json_value

DEFAULT_MAPPING = FieldMapping(
    fields={
        CaseField.PROMPT: ["prompt"],
        CaseField.MODEL_OUTPUT: ["output"],
        CaseField.EXPECTED_OUTPUT: ["vars.expected_output", "vars.expected", "vars.accepted[0]", "expected"],
        CaseField.FAILURE_TYPE: ["failed_assertions"],
        CaseField.EXTERNAL_ID: ["test.metadata.external_id", "vars.external_id"],
        CaseField.MODEL: ["provider"],
    }
)
_EXACT: Final = ("equals", "is-exact", "iequals")


@dataclass(frozen=True, slots=True, kw_only=True)
class SuiteCase:
    """A case of a suite. ``messages`` as OpenAI writes them; ``accepted``: every answer that is right."""

    external_id: str
    messages: Sequence[Mapping[str, Any]]
    accepted: Sequence[str]
    description: str


def read(body: bytes) -> Reading:
    """The results. Raises Unreadable."""
    value = json_value(body)
    inner = value.get("results") if isinstance(value, Mapping) else None
    results = inner.get("results") if isinstance(inner, Mapping) else inner
    if not isinstance(results, list):
        raise Unreadable("these are no results of promptfoo: 'results.results' is expected")
    records: list[Record] = []
    unreadable: list[str] = []
    for number, result in enumerate(results, 1):
        made = _record(result) if isinstance(result, Mapping) else None
        if made is None:
            unreadable.append(f"result {number} has no prompt or no 'success'")
        else:
            records.append(made)
    return Reading(records=tuple(records), unreadable=tuple(unreadable))


def _record(result: Mapping[str, Any]) -> Record | None:
    prompt = result.get("prompt")
    raw = prompt.get("raw") if isinstance(prompt, Mapping) else prompt
    if not isinstance(raw, str) or not isinstance(result.get("success"), bool):
        return None
    test = result.get("testCase")
    test = test if isinstance(test, Mapping) else {}
    response = result.get("response")
    response = response if isinstance(response, Mapping) else {}
    provider = result.get("provider")
    label = (provider.get("label") or provider.get("id")) if isinstance(provider, Mapping) else provider
    graded = list(_graded(result.get("gradingResult")))
    failed = [str(a.get("type")) for a, passed in graded if not passed]
    asserted = [a for a in test.get("assert") or () if isinstance(a, Mapping)] + [a for a, _ in graded]
    exact = next(
        (a.get("value") for a in asserted if a.get("type") in _EXACT and a.get("value") is not None), None
    )
    digest = hashlib.sha256(json.dumps([raw, label], ensure_ascii=False).encode("utf-8", "surrogatepass"))
    skip = None
    if result["success"]:
        skip = "it passed"
    elif response.get("output") is None:
        skip = f"the provider gave no answer: {str(result.get('error') or response.get('error') or '')[:200]}"
    return Record(
        key=f"result:{digest.hexdigest()[:32]}",
        value={
            "prompt": raw,
            "vars": result.get("vars") or test.get("vars") or {},
            "output": response.get("output"),
            "expected": exact,
            "failed_assertions": failed,
            "reason": (result.get("gradingResult") or {}).get("reason"),
            "provider": label,
            "test": {"description": test.get("description"), "metadata": test.get("metadata") or {}},
        },
        case_key=digest.hexdigest()[:32],
        skip=skip,
        withdraws=False,
    )


def _graded(grading: object) -> Iterator[tuple[Mapping[str, Any], bool]]:
    components = grading.get("componentResults") if isinstance(grading, Mapping) else None
    for component in components or ():
        if isinstance(component, Mapping):
            assertion = component.get("assertion")
            yield (assertion if isinstance(assertion, Mapping) else {}), bool(component.get("pass"))


def suite(cases: Sequence[SuiteCase], *, description: str) -> dict[str, Any]:
    """A configuration of promptfoo without providers: every case is a test that an accepted answer passes.

    Prompts and answers go in as variables and are never templates of their own, whatever braces they hold.
    """
    return {
        "description": description,
        "prompts": ["{{ messages | dump | safe }}"],
        "defaultTest": {"options": {"disableVarExpansion": True}},
        "tests": [_test(case) for case in cases],
    }


def _test(case: SuiteCase) -> dict[str, Any]:
    accepted = [{"type": "equals", "value": f"{{{{ accepted[{i}] }}}}"} for i in range(len(case.accepted))]
    asserted = (
        accepted
        if len(accepted) == 1
        else [{"type": "assert-set", "threshold": 1 / len(accepted), "assert": accepted}]
    )
    return {
        "description": case.description,
        "metadata": {"external_id": case.external_id},
        "vars": {"messages": [dict(m) for m in case.messages], "accepted": list(case.accepted)},
        "assert": asserted,
    }
