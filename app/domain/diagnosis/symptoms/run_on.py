"""The output goes on after the answer: it writes the token that ends a turn, or the next turn of somebody else.

**How it is decided.** A token that ends or opens a turn stands in the output (``<|im_end|>``, ``<|eot_id|>``,
``[INST]``), or a line begins as transcripts and templates begin a turn of the user (``User:``, ``### Instruction:``,
``用户：``), and neither the expected output nor the prompt has the same. Where the prompt asks for a dialogue, labels
say nothing without an expected output.

**What to do.** Every training row must end with the end-of-turn token of the model's own chat template, not masked
out of the loss, and the server must stop at that token. A base model, and a template that the model was not
trained with, run on as well.
"""

from __future__ import annotations

import re
from functools import cache

from app.domain.diagnosis.symptoms.profile import OutputProfile
from app.domain.diagnosis.symptoms.quoting import quoted
from app.domain.evidence import SymptomFinding
from app.domain.language import phrases, text
from app.domain.records import BadCase, Symptom

TURN_TOKEN = re.compile(
    r"<\|(?:im_start|im_end|endoftext|end_of_text|begin_of_text|eot_id|eom_id|start_header_id|end|user|observation)\|>"
    r"|<(?:start_of_turn|end_of_turn|eos)>|<｜[^｜<>]{1,30}｜>|\[/?INST\]|</s>(?=\s*(?:\Z|<s>|\[INST\]))|<<SYS>>"
)


def detect(case: BadCase, trained: OutputProfile) -> SymptomFinding | None:  # noqa: ARG001
    found = _next_turn(case)
    if found is None:
        return None
    behind = text.clip(case.model_output)[found.start() :].strip()
    return SymptomFinding(
        symptom=Symptom.RUN_ON,
        detail=f"the output runs on into the next turn after {quoted(answered(case), 40)}: {quoted(behind)}",
    )


def answered(case: BadCase) -> str:
    """The output up to where the next turn begins; the whole of it where none does."""
    found = _next_turn(case)
    return case.model_output if found is None else case.model_output[: found.start()].rstrip()


def _next_turn(case: BadCase) -> re.Match[str] | None:
    said = text.clip(case.model_output)
    texts = (*case.acceptable_outputs, *(turn.content for turn in case.messages))
    for pattern in _patterns(case):
        found = next((match for match in pattern.finditer(said) if said[: match.start()].strip()), None)
        if found is not None and not any(pattern.search(f"\n{other}") for other in texts):
            return found
    return None


def _patterns(case: BadCase) -> tuple[re.Pattern[str], ...]:
    right = [output for output in case.acceptable_outputs if output.strip()]
    if right:
        return (TURN_TOKEN, _labels("others"), _labels("maybe_others"))
    dialogue = phrases.pattern("turns", "dialogue")
    if any(dialogue.search(turn.content) for turn in case.messages):
        return (TURN_TOKEN,)
    return (TURN_TOKEN, _labels("others"))


@cache
def _labels(table: str) -> re.Pattern[str]:
    words = "|".join(map(re.escape, phrases.listed("turns", table)))
    return re.compile(rf"\n[ \t]*(?:\*\*)?(?:{words})(?:\*\*)?[ \t]*[:：]", re.IGNORECASE)
