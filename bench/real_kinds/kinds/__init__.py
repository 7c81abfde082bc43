"""The kinds of data, one line each."""

from __future__ import annotations

from bench.real_kinds.item import Kind
from bench.real_kinds.kinds.classification import CLASSIFICATION
from bench.real_kinds.kinds.conversations import MULTI_TURN, PERSONAS
from bench.real_kinds.kinds.faq import CHINESE_FAQ, FAQ
from bench.real_kinds.kinds.json_extraction import JSON_EXTRACTION
from bench.real_kinds.kinds.long_answers import LONG_ANSWERS
from bench.real_kinds.kinds.preferences import DPO, KTO
from bench.real_kinds.kinds.programs import CODE, SQL
from bench.real_kinds.kinds.rates import CHINESE_RATES, RATES
from bench.real_kinds.kinds.reasoning import REASONING
from bench.real_kinds.kinds.tools import TOOLS
from bench.real_kinds.kinds.translation import TRANSLATION

KINDS: tuple[Kind, ...] = (
    TOOLS,
    JSON_EXTRACTION,
    REASONING,
    KTO,
    DPO,
    MULTI_TURN,
    PERSONAS,
    TRANSLATION,
    CODE,
    SQL,
    FAQ,
    CHINESE_FAQ,
    RATES,
    CHINESE_RATES,
    LONG_ANSWERS,
    CLASSIFICATION,
)
