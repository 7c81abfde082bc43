"""Words that turn a request round: freeze and unfreeze, buy and sell, 开 and 关.

Two texts that are equal but for one of these mean opposite things, however near an encoder puts them. The
lists are closed classes of everyday English and Chinese; prefixes ("un", "dis", 取消) are rules, not entries.
"""

from __future__ import annotations

import re
from functools import lru_cache

_ENGLISH = (
    "on off|enable disable|activate deactivate|open close|open shut|start stop|begin end|start end|add remove|"
    "add subtract|add delete|create delete|insert delete|increase decrease|increase reduce|raise lower|"
    "increases decreases|rise fall|grow shrink|gain lose|up down|upload download|buy sell|purchase sell|"
    "buying selling|borrow lend|borrow return|send receive|sender recipient|deposit withdraw|deposit withdrawal|"
    "deposits withdrawals|credit debit|debit credit|push pull|give take|incoming outgoing|import export|"
    "imports exports|login logout|enter exit|enter leave|arrive depart|arrival departure|arrivals departures|"
    "inbound outbound|first last|before after|earlier later|earliest latest|early late|next previous|next last|"
    "above below|over under|more less|most least|more fewer|max min|maximum minimum|highest lowest|high low|"
    "higher lower|best worst|better worse|good bad|cheap expensive|cheapest expensive|big small|bigger smaller|"
    "biggest smallest|large small|largest smallest|long short|longer shorter|longest shortest|fast slow|"
    "faster slower|hot cold|hottest coldest|warm cool|old new|older younger|oldest youngest|oldest newest|"
    "male female|men women|man woman|boy girl|boys girls|husband wife|mother father|accept reject|accept decline|"
    "approve reject|approve decline|allow forbid|allow deny|allow block|grant revoke|lock unlock|include exclude|"
    "inside outside|internal external|input output|left right|north south|east west|same different|true false|"
    "yes no|win lose|won lost|pass fail|passed failed|success failure|positive negative|public private|"
    "legal illegal|love hate|advantage disadvantage|advantages disadvantages|pros cons|benefit drawback|"
    "strength weakness|strengths weaknesses|cause effect|question answer|synonym antonym|synonyms antonyms|"
    "mute unmute|pause resume|pause play|join leave|follow unfollow|hire fire|admit discharge|fill empty|"
    "full empty|heavy light|hard easy|hard soft|strong weak|rich poor|alive dead|birth death|born died|"
    "married divorced|morning evening|day night|today tomorrow|today yesterday|tomorrow yesterday|"
    "breakfast dinner|summer winter|import export|encrypt decrypt|encode decode|compress decompress|"
    "connect disconnect|install uninstall|subscribe unsubscribe|book cancel|confirm cancel|renew cancel"
)
_CHINESE = (
    "开 关|打开 关闭|开启 关闭|打开 关掉|开通 关闭|开通 取消|启用 停用|启用 禁用|"
    "开始 结束|开始 停止|增加 减少|增大 减小|提高 降低|上升 下降|上涨 下跌|升 降|"
    "涨 跌|增 减|添加 删除|新增 删除|加 减|买 卖|购买 出售|买入 卖出|买进 卖出|"
    "借入 借出|存 取|存款 取款|存入 取出|充值 提现|转入 转出|收入 支出|收款 付款|"
    "发送 接收|寄 收|发 收|上传 下载|导入 导出|进 出|进口 出口|登录 退出|登录 登出|"
    "登陆 退出|注册 注销|绑定 解绑|锁定 解锁|冻结 解冻|上 下|上面 下面|上班 下班|"
    "左 右|前 后|之前 之后|以前 以后|里 外|内 外|东 西|南 北|早 晚|最早 最晚|"
    "大 小|最大 最小|多 少|最多 最少|高 低|最高 最低|长 短|快 慢|冷 热|新 旧|"
    "男 女|男人 女人|男生 女生|好 坏|优点 缺点|优势 劣势|利 弊|好处 坏处|最好 最差|"
    "正确 错误|对 错|同意 拒绝|允许 禁止|接受 拒绝|赢 输|胜 负|成功 失败|喜欢 讨厌|"
    "爱 恨|公开 私密|合法 非法|真 假|白天 晚上|今天 明天|今天 昨天|明天 昨天|"
    "去年 今年|今年 明年|输入 输出|出发 到达|出生 去世|结婚 离婚|父亲 母亲|爸爸 妈妈|"
    "哥哥 姐姐|近义词 反义词|增肥 减肥|静音 取消静音|暂停 继续|加速 减速|加密 解密|"
    "压缩 解压|安装 卸载|关注 取关|订阅 退订|预订 取消"
)
_PREFIXES = ("un", "dis", "de", "in", "im", "il", "ir", "non", "mis")
_STEM_MIN = 4
"""Letters left after a prefix: "under" is not "un" and "der"."""


def _pairs(listed: str) -> tuple[tuple[str, str], ...]:
    return tuple((a, b) for a, b in (entry.split(" ") for entry in listed.split("|")))


OPPOSITES: tuple[tuple[str, str], ...] = tuple(dict.fromkeys(_pairs(_ENGLISH) + _pairs(_CHINESE)))
"""(word, its opposite); each pair is one axis, a text stands at its first end (+1) or its second (-1)."""


@lru_cache(maxsize=1)
def axes() -> dict[str, tuple[tuple[int, int], ...]]:
    """Word -> the (axis, end) it stands for, end +1 or -1."""
    ends: dict[str, list[tuple[int, int]]] = {}
    for axis, (first, second) in enumerate(OPPOSITES):
        ends.setdefault(first, []).append((axis, 1))
        ends.setdefault(second, []).append((axis, -1))
    return {word: tuple(of) for word, of in ends.items()}


@lru_cache(maxsize=1)
def chinese_words() -> re.Pattern[str]:
    """The listed Chinese words, longest first, so that 解锁 is not read as 锁."""
    words = sorted((w for w in axes() if not w.isascii()), key=lambda w: (-len(w), w))
    return re.compile("|".join(map(re.escape, words)))


def stem(word: str) -> str:
    """What a negating prefix stands before ("unfreeze" -> "freeze"); '' for a word without one."""
    for prefix in _PREFIXES:
        if word.startswith(prefix) and len(word) - len(prefix) >= _STEM_MIN:
            return word[len(prefix) :]
    return ""
