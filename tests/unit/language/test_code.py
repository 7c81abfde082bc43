from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.language.code import is_code


@pytest.mark.parametrize(
    "text",
    [
        "    return x + 1",
        "return total / count",
        'print("hello")',
        "items = [1, 2]",
        "SELECT name FROM users WHERE id = 1",
        r"^\s+$",
        r"\u200b",
        "ls -la | grep log",
        '<div class="a">x</div>',
        "Dear {{ name }},",
        "{% for m in messages %}{{ m }}{% endfor %}",
        "def f(x): return x",
        "let a = 1;",
        '{"city": "Oslo"}',
        "[1, 2, 3]",
        "git commit -m 'first'",
        "name: web\nports:\n  - 80\n",
        "if (a > b) {\n  swap();\n}",
        "#!/bin/sh\nls",
        "for i in range(3):\n\tprint(i)",
        "text.strip()",
        "s/ａ/a/g",
        "Here it is:\n```python\nx = 1\n```",
    ],
)
def test_code_queries_patterns_and_templates_are_code(text: str) -> None:
    assert is_code(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Paris is the capital of France.",
        "refund",
        "cards / freeze card",
        "card_arrival",
        "您的包裹已经离开仓库，预计明天送到。",
        "It costs $5; 10 % off.",
        "1. First\n2. Second\n- third",
        'If you like: say "yes".',
        "Final answer: 42",
        "5 - 3 = 2",
        "Note:\nwe are closed on Sundays.",
        "see https://example.com/a?b=c",
        "Le magasin ouvre à neuf heures.",
    ],
)
def test_prose_and_labels_are_no_code(text: str) -> None:
    assert not is_code(text)


@given(st.text(max_size=200))
def test_a_fenced_text_is_code_whatever_stands_in_it(text: str) -> None:
    assert is_code(f"```\n{text}\n```")


@pytest.mark.parametrize("unit", [" ", "\n", "a ", "a.", "x=", "[", "{", "\\", "<a ", "(", "- "])
def test_a_megabyte_is_judged_in_a_moment(unit: str) -> None:
    text = unit * (1_000_000 // len(unit))
    start = time.monotonic()
    is_code(text)
    assert time.monotonic() - start < 1.0
