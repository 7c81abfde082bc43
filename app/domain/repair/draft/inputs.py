"""What a repair is planned from, beside the rows themselves."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float32
from numpy import ndarray

from app.domain.evidence import Finding
from app.domain.near_duplicates import signatures
from app.domain.near_duplicates.leakage import ProtectedPrompt
from app.domain.near_duplicates.signatures import Signatures
from app.domain.records import BadCase
from app.domain.repair.draft.judge_log import AskJudge


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanInputs:
    """``input_vectors`` (n, d) and ``output_vectors`` (n, o): of the rows' prompts and outputs, unit rows.
    ``cases`` may be trained on; ``case_vectors`` (m, d) are of their prompts. ``findings`` of other cases are
    ignored. ``protected`` prompts take rows out and teach nothing; ``protected_vectors`` (p, d) are of them,
    or has no rows: then leaks are looked for in the characters alone. ``ask_judge``: a language model, where one
    may be asked. ``rng`` is the only source of chance. ``salt`` is secret: what stands for a person's data is
    derived from it, the same in every plan with the same salt. ``read`` signs texts, on a cluster where there
    is one."""

    input_vectors: Float32[ndarray, "n d"]
    output_vectors: Float32[ndarray, "n o"]
    cases: Sequence[BadCase] = ()
    case_vectors: Float32[ndarray, "m d"] = field(default_factory=lambda: np.zeros((0, 1), dtype=np.float32))
    findings: Sequence[Finding] = ()
    ask_judge: AskJudge | None = None
    protected: Sequence[ProtectedPrompt] = ()
    protected_vectors: Float32[ndarray, "p d"] = field(
        default_factory=lambda: np.zeros((0, 1), dtype=np.float32)
    )
    read: Callable[[Sequence[str]], Signatures] = signatures.read
    rng: np.random.Generator = field(default_factory=lambda: np.random.default_rng(0))
    salt: bytes = field(default=b"", repr=False)

    def check(self, rows: int) -> None:
        """Raise ValueError where a text has no vector."""
        for name, expected, vectors in (
            ("input_vectors", rows, self.input_vectors),
            ("output_vectors", rows, self.output_vectors),
            ("case_vectors", len(self.cases), self.case_vectors),
            (
                "protected_vectors",
                len(self.protected) if len(self.protected_vectors) else 0,
                self.protected_vectors,
            ),
        ):
            if len(vectors) != expected:
                raise ValueError(
                    f"{name} has {len(vectors)} rows for {expected} texts; give one vector for each"
                )
