"""Task instructions that stand above many prompts: a reader needs them once, not in every line."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence, Set

from app.domain.reports.report import ReportFinding


def shared_instructions(findings: Sequence[ReportFinding]) -> frozenset[str]:
    """First lines that stand above many prompts: task instructions, which tell no two findings apart."""
    firsts = Counter(f.prompt.partition("\n")[0] for f in findings if "\n" in f.prompt)
    return frozenset(line for line, count in firsts.items() if count >= max(3, 0.05 * len(findings)))


def without_instruction(prompt: str, instructions: Set[str]) -> str:
    """``prompt`` without its first line where that is one of ``instructions`` and something follows."""
    first, _, rest = prompt.partition("\n")
    return rest if first in instructions and rest.strip() else prompt


def instruction_of(prompt: str, instructions: Set[str]) -> str:
    """The task instruction that ``without_instruction`` takes away, or nothing."""
    return prompt.partition("\n")[0] if without_instruction(prompt, instructions) != prompt else ""
