"""Whether a text is code, or anything else whose signs and spaces a machine reads: JSON, SQL, templates, patterns.

One line that looks so is enough: a text is taken for code too often rather than too seldom, since what is asked
here is whether it may be rewritten.
"""

from __future__ import annotations

import re

from app.domain.language import text

_SIGNS = re.compile(
    r"```|~~~"
    # lines that are indented, and lines that end as statements do
    r"|^(?:\t| {2,})\s*\S|[\w)\]}'\"][;{}]\s*$|^[ \t]*[{}\])]+[;,]?\s*$"
    r"|^[ \t]*(?:def|class|if|elif|for|while|with|try|except|else|switch|case|match)\b[^.!?\n]*:\s*$"
    r"|^[ \t]*(?:import|from|use|using|package|require|include)\s+[\w.:/{}*\"'<>]+(?:\s+(?:import|as)\b.*|;?)\s*$"
    r"|^[ \t]*(?:async\s+)?(?:def|func|fn|function|fun)\s+\w*\s*[(<]"
    r"|^[ \t]*(?:return|yield|raise|throw|await)\b[^.!?]*$"
    r"|^[ \t]*(?:let|const|var|val|int|float|double|char|auto|string|bool)\s+\w+\s*(?::[^=\n]+)?="
    r"|^[ \t]*@\w+(?:\(|\s*$)"
    # calls, assignments, operators of no prose
    r"|\b[A-Za-z_][\w.]*\([^()\n]*\)\s*(?:[;{.:]|$)|\b\w+\.\w+\(|\w\(\)"
    r"|^[ \t]*[\w.\[\]\"']+\s*(?:[-+*/|&^%:]|<<|>>|\*\*|//)?=(?!=)\s*\S"
    r"|=>|->|::|&&|\|\||[!=]==?|<=|>=|\+\+|\s\|>\s|<<|>>\s?\w|\$[A-Za-z_]\w*\b|\w\[[\w:\"'-]+\]"
    r"|[{,]\s*\"[^\"\n]+\"\s*:"
    # tags, templates, escapes, patterns
    r"|</?[A-Za-z][\w:-]*(?:\s[^<>\n]*)?/?>|<!--|<\?\w|\{\{|\}\}|\{%|<%|[$#]\{|%\(\w+\)[sd]|\{\w*\}"
    r"|\\[\\dwsbSDWBnrt0uxpP.*+?()\[\]{}^$|/]|\bs/[^/\n]+/[^/\n]*/|\(\?[:=!<P#i]|\[\^|\[[^\]\n]+\](?:[*+?{]|\$)|\.[*+]|&(?:#\w+|[a-z]{2,6});"
    # queries, commands, settings, patches
    r"|\bSELECT\b[^\n]*\bFROM\b|\bINSERT\s+INTO\b|\bUPDATE\s+\S+\s+SET\b|\bDELETE\s+FROM\b|\b(?:CREATE|ALTER|DROP)\s+"
    r"(?:TABLE|INDEX|VIEW|DATABASE|FUNCTION)\b|\bGROUP\s+BY\b|\bORDER\s+BY\b"
    r"|^[ \t]*[$#%>]\s?[a-z][\w./-]*(?:\s|$)|^#!|^[ \t]*(?:sudo|git|docker|kubectl|pip|npm|yarn|apt|apt-get|"
    r"curl|wget|cd|ls|grep|awk|sed|chmod|echo|export|tar|ssh|make|python3?)\s+[-\w./\"'$]+|\s--?[a-z][\w-]*(?:[= ]|$)"
    r"|^(?:@@|\+\+\+|---) \S|^[ \t]*//|/\*|^[ \t]*--\s|^[ \t]*\[[\w.-]+\]\s*$"
    r"|^[ \t]*[\w-]+:(?:\s*\n(?:[ \t]+|- )\S|[ \t]+[\[{|>&])",
    re.MULTILINE | re.IGNORECASE,
)
_JSON = re.compile(r"\s*(?:\{\s*(?:\"|'|\})|\[\s*(?:[\[{\"'\d\]-]|true|false|null)).*[}\]]\s*\Z", re.DOTALL)


def is_code(of: str) -> bool:
    """Whether any line of a text, or the whole of it, is written for a machine. Of a long text its ends are read."""
    said = text.clip(of)
    return _SIGNS.search(said) is not None or _JSON.match(said) is not None
