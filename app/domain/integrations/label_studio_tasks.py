"""What is pushed into a Label Studio project: findings and open questions as tasks with predictions.

The mapping is read backwards: which data key shows the prompt, which control holds the expected output. A control
that the project's labelling interface lacks is left out.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from app.domain.integrations.mapping import CaseField, FieldMapping, steps

ABOUT: Final = "casemend"
"""The data key under which a task says what it is about."""

_SHOWN: Final = re.compile(r"""<(\w+)\b[^>]*?\bvalue\s*=\s*["']\$([^"'\s]+)["']""")
_LISTS: Final = frozenset({"Chat", "Paragraphs"})
_TEXTS: Final = frozenset({"TextArea"})
_CHOICES: Final = frozenset({"Choices"})


class CannotPush(Exception):
    """The project's labelling interface shows nothing that the mapping can fill; says what is missing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pushed:
    """One finding or question. ``about`` holds its ids and verdict; ``words`` are what a choice may be pre-set to.
    ``task_id``: the task that speaks of it already. ``score`` 0..1."""

    about: Mapping[str, Any]
    prompt: str
    messages: Sequence[Mapping[str, Any]]
    model_output: str
    expected_output: str | None
    external_id: str | None
    score: float
    words: Sequence[str] = field(default=())
    task_id: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Push:
    """``tasks`` for the import of tasks, ``predictions`` for the import of predictions of tasks that are there."""

    tasks: list[dict[str, Any]]
    predictions: list[dict[str, Any]]


def push_of(
    items: Sequence[Pushed], mapping: FieldMapping, project: Mapping[str, Any], *, model_version: str
) -> Push:
    """Raises CannotPush."""
    controls = project.get("parsed_label_config")
    if not isinstance(controls, Mapping) or not controls:
        raise CannotPush("the project has no labelling interface yet")
    inputs = shown_keys(project)
    keys = {name: _data_key(mapping, name, inputs) for name in (CaseField.PROMPT, CaseField.MODEL_OUTPUT)}
    if keys[CaseField.PROMPT] is None:
        raise CannotPush(
            f"the mapping's prompt is none of the data keys that the project shows: {', '.join(inputs)}"
        )
    external_key = _first_key(mapping, CaseField.EXTERNAL_ID)
    push = Push(tasks=[], predictions=[])
    for item in items:
        result = _result(item, mapping, controls)
        prediction = {"model_version": model_version, "score": round(item.score, 4), "result": result}
        if item.task_id is not None:
            push.predictions.append({"task": item.task_id, **prediction})
            continue
        prompt_key = keys[CaseField.PROMPT]
        data: dict[str, Any] = dict.fromkeys(inputs, "")
        data[str(prompt_key)] = list(item.messages) if inputs.get(str(prompt_key)) in _LISTS else item.prompt
        if keys[CaseField.MODEL_OUTPUT] is not None:
            data[str(keys[CaseField.MODEL_OUTPUT])] = item.model_output
        if external_key is not None and item.external_id is not None:
            data[external_key] = item.external_id
        # The turns come back with the annotation, whatever the project shows of them.
        data[ABOUT] = {**item.about, "prompt_key": prompt_key, "messages": list(item.messages)}
        push.tasks.append({"data": data, "predictions": [prediction] if result else []})
    return push


def shown_keys(project: Mapping[str, Any]) -> dict[str, str]:
    """Keys of a task's data that the project's labelling interface shows, each with the tag that shows it."""
    interface = project.get("label_config")
    return {key: tag for tag, key in _SHOWN.findall(interface)} if isinstance(interface, str) else {}


def _data_key(mapping: FieldMapping, name: CaseField, inputs: Mapping[str, str]) -> str | None:
    shown = [key for key in _keys(mapping, name) if key in inputs]
    return shown[0] if shown else None


def _first_key(mapping: FieldMapping, name: CaseField) -> str | None:
    return next(iter(_keys(mapping, name)), None)


def _keys(mapping: FieldMapping, name: CaseField) -> list[str]:
    """Keys of the task's data among a field's paths."""
    return _under(mapping.fields.get(name, ()), "data")


def _under(paths: Sequence[str], top: str) -> list[str]:
    split = [steps(path) for path in paths]
    return [str(s[1]) for s in split if len(s) == 2 and s[0] == top and isinstance(s[1], str)]


def _result(item: Pushed, mapping: FieldMapping, controls: Mapping[str, Any]) -> list[dict[str, Any]]:
    result: list[dict[str, Any]] = []
    used: set[str] = set()
    if item.expected_output:
        for name in _under(mapping.fields.get(CaseField.EXPECTED_OUTPUT, ()), "result"):
            if _is(controls, name, _TEXTS):
                result.append(_said(controls, name, "textarea", {"text": [item.expected_output]}))
                used.add(name)
                break
    wanted: list[tuple[str, Sequence[object]]] = []
    if mapping.bad_when is not None:
        wanted += [(name, mapping.bad_when.values) for name in _under([mapping.bad_when.path], "result")]
    wanted += [
        (name, item.words) for name in _under(mapping.fields.get(CaseField.FAILURE_TYPE, ()), "result")
    ]
    for name, words in wanted:
        labels = {
            str(label).casefold(): str(label) for label in (controls.get(name) or {}).get("labels") or ()
        }
        chosen = next((labels[str(w).casefold()] for w in words if str(w).casefold() in labels), None)
        if chosen is not None and name not in used and _is(controls, name, _CHOICES):
            result.append(_said(controls, name, "choices", {"choices": [chosen]}))
            used.add(name)
    return result


def _is(controls: Mapping[str, Any], name: str, types: frozenset[str]) -> bool:
    control = controls.get(name)
    return isinstance(control, Mapping) and control.get("type") in types and bool(control.get("to_name"))


def _said(controls: Mapping[str, Any], name: str, type: str, value: dict[str, Any]) -> dict[str, Any]:
    return {"from_name": name, "to_name": controls[name]["to_name"][0], "type": type, "value": value}
