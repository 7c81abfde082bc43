"""An example as canonical JSON and its two hashes, made in one pass.

``TrainingExample.content_hash`` and ``record_hash`` define the hashes; each renders the content anew. A bulk
load needs both and the JSON too, so here every part is rendered once and the parts are put together. A
property test holds both ways equal.
"""

from __future__ import annotations

import hashlib
from json.encoder import JSONEncoder, encode_basestring
from typing import NamedTuple

from app.domain.records import Message, TrainingExample

# As app.domain.records.canonical_json; made once instead of at every call.
_canonical = JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode


class EncodedExample(NamedTuple):
    """JSON texts of the parts; ``rejected`` and ``tools`` are None where the example has none."""

    messages: str
    rejected: str | None
    tools: str | None
    metadata: str
    content_hash: str
    record_hash: str


def encode(example: TrainingExample) -> EncodedExample:
    messages = _messages(example.messages)
    rejected = _messages(example.rejected) if example.rejected else None
    tools = None if example.tools is None else _canonical(example.tools)
    # Keys in the order of canonical JSON.
    desirable = "" if example.desirable is None else f'"desirable":{str(example.desirable).lower()},'
    content = f'{{{desirable}"messages":{messages}'
    if rejected is not None:
        content += f',"rejected":{rejected}'
    if tools is not None:
        content += f',"tools":{tools}'
    content += "}"
    metadata = _canonical(dict(example.metadata)) if example.metadata else "{}"
    source_id = "null" if example.source_id is None else encode_basestring(example.source_id)
    return EncodedExample(
        messages=messages,
        rejected=rejected,
        tools=tools,
        metadata=metadata,
        content_hash=_sha256(content),
        record_hash=_sha256(f"[{content},{source_id},{metadata}]"),
    )


def _messages(messages: tuple[Message, ...]) -> str:
    return f"[{','.join(map(_message, messages))}]"


def _message(message: Message) -> str:
    if message.extra:
        return _canonical(message.as_dict())
    return f'{{"content":{encode_basestring(message.content)},"role":"{message.role.value}"}}'


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
