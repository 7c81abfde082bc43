"""The output is in another language than its prompt, in a task that does not translate."""

from __future__ import annotations

import re

from app.domain.diagnosis.symptoms import wrong_language
from app.domain.repair.row_quality.defects.finding import PLAIN_SIGN, NoisyRow, Sign
from app.domain.repair.row_quality.defects.habits import once, weighed
from app.domain.repair.row_quality.defects.reading import Reading

# A prompt that names a language or a transcription may ask for it.
_NAMES_A_LANGUAGE = re.compile(
    r"translat|transliterat|interpret\b|romani[sz]e|\b(?:english|chinese|mandarin|cantonese|japanese|korean|french|"
    r"german|spanish|italian|portuguese|dutch|russian|arabic|hindi|latin|greek|turkish|polish|swedish|vietnamese|"
    r"thai|indonesian|pinyin|language)\b|翻译|翻譯|译成|译为|译文|英语|英文|中文|汉语|日语|日文|韩语|法语|德语|"
    r"西班牙语|俄语|语言|拼音|单词|代码|code\b|python|sql\b|html",
    re.IGNORECASE,
)


@once
def detect(reading: Reading) -> tuple[NoisyRow, ...]:
    signs = {}
    for row, example in enumerate(reading.examples):
        if not reading.prose[row]:
            continue
        found = wrong_language.detect(reading.case(row), reading.profile)
        if found is None or _NAMES_A_LANGUAGE.search(f"{example.system or ''}\n{example.prompt}"):
            continue
        signs[row] = Sign(certainty=PLAIN_SIGN, reason=found.detail)
    return weighed(reading, "wrong_language", signs)
