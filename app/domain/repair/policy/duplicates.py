"""What counts as a duplicate: the section ``duplicates`` of a repair policy."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field, StrictBool

from app.domain.near_duplicates.comparison import EDIT_SHARE
from app.domain.section import Section, Share


class Over(StrEnum):
    """What has to be near: prompt and answer, the prompt whatever the answer, or the answer alone."""

    PAIRS = "pairs"
    INPUTS = "inputs"
    OUTPUTS = "outputs"


class DuplicatePolicy(Section):
    over: Over = Over.PAIRS
    edit_share: Annotated[float, Field(strict=True, ge=0, le=0.5)] = EDIT_SHARE
    """Share of the characters in which two writings of one text may differ; beyond half it is another text."""
    lenient: StrictBool = False
    """Changed words need no other sign of a typo than that they are spread, whatever is answered."""
    meaning_cosine: Share | None = None
    """Cosine of the vectors from which two rows say the same in other words; null: wording alone counts."""
