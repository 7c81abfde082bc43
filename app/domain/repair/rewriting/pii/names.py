"""Names of persons, only where a form's field or the sentence says that it is one: "联系人：张伟", "my name is
Jane Roe". A name in a story is no personal data, and nothing in a text tells the two apart otherwise."""

from __future__ import annotations

import re
from collections.abc import Iterator

from app.domain.repair.policy.pii import PiiKind
from app.domain.repair.rewriting.pii.match import Detector, PiiMatch

# The hundred commonest surnames (Ministry of Public Security, 2020), and what stands in for one.
_SURNAMES = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗郑梁谢宋唐许韩邓冯曹彭曾肖田董潘袁蔡蒋余于杜叶程魏苏吕丁任卢姚沈钟姜崔谭"
    "陆范汪廖石金韦贾夏付方邹熊白孟秦邱侯江尹薛闫段雷龙黎史陶贺毛郝顾龚邵万覃武钱戴严欧莫孔向常汤"
)
_CHINESE = re.compile(
    rf"(?:姓名|联系人|收件人|收货人|持卡人|户名|我叫|我的名字[是叫])\s*[:：]?\s*(?P<name>[{_SURNAMES}][\u4e00-\u9fff]{{1,2}})"
    r"(?=[\s,，。；;、！!）)]|\Z|电话|手机|的)"
)
_WESTERN = re.compile(
    r"(?:\b[Mm]y (?:full )?name is"
    r"|\b(?:Full [Nn]ame|Customer [Nn]ame|Cardholder|Patient|Contact [Pp]erson|Recipient)\s?:)\s"
    r"(?P<name>(?:(?:Mr|Mrs|Ms|Dr)\.? )?[A-Z][a-z'’-]+(?: [A-Z]\.)?(?: [A-Z][a-zA-Z'’-]+){1,2})\b"
)


def _find(text: str) -> Iterator[PiiMatch]:
    for pattern, score in ((_CHINESE, 0.75), (_WESTERN, 0.75)):
        for match in pattern.finditer(text):
            if not match["name"].endswith("Doe"):
                yield PiiMatch(
                    kind=PiiKind.NAME, start=match.start("name"), end=match.end("name"), score=score
                )


DETECTOR = Detector(
    kind=PiiKind.NAME,
    trigger=re.compile(
        r"姓名|联系人|收件人|收货人|持卡人|户名|我叫|我的名字"
        r"|name is|[Nn]ame\s?:|Cardholder|Patient|[Pp]erson\s?:|Recipient"
    ),
    find=_find,
)
