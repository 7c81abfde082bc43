"""What counts as a duplicate: the section ``duplicates`` of a repair policy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from app.domain.near_duplicates.verification import EDIT_SHARE
from app.domain.repair.policy.fields import check_fields, choice, flag, share

# More than half of the characters in another form is another text.
_MAX_EDIT_SHARE: Final = 0.5


class Over(StrEnum):
    """What has to be near: prompt and answer, the prompt whatever the answer, or the answer alone."""

    PAIRS = "pairs"
    INPUTS = "inputs"
    OUTPUTS = "outputs"


@dataclass(frozen=True, slots=True, kw_only=True)
class DuplicatePolicy:
    """``edit_share`` 0..0.5: share of the characters in which two writings of one text may differ. ``lenient``:
    changed words need no other sign of a slip than that they are spread, whatever is answered. ``meaning_cosine``
    0..1: cosine of the vectors from which two rows say the same in other words; None = wording alone counts."""

    over: Over = Over.PAIRS
    edit_share: float = EDIT_SHARE
    lenient: bool = False
    meaning_cosine: float | None = None

    @classmethod
    def from_dict(cls, raw: object) -> DuplicatePolicy:
        """Validate the section from outside; a ValueError says what is wrong and how to fix it."""
        if not isinstance(raw, Mapping):
            raise ValueError(f"policy.duplicates is {raw!r}; give an object")
        check_fields(raw, cls.__dataclass_fields__, "policy.duplicates")
        values: dict[str, Any] = {}
        if "over" in raw:
            values["over"] = choice(Over, raw["over"], "duplicates.over")
        if "edit_share" in raw:
            values["edit_share"] = share(raw["edit_share"], "duplicates.edit_share")
            if values["edit_share"] > _MAX_EDIT_SHARE:
                raise ValueError(
                    f"policy.duplicates.edit_share is {raw['edit_share']}; texts that differ in more than "
                    f"{_MAX_EDIT_SHARE} of their characters are no copies, give less"
                )
        if "lenient" in raw:
            values["lenient"] = flag(raw["lenient"], "duplicates.lenient")
        if raw.get("meaning_cosine") is not None:
            values["meaning_cosine"] = share(raw["meaning_cosine"], "duplicates.meaning_cosine")
        return cls(**values)

    def as_dict(self) -> dict[str, Any]:
        return {
            "over": self.over.value,
            "edit_share": self.edit_share,
            "lenient": self.lenient,
            "meaning_cosine": self.meaning_cosine,
        }
