"""What a dataset version holds, in numbers, counted while its rows stream by.

Memory grows by 24 bytes a row. Script shares stand in for languages: telling languages of one script
apart is not attempted.
"""

from __future__ import annotations

import re
from array import array
from collections import Counter
from typing import Any

import numpy as np

from app.domain.records import Role, TrainingExample

_LETTER = re.compile("[A-Za-z]")
_CJK = re.compile("[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff]+")
_LATIN = re.compile("[A-Za-z\u00c0-\u024f]+")
# The first lines say what a text is written in.
_SCRIPT_SAMPLE_CHARACTERS = 300
_CHARACTERS_PER_TOKEN = 4  # of English; a CJK character is about one token of its own
_QUANTILES = (0.5, 0.9, 0.99)


def script_of(text: str) -> str:
    """``latin``, ``cjk`` or ``other``: what carries the text. A CJK character says what two letters do."""
    sample = text[:_SCRIPT_SAMPLE_CHARACTERS]
    if sample.isascii():
        return "latin" if _LETTER.search(sample) else "other"
    cjk = sum(map(len, _CJK.findall(sample)))
    latin = sum(map(len, _LATIN.findall(sample)))
    if not latin and not cjk:
        return "other"
    return "cjk" if 2 * cjk > latin else "latin"


def estimated_tokens(text: str) -> int:
    """Within about a third of what a byte-pair tokenizer counts; nothing is decided by it.

    UTF-8 writes a CJK character in three bytes: the surplus over the characters counts them.
    """
    wide = 0 if text.isascii() else (len(text.encode("utf-8", "surrogatepass")) - len(text)) // 2
    return wide + -(-(len(text) - wide) // _CHARACTERS_PER_TOKEN)


class RunningStatistics:
    """Feed it every example once, then ask for ``as_dict``."""

    def __init__(self) -> None:
        self._prompt_tokens = array("l")
        self._output_tokens = array("l")
        self._outputs = array("q")
        self._scripts: Counter[str] = Counter()
        self._with: Counter[str] = Counter()

    def add(self, example: TrainingExample) -> None:
        messages = example.messages
        prompt, output = example.prompt, example.output
        self._prompt_tokens.append(estimated_tokens(prompt))
        self._output_tokens.append(estimated_tokens(output))
        # Salted per process and 64 bits wide: enough to count what is distinct.
        self._outputs.append(hash(output))
        self._scripts[script_of(prompt)] += 1
        if messages[0].role is Role.SYSTEM:
            self._with["system"] += 1
        if len(messages) > 3:  # more than system, prompt and answer
            self._with["history"] += 1
        if example.rejected:
            self._with["rejected"] += 1

    def as_dict(self, *, formats: dict[str, int] | None = None) -> dict[str, Any]:
        rows = len(self._outputs)
        return {
            "rows": rows,
            "prompt_tokens_estimated": _quantiles(self._prompt_tokens),
            "output_tokens_estimated": _quantiles(self._output_tokens),
            "scripts": {name: round(n / rows, 4) for name, n in sorted(self._scripts.items())},
            "distinct_outputs": int(np.unique(np.array(self._outputs)).size),
            "rows_with": {name: self._with[name] for name in ("history", "rejected", "system")},
            "formats": formats or {},
        }


def _quantiles(values: array[int]) -> dict[str, float]:
    if not values:
        return {}
    lengths = np.array(values)
    quantiles = {
        f"p{q * 100:g}": float(v) for q, v in zip(_QUANTILES, np.quantile(lengths, _QUANTILES), strict=True)
    }
    return {"mean": round(float(lengths.mean()), 1), **quantiles, "max": float(lengths.max())}
