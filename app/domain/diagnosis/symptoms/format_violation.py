"""Right or wrong, the output has not the shape that the training rows of its task taught.

**How it is decided.** By the shape of the expected output, where training rows have it too; without one, by
what nine of ten rows of the task do. Looked at: whether it is JSON, with the same type and the same
top-level keys; code fences and XML or HTML tags, required and balanced; a closing line such as
'Final answer: 42'; an option letter or a number and how it is written; one of a closed set of labels; whether
words or a tool call are due, and whether its arguments are JSON.

**What to do.** Constrained decoding (JSON schema, grammar, a list of labels) enforces a shape at once. Where
the training rows themselves differ in shape, normalise them and retrain.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from app.domain.answers.contradiction import LABEL_TASK_SHARE
from app.domain.diagnosis.serving.training_format import FORMAT_RULE_SHARE
from app.domain.diagnosis.symptoms import run_on
from app.domain.diagnosis.symptoms.profile import SHAPE_MIN_ROWS, OutputProfile
from app.domain.diagnosis.symptoms.quoting import listed, quoted
from app.domain.diagnosis.symptoms.shapes import (
    LABEL_MAX_CHARACTERS,
    Form,
    OutputShape,
    closed_tags,
    closing_of,
    form_of,
    json_of,
    json_type,
    style_of,
    unbalanced_tag,
)
from app.domain.evidence import SymptomFinding
from app.domain.language import text
from app.domain.records import BadCase, Symptom

_FORM_MIN_SHARE: Final = 0.05
"""Share of a task's rows whose answer is one option letter or number before that is a form of the task."""


_RULE = FORMAT_RULE_SHARE


def detect(case: BadCase, trained: OutputProfile) -> SymptomFinding | None:
    if case.model_answer.tool_calls:
        detail = _call(case)
        return SymptomFinding(symptom=Symptom.FORMAT_VIOLATION, detail=detail) if detail else None
    shape = trained.shape_for(case)
    # What follows the answer is another symptom.
    said = run_on.answered(replace(case, model_output=case.said)).strip()
    if not said:
        return None
    for check in _CHECKS:
        detail = check(said, case.wanted.strip(), shape)
        if detail:
            return SymptomFinding(symptom=Symptom.FORMAT_VIOLATION, detail=detail)
    return None


def _call(case: BadCase) -> str | None:
    """A call has the form of a call, whatever the other answers look like."""
    broken = next((call for call in case.model_answer.tool_calls if not call.well_formed), None)
    if broken is not None:
        return f"the arguments of the call {broken.name} are no JSON: {quoted(str(broken.arguments))}"
    expected = case.expected_answer
    if expected is None or expected.is_empty or expected.tool_calls or json_of(expected.text) is not None:
        return None
    return f"the output calls {case.model_answer.tool_calls[0].name} where words are due: {quoted(expected.text)}"


def _json(said: str, expected: str, shape: OutputShape) -> str | None:
    wanted = json_of(expected) if expected else None
    if wanted is None and (expected or shape.json_share < _RULE):
        return None
    given = json_of(said)
    if given is None:
        return f"the output is no JSON where JSON is due: {_why_no_json(said)}"
    is_object = isinstance(wanted, dict) if wanted is not None else shape.objects > shape.arrays
    if isinstance(given, dict) is not is_object:
        return f"the output is a JSON {json_type(given)} where a JSON {'object' if is_object else 'array'} is due"
    return _keys(given, wanted, shape) if isinstance(given, dict) else None


def _why_no_json(said: str) -> str:
    if "```" in said:
        return "it stands in a code fence"
    if said[:1] not in ("{", "["):
        return f"it begins with {quoted(said, 30)}"
    try:
        json.loads(said)
    except json.JSONDecodeError as error:
        return f"{error.msg} at line {error.lineno}, column {error.colno}"
    except (ValueError, RecursionError) as error:
        return type(error).__name__
    return "text follows it"


def _keys(given: dict[str, object], wanted: object, shape: OutputShape) -> str | None:
    asked = wanted if isinstance(wanted, dict) else {}
    habits = shape.objects >= SHAPE_MIN_ROWS
    always = {k for k, types in shape.types.items() if types.total() >= _RULE * shape.objects and habits}
    missing = sorted((always & asked.keys() if asked else always) - given.keys()) or sorted(
        asked.keys() - given.keys() if not habits else ()
    )
    if missing:
        return f"the JSON lacks {listed([quoted(k, 40) for k in missing])}, which the training rows have"
    strange = sorted(k for k in given if k not in shape.types and k not in asked)
    if strange and habits:
        return f"the JSON has {listed([quoted(k, 40) for k in strange])}, which no training row has"
    for key, value in given.items():
        types = shape.types.get(key, Counter())
        kind = json_type(value)
        if habits and types.total() >= SHAPE_MIN_ROWS and kind not in types:
            usual = types.most_common(1)[0][0]
            return f"{quoted(key, 40)} is a {kind} in the output and a {usual} in the training rows"
    return None


def _markup(said: str, expected: str, shape: OutputShape) -> str | None:
    fenced = shape.fenced / max(1, shape.rows)
    due = "```" in expected if expected else fenced >= _RULE
    if due and "```" not in said and fenced > 0:
        return f"the output has no code fence; {fenced:.0%} of the task's training rows have one"
    wrapped = said.startswith("```") and not expected.startswith("```")
    if wrapped and fenced < 1 - _RULE and shape.rows >= SHAPE_MIN_ROWS:
        return f"the output is wrapped in a code fence; {fenced:.0%} of the task's training rows have one"
    often = {t for t, rows in shape.tags.items() if rows >= _RULE * shape.rows}
    needed = often & set(closed_tags(expected)) if expected else often
    missing = sorted(needed - set(closed_tags(said)))
    if missing:
        return f"the output lacks {listed([f'<{t}>…</{t}>' for t in missing])}, which the training rows have"
    tag = unbalanced_tag(said)
    if tag and (not expected or unbalanced_tag(expected) is None):
        return f"the tag {tag} has no partner in the output"
    return None


def _closing(said: str, expected: str, shape: OutputShape) -> str | None:
    if json_of(expected) is not None or (not expected and shape.json_share >= _RULE):
        return None
    if expected:
        head, tail = closing_of(expected)
        wanted = form_of(tail)
        if shape.closings.get(head, Counter()).total() < 2:
            return None
    else:
        head = shape.closing
        forms = shape.closings.get(head, Counter[Form]())
        if not head or forms.total() < _RULE * shape.rows:
            return None
        wanted = forms.most_common(1)[0][0]
    found, tail = closing_of(said)
    share = shape.closings[head].total() / shape.rows
    if found != head:
        return (
            f"the last line does not begin with {quoted(head)}, as in {share:.0%} of the task's training rows"
        )
    forms = shape.closings[head]
    if wanted is not Form.WORDS and forms[wanted] >= _RULE * forms.total() and form_of(tail) is Form.WORDS:
        return f"{quoted(head)} is followed by {quoted(tail)} where the training rows have one {wanted}"
    return None


def _form(said: str, expected: str, shape: OutputShape) -> str | None:
    if expected:
        wanted = form_of(expected)
        share = shape.form_share(wanted)
        if wanted is Form.WORDS or share < _FORM_MIN_SHARE:
            return None
    else:
        wanted, share = max(
            ((f, shape.form_share(f)) for f in (Form.OPTION, Form.NUMBER)), key=lambda x: x[1]
        )
        if share < _RULE:
            return None
    if form_of(said) is not wanted:
        return f"the output is no single {wanted}: {quoted(said)}; {share:.0%} of the task's training answers are one"
    if wanted is Form.OPTION:
        style, rows = shape.styles.most_common(1)[0]
        if rows >= _RULE * shape.styles.total() and style_of(said) != style and "X" in style:
            return (
                f"the option is written {quoted(said)}; the training rows write {quoted(style)} for option X"
            )
    return None


def _label(said: str, expected: str, shape: OutputShape) -> str | None:
    closed = shape.label_share >= (LABEL_TASK_SHARE if expected else _RULE)
    due = shape.is_label(text.normalised(expected)) if expected else True
    plain = text.normalised(said) if len(said) <= 2 * LABEL_MAX_CHARACTERS else ""
    if not (closed and due) or plain in shape.outputs or form_of(expected or said) is not Form.WORDS:
        return None
    return f"{quoted(said)} is none of the {shape.labels} labels that the training rows answer with"


_CHECKS: tuple[Callable[[str, str, OutputShape], str | None], ...] = (_json, _markup, _closing, _form, _label)
