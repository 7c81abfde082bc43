"""Any table: CSV, TSV, JSON, JSON lines. A column, or a path in a row, is what the mapping says."""

from __future__ import annotations

import hashlib
import json

from app.domain.integrations.mapping import CaseField, FieldMapping
from app.domain.integrations.reading import Reading, Record, table

DEFAULT_MAPPING = FieldMapping(
    fields={
        CaseField.PROMPT: ["prompt", "messages", "instruction", "question", "input"],
        CaseField.SYSTEM: ["system"],
        CaseField.MODEL_OUTPUT: ["model_output", "actual", "actual_output", "output", "response"],
        CaseField.EXPECTED_OUTPUT: ["expected_output", "expected", "reference", "ideal"],
        CaseField.FAILURE_TYPE: ["failure_type"],
        CaseField.EXTERNAL_ID: ["external_id", "id"],
        CaseField.MODEL: ["model"],
    }
)


def read(body: bytes) -> Reading:
    """The rows. Raises Unreadable."""
    records: list[Record] = []
    unreadable: list[str] = []
    for _, row in table(body):
        if isinstance(row, str):
            unreadable.append(row)
            continue
        written = json.dumps(row, ensure_ascii=False, sort_keys=True).encode("utf-8", "surrogatepass")
        # A row without an id of its own is the same row when it says the same.
        digest = hashlib.sha256(written).hexdigest()[:32]
        records.append(Record(key=f"row:{digest}", value=row, case_key=digest))
    return Reading(records=tuple(records), unreadable=tuple(unreadable))
