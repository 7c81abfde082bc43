"""Rows of a table: every row has the same columns, and a column has one type.

For Parquet (Hugging Face ``datasets``) and for LLaMA-Factory, whose loader infers a schema from the first rows.
What a column cannot say stands in ``_casemend`` as JSON, as it does beside the rows of other formats.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any

from app.domain.formats.errors import RowError
from app.domain.formats.fields import RESIDUAL_KEY, Format, ParsedRow, check_trainable
from app.domain.formats.kto import KTO
from app.domain.formats.messages import MESSAGES
from app.domain.formats.preference import PREFERENCE
from app.domain.formats.reading import read_natural
from app.domain.formats.residual import as_text, residual
from app.domain.formats.sharegpt import NAMES, SHAREGPT
from app.domain.formats.signs import KTO_TAG
from app.domain.records import ANSWER_ROLES, Message, Role, TrainingExample

# LLaMA-Factory writes several answers of tools in one turn like this (its own converter of OpenAI rows).
_BETWEEN_TOOL_ANSWERS = "\n</tool_response>\n<tool_response>\n"


CSV_COLUMNS = ("id", "messages", "rejected", "tools", KTO_TAG, "metadata", RESIDUAL_KEY)


class LlamaFactoryFile(StrEnum):
    """Which file of the export a row goes to. ``left_out``: LLaMA-Factory would skip the row, or learn from it what
    must not be learnt."""

    SFT = "sft"
    PREFERENCE = "preference"
    KTO = "kto"
    LEFT_OUT = "left_out"

    @property
    def letter(self) -> str:
        """Stands for the file where the order of all rows is written."""
        return self.value[0]

    @property
    def rows(self) -> str:
        """The format of its rows."""
        return {self.SFT: "sharegpt", self.LEFT_OUT: "messages"}.get(self, self.value)

    def dataset(self, version_id: str) -> str:
        """What it is called in the export, as a dataset and (with ``.jsonl``) as a file."""
        return {self.SFT: version_id, self.LEFT_OUT: "left_out"}.get(self, f"{version_id}_{self.value}")

    @classmethod
    def of_file(cls, name: str) -> LlamaFactoryFile | None:
        """Which file of the export has this name; None where it holds no rows."""
        dataset, _, extension = name.rpartition(".")
        if extension != "jsonl":
            return None
        return next((f for f in cls if f is not cls.SFT and dataset.endswith(f.dataset(""))), cls.SFT)


def parquet_row(example: TrainingExample) -> dict[str, Any]:
    """``messages`` (role, content) and, where there are any, ``id``, ``rejected``, ``kto_tag``; ``tools`` and
    ``metadata`` as JSON texts. A column that the row lacks is null in the table."""
    natural = _columns(example)
    return _with_residual(example, natural)


def csv_cells(example: TrainingExample) -> list[str]:
    """The same as texts, in the order of ``CSV_COLUMNS``; '' for a column that the row lacks."""
    natural = {
        name: "true" if value is True else "false" if value is False else _text(value)
        for name, value in _columns(example).items()
    }
    # An importer takes an empty cell for a missing one, and the sign for what it is.
    read: dict[str, Any] = {name: text for name, text in natural.items() if text}
    if KTO_TAG in read:
        read[KTO_TAG] = example.desirable
    whole = {**read, RESIDUAL_KEY: _with_residual(example, read).get(RESIDUAL_KEY, "")}
    return [natural.get(name, "") if name != RESIDUAL_KEY else whole[RESIDUAL_KEY] for name in CSV_COLUMNS]


def _columns(example: TrainingExample) -> dict[str, Any]:
    natural: dict[str, Any] = {"messages": [_role_and_content(m) for m in example.messages]}
    if example.source_id is not None:
        natural["id"] = example.source_id
    if example.rejected:
        natural["rejected"] = [_role_and_content(m) for m in example.rejected]
    if example.tools is not None:
        natural["tools"] = _text(example.tools)
    if example.desirable is not None:
        natural[KTO_TAG] = example.desirable
    if example.metadata:
        natural["metadata"] = _text(dict(example.metadata))
    return natural


def _with_residual(example: TrainingExample, natural: dict[str, Any]) -> dict[str, Any]:
    beside = as_text(residual(example, natural, _read_back(natural, MESSAGES)))
    return {**natural, RESIDUAL_KEY: beside} if beside else natural


def llama_factory_row(example: TrainingExample) -> tuple[LlamaFactoryFile, dict[str, Any]]:
    """The row as LLaMA-Factory's ``sharegpt`` formatting has it, and the file for it.

    Its converter skips rows whose turns do not alternate, and reads one answer of each kind in a preference
    pair. Rows that it would skip come back as ``messages`` rows, to be kept beside.
    """
    # Up to the answer: what follows it is not learnt, and its trainer knows no weights.
    system, turns = _without_system(example.messages[: example.answer_at + 1])
    conversation = _conversation(turns)
    answers = [_turn(m) for m in example.rejected]
    if not _alternates(conversation) or len(answers) > 1 or not set(_sides(answers)) <= {1}:
        return LlamaFactoryFile.LEFT_OUT, {}
    if any(m.role in ANSWER_ROLES and not m.is_learnt for m in turns):
        return LlamaFactoryFile.LEFT_OUT, {}
    if example.desirable is False and answers:
        return LlamaFactoryFile.LEFT_OUT, {}  # a pair has a desired answer
    natural: dict[str, Any] = {
        "conversations": conversation,
        "system": system,
        "tools": "" if example.tools is None else _text(example.tools),
    }
    file, format = LlamaFactoryFile.SFT, SHAREGPT
    if example.desirable is not None:
        natural[KTO_TAG] = example.desirable
    if example.desirable is not None and not answers:
        file, format = LlamaFactoryFile.KTO, KTO
    if answers:
        file, format = LlamaFactoryFile.PREFERENCE, PREFERENCE
        natural |= {
            "conversations": conversation[:-1],
            "chosen": conversation[-1],
            "rejected": answers[0],
        }
    beside = residual(example, natural, _read_back(natural, format))
    return file, {**natural, RESIDUAL_KEY: as_text(beside)}


def dataset_info(files: Mapping[LlamaFactoryFile, tuple[str, str]]) -> dict[str, Any]:
    """LLaMA-Factory's ``dataset_info.json`` of {file: (dataset's name, file's name)}."""
    info: dict[str, Any] = {}
    for file, (name, file_name) in files.items():
        columns = {"messages": "conversations", "system": "system", "tools": "tools"}
        entry: dict[str, Any] = {"file_name": file_name, "formatting": "sharegpt"}
        if file is LlamaFactoryFile.PREFERENCE:
            entry["ranking"] = True
            columns |= {"chosen": "chosen", "rejected": "rejected"}
        if file is LlamaFactoryFile.KTO:
            columns |= {KTO_TAG: KTO_TAG}
        entry["columns"] = columns
        entry["tags"] = {
            "role_tag": "from",
            "content_tag": "value",
            "user_tag": NAMES[Role.USER],
            "assistant_tag": NAMES[Role.ASSISTANT],
            "observation_tag": NAMES[Role.TOOL],
            "function_tag": NAMES[Role.FUNCTION_CALL],
            "system_tag": NAMES[Role.SYSTEM],
        }
        info[name] = entry
    return info


def _role_and_content(message: Message) -> dict[str, str]:
    return {"role": message.role.value, "content": message.content}


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _without_system(messages: Sequence[Message]) -> tuple[str, Sequence[Message]]:
    first = messages[0]
    return (first.content, messages[1:]) if first.role is Role.SYSTEM else ("", messages)


def _conversation(turns: Sequence[Message]) -> list[dict[str, str]]:
    made: list[dict[str, str]] = []
    for message in turns:
        turn = _turn(message)
        if message.role is Role.TOOL and made and made[-1]["from"] == turn["from"]:
            made[-1]["value"] += _BETWEEN_TOOL_ANSWERS + turn["value"]
        else:
            made.append(turn)
    return made


def _turn(message: Message) -> dict[str, str]:
    calls = message.extra.get("tool_calls")
    if message.role is Role.ASSISTANT and isinstance(calls, list) and calls:
        # OpenAI's calls, written as LLaMA-Factory writes them when it reads OpenAI rows itself.
        functions = [call.get("function") for call in calls if isinstance(call, dict)]
        if all(isinstance(function, dict) for function in functions):
            return {"from": NAMES[Role.FUNCTION_CALL], "value": _text(functions)}
    return {"from": NAMES[message.role], "value": message.content}


_ASKING = (NAMES[Role.USER], NAMES[Role.TOOL])
_ANSWERING = (NAMES[Role.ASSISTANT], NAMES[Role.FUNCTION_CALL])


def _sides(turns: Sequence[Mapping[str, str]]) -> list[int]:
    """0 for who asks, 1 for who answers, 2 for a system turn in the middle, which is neither."""
    return [0 if t["from"] in _ASKING else 1 if t["from"] in _ANSWERING else 2 for t in turns]


def _alternates(turns: Sequence[Mapping[str, str]]) -> bool:
    return len(turns) % 2 == 0 and _sides(turns) == [i % 2 for i in range(len(turns))]


def _read_back(natural: dict[str, Any], format: Format) -> ParsedRow | None:
    try:
        return check_trainable(read_natural(natural, format))
    except RowError:
        return None
