"""The output stops before it is done.

A fence, bracket or sentence is open at its end; a label is cut off; or it does not end as the long outputs of
its task do, where nine of ten end in a sentence's end.
"""

from __future__ import annotations

import bisect
import re
from collections import Counter
from typing import Final

from app.domain.answers.labels import LABEL_MIN_ROWS
from app.domain.diagnosis.symptoms import truncation
from app.domain.diagnosis.symptoms.quoting import quoted
from app.domain.language import text
from app.domain.language.text import SENTENCE_MIN_TOKENS
from app.domain.repair.row_quality.defects.finding import FAINT_SIGN, HINT, PLAIN_SIGN, NoisyRow, Sign
from app.domain.repair.row_quality.defects.habits import TASK_PSEUDO_ROWS, once, weighed
from app.domain.repair.row_quality.defects.reading import Reading

_SENTENCE_HABIT: Final = 0.9
"""Share of a task's long outputs that end in a sentence's end from which that is its rule."""

_PREFIX_MIN_CHARACTERS: Final = 3

_ENDED = re.compile(r"[.!?。！？…:：;；)）\]】}」』》>\"'”’`*|~\d$%]$|[^\w\s,，、(（-]$")
_IN_A_SENTENCE = "it ends in the middle of a sentence"
_LAST_WORD = re.compile(r"[A-Za-z]{3,}$")


@once
def detect(reading: Reading) -> tuple[NoisyRow, ...]:
    ends = _Ends(reading)
    signs = {}
    for row, output in enumerate(reading.outputs):
        said = output.rstrip()
        if not said or not reading.prose[row]:
            continue
        sign = ends.cut_label(row) or _open(reading, row) or ends.cut_sentence(row, said)
        if sign is not None:
            signs[row] = sign
    return weighed(reading, "truncated", signs)


def _open(reading: Reading, row: int) -> Sign | None:
    found = truncation.detect(reading.case(row), reading.profile)
    if found is None:
        return None
    # A line of a poem or of a list may end in any word.
    lines = len(reading.outputs[row].strip().splitlines()) > 1 and found.detail.startswith(_IN_A_SENTENCE)
    return Sign(certainty=HINT if lines else PLAIN_SIGN, reason=found.detail)


class _Ends:
    """How outputs end in each task, which labels there are, and which words the outputs use."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self._labels: dict[int, list[str]] = {}
        for (task, output), rows in reading.output_rows.items():
            if rows >= LABEL_MIN_ROWS and output:
                self._labels.setdefault(task, []).append(output)
        for labels in self._labels.values():
            labels.sort()
        self._long = [len(text.tokens(o[:200])) >= SENTENCE_MIN_TOKENS for o in reading.outputs]
        long_rows, ended = Counter[int](), Counter[int]()
        for row, output in enumerate(reading.outputs):
            if self._long[row]:
                task = int(reading.tasks[row])
                long_rows[task] += 1
                ended[task] += _ENDED.search(output.rstrip()[-1:]) is not None
        whole = ended.total() / max(1, long_rows.total())
        more = TASK_PSEUDO_ROWS
        self._ended = {t: (ended[t] + whole * more) / (n + more) for t, n in long_rows.items()}
        self._words = Counter(
            w for output in reading.outputs for w in set(text.tokens(text.clip(output))) if w.isascii()
        )
        self._known = sorted(w for w, rows in self._words.items() if rows > 1)

    def cut_label(self, row: int) -> Sign | None:
        """A label of one row that another label begins with: 'card_about_to' of 'card_about_to_expire'."""
        reading = self._reading
        task, said = int(reading.tasks[row]), reading.normal[row]
        labels = self._labels.get(task)
        if not labels or len(said) < _PREFIX_MIN_CHARACTERS or said[-1].isdigit():
            return None
        if reading.output_rows[task, said] > 1:
            return None
        at = bisect.bisect_right(labels, said)
        if at == len(labels) or not labels[at].startswith(said):
            return None
        # A whole word in front of a label may be a wider label of its own.
        inside = labels[at][len(said)].isalnum() or said[-1] in "_-/ "
        return Sign(
            certainty=PLAIN_SIGN if inside else FAINT_SIGN,
            reason=f"{quoted(said)} stands on this row alone and is the beginning of the label {quoted(labels[at])}",
            evidence={"label": labels[at][:80].encode("utf-8", "replace").decode()},
        )

    def cut_sentence(self, row: int, said: str) -> Sign | None:
        if not self._long[row] or _ENDED.search(said[-1:]):
            return None
        if len(text.tokens(said.rpartition("\n")[2])) < SENTENCE_MIN_TOKENS:
            return None  # an item of a list, a line of code
        share = self._ended[int(self._reading.tasks[row])]
        word = self._cut_word(said)
        if share < _SENTENCE_HABIT and not word:
            return None
        tail = quoted(f"…{said[-40:]}")
        if word:
            return Sign(
                certainty=PLAIN_SIGN,
                reason=f"it ends in the middle of a word ({quoted(word)}): {tail}",
                evidence={"word": word},
            )
        return Sign(
            certainty=HINT if self._reading.mixed(row) else FAINT_SIGN,
            reason=f"it does not end in a sentence's end, as {share:.0%} of the task's long outputs do: {tail}",
            evidence={"ended_share": round(share, 3)},
        )

    def _cut_word(self, said: str) -> str:
        """The last word where no other row has it and several begin with it; '' = it is whole."""
        found = _LAST_WORD.search(said[-60:])
        word = found.group().casefold() if found else ""
        if not word or self._words[word] > 1:
            return ""
        at = bisect.bisect_right(self._known, word)
        return word if at < len(self._known) and self._known[at].startswith(word) else ""
