"""Training-data formats, in and out: alpaca, sharegpt, messages, preference, completion, kto.

``parse_row`` turns one decoded JSON value into the fields of a training example or says why not;
``export_row`` writes an example so that reading it back gives the same record hash, in every format.
"""

from __future__ import annotations

from typing import Any

from app.domain.formats.detect import FORMATS, DetectionError, detect_format
from app.domain.formats.errors import RowError
from app.domain.formats.fields import RESIDUAL_KEY, Format, ParsedRow, check_trainable, json_type
from app.domain.formats.inflate import UploadError
from app.domain.formats.messages import MESSAGES
from app.domain.formats.reading import read_natural, turns_of, write_natural
from app.domain.formats.residual import parse_with_residual, residual, split_row
from app.domain.formats.rows import Line, iter_rows
from app.domain.formats.storable import check_depth, storable
from app.domain.records import TrainingExample

__all__ = [
    "FORMATS",
    "MESSAGES",
    "RESIDUAL_KEY",
    "DetectionError",
    "Format",
    "Line",
    "ParsedRow",
    "RowError",
    "UploadError",
    "detect_format",
    "export_row",
    "format_named",
    "format_of_row",
    "iter_rows",
    "parse_row",
    "turns_of",
]


def format_named(name: str) -> Format | None:
    """The format of that name, or None."""
    return next((f for f in FORMATS if f.name == name), None)


def format_of_row(row: dict[str, Any], usual: Format) -> Format:
    """The format that recognises the row: ``usual`` where it does or where none does."""
    if usual.recognises(row):
        return usual
    return next((format for format in FORMATS if format.recognises(row)), usual)


def parse_row(row: object, format: Format) -> ParsedRow:
    """The fields of a training example; raises ``RowError`` with what is wrong and how to fix it."""
    if not isinstance(row, dict):
        raise RowError("not_an_object", f"the row is {json_type(row)}; it must be a JSON object")
    if not row:
        raise RowError("empty_row", "the row is an empty object; give a prompt and an answer, or drop it")
    natural, beside = split_row(storable(row))
    parsed = parse_with_residual(natural, beside, format) if beside else read_natural(natural, format)
    return check_depth(check_trainable(parsed))


def export_row(example: TrainingExample, format: Format) -> dict[str, Any]:
    """The natural row in ``format``, with ``_casemend`` only where that row cannot say everything."""
    natural = write_natural(example, format)
    beside = residual(example, natural, _read_back(natural, format))
    return {**natural, RESIDUAL_KEY: beside} if beside else natural


def _read_back(natural: dict[str, Any], format: Format) -> ParsedRow | None:
    """What an importer makes of the natural row; None when it would refuse it."""
    try:
        return check_trainable(read_natural(natural, format))
    except RowError:
        return None
