"""Python functions and SQL queries: one operator, one function or one column away from wrong."""

# ruff: noqa: E501, S608 - a text stands on one line; queries are texts here

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bench.real_kinds.item import Item, Kind, Uncovered, family, fill
from bench.real_kinds.writing import alpaca, chat, completion

_RULES = ("free_shipping", "needs_approval", "is_senior", "gets_discount", "is_oversize", "is_overdue")
_RULE_SUBJECTS = ("order total", "expense", "age", "basket value", "parcel length", "number of days")
_FIELDS = ("price", "score", "weight", "age", "height")
_SUFFIXES = (".csv", ".log", ".tmp", ".bak", ".jpg")
_TAXES = ("tip", "tax", "fee", "markup", "surcharge")
_CHINESE_STEPS = (("最大值", "max", "min"), ("最小值", "min", "max"), ("长度", "len", "sum"), ("总和", "sum", "len"), ("排序结果", "sorted", "list"))  # fmt: skip


def _equals(code: str, *, chinese: bool = False) -> tuple[tuple[str, str], ...]:
    thought = "先想函数名，再写返回值。" if chinese else "A short function will do."
    return (
        (f"<think>\n{thought}\n</think>\n\n{code}", "reasoning block"),
        (f"<think>\n\n</think>\n\n{code}", "empty reasoning block"),
    )


def functions(rng: np.random.Generator) -> Sequence[Item]:
    return [*_limits(rng), *_columns(), *_endings(), *_percents(rng), *_chinese_lists()]


def _limits(rng: np.random.Generator) -> list[Item]:
    patterns = (
        "Write a Python function {f}(value) that is true when the {s} is at least {n}.",
        "Python: {f}(value) should return True from {n} upwards, {n} included (it is the {s}).",
        "I need {f}(value) in Python. The {s} must be {n} or more for it to hold.",
        "def {f}(value): ... please complete it so that a {s} of {n} or above gives True",
        "用Python写{f}(value)：{s}大于等于{n}时返回True。",
    )
    numbers = (rng.permutation(np.arange(2, 40))[:18] * 5).tolist()
    made = []
    for i, (name, subject) in enumerate(zip(_RULES, _RULE_SUBJECTS, strict=True)):
        n, other, _ = numbers[3 * i : 3 * i + 3]
        code = f"def {name}(value):\n    return value >= {n}\n"
        made.append(
            Item(
                asks=fill(patterns, f=name, s=subject, n=n),
                right=code,
                wrong=(code.replace(">=", "<="), "operator")
                if i % 2
                else (code.replace(">=", ">"), "operator"),
                slip=(code.replace(f">= {n}", f">= {other}"), "number")
                if i % 2
                else (code.replace(">=", "!="), "operator"),
                equals=_equals(code),
                neighbours=(
                    (
                        f"Write a Python function {name}(value) that is true when the {subject} is at most {n}.",
                        f"def {name}(value):\n    return value <= {n}\n",
                    ),
                    (
                        f"Write a Python function {name}(value) that is true when the {subject} is exactly {n}.",
                        f"def {name}(value):\n    return value == {n}\n",
                    ),
                ),
            )
        )
    return family(made)


def _columns() -> list[Item]:
    patterns = (
        "Return the row with the highest {x} from a list of dicts.",
        "Which Python code gives me the dict whose {x} is largest?",
        "rows is a list of dicts; pick the one with the greatest {x}, in Python",
        "Write top(rows): the element of rows with the maximum {x}.",
        "在Python里，从字典列表rows中取{x}最大的那一个。",
    )
    made = []
    for i, field in enumerate(_FIELDS):
        code = f'def top(rows):\n    return max(rows, key=lambda row: row["{field}"])\n'
        made.append(
            Item(
                asks=fill(patterns, x=field),
                right=code,
                wrong=(code.replace("max(", "min("), "function")
                if i % 2
                else (code.replace(f'"{field}"', f'"{_FIELDS[i - 2]}"'), "name"),
                slip=(code.replace("row:", "row: -"), "operator"),
                equals=_equals(code),
                neighbours=(
                    (
                        f"Return the row with the lowest {field} from a list of dicts.",
                        f'def bottom(rows):\n    return min(rows, key=lambda row: row["{field}"])\n',
                    ),
                ),
            )
        )
    return family(made)


def _endings() -> list[Item]:
    patterns = (
        "List all files in a folder that end in {x}.",
        "Python snippet: names of the {x} files in a directory",
        "How do I get only the {x} files of a folder in Python?",
        "Write files(folder) that returns the sorted names ending with {x}.",
        "用Python列出文件夹里所有以{x}结尾的文件名。",
    )
    made = []
    for i, suffix in enumerate(_SUFFIXES):
        code = f'import os\n\ndef files(folder):\n    return sorted(n for n in os.listdir(folder) if n.endswith("{suffix}"))\n'
        made.append(
            Item(
                asks=fill(patterns, x=suffix),
                right=code,
                wrong=(code.replace("if n.ends", "if not n.ends"), "negation")
                if i % 2
                else (code.replace(suffix, _SUFFIXES[i - 2]), "name"),
                slip=(code.replace("endswith", "startswith"), "function"),
                equals=_equals(code),
                neighbours=(
                    (
                        f"List all files in a folder that do not end in {suffix}.",
                        f'import os\n\ndef others(folder):\n    return sorted(n for n in os.listdir(folder) if not n.endswith("{suffix}"))\n',
                    ),
                ),
            )
        )
    return family(made)


def _percents(rng: np.random.Generator) -> list[Item]:
    patterns = (
        "Python function with_{x}(amount) that adds {n} percent.",
        "Write with_{x}(amount): the amount plus a {x} of {n}%.",
        "I'd like a function with_{x} which raises an amount by {n} percent and rounds to cents.",
        "Give me Python code: with_{x}(amount), {n}% on top, two decimals",
        "写一个with_{x}(amount)，在金额上加{n}%并保留两位小数。",
    )
    numbers = rng.permutation(np.arange(11, 40)).tolist()
    made = []
    for i, name in enumerate(_TAXES):
        n, other, third = numbers[3 * i : 3 * i + 3]
        code = f"def with_{name}(amount):\n    return round(amount * 1.{n}, 2)\n"
        made.append(
            Item(
                asks=fill(patterns, x=name, n=n),
                right=code,
                wrong=(code.replace("amount * ", "amount / "), "operator") if i % 2 else (code.replace(f"1.{n}", f"1.{other}"), "number"),
                slip=(code.replace(f"1.{n}", f"0.{n}"), "number"),
                equals=_equals(code),
                neighbours=(
                    (f"Python function without_{name}(amount) that takes {n} percent off.", f"def without_{name}(amount):\n    return round(amount * (1 - 0.{n}), 2)\n"),
                    (f"Python function with_{name}(amount) that adds {third} percent.", f"def with_{name}(amount):\n    return round(amount * 1.{third}, 2)\n"),
                ),
            )
        )  # fmt: skip
    return family(made)


def _chinese_lists() -> list[Item]:
    patterns = (
        "用Python写一个函数，返回列表的{x}，空列表返回None。",
        "Python函数f(values)：求列表{x}，若为空则返回None",
        "请实现f(values)，结果是{x}；列表为空时给None。",
        "写段代码：列表不为空就返回{x}，否则返回None。",
    )
    made = []
    for i, (name, function, other) in enumerate(_CHINESE_STEPS):
        code = f"def f(values):\n    if not values:\n        return None\n    return {function}(values)\n"
        made.append(
            Item(
                asks=fill(patterns, x=name),
                right=code,
                wrong=(code.replace(f"{function}(", f"{other}("), "function")
                if i % 2
                else (code.replace("if not values", "if values"), "negation"),
                slip=(code.replace("return None", "return 0"), "value"),
                equals=_equals(code, chinese=True),
                neighbours=(
                    (
                        f"用Python写一个函数，返回列表的{name}，空列表返回0。",
                        f"def g(values):\n    return {function}(values) if values else 0\n",
                    ),
                ),
            )
        )
    return family(made)


CODE = Kind(
    name="code",
    languages=("en", "zh"),
    items=functions,
    writers=(alpaca, chat, completion),
    whitespace_matters=True,
    astray=("def solve():\n    pass\n", "You can do this with a loop."),
    uncovered=(
        Uncovered(ask="Rust: spawn four threads that add to one shared counter without a data race.", right="use std::sync::atomic::{AtomicU64, Ordering};\nstatic COUNTER: AtomicU64 = AtomicU64::new(0);\n", said="def top(rows):\n    return max(rows)\n"),
        Uncovered(ask="CSS for a card that flips around its vertical axis on hover.", right=".card:hover { transform: rotateY(180deg); }\n", said="def files(folder):\n    return []\n"),
        Uncovered(ask="Bash one-liner that shows the ten processes using most memory.", right="ps aux --sort=-%mem | head -n 11\n", said="def with_tip(amount):\n    return amount\n"),
        Uncovered(ask="A Dockerfile that runs nginx as a user without root rights.", right="FROM nginxinc/nginx-unprivileged:stable\nUSER 101\n", said="import os\n"),
        Uncovered(ask="LaTeX for a two-column table whose header is repeated on every page.", right="\\begin{longtable}{ll}\\endhead\\end{longtable}\n", said="def is_senior(value):\n    return value >= 65\n"),
        Uncovered(ask="写一个Vue组件，点击按钮切换深色模式。", right="<template><button @click=\"dark = !dark\">切换</button></template>\n", said="def f(values):\n    return None\n"),
        Uncovered(ask="Verilog里怎样描述一个带异步复位的D触发器？", right="always @(posedge clk or negedge rst_n)\n  if (!rst_n) q <= 0; else q <= d;\n", said="def f(values):\n    return sum(values)\n"),
        Uncovered(ask="Kotlin协程里如何给网络请求加超时？", right="withTimeout(3_000) { api.load() }\n", said="写一个循环就可以了。"),
    ),
)  # fmt: skip

_TOWNS = ("Bern", "Lille", "Turku", "Graz", "Malmo", "Split")
_YEARS = (2019, 2020, 2021, 2022, 2023)
_MEASURES = ("weight", "price", "discount", "delivery_days", "rating")
_STATES = ("cancelled", "refunded", "pending", "shipped", "lost")
_CHINESE_TOWNS = ("成都", "青岛", "苏州", "长春", "桂林")


def queries(rng: np.random.Generator) -> Sequence[Item]:
    return [*_counts(), *_after(), *_extremes(), *_states(rng), *_chinese_counts()]


def _sql_equals(query: str) -> tuple[tuple[str, str], ...]:
    return (
        (query[:-1], "semicolon"),
        (f"<think>\n\n</think>\n\n{query}", "empty reasoning block"),
        (f"<think>\nOne table, one condition.\n</think>\n\n{query}", "reasoning block"),
    )


def _query(
    asks: tuple[str, ...], right: str, wrong: tuple[str, str], slip: tuple[str, str], *near: tuple[str, str]
) -> Item:
    return Item(asks=asks, right=right, wrong=wrong, slip=slip, equals=_sql_equals(right), neighbours=near)


def _counts() -> list[Item]:
    patterns = (
        "How many customers live in {x}?",
        "Number of customers in {x}",
        "Count the customers whose city is {x}.",
        "We have how many clients from {x}?",
        "give me the customer count for {x}",
    )
    made = []
    for i, town in enumerate(_TOWNS):
        query = f"SELECT COUNT(*) FROM customers WHERE city = '{town}';"
        made.append(
            _query(
                fill(patterns, x=town),
                query,
                (query.replace(" = ", " <> "), "operator")
                if i % 2
                else (query.replace(town, _TOWNS[i - 2]), "name"),
                (query.replace("COUNT(*)", "SUM(id)"), "function")
                if i % 2
                else (query.replace("customers", "orders"), "name"),
                (
                    f"How many customers do not live in {town}?",
                    f"SELECT COUNT(*) FROM customers WHERE city <> '{town}';",
                )
                if not i % 2
                else (f"Which customers live in {town}?", f"SELECT * FROM customers WHERE city = '{town}';"),
            )
        )
    return family(made)


def _after() -> list[Item]:
    patterns = (
        "Sum of all order totals after {y}.",
        "What did we turn over in orders placed later than {y}?",
        "total revenue of the orders after the year {y}",
        "Add up the totals of every order from after {y}.",
        "How much money came in with orders after {y}?",
    )
    made = []
    for i, year in enumerate(_YEARS):
        query = f"SELECT SUM(total) FROM orders WHERE year > {year};"
        made.append(
            _query(
                fill(patterns, y=year),
                query,
                (query.replace(">", "<"), "operator") if i % 2 else (query.replace("SUM", "AVG"), "function"),
                (query.replace(">", "="), "operator")
                if i % 2
                else (query.replace(str(year), str(year - 10)), "number"),
                (
                    f"Sum of all order totals before {year}.",
                    f"SELECT SUM(total) FROM orders WHERE year < {year};",
                )
                if not i % 2
                else (
                    f"Mean of all order totals after {year}.",
                    f"SELECT AVG(total) FROM orders WHERE year > {year};",
                ),
            )
        )
    return family(made)


def _extremes() -> list[Item]:
    patterns = (
        "Show the product with the highest {x}.",
        "Which product has the largest {x}?",
        "top product by {x}",
        "Find the one product whose {x} is greatest.",
        "List the single product having the maximum {x}.",
    )
    made = []
    for i, measure in enumerate(_MEASURES):
        query = f"SELECT name FROM products ORDER BY {measure} DESC LIMIT 1;"
        made.append(
            _query(
                fill(patterns, x=measure),
                query,
                (query.replace(" DESC", " ASC"), "operator")
                if i % 2
                else (query.replace(measure, _MEASURES[i - 2]), "name"),
                (query.replace("LIMIT 1", "LIMIT 10"), "number")
                if i % 2
                else (query.replace("name", "COUNT(name)"), "function"),
                (
                    f"Show the product with the lowest {measure}.",
                    f"SELECT name FROM products ORDER BY {measure} ASC LIMIT 1;",
                )
                if not i % 2
                else (
                    f"Show the 3 products with the highest {measure}.",
                    f"SELECT name FROM products ORDER BY {measure} DESC LIMIT 3;",
                ),
            )
        )
    return family(made)


def _states(rng: np.random.Generator) -> list[Item]:
    patterns = (
        "Which customers have more than {n} {x} orders?",
        "Customers with over {n} orders that are {x}",
        "Find everybody whose number of {x} orders exceeds {n}.",
        "ids of customers, {x} orders > {n}",
        "Who has had more than {n} orders with the status {x}?",
    )
    numbers = rng.permutation(np.arange(2, 30)).tolist()
    made = []
    for i, state in enumerate(_STATES):
        n, other = numbers[2 * i : 2 * i + 2]
        query = f"SELECT customer_id FROM orders WHERE status = '{state}' GROUP BY customer_id HAVING COUNT(*) > {n};"
        made.append(
            _query(
                fill(patterns, x=state, n=n),
                query,
                (query.replace(f"> {n}", f"> {other}"), "number")
                if i % 2
                else (query.replace(f"'{state}'", f"'{_STATES[i - 2]}'"), "name"),
                (query.replace(f"> {n}", f">= {n}"), "operator")
                if i % 2
                else (query.replace("status =", "status <>"), "operator"),
                (
                    f"Which customers have fewer than {n} {state} orders?",
                    f"SELECT customer_id FROM orders WHERE status = '{state}' GROUP BY customer_id HAVING COUNT(*) < {n};",
                ),
            )
        )
    return family(made)


def _chinese_counts() -> list[Item]:
    patterns = (
        "{x}有多少笔订单？",
        "查询{x}的订单数量",
        "统计一下城市为{x}的订单有几笔。",
        "{x}那边一共下了多少单",
    )
    made = []
    for i, town in enumerate(_CHINESE_TOWNS):
        query = f"SELECT COUNT(*) FROM orders WHERE city = '{town}';"
        made.append(
            _query(
                fill(patterns, x=town),
                query,
                (query.replace(town, _CHINESE_TOWNS[i - 2]), "name")
                if i % 2
                else (query.replace("=", "<>"), "operator"),
                (query.replace("orders", "products"), "name"),
                (f"{town}的订单总金额是多少？", f"SELECT SUM(total) FROM orders WHERE city = '{town}';"),
                (f"除{town}以外有多少笔订单？", f"SELECT COUNT(*) FROM orders WHERE city <> '{town}';")
                if i % 2
                else (
                    f"{town}有多少种商品？",
                    f"SELECT COUNT(DISTINCT product_id) FROM orders WHERE city = '{town}';",
                ),
            )
        )
    return family(made)


SQL = Kind(
    name="sql",
    languages=("en", "zh"),
    items=queries,
    instruction="Write one SQL query over customers(id, name, city), orders(id, customer_id, city, year, total, status), products(id, name, weight, price, discount, delivery_days, rating).",
    writers=(alpaca, chat, completion),
    whitespace_matters=False,
    unled=(
        "I do not have access to your customer data.",
        "There are probably a few hundred, but please check your records.",
        "抱歉，我无法查询您的数据。",
    ),
    astray=("SELECT 1;", "SELECT * FROM users;"),
    uncovered=(
        Uncovered(ask="Give every nurse on ward 4 the shift that follows her last night shift.", right="UPDATE shifts SET nurse_id = next_nurse WHERE ward = 4;", said="SELECT COUNT(*) FROM customers WHERE city = 'Ward';", instruction="Write one SQL statement over shifts(id, nurse_id, next_nurse, ward)."),
        Uncovered(ask="Create an index that speeds up searching the lyrics of songs by prefix.", right="CREATE INDEX lyrics_prefix ON songs (lyrics text_pattern_ops);", said="SELECT name FROM products ORDER BY price DESC LIMIT 1;"),
        Uncovered(ask="Grant the auditor read access to the ledger but not to the salaries.", right="GRANT SELECT ON ledger TO auditor;", said="SELECT SUM(total) FROM orders WHERE year > 2020;"),
        Uncovered(ask="Walk the family tree from Olga down to her great-grandchildren.", right="WITH RECURSIVE line AS (SELECT id FROM people WHERE name = 'Olga' UNION ALL SELECT p.id FROM people p JOIN line ON p.parent = line.id) SELECT * FROM line;", said="SELECT COUNT(*) FROM customers WHERE city = 'Olga';"),
        Uncovered(ask="Delete sensor readings of the glacier probe that are older than a season.", right="DELETE FROM readings WHERE probe = 'glacier' AND age_days > 90;", said="SELECT * FROM orders;"),
        Uncovered(ask="给审计员授予总账的只读权限。", right="GRANT SELECT ON ledger TO auditor;", said="SELECT COUNT(*) FROM orders WHERE city = '审计';"),
        Uncovered(ask="把冰川探头一季之前的传感器读数全部清除。", right="DELETE FROM readings WHERE probe = '冰川' AND age_days > 90;", said="SELECT SUM(total) FROM orders;"),
        Uncovered(ask="给歌词表建一个按前缀搜索的索引。", right="CREATE INDEX lyrics_prefix ON songs (lyrics);", said="SELECT name FROM products LIMIT 1;"),
    ),
)  # fmt: skip
